import { createHash } from 'node:crypto';
import { type JournalEntry, readPayload } from './journal-entry.js';

// A second reader of audit files (PROTOCOL 11.1), from the format as it is documented. Who prunes a journal has the only copy of what went.
//
//     file   = head line, record lines, foot line
//     head   = {"berth":"audit","version":1,"server":KEY,"from":N,"prev":HASH}
//     record = {"seq":N,"hash":HASH,"payload":TEXT}      hash = SHA-256(seq, prev, payload); hashes are base64url
//     foot   = {"checkpoint":TOKEN}

/** What an admin holds of the journal. */
export interface Export {
  readonly name: string;
  /** Hashes in hex, as everywhere here. */
  readonly records: readonly ExportedRecord[];
  /** The server's word for where they lead to. */
  readonly checkpoint: string;
  /** Why it is not whole; null when it is, but for the signature, which is not looked at here. */
  readonly fault: string | null;
}

export interface ExportedRecord extends JournalEntry {
  readonly prev: string;
}

type Lines = readonly Record<string, unknown>[];

export function readExport(name: string, text: string): Export {
  const lines: Lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const [head, ...rest] = lines;
  const foot = rest.pop();
  const records: ExportedRecord[] = [];
  const of = (fault: string | null): Export => ({
    ...{ name, records, fault },
    checkpoint: String(foot?.checkpoint ?? ''),
  });
  if (head?.berth !== 'audit' || typeof head.prev !== 'string') return of('it does not begin as one');
  let [seq, prev] = [Number(head.from) - 1, toHex(head.prev)];
  for (const line of rest) {
    seq += 1;
    const record = readRecord(line, seq, prev);
    if (typeof record === 'string') return of(record);
    records.push(record);
    prev = record.hash;
  }
  return of(foot?.checkpoint === undefined ? 'nobody signed for its end' : null);
}

function readRecord(
  { seq, hash, payload }: Lines[number],
  due: number,
  prev: string,
): ExportedRecord | string {
  if (seq !== due) return `record ${seq} is where ${due} belongs`;
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(due));
  const is = createHash('sha256')
    .update(number)
    .update(Buffer.from(prev, 'hex'))
    .update(String(payload))
    .digest('hex');
  if (toHex(String(hash)) !== is) return `record ${due} is not what its hash says`;
  const read = readPayload(String(payload));
  return read === null ? `record ${due} is not JSON` : { seq: due, hash: is, prev, ...read };
}

/** The records up to and with this one, from the first on, out of whatever files have them; `null`: not all of them are in any. */
export function recordsUpTo(hash: string, seq: number, exports: readonly Export[]): JournalEntry[] | null {
  const known = new Map(exports.flatMap(({ records }) => records.map((record) => [record.hash, record])));
  const records: JournalEntry[] = [];
  for (let [at, wanted] = [seq, hash]; at > 0; at -= 1) {
    const record = known.get(wanted);
    if (record === undefined || record.seq !== at) return null;
    records.push(record);
    wanted = record.prev;
  }
  return records.reverse();
}

function toHex(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('hex');
}
