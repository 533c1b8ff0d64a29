export * from './alias.js';
export * from './audit-kinds.js';
export * from './backup-file.js';
export * from './bytes.js';
export * from './chain.js';
export * from './close-codes.js';
export * from './credit-shapes.js';
export * from './dates.js';
export * from './ed25519-strict.js';
export * from './email.js';
export * from './end-notice.js';
export * from './endorsement.js';
export * from './errors.js';
export * from './frames.js';
export type { HealthWarning } from './health.js';
export * from './http-request.js';
export * from './http-status.js';
export * from './join-link.js';
export * from './keys.js';
export * from './limits.js';
export * from './message-row.js';
export * from './messages.js';
export { AllocationInfo, EntitlementInfo, LeaseInfo, PendingInfo } from './messages-admin.js';
export {
  AUDIT_PART_BYTES,
  AuditChange,
  AuditEntry,
  AuditFact,
  AuditSegment,
  Pruned,
} from './messages-audit.js';
export { BACKUP_PART_BYTES, BackupInfo, RestoreInfo } from './messages-backup.js';
export { BulkJobInfo, BulkKind, BulkRowInfo } from './messages-bulk.js';
export { ClockInfo } from './messages-clock.js';
export { CreditRequestInfo, CreditSourceInfo } from './messages-credit.js';
export * from './messages-http.js';
export { Holder, Pool, Renewal, UserInfo } from './messages-lease.js';
export { MachineInfo, MachineTokenInfo } from './messages-machine.js';
export { MailInfo } from './messages-mail.js';
export { LeaseWarning } from './messages-notice.js';
export { OFFLINE_REQUEST_AGE_MS } from './messages-offline.js';
export { PoolSettings, poolDefaults, SharingChange } from './messages-pool.js';
export { DeviceInfo, MemberInfo, MemberOrder } from './messages-user.js';
export { EndorsementInfo } from './messages-vendor.js';
export { Want } from './messages-wait.js';
export { WhySource } from './messages-why.js';
export * from './offline-files.js';
export * from './plain-text.js';
export * from './schemas.js';
export * from './tokens.js';
export * from './transcript.js';
export * from './validate.js';
export * from './windows.js';
