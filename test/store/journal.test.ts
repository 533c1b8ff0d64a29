import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '@berth/server/store/files';
import { Journal, type JournalRecord, MAX_PAYLOAD_BYTES, START } from '@berth/server/store/journal';
import { SEGMENT_HEADER_BYTES } from '@berth/server/store/journal-format';
import { describe, expect, test } from 'vitest';
import { FaultyFiles } from './faulty-files.js';
import {
  appendUpTo,
  collect,
  DATA,
  HEAD,
  openOn,
  payloadOf,
  segmentFile,
  written,
} from './journal-fixture.js';

describe('a journal', () => {
  test('begins empty and gives its records back after a restart', async () => {
    const files = new FaultyFiles();
    await files.makeFolder(DATA);
    const first = await openOn(files);
    expect(first.journal.position).toEqual(START);
    await appendUpTo(first.journal, 5);
    const { position } = first.journal;
    await first.journal.close();

    const again = await openOn(files);
    expect(again.records.map((record) => record.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(again.records.map((record) => Buffer.from(record.payload))).toEqual(
      [1, 2, 3, 4, 5].map(payloadOf),
    );
    expect(again.journal.position).toEqual(position);
    expect(again.cuts).toEqual([]);
    expect(again.mended).toEqual([]);
    await again.journal.close();
    expect(files.openFiles).toBe(0);
  });

  test('a cut while a segment is begun has the whole one before it, and nothing of the new one', async () => {
    const files = new FaultyFiles();
    await files.makeFolder(DATA);
    const { journal } = await openOn(files, { segmentBytes: 1 });
    await appendUpTo(journal, 2);
    const whole = await journal.cut();
    const appending = journal.append(payloadOf(3));
    const cutting: ReturnType<Journal['cut']>[] = [];
    let done = false;
    void appending.then(() => {
      done = true;
    });
    while (!done) {
      cutting.push(journal.cut());
      await Promise.resolve();
    }
    const during = (await Promise.all(cutting)).filter(({ position }) => position.seq === 2);
    expect(during.length).toBeGreaterThan(5);
    for (const {
      files: [first, second, ...begun],
    } of during) {
      expect([first, second]).toEqual(whole.files);
      expect(begun.every(({ bytes }) => bytes === SEGMENT_HEADER_BYTES)).toBe(true);
    }
    await journal.close();
  });

  test('chains its records: h = SHA-256(seq, prev, payload)', async () => {
    const { records } = await openOn(await written(new FaultyFiles(), 4));
    let prev = START.hash;
    for (const record of records) {
      expect(record.hash).toBe(expectedHash(record, prev));
      prev = record.hash;
    }
  });

  test('continues a chain over restarts and over segments', async () => {
    const one = await written(new FaultyFiles(), 9);
    const many = new FaultyFiles();
    for (const seq of [3, 4, 9]) await written(many, seq, 200);
    expect((await openOn(many)).journal.position).toEqual((await openOn(one)).journal.position);
    expect((await many.list('/data/journal')).length).toBeGreaterThan(3);
  });

  test('takes an empty payload and one longer than a read chunk', async () => {
    const files = new FaultyFiles();
    await files.makeFolder(DATA);
    const { journal } = await openOn(files);
    const payloads = [new Uint8Array(0), Buffer.alloc(3_000_001, 7), Buffer.from('after')];
    for (const payload of payloads) await journal.append(payload);
    await journal.close();
    const { records } = await openOn(files);
    expect(records.map((record) => Buffer.compare(record.payload, payloads[record.seq - 1]!))).toEqual([
      0, 0, 0,
    ]);
  });

  test('keeps what it handed out: a payload is not overwritten by later reads', async () => {
    const files = new FaultyFiles();
    await files.makeFolder(DATA);
    const { journal } = await openOn(files);
    // 300 kB each, so that most chunks of 1 MiB end inside a record.
    for (let seq = 1; seq <= 20; seq += 1) await journal.append(Buffer.alloc(300_000, seq));
    const { records } = await openOn(files);
    expect(records.every((record) => Buffer.alloc(300_000, record.seq).equals(record.payload))).toBe(true);
  });

  test('starts a new segment once one is full', async () => {
    const files = await written(new FaultyFiles(), 6, 150);
    const names = (await files.list('/data/journal')).filter((name) => name !== 'head').sort();
    expect(names[0]).toBe('00000000000000000001.log');
    expect(names.length).toBeGreaterThan(2);
    expect((await openOn(files)).journal.position.seq).toBe(6);
  });

  test('appends one record at a time', async () => {
    const files = await written(new FaultyFiles(), 1);
    const { journal } = await openOn(files);
    const first = journal.append(payloadOf(2));
    await expect(journal.append(payloadOf(3))).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    await expect(first).resolves.toMatchObject({ seq: 2 });
    await expect(journal.append(payloadOf(3))).resolves.toMatchObject({ seq: 3 });
  });

  test('refuses a record that is too long, and goes on', async () => {
    const { journal } = await openOn(await written(new FaultyFiles(), 1));
    const tooLong = new Uint8Array(MAX_PAYLOAD_BYTES + 1);
    await expect(journal.append(tooLong)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    await expect(journal.append(payloadOf(2))).resolves.toMatchObject({ seq: 2 });
  });

  test('closes after the append that is under way, and takes none after', async () => {
    const files = await written(new FaultyFiles(), 1);
    const { journal } = await openOn(files);
    const appended = journal.append(payloadOf(2));
    await journal.close();
    await expect(appended).resolves.toMatchObject({ seq: 2 });
    await expect(journal.append(payloadOf(3))).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    expect(files.openFiles).toBe(0);
  });
});

describe('reading a journal', () => {
  test('gives the records from any sequence to the position at the call', async () => {
    const { journal } = await openOn(await written(new FaultyFiles(), 12, 200), { segmentBytes: 200 });
    for (let from = 1; from <= 13; from += 1) {
      const seqs = (await collect(journal.read(from))).map((record) => record.seq);
      expect(seqs).toEqual(Array.from({ length: 13 - from }, (_, index) => from + index));
    }
    const reading = journal.read(11);
    await reading.next();
    await appendUpTo(journal, 15);
    expect((await collect(reading)).map((record) => record.seq)).toEqual([12]);
  });

  test('stops early without leaving a file open', async () => {
    const files = await written(new FaultyFiles(), 12, 200);
    const { journal } = await openOn(files);
    for await (const record of journal.read()) if (record.seq === 5) break;
    await journal.close();
    expect(files.openFiles).toBe(0);
  });

  test('finds what was damaged since it was opened', async () => {
    const files = await written(new FaultyFiles(), 3);
    const { journal } = await openOn(files);
    const bytes = files.get(segmentFile(1));
    bytes[bytes.length - 1]! ^= 1;
    files.put(segmentFile(1), bytes);
    await expect(collect(journal.read())).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', seq: 3 });
  });
});

describe('a read-only journal', () => {
  test('gives the records, reports what it would cut, and changes nothing', async () => {
    const files = await written(new FaultyFiles(), 3);
    const torn = Buffer.concat([files.get(segmentFile(1)), Buffer.from('torn')]);
    files.put(segmentFile(1), torn);
    const [before, steps] = [files.snapshot(), files.steps];
    const { journal, records, cuts } = await openOn(files, { readOnly: true });
    expect(records).toHaveLength(3);
    expect(cuts).toEqual([{ file: segmentFile(1), seq: 4, bytes: 4 }]);
    expect((await collect(journal.read(2))).map((record) => record.seq)).toEqual([2, 3]);
    await expect(journal.append(payloadOf(4))).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    expect(files.snapshot()).toEqual(before);
    expect(files.steps).toBe(steps);
    expect((await openOn(files)).cuts).toEqual(cuts);
  });

  test('may look at one that is being written: what follows its head is not its concern', async () => {
    const files = await written(new FaultyFiles(), 3);
    const head = files.get(HEAD);
    await written(files, 9, 150);
    files.put(HEAD, head);
    const { journal, records } = await openOn(files, { readOnly: true });
    expect(records).toHaveLength(3);
    expect(await collect(journal.read())).toHaveLength(3);
  });

  test('says ENOENT when there is no journal', async () => {
    await expect(openOn(new FaultyFiles(), { readOnly: true })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('on the real disk: append, rotate, reopen', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-journal-'));
  try {
    const options = { files: nodeFiles, folder, segmentBytes: 16 * 1024, onRecord: () => {} };
    const journal = await Journal.open(options);
    const startedAt = performance.now();
    await appendUpTo(journal, 500);
    const perSecond = Math.round(500 / ((performance.now() - startedAt) / 1000));
    console.info(`appended ${perSecond} records/s, two syncs each`);
    const { position } = journal;
    await journal.close();
    expect((await readdir(join(folder, 'journal'))).length).toBeGreaterThan(2);

    const records: JournalRecord[] = [];
    const again = await Journal.open({ ...options, onRecord: (record) => records.push(record) });
    expect(again.position).toEqual(position);
    expect(records.every((record) => Buffer.from(record.payload).equals(payloadOf(record.seq)))).toBe(true);
    expect(await nodeFiles.freeBytes(folder)).toBeGreaterThan(0);
    await again.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

function expectedHash(record: JournalRecord, prev: string): string {
  const seq = Buffer.alloc(8);
  seq.writeBigUInt64BE(BigInt(record.seq));
  return createHash('sha256')
    .update(seq)
    .update(Buffer.from(prev, 'hex'))
    .update(record.payload)
    .digest('hex');
}
