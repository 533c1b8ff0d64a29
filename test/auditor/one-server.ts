import type { Evidence } from './evidence.js';
import { eventsOf } from './history.js';

/**
 * Whether the server was certainly not started anew between two moments: somebody's session, over a connection, goes back to before the first, and had an
 * answer to what was asked on it after the second. A script that signs each request has no connection, and is no witness.
 */
export function oneServer({
  entries,
  leases,
}: Pick<Evidence, 'entries' | 'leases'>): (fromT: number, toT: number) => boolean {
  const opened = new Map<string, number[]>();
  for (const { process, method, t } of eventsOf(entries, 'request'))
    if (method === 'session.open') opened.set(process, [...(opened.get(process) ?? []), t]);
  return (fromT, toT) =>
    leases.some(({ sentAt, answer: { process, t } }) => {
      if (sentAt === null || sentAt < toT) return false;
      const last = opened.get(process)?.findLast((each) => each <= t);
      return last !== undefined && last <= fromT;
    });
}
