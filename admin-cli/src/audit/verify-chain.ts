import { quote } from '../parse.js';
import { type Against, type Broken, type GivenUp, type Known, type Proved, verifyAudit } from './verify.js';

/** An audit file, whose lines can be read again. */
export interface AuditFile {
  readonly file: string;
  lines(): AsyncIterable<string>;
}

/** Which file is not as it must be, and where. */
export interface BrokenFile extends Broken {
  readonly file: string;
}

/** All of them are one chain, from the first record of the first to the last of the last; each on its own, oldest first. */
export interface ProvedChain extends Proved {
  readonly files: readonly (Proved & { readonly file: string })[];
}

type ProvedFile = AuditFile & { readonly proved: Proved };

/**
 * Proves each file as `verifyAudit` does, and that together they leave nothing out: what is pruned year by year is one file a year. Given in any
 * order; where two have the same records they must be the same.
 */
export async function verifyChain(
  files: readonly AuditFile[],
  against: Against,
): Promise<ProvedChain | BrokenFile> {
  const each: ProvedFile[] = [];
  let { serverKey } = against;
  for (const one of files) {
    const verdict = await verifyAudit(one.lines(), { serverKey, known: [] });
    if (!verdict.ok) return { ...verdict, file: one.file };
    serverKey = verdict.serverKey;
    each.push({ ...one, proved: verdict });
  }
  each.sort((a, b) => a.proved.from - b.proved.from || a.proved.until - b.proved.until);
  const joined = joinedBy(each);
  if ('ok' in joined) return joined;
  const asked = against.known.map((known): Joint => [holderOf(each, known), known]);
  const givenUp = await held(each, [...joined, ...asked], serverKey);
  if ('ok' in givenUp) return givenUp;
  const compared = asked.filter(([{ proved }, { seq }]) => seq >= proved.from - 1 && seq <= proved.until);
  const whole = merged(each, compared.length);
  const lost = givenUp.filter(({ at }) => at <= whole.until).length;
  return { ...whole, compared: compared.length - lost, givenUp };
}

/** A position that this file has to have, because somebody else names it. */
type Joint = readonly [holder: ProvedFile, named: Known];

/** Where two files meet, or why they do not. A hash stands for everything before it: one that both have is enough. */
function joinedBy(each: readonly ProvedFile[]): Joint[] | BrokenFile {
  const joints: Joint[] = [];
  let reach = each[0]!;
  for (const next of each.slice(1)) {
    const [{ until, head }, { from, prev }] = [reach.proved, next.proved];
    if (from > until + 1) {
      const gap = from === until + 2 ? `Record ${until + 1} is` : `Records ${until + 1} to ${from - 1} are`;
      return brokenFile(
        next,
        'MISSING',
        until + 1,
        `${gap} missing: in no file, behind ${quote(reach.file)}.`,
      );
    }
    if (from === until + 1 && prev !== head)
      return brokenFile(next, 'CHANGED', from, `Record ${from} does not continue ${quote(reach.file)}.`);
    if (from <= until) joints.push(next.proved.until < until ? [reach, endOf(next)] : [next, endOf(reach)]);
    if (next.proved.until > until) reach = next;
  }
  return joints;
}

function brokenFile(
  { file }: AuditFile,
  reason: 'MISSING' | 'CHANGED',
  seq: number,
  message: string,
): BrokenFile {
  return { ok: false, reason, seq, line: 1, message, file };
}

function endOf({ file, proved: { epoch, until: seq, head } }: ProvedFile): Known {
  return { what: `the end of ${quote(file)}`, epoch, seq, head };
}

/** Which file can say something of it; the last one of what comes later, the first one of what came before. */
function holderOf(each: readonly ProvedFile[], { seq }: Known): ProvedFile {
  const holder = each.find(({ proved }) => seq >= proved.from - 1 && seq <= proved.until);
  const last = each.reduce((a, b) => (b.proved.until > a.proved.until ? b : a));
  return holder ?? (seq > last.proved.until ? last : each[0]!);
}

/** Reads once more the files that others say something of. */
async function held(
  each: readonly ProvedFile[],
  joints: readonly Joint[],
  serverKey: string | null,
): Promise<readonly GivenUp[] | BrokenFile> {
  const restores = each.flatMap(({ proved }) => proved.restores);
  const givenUp: GivenUp[] = [];
  for (const holder of new Set(joints.map(([one]) => one))) {
    const known = joints.filter(([one]) => one === holder).map(([, named]) => named);
    const verdict = await verifyAudit(holder.lines(), { serverKey, known, restores });
    if (!verdict.ok) return { ...verdict, file: holder.file };
    givenUp.push(...verdict.givenUp);
  }
  return givenUp;
}

function merged(each: readonly ProvedFile[], compared: number): ProvedChain {
  const first = each[0]!.proved;
  const last = each.map(({ proved }) => proved).reduce((a, b) => (b.until > a.until ? b : a));
  return {
    ...last,
    ...{ from: first.from, prev: first.prev, follows: first.follows, compared },
    checkpoints: each.reduce((sum, { proved }) => sum + proved.checkpoints, 0),
    files: each.map(({ file, proved }) => ({ file, ...proved })),
  };
}
