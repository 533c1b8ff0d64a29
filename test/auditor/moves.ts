import { eachAct } from './acts.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';

/** PRODUCT.md, assign: seats go from one to the other in one move: what one loses the other has in the same command, and nobody is in between. */
export function movesTorn({ journal, entries }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  /** Key of a request that was kept -> how many seats more each user had by it, if it was a move. */
  const moves = new Map<string, ReadonlyMap<string, number>>();
  eachAct(journal.records, ({ seq, did, changes, before }) => {
    if (did !== 'move') return;
    const [byUser, byEntitlement] = [new Map<string, number>(), new Map<string, number>()];
    for (const { row, more } of before.after(changes)) {
      byUser.set(row.email, (byUser.get(row.email) ?? 0) + more);
      byEntitlement.set(row.entitlement, (byEntitlement.get(row.entitlement) ?? 0) + more);
    }
    for (const [entitlement, more] of byEntitlement)
      if (more !== 0)
        findings.push({
          rule: 'ALLOCATION',
          text: `record ${seq}: a move of ${entitlement} leaves ${more} seats more allocated than before`,
        });
    for (const { type, request } of changes)
      if (type === 'request.kept') moves.set((request as { id: string }).id.split(' ').at(-1)!, byUser);
  });
  return [...findings, ...eventsOf(entries, 'result').flatMap((result) => unlike(result, moves))];
}

interface Moved {
  readonly email: string;
  readonly to: string;
  readonly moved: number;
}

function unlike(
  { method, key, text }: { readonly method: string; readonly key: string; readonly text: string },
  moves: ReadonlyMap<string, ReadonlyMap<string, number>>,
): Finding[] {
  if (method !== 'allocation.move') return [];
  const { email, to, moved } = JSON.parse(text) as Moved;
  const byUser = moves.get(key);
  if (byUser !== undefined && byUser.get(email) === -moved && byUser.get(to) === moved) return [];
  return [
    {
      rule: 'ALLOCATION',
      text: `allocation.move with key ${key} says that ${moved} seats went from ${email} to ${to}: no one command did that`,
    },
  ];
}
