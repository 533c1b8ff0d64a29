import { actAt } from './acts.js';
import { type Evidence, type Finding, keyHolders } from './evidence.js';
import { eventsOf } from './history.js';

/**
 * I1: nobody gives back a seat that somebody else uses. Processes of one device may give back what a dead one left behind; that one is then never
 * heard of again. Whoever said itself before that it has stopped may be helped. What another device says of it counts for nothing.
 */
export function givenBackByOthers(evidence: Evidence): Finding[] {
  return [...byOtherProcesses(evidence), ...byOtherDevices(evidence)];
}

function byOtherProcesses({ entries, leases }: Evidence): Finding[] {
  const holders = new Map<string, Set<string>>();
  const keys = new Map<string, string>();
  for (const { token, answer } of leases) {
    const { jti, dev } = token.claims;
    holders.set(jti, (holders.get(jti) ?? new Set()).add(answer.process));
    keys.set(jti, dev);
  }
  const isOf = keyHolders(entries);
  const lastHeardOf = new Map<string, number>();
  for (const { process, t } of entries) lastHeardOf.set(process, t);
  const stopped = new Set<string>();
  return eventsOf(entries, 'released').flatMap(({ process, t, leases: given }) =>
    given.flatMap((lease): Finding[] => {
      const key = keys.get(lease);
      if (key !== undefined && !isOf(process, key)) return [];
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

/** By what the journal says of who asked. */
function byOtherDevices({ journal }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const owners = new Map<string, string>();
  const findings: Finding[] = [];
  for (const record of journal.records) {
    record.changes.forEach(({ type, id, lease }, place) => {
      if (type === 'lease.granted') {
        const { claims, device } = lease as { claims: { jti: string }; device: string };
        owners.set(claims.jti, device);
      }
      if (type !== 'lease.ended') return;
      const { did, device } = actAt(record, place) ?? {};
      const owner = owners.get(String(id));
      if (did !== 'release' || owner === device) return;
      const text = `record ${record.seq}: device ${device} gives back lease ${String(id)}, which is of ${owner}`;
      findings.push({ rule: 'I1', text });
    });
  }
  return findings;
}
