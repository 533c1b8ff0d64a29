import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';

/**
 * I1: nobody gives back a seat that somebody else uses. Processes of one device may give back what a dead one left behind; that one is then never
 * heard of again. Whoever said itself before that it has stopped may be helped.
 */
export function givenBackByOthers({ entries, leases }: Evidence): Finding[] {
  const holders = new Map<string, Set<string>>();
  for (const { token, answer } of leases) {
    const { jti } = token.claims;
    holders.set(jti, (holders.get(jti) ?? new Set()).add(answer.process));
  }
  const lastHeardOf = new Map<string, number>();
  for (const { process, t } of entries) lastHeardOf.set(process, t);
  const stopped = new Set<string>();
  return eventsOf(entries, 'released').flatMap(({ process, t, leases: given }) =>
    given.flatMap((lease): Finding[] => {
      stopped.add(`${process} ${lease}`);
      const others = holders.get(lease) ?? new Set();
      if (others.has(process)) return [];
      const alive = [...others].filter(
        (other) => !stopped.has(`${other} ${lease}`) && (lastHeardOf.get(other) ?? 0) > t,
      );
      return alive.map((other) => ({
        rule: 'I1',
        text: `${process} gives back lease ${lease} of ${other}, which is alive and had not said that it stopped`,
      }));
    }),
  );
}
