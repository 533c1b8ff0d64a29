import { chainHash, formatLine, NO_HASH } from '@berth/cli/audit/audit-file';
import { Journal } from '@berth/server/store/journal';
import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import { type Export, readExport } from '../auditor/exports.js';
import type { Change, JournalEntry } from '../auditor/journal-entry.js';
import { type JournalRead, readJournalFiles } from '../auditor/journal-reader.js';
import { FaultyFiles } from '../store/faulty-files.js';
import { signed, World } from './auditor-world.js';

const payload = (n: number): string => JSON.stringify({ changes: [{ type: 'clock.seen', wallMs: n }] });

/** The audit file of records from `from` to `until`, as `berth` writes it. */
function exportOf(from: number, until: number, change: (text: string) => string = (text) => text): Export {
  const hashes = [NO_HASH];
  for (let seq = 1; seq <= until; seq++) hashes.push(chainHash(seq, hashes[seq - 1]!, payload(seq)));
  const head = { berth: 'audit', version: 1, server: 'ed25519:x', from, prev: hashes[from - 1]! } as const;
  const records = hashes
    .map((hash, seq) => ({ seq, hash, payload: payload(seq) }))
    .slice(from)
    .map(formatLine);
  const text = [formatLine(head), ...records, formatLine({ checkpoint: 'a.b.c' })].join('');
  return readExport(`${from}-${until}`, change(text));
}

/** A journal of six records, two to a file, whose first files are gone. */
async function pruned(files: number): Promise<(exports: readonly Export[]) => JournalRead> {
  const disk = new FaultyFiles();
  await disk.makeFolder('/data');
  const parts = { files: disk, folder: '/data', segmentBytes: 200, onRecord: () => {} };
  const journal = await Journal.open(parts);
  for (const seq of [1, 2, 3, 4, 5, 6]) await journal.append(Buffer.from(payload(seq)));
  for (const { file } of journal.segments.slice(0, files)) disk.delete(file);
  await journal.close();
  const folder = '/data/journal';
  return (exports) => readJournalFiles(disk.names(folder), (name) => disk.get(`${folder}/${name}`), exports);
}

describe('a journal that was pruned', () => {
  const wallTimes = ({ records }: JournalRead): unknown[] => records.map(({ changes }) => changes[0]?.wallMs);

  test('is all that it was, with the exports of what went', async () => {
    const read = await pruned(2);
    for (const exports of [[exportOf(1, 4)], [exportOf(3, 4), exportOf(1, 2)], [exportOf(1, 6)]]) {
      expect(exports.map(({ fault }) => fault)).toEqual(exports.map(() => null));
      const all = read(exports);
      expect([all.fault, all.pruned, wallTimes(all)]).toEqual([null, 4, [1, 2, 3, 4, 5, 6]]);
    }
    expect((await pruned(0))([])).toMatchObject({ fault: null, pruned: 0 });
  });

  test('is not, when one record is in no export, or is another one', async () => {
    const read = await pruned(2);
    const lost = 'it begins behind record 4, and no export has all before that';
    const changed = exportOf(1, 4, (text) => text.replace('\\"wallMs\\":2', '\\"wallMs\\":7'));
    expect(changed.fault).toBe('record 2 is not what its hash says');
    for (const exports of [[], [exportOf(1, 3)], [exportOf(2, 4)], [changed]])
      expect(read(exports).fault).toBe(lost);
  });

  test('an export that lacks a line is none', () => {
    const without = (line: RegExp) => exportOf(1, 4, (text) => text.replace(line, '')).fault;
    expect(without(/^.*"seq":3.*\n/m)).toBe('record 4 is where 3 belongs');
    expect(without(/^.*"berth".*\n/m)).toBe('it does not begin as one');
    expect(without(/^.*"checkpoint".*\n/m)).toBe('nobody signed for its end');
  });
});

describe('a prune', () => {
  const head = (record: JournalEntry) => Buffer.from(record.hash, 'hex').toString('base64url');

  /** Records 1 and 2 are gone, as record 4 says; `change` makes it wrong. */
  function site(change: (said: { seq: number; hash: string; base: object }) => Change = said) {
    const world = new World(2);
    world.journal({ type: 'clock.seen', wallMs: 3 });
    const [, second, third] = world.records;
    const base = { at: 3, hash: third!.hash, sha256: '' };
    world.journal(change({ seq: 2, hash: second!.hash, base }));
    const claims = { epoch: 'e', seq: 2, head: head(second!), iat: 1 };
    return { world, claims, records: world.records.slice(0, 2).map((one) => ({ ...one, prev: '' })) };
  }
  const said = (pruned: object): Change => ({ type: 'journal.pruned', pruned });

  function findings({ world, claims, records }: ReturnType<typeof site>, missing = 2, keys = world.server) {
    const checkpoint = signed('checkpoint', claims, keys);
    const journal = { records: world.records, fault: null, pruned: missing };
    const exports = [{ name: 'a.jsonl', records, checkpoint, fault: null }];
    return audit({ ...world.case(), journal, exports }).findings.map(({ text }) => text);
  }

  test('as it should be', () => {
    expect(findings(site())).toEqual([]);
  });

  test('of records that the journal does not have so, or from a state that it never had', () => {
    expect(findings(site((right) => said({ ...right, hash: 'ff' })))).toEqual([
      'the prune in record 4 names another record 2 than the journal has',
    ]);
    expect(findings(site((right) => said({ ...right, base: { at: 1, hash: 'ff' } })))).toEqual([
      'the prune in record 4 goes on from record 1, and removes those up to 2',
    ]);
    expect(findings(site((right) => said({ ...right, base: { at: 3, hash: 'ff' } })))).toEqual([
      'the prune in record 4 goes on from another record 3',
    ]);
  });

  test('that nothing says, or that goes further than what is said', () => {
    const gone = 'records up to 2 are gone, and what is left does not say so';
    expect(findings(site(() => ({ type: 'clock.seen', wallMs: 4 })))).toEqual([gone]);
    expect(findings(site(), 3)).toEqual([gone.replace('2', '3')]);
  });

  test('whose answer is not in the journal', () => {
    const right = site();
    const result = (pruned: object): string => JSON.stringify({ pruned, from: 1, bytes: 1 });
    right.world.write(500, 'admin', {
      ...{ event: 'result', method: 'audit.prune', key: 'key-1' },
      text: result({ until: 3, head: right.claims.head }),
    });
    expect(findings(right)).toEqual(['the prune of request key-1 is not in the journal']);
  });

  test('into a file that is not signed, or for another end than it has', () => {
    const right = site();
    expect(findings(right, 2, new World().server)).toEqual([
      'a.jsonl, which was proved, is not signed by the server',
    ]);
    expect(findings({ ...right, records: right.records.slice(0, 1) })).toEqual([
      'a.jsonl, which was proved, is signed for another end than it has (2)',
    ]);
  });
});
