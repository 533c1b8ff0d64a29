import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';

/**
 * I2: a client renews every D/3 +- 10 %. Where nothing is in its way, whoever has a seat has asked for its renewal within D/2; longer, and it lives on luck
 * or loses the seat.
 */
export function notRenewed(evidence: Evidence): Finding[] {
  const { quiet, entries } = evidence;
  if (quiet === undefined) return [];
  const leases = onlineLeases(evidence);
  const renewals = renewalsOf(evidence);
  const accused = new Set<string>();
  return eventsOf(entries, 'state').flatMap(({ t, process, state, leases: ids }): Finding[] => {
    if (t > quiet.untilT || !had.has(state)) return [];
    return ids.flatMap((id) => {
      const lease = leases.get(id);
      if (lease === undefined || accused.has(id)) return [];
      const sinceT = t - lease.durationMs / 2;
      if (sinceT < Math.max(quiet.fromT, lease.answeredT)) return [];
      if (renewals.get(process)?.some((at) => at >= sinceT && at <= t) === true) return [];
      accused.add(id);
      const seconds = Math.round(lease.durationMs / 2000);
      return [
        {
          rule: 'KEPT',
          text: `${process} has lease ${id} at ${Math.round(t)} ms and has not asked for its renewal for ${seconds} s, though nothing was in its way`,
        },
      ];
    });
  });
}

/** Its plugin may use it. */
const had: ReadonlySet<string> = new Set(['held', 'grace']);

/** When the first token of each arrived, and D: the longest, if it changed. */
function onlineLeases({ leases }: Evidence): Map<string, { answeredT: number; durationMs: number }> {
  const online = new Map<string, { answeredT: number; durationMs: number }>();
  for (const { token, answer } of leases) {
    const { jti, kind, dur } = token.claims;
    if (kind !== 'online') continue;
    const { answeredT, durationMs } = online.get(jti) ?? { answeredT: answer.t, durationMs: 0 };
    online.set(jti, { answeredT, durationMs: Math.max(durationMs, dur * 1000) });
  }
  return online;
}

/** By process: when it asked for renewals. */
function renewalsOf({ entries }: Evidence): Map<string, number[]> {
  const renewals = new Map<string, number[]>();
  for (const { process, method, t } of eventsOf(entries, 'request')) {
    if (method !== 'lease.renew' && method !== 'session.resume') continue;
    const own = renewals.get(process);
    if (own === undefined) renewals.set(process, [t]);
    else own.push(t);
  }
  return renewals;
}
