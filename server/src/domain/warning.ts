import type { LeaseWarning } from '@berth/protocol';
import type { Now, ScheduledRelease } from './state.js';

/** What a plugin is told of a forced release that is set. */
export function releaseWarning({ atMs, by, reason }: ScheduledRelease, now: Now): LeaseWarning {
  return { code: 'LEASE_REVOKED', atMs, inMs: Math.max(0, atMs - now.steadyWallMs), reason, by };
}
