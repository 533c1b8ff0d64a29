/** What `/readyz` and `/metrics` warn of although the server serves. Each has its way out in `berth doctor`. */
export type HealthWarning =
  | 'DISK_LOW'
  | 'CLOCK_BEHIND'
  | 'CLOCK_AHEAD'
  | 'JOURNAL_DAMAGED'
  | 'BASE_RENEWED'
  | 'RESTORED'
  | 'ROLLED_BACK'
  | 'BACKUP_FAILED'
  | 'CERTIFICATE_EXPIRING';
