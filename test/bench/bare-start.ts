// The least that a start has to do on this machine, in a process of its own: every row of the state store is read and parsed, and so much of the
// journal's end is read as berthd reads. No checksum, no hash, no state, no server: what a start of berthd costs is told as a part of this.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { segmentFirstSeq } from '@berth/server/store/journal-format';
import { KNOWN_RECORDS } from '@berth/server/store/known-hashes';
import { lookAtRows } from '@berth/server/store/level-folder';

/** What it is started with. */
export interface BareStartFacts {
  readonly data: string;
  /** The last record of the journal. */
  readonly seq: number;
}

const ROWS_AT_ONCE = 1_000;

const { data, seq } = JSON.parse(process.argv[2] ?? '{}') as BareStartFacts;
const journalBytes = journalEnd();
const rows = await stateRows();
process.stdout.write(`${JSON.stringify({ event: 'ready', journalBytes, rows })}\n`);
// Its processor time is read when it is done, so it stays until it is ended.
process.stdin.resume();

/** @returns bytes of the segments from the one on that holds the oldest record which berthd reads */
function journalEnd(): number {
  const folder = join(data, 'journal');
  const segments = readdirSync(folder)
    .filter((name) => segmentFirstSeq(name) !== null)
    .sort();
  const first = segments.findLast((name) => segmentFirstSeq(name)! <= seq - KNOWN_RECORDS) ?? segments[0]!;
  const read = segments.filter((name) => name >= first).map((name) => readFileSync(join(folder, name)));
  return read.reduce((sum, { length }) => sum + length, 0);
}

/** @returns how many there are */
async function stateRows(): Promise<number> {
  const { database, reason } = await lookAtRows(join(data, 'state', 'rows'));
  if (database === null) throw new Error(`The state store cannot be read: ${reason}`);
  let count = 0;
  const iterator = database.iterator();
  for (;;) {
    const entries = await iterator.nextv(ROWS_AT_ONCE);
    if (entries.length === 0) break;
    for (const [, value] of entries) JSON.parse(value);
    count += entries.length;
  }
  await iterator.close();
  await database.close();
  return count;
}
