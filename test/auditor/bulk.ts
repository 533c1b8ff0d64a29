import { type ActSeen, eachAct } from './acts.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import type { Change } from './journal-entry.js';

// PRODUCT.md, bulk: each row succeeds or fails alone, once, and the report says what became of it.

interface Cells {
  readonly line: number;
  readonly email: string;
  readonly product?: string;
  readonly quantity?: string;
}

interface Job {
  readonly kind: string;
  readonly cells: readonly Cells[];
  /** By line; in the order in which they were decided, so by index as well. */
  readonly verdicts: Map<number, string>;
  ended: boolean;
}

/** Every row is decided once, in its turn, does what it says or nothing, and is reported as it was decided. */
export function bulkWrong({ journal, entries }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  const jobs = new Map<string, Job>();
  eachAct(journal.records, (act) => {
    const accuse = (text: string) => findings.push({ rule: 'BULK', text: `record ${act.seq}: ${text}` });
    for (const change of act.changes) note(jobs, change, accuse);
    if (act.did === 'decideRow') judgeRow(jobs, act, accuse);
    for (const { type, mail } of act.changes) if (type === 'mail.queued') miscounted(jobs, mail, accuse);
  });
  return [...findings, ...eventsOf(entries, 'report').flatMap((report) => misreported(jobs, report))];
}

type Say = (text: string) => void;

function note(jobs: Map<string, Job>, change: Change, accuse: Say): void {
  if (change.type === 'job.made') {
    const { id, kind } = change.job as { id: string; kind: string };
    jobs.set(id, { kind, cells: change.cells as Cells[], verdicts: new Map(), ended: false });
  }
  if (change.type === 'job.row') {
    const job = jobs.get(String(change.job));
    const due = job?.verdicts.size ?? 0;
    if (job === undefined || change.index !== due || due >= job.cells.length) {
      accuse(`row ${String(change.index)} of ${String(change.job)} is decided, row ${due} was due`);
      return;
    }
    job.verdicts.set(job.cells[due]!.line, (change.verdict as { is: string }).is);
  }
  if (change.type === 'job.ended') {
    const job = jobs.get(String(change.id));
    if (job === undefined) accuse(`${String(change.id)} ends, and nobody made it`);
    else if (job.ended || job.verdicts.size !== job.cells.length)
      accuse(`${String(change.id)} ends after ${job.verdicts.size} of ${job.cells.length} rows`);
    if (job !== undefined) job.ended = true;
  }
}

function judgeRow(jobs: ReadonlyMap<string, Job>, act: ActSeen, accuse: Say): void {
  const noted = act.changes.filter(({ type }) => type === 'job.row');
  if (noted.length !== 1) {
    accuse(`a row leads to changes and to ${noted.length} verdicts`);
    return;
  }
  const { job: id, index, verdict } = noted[0]!;
  const job = jobs.get(String(id));
  const cells = job?.cells[Number(index)];
  if (job === undefined || cells === undefined) return;
  const done = (verdict as { is: string }).is === 'done';
  const fault = done ? wrongDoing(job.kind, cells, act) : somethingIn(act.changes);
  if (fault !== null) accuse(`row ${String(index)} of ${String(id)} (${job.kind} ${cells.email}) ${fault}`);
}

/** Who asked for a job is told how many rows came to which end. */
function miscounted(jobs: ReadonlyMap<string, Job>, mail: unknown, accuse: Say): void {
  for (const { kind, job: id, ...told } of (mail as { readonly facts: readonly Ended[] }).facts) {
    if (kind !== 'bulk') continue;
    const verdicts = [...(jobs.get(id ?? '')?.verdicts.values() ?? [])];
    for (const is of ['done', 'unchanged', 'failed'] as const) {
      const count = verdicts.filter((verdict) => verdict === is).length;
      if (told[is] !== count)
        accuse(`a mail says of ${String(id)} that ${told[is]} rows are ${is}, ${count} are`);
    }
  }
}

interface Ended {
  readonly kind: string;
  readonly job?: string;
  readonly done?: number;
  readonly unchanged?: number;
  readonly failed?: number;
}

/** What says that the job is over, and nothing of any row. */
const aboutTheJob: ReadonlySet<string> = new Set(['job.row', 'job.ended', 'mail.queued']);

function somethingIn(changes: readonly Change[]): string | null {
  const other = changes.find(({ type }) => !aboutTheJob.has(type));
  return other === undefined ? null : `did nothing, it says, and leads to ${other.type}`;
}

function wrongDoing(kind: string, cells: Cells, act: ActSeen): string | null {
  const count = (type: string): number => act.changes.filter((change) => change.type === type).length;
  const [one, many] = oneOf[kind] ?? [];
  if (one !== undefined) {
    const times = one.reduce((sum, type) => sum + count(type), 0);
    return times === 1 ? null : `leads to ${many} ${times} times`;
  }
  const { product, email, quantity } = cells;
  const had = act.before.of(email, product);
  const moved = act.before.after(act.changes).filter(({ row }) => row.email === email);
  const more = moved.reduce((sum, each) => sum + each.more, 0);
  const later = moved.reduce((sum, each) => sum + each.revokingMore, 0);
  if (kind === 'assign') {
    const wants = Number(quantity ?? 1);
    return had + more === wants ? null : `has ${had + more} seats afterwards and asked for ${wants}`;
  }
  const all = quantity === undefined || quantity.toLowerCase() === 'all';
  const less = all ? had : Number(quantity);
  const took = later - more;
  return took === less || (all && took > 0) ? null : `asked for ${less} seats back and took ${took}`;
}

/** A row of this kind that was carried out leads to exactly one of these. */
const oneOf: Readonly<Record<string, readonly [readonly string[], string]>> = {
  invite: [['invitation.made'], 'an invitation'],
  remove: [['user.removed', 'user.put'], 'a removal'],
  credit: [['credit.access'], 'a limit'],
};

function misreported(
  jobs: ReadonlyMap<string, Job>,
  {
    process,
    job: id,
    ended,
    rows,
  }: {
    readonly process: string;
    readonly job: string;
    readonly ended: boolean;
    readonly rows: readonly { readonly line: number; readonly verdict: string }[];
  },
): Finding[] {
  const job = jobs.get(id);
  const wrong = (text: string): Finding => ({ rule: 'BULK', text: `${process} was told of ${id}: ${text}` });
  if (job === undefined) return [wrong('the journal does not have it')];
  return rows.flatMap(({ line, verdict }) => {
    if (verdict === 'waiting') return ended ? [wrong(`it has ended and line ${line} waits`)] : [];
    const is = job.verdicts.get(line);
    return is === verdict ? [] : [wrong(`line ${line} is ${verdict}, the journal says ${is ?? 'nothing'}`)];
  });
}
