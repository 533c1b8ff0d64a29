import { newIdempotencyKey } from '@berth/client';
import type { Office } from './office.js';
import { nap } from './workload.js';

/** More than share a commit of the worker (bulk/worker.ts), so that a job can be cut in two. */
const FEWEST_ROWS = 55;
const MOST_ROWS = 90;
/** File operations of the commits of one job. */
const OPERATIONS = 16;

type Kind = 'invite' | 'remove' | 'assign' | 'revoke' | 'credit';

/** An admin with a table: many rows in one job, and then its report. */
export async function workInBulk(office: Office, key: string): Promise<void> {
  const { admin, dice, host } = office;
  const kind = dice.pick(['assign', 'assign', 'revoke', 'revoke', 'credit', 'invite', 'remove'] as const);
  const upload = newIdempotencyKey(host);
  const { header, rows } = tableOf(office, kind);
  await admin.call('bulk.put', { upload, header, from: 0, rows });
  const asked = { upload, kind, ...(dice.chance(0.5) ? { pending: true } : {}) };
  if (dice.chance(0.1)) await admin.call('bulk.preview', asked);
  disturb(office);
  const { job } = await admin.call('bulk.apply', { key, ...asked, again: dice.chance(0.9) });
  await nap(host, dice.about(20_000));
  await readReport(office, job.id);
}

/** The server dies somewhere in the middle of it. */
function disturb({ site, dice }: Office): void {
  if (!site.network.faulty || !dice.chance(0.3)) return;
  site.tellFault('killedInJob');
  const doom = { operations: dice.below(OPERATIONS), promises: dice.below(OPERATIONS) };
  site.server.fate.dieAtOperation(doom, dice.chance(0.5) ? 'ALL' : dice.below);
}

/** The report of a job, whoever asked for it. */
export async function lookAtJobs(office: Office): Promise<void> {
  const { items } = await office.admin.call('bulk.list', {});
  if (items.length > 0) await readReport(office, office.dice.pick(items).id);
}

async function readReport({ admin, dice }: Office, id: string): Promise<void> {
  const failures = dice.chance(0.2) ? { failures: true } : {};
  let cursor: string | undefined;
  do {
    const page = { ...failures, ...(cursor === undefined ? {} : { cursor }) };
    const report: { readonly next: string | null } = await admin.call('bulk.report', { id, ...page });
    cursor = report.next ?? undefined;
  } while (cursor !== undefined);
}

function tableOf({ dice, people, products }: Office, kind: Kind) {
  const count = dice.between(FEWEST_ROWS, MOST_ROWS);
  const header: string[] = ['email', ...columns[kind]];
  const rows = Array.from({ length: count }, (_, at) => {
    const email =
      kind === 'invite' || kind === 'remove' ? `bulk${dice.below(8)}@studio.example` : dice.pick(people);
    return { line: at + 2, cells: [email, ...cells(kind)] };
  });
  return { header, rows };

  function cells(of: Kind): string[] {
    if (of === 'credit') {
      const limit = dice.pick(['unlimited', '20', '50']);
      const per = dice.pick(['', 'day', 'month']);
      return [limit, limit === 'unlimited' ? '' : per];
    }
    if (of === 'assign') return [dice.pick(products), String(dice.between(1, 2))];
    // Most find nothing to take back; no number is all.
    if (of === 'revoke') return [dice.pick(products), dice.pick(['1', '1', ''])];
    return of === 'invite' ? ['user'] : [];
  }
}

const columns: Readonly<Record<Kind, readonly string[]>> = {
  invite: ['role'],
  remove: [],
  assign: ['product', 'quantity'],
  revoke: ['product', 'quantity'],
  credit: ['limit', 'per'],
};
