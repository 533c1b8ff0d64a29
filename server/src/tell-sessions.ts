import type { Change } from './domain/changes.js';
import type { SessionRegistry } from './transport/session-registry.js';

/** What clients are told once it is durable. */
export function tellSessions(sessions: SessionRegistry, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.type === 'lease.revoked') {
      const { id: lease, reason, by, cause } = change;
      const code = cause === 'idle' ? 'IDLE_RELEASED' : 'LEASE_REVOKED';
      sessions.pushToLease(lease, 'lease.revoked', { lease, reason, by, code });
    } else if (change.type === 'lease.ended') sessions.unbindLease(change.id);
    else if (change.type === 'device.removed') sessions.closeDevice(change.id);
  }
}
