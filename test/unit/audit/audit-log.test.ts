import { AuditLog } from '@berth/server/audit/audit-log';
import { BlockIndex } from '@berth/server/audit/block-index';
import { type Entry, entriesOf, matches, type Query } from '@berth/server/audit/entry';
import type { Act } from '@berth/server/domain/acts';
import type { Change } from '@berth/server/domain/changes';
import type { FileSystem } from '@berth/server/store/files';
import { Journal } from '@berth/server/store/journal';
import { encodeChanges } from '@berth/server/store/records';
import { beforeAll, describe, expect, test } from 'vitest';
import { FaultyFiles } from '../../store/faulty-files.js';

const RECORDS = 1500;
const START_MS = 1_788_264_000_000;
/** What is looked for is in this record alone. */
const RARE = 137;

/** The disk, counting what is read of the journal. */
function counting(files: FileSystem): FileSystem & { bytes: number } {
  const counted = {
    bytes: 0,
    open: async (path: string, mode: Parameters<FileSystem['open']>[1]) => {
      const file = await files.open(path, mode);
      const read: typeof file.read = async (position, length) => {
        const bytes = await file.read(position, length);
        if (path.endsWith('.log')) counted.bytes += bytes.length;
        return bytes;
      };
      return new Proxy(file, {
        get: (target, name) => {
          if (name === 'read') return read;
          const value = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
    list: (folder: string) => files.list(folder),
    makeFolder: (folder: string) => files.makeFolder(folder),
    remove: (path: string) => files.remove(path),
    rename: (from: string, to: string) => files.rename(from, to),
    syncFolder: (folder: string) => files.syncFolder(folder),
    freeBytes: (folder: string) => files.freeBytes(folder),
  };
  return counted;
}

function changeOf(seq: number): Change {
  if (seq === RARE) return { type: 'user.removed', email: 'rare@studio.example' };
  if (seq % 3 === 0) return { type: 'lease.kept', id: `l${seq}`, by: `a${seq % 7}@studio.example` };
  return { type: 'user.removed', email: `u${seq % 50}@studio.example` };
}

function actOf(seq: number): Act {
  const before = seq % 3 === 0 ? { 0: { user: `u${seq % 50}@studio.example`, product: `p${seq % 4}` } } : {};
  return {
    ...{
      first: 0,
      count: 1,
      atMs: START_MS + seq * 1000,
      did: 'removeUser',
      device: `d${seq % 9}`,
      from: '10.0.0.1',
    },
    ...{ by: `a${seq % 7}@studio.example`, before },
  };
}

let files: FileSystem & { bytes: number };
let journal: Journal;
const all: Entry[] = [];

beforeAll(async () => {
  files = counting(new FaultyFiles());
  await files.makeFolder('/data');
  journal = await Journal.open({ files, folder: '/data', segmentBytes: 64 * 1024, onRecord: () => {} });
  for (let seq = 1; seq <= RECORDS; seq += 1) {
    const payload = encodeChanges([changeOf(seq)], [actOf(seq)]);
    await journal.append(payload);
    all.unshift(...entriesOf(seq, payload));
  }
});

const open = (): AuditLog => new AuditLog(files, journal, '/data/audit');

async function everything(log: AuditLog, query: Query, limit = 100): Promise<Entry[]> {
  const found: Entry[] = [];
  for (let page = await log.newest(query, null, limit); ; page = await log.newest(query, page.next, limit)) {
    found.push(...page.entries);
    if (page.next === null) return found;
  }
}

describe('newest first', () => {
  const queries: Query[] = [
    {},
    { user: 'u7@studio.example' },
    { by: 'a3@studio.example', kind: 'lease' },
    { product: 'p1', kind: 'lease.kept' },
    { sinceMs: START_MS + 600_000, untilMs: START_MS + 900_000 },
    { user: 'nobody@studio.example' },
  ];
  test.each(queries)('%j: what reading everything finds, in pages of any size', async (query) => {
    const wanted = all.filter((entry) => matches(entry, query));
    expect(journal.segments.length).toBeGreaterThan(5);
    for (const limit of [1000, 37]) expect(await everything(open(), query, limit)).toEqual(wanted);
  });

  test('the first page reads the end of the journal and no more of it', async () => {
    const log = open();
    await log.newest({}, null, 10);
    files.bytes = 0;
    expect((await log.newest({}, null, 10)).entries).toHaveLength(10);
    expect(files.bytes).toBeLessThan(200 * 1024);
  });

  test('what is rare is found without reading what cannot hold it, also by the next process', async () => {
    expect(await everything(open(), { user: 'rare@studio.example' })).toHaveLength(1);
    files.bytes = 0;
    expect(await everything(open(), { user: 'rare@studio.example' })).toMatchObject([{ seq: RARE }]);
    // One block, and the segment that is still written to, whose index is nowhere.
    const total = journal.segments.length * 64 * 1024;
    expect(files.bytes).toBeLessThan(total / 2);
  });

  test('one of thousands whom a bulk job was about is found by reading a few of its records', async () => {
    const disk = new FaultyFiles();
    await disk.makeFolder('/data');
    const bulk = await Journal.open({ files: disk, folder: '/data', onRecord: () => {} });
    for (let record = 0; record < 120; record += 1) {
      const rows = Array.from({ length: 50 }, (_, at) => ({ email: `m${record * 50 + at}@studio.example` }));
      const changes = rows.map(({ email }): Change => ({ type: 'user.removed', email }));
      const acts = rows.map((_, first): Act => ({ ...actOf(1), before: {}, first }));
      await bulk.append(encodeChanges(changes, acts));
    }
    const blocks = await new BlockIndex(disk, '/data/audit').blocksOf(bulk.segments[0]!, 120, false);
    const holding = blocks.filter(({ words }) => words.mayHold('user m777@studio.example'));
    const records = holding.map(({ last, after }) => last - after.seq);
    expect(holding.some(({ last, after }) => after.seq < 16 && last >= 16)).toBe(true);
    expect(records.reduce((sum, each) => sum + each, 0)).toBeLessThan(12);
  });

  test('an index that is damaged or of another journal is made again', async () => {
    await everything(open(), {});
    for (const name of await files.list('/data/audit')) {
      const file = await files.open(`/data/audit/${name}`, 'write');
      await file.write(Buffer.from('x'), 70);
      await file.close();
    }
    expect(await everything(open(), { user: 'rare@studio.example' })).toMatchObject([{ seq: RARE }]);
  });
});

describe('what comes after a place', () => {
  test('oldest first, nothing twice and nothing left out, while the journal grows', async () => {
    const log = open();
    const { upTo } = await log.newest({}, null, 1);
    expect((await log.after({}, upTo, 10)).entries).toEqual([]);
    const seen: number[] = [];
    let at = { seq: RECORDS - 100, place: 0 };
    while (seen.length < 100) {
      const found = await log.after({}, at, 7);
      seen.push(...found.entries.map(({ seq }) => seq));
      at = found.upTo;
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => RECORDS - 99 + index));
    const { seq } = await journal.append(encodeChanges([changeOf(1)], [actOf(RECORDS + 1)]));
    all.unshift(...entriesOf(seq, encodeChanges([changeOf(1)], [actOf(RECORDS + 1)])));
    expect((await log.after({}, upTo, 10)).entries).toMatchObject([{ seq }]);
  });

  test('what is in no record makes no index of the whole journal at once, and comes to its end', async () => {
    const log = new AuditLog(files, journal, '/data/audit-small', 200);
    const query = { kind: 'no.such' };
    const steps: number[] = [];
    files.bytes = 0;
    for (let at = { seq: 0, place: 0 }; at.seq < journal.position.seq; steps.push(at.seq)) {
      const found = await log.after(query, at, 10);
      expect(found.entries).toEqual([]);
      expect(found.upTo.seq).toBeGreaterThan(at.seq);
      at = found.upTo;
    }
    expect(steps.length).toBeGreaterThan(5);
  });
});

test('when segments are from, after a clock that was ahead for long: no more is read at once, every answer goes on, and nothing is missing', async () => {
  const SMALL = 16 * 1024;
  const disk = new FaultyFiles();
  await disk.makeFolder('/data');
  const site = { files: disk, folder: '/data', segmentBytes: SMALL, onRecord: () => {} };
  const ahead = await Journal.open(site);
  const [aheadMs, nowMs] = [400 * 86_400_000, START_MS + 10 * RECORDS * 1000];
  for (let seq = 1; seq <= RECORDS; seq += 1) {
    const act = actOf(seq);
    // Of most of them.
    const atMs = seq < 100 || seq > RECORDS - 400 ? act.atMs : act.atMs + aheadMs;
    await ahead.append(encodeChanges([changeOf(seq)], [{ ...act, atMs }]));
  }
  const inOne = await new AuditLog(disk, ahead, '/data/one').segments(0, 100, nowMs);
  expect(inOne.next).toBe(null);
  expect(inOne.segments.length).toBeGreaterThan(15);
  for (const { untilMs } of inOne.segments) expect(untilMs).toBeLessThan(START_MS + RECORDS * 1000);
  const PER_SEARCH = 200;
  const counted = counting(disk);
  const log = new AuditLog(counted, ahead, '/data/small', PER_SEARCH);
  const found: object[] = [];
  const most: number[] = [];
  for (let from: number | null = 0; from !== null; ) {
    counted.bytes = 0;
    const { segments, next }: Awaited<ReturnType<AuditLog['segments']>> = await log.segments(
      from,
      100,
      nowMs,
    );
    // As `berth audit prune` insists.
    if (next !== null) expect(next).toBeGreaterThan(from);
    found.push(...segments);
    most.push(counted.bytes);
    from = next;
  }
  expect(found).toEqual(inOne.segments);
  // What is read with the last record of the budget may fill one segment more.
  expect(Math.max(...most)).toBeLessThan(5 * SMALL);
});

test('an index that was made while its segment was written to is kept once the segment is full', async () => {
  const disk = counting(new FaultyFiles());
  await disk.makeFolder('/data');
  const growing = await Journal.open({
    files: disk,
    folder: '/data',
    segmentBytes: 64 * 1024,
    onRecord: () => {},
  });
  const append = (seq: number) => growing.append(encodeChanges([changeOf(seq)], [actOf(seq)]));
  const log = new AuditLog(disk, growing, '/data/audit');
  // Looked at after every record, so that no segment is ever found unread and full.
  for (let seq = 1; growing.segments.length < 3; seq += 1) {
    await append(seq);
    await log.after({}, { seq: seq - 1, place: 0 }, 10);
  }
  await log.newest({ user: 'nobody@studio.example' }, null, 10);
  expect(await disk.list('/data/audit')).toHaveLength(2);
});

describe('records as they are', () => {
  test('in parts, put together again', async () => {
    const log = open();
    const read: Buffer[] = [];
    let next: { seq: number; offset: number } | null = { seq: 1001, offset: 0 };
    let pieces: Buffer[] = [];
    while (next !== null) {
      const answer: Awaited<ReturnType<AuditLog['records']>> = await log.records(next, 1050, 300);
      for (const { bytes, offset, size } of answer.parts) {
        pieces.push(Buffer.from(bytes));
        if (offset + bytes.length < size) continue;
        read.push(Buffer.concat(pieces));
        pieces = [];
      }
      next = answer.next;
    }
    const wanted = Array.from({ length: 50 }, (_, index) =>
      Buffer.from(encodeChanges([changeOf(1001 + index)], [actOf(1001 + index)])),
    );
    expect(read).toEqual(wanted);
  });
});
