import { eachAct } from './acts.js';
import type { Evidence, Finding } from './evidence.js';

/**
 * I8: a revoke that waits for a borrow is carried out when that ends, unless an admin takes it back. Whatever else is done to the same seats, it stays.
 */
export function pendingForgotten({ journal }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  eachAct(journal.records, ({ seq, did, changes, before }) => {
    const touched = before.after(changes);
    // What becomes of a revoke that is asked for is held against what was asked (office-asked.ts): of one user and one product, whoever that is.
    const whose = new Set(touched.map(({ row }) => `${row.email} ${before.productOf(row.entitlement)}`));
    if (did === 'revoke' && whose.size === 1) return;
    for (const { row, more, revokingMore } of touched) {
      // An allocation that is gone has nothing left to be taken back; one that goes over to an heir is judged there (replay-taken-back.ts).
      const forgotten = row.quantity === 0 ? 0 : -revokingMore - Math.max(0, -more);
      if (forgotten > 0)
        findings.push({
          rule: 'I8',
          text: `record ${seq}: a ${did} makes the pending revoke of ${forgotten} seats of ${row.entitlement} from ${row.email} forgotten`,
        });
    }
  });
  return findings;
}
