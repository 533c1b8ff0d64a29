import type { PushParams } from '@berth/protocol';
import type { Change, ChangeType } from './domain/changes.js';
import type { Now } from './domain/state.js';
import { releaseWarning } from './domain/warning.js';
import type { Sessions } from './transport/api.js';

/** What clients are told once it is durable. */
export function tellSessions(sessions: Sessions, changes: readonly Change[], now: Now): void {
  for (const change of changes) {
    const tell = tellers[change.type] as Teller<ChangeType> | undefined;
    tell?.(sessions, change, now);
  }
}

type Teller<T extends ChangeType> = (
  sessions: Sessions,
  change: Extract<Change, { type: T }>,
  now: Now,
) => void;

const tellers: { readonly [T in ChangeType]?: Teller<T> } = {
  'lease.revoked': (sessions, { id: lease, reason, by, cause }) => {
    const code = cause === 'idle' ? 'IDLE_RELEASED' : 'LEASE_REVOKED';
    sessions.pushToLease(lease, 'lease.revoked', { lease, reason, by, code });
  },
  'lease.warned': (sessions, { id: lease, release }, now) =>
    warn(sessions, { lease, warning: releaseWarning(release, now) }),
  'lease.kept': (sessions, { id: lease }) => warn(sessions, { lease, warning: null }),
  'lease.messaged': (sessions, { id: lease, by: from, text }) =>
    sessions.pushToLease(lease, 'admin.message', { lease, text, from }),
  'lease.ended': (sessions, { id }) => sessions.unbindLease(id),
  'device.removed': (sessions, { id }) => sessions.closeDevice(id),
};

function warn(sessions: Sessions, params: PushParams<'lease.warned'>): void {
  sessions.pushToLease(params.lease, 'lease.warned', params);
}
