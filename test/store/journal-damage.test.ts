import { describe, expect, test } from 'vitest';
import { FaultyFiles } from './faulty-files.js';
import { appendUpTo, HEAD, openOn, payloadOf, segmentFile, written } from './journal-fixture.js';

const HEADER_BYTES = 52;
const RECORD_BYTES = 48;
const SLOT_BYTES = 52;
const SLOT_STRIDE = 512;

describe('after the head', () => {
  test('a record torn at any byte is cut, said, and its place used again', async () => {
    const files = await written(new FaultyFiles(), 3);
    const { before, after } = await unacknowledged(files, 4);
    for (let length = before.length + 1; length < after.length; length += 1) {
      const disk = files.clone();
      disk.put(segmentFile(1), after.subarray(0, length));
      await expectCut(disk, { file: segmentFile(1), seq: 4, bytes: length - before.length });
    }
  });

  test('a record damaged at any byte is cut', async () => {
    const files = await written(new FaultyFiles(), 3);
    const { before, after } = await unacknowledged(files, 4);
    for (let offset = before.length; offset < after.length; offset += 1) {
      const disk = files.clone();
      disk.put(segmentFile(1), flipped(after, offset));
      await expectCut(disk, { file: segmentFile(1), seq: 4, bytes: after.length - before.length });
    }
  });

  test('a complete record is cut too: no client got a reply', async () => {
    const files = await written(new FaultyFiles(), 3);
    const { before, after } = await unacknowledged(files, 4);
    files.put(segmentFile(1), after);
    await expectCut(files, { file: segmentFile(1), seq: 4, bytes: after.length - before.length });
  });

  test('zeros are cut, as a file system leaves them when only the size was written', async () => {
    const files = await written(new FaultyFiles(), 3);
    files.put(segmentFile(1), Buffer.concat([files.get(segmentFile(1)), Buffer.alloc(5000)]));
    await expectCut(files, { file: segmentFile(1), seq: 4, bytes: 5000 });
  });

  test('a new segment torn at any byte is removed', async () => {
    const files = await written(new FaultyFiles(), 3, 1);
    const whole = (await written(files.clone(), 4, 1)).get(segmentFile(4));
    for (let length = 0; length <= whole.length; length += 1) {
      const disk = files.clone();
      disk.put(segmentFile(4), whole.subarray(0, length));
      await expectCut(disk, { file: segmentFile(4), seq: 4, bytes: length });
    }
  });

  test('two complete records are refused: the head file is too old', async () => {
    for (const segmentBytes of [1, 1 << 20]) {
      const files = await written(new FaultyFiles(), 3, segmentBytes);
      const head = files.get(HEAD);
      await written(files, 5, segmentBytes);
      files.put(HEAD, head);
      await expectRefusal(files, { file: HEAD, seq: 4, reason: 'HEAD_STALE' });
    }
  });
});

describe('up to the head', () => {
  test('one damaged byte anywhere is refused, and file and record are named', async () => {
    const files = await written(new FaultyFiles(), 6, 200);
    const starts = [...segmentStarts(files)];
    expect(starts.length).toBeGreaterThan(1);
    for (const { file, firstSeq } of starts) {
      const bytes = files.get(file);
      for (let offset = 0; offset < bytes.length; offset += 1) {
        const disk = files.clone();
        disk.put(file, flipped(bytes, offset));
        await expectRefusal(disk, { file, seq: recordAt(bytes, firstSeq, offset) });
      }
    }
  });

  test('a journal that ends early at any byte is refused', async () => {
    const files = await written(new FaultyFiles(), 4);
    const bytes = files.get(segmentFile(1));
    for (let length = 0; length < bytes.length; length += 1) {
      const disk = files.clone();
      disk.put(segmentFile(1), bytes.subarray(0, length));
      await expectRefusal(disk, { file: segmentFile(1), seq: recordAt(bytes, 1, length) });
    }
  });

  test('a missing segment is refused', async () => {
    const files = await written(new FaultyFiles(), 4, 1);
    for (const seq of [1, 2, 3]) {
      const disk = files.clone();
      disk.delete(segmentFile(seq));
      await expectRefusal(disk, { file: segmentFile(seq), seq, reason: 'SEGMENT_MISSING' });
    }
    files.delete(segmentFile(4));
    await expectRefusal(files, { file: segmentFile(3), seq: 4, reason: 'ENDS_EARLY' });
  });

  test('all segments missing is refused', async () => {
    const files = await written(new FaultyFiles(), 2);
    files.delete(segmentFile(1));
    await expectRefusal(files, { file: segmentFile(1), seq: 1, reason: 'ENDS_EARLY' });
  });

  test('swapped records are refused', async () => {
    const files = await written(new FaultyFiles(), 4);
    const bytes = files.get(segmentFile(1));
    const [a, b] = [recordBytes(bytes, 2), recordBytes(bytes, 3)];
    files.put(segmentFile(1), splice(bytes, a.start, b.end, Buffer.concat([b.bytes, a.bytes])));
    await expectRefusal(files, { file: segmentFile(1), seq: 2, reason: 'OUT_OF_ORDER' });
  });

  test('a record left out and one repeated are refused', async () => {
    const files = await written(new FaultyFiles(), 4);
    const bytes = files.get(segmentFile(1));
    const { start, end, bytes: record } = recordBytes(bytes, 2);
    const without = files.clone();
    without.put(segmentFile(1), splice(bytes, start, end, Buffer.alloc(0)));
    await expectRefusal(without, { file: segmentFile(1), seq: 2, reason: 'OUT_OF_ORDER' });
    files.put(segmentFile(1), splice(bytes, end, end, record));
    await expectRefusal(files, { file: segmentFile(1), seq: 3, reason: 'OUT_OF_ORDER' });
  });

  test('a record of another history is refused, though its checksum and sequence are right', async () => {
    const files = await written(new FaultyFiles(), 4);
    const other = await written(new FaultyFiles(), 1);
    const { journal } = await openOn(other);
    await journal.append(Buffer.from(payloadOf(2).toString().replace('2', '7')));
    await appendUpTo(journal, 4);
    const bytes = files.get(segmentFile(1));
    const { start, end } = recordBytes(bytes, 2);
    const forged = recordBytes(other.get(segmentFile(1)), 2).bytes;
    files.put(segmentFile(1), splice(bytes, start, end, forged));
    await expectRefusal(files, { file: segmentFile(1), seq: 3, reason: 'CHAIN' });

    const whole = await written(new FaultyFiles(), 4);
    whole.put(segmentFile(1), other.get(segmentFile(1)));
    await expectRefusal(whole, { file: segmentFile(1), seq: 4, reason: 'HEAD_MISMATCH' });
  });

  test('a segment of another history is refused', async () => {
    const files = await written(new FaultyFiles(), 4, 1);
    const other = new FaultyFiles();
    await written(other, 0);
    const { journal } = await openOn(other, { segmentBytes: 1 });
    for (const text of ['w', 'x', 'y', 'z']) await journal.append(Buffer.from(text));
    files.put(segmentFile(3), other.get(segmentFile(3)));
    await expectRefusal(files, { file: segmentFile(3), seq: 3, reason: 'CHAIN' });
  });

  test('a segment under another name is refused', async () => {
    const files = await written(new FaultyFiles(), 4, 1);
    files.put(segmentFile(3), files.get(segmentFile(2)));
    await expectRefusal(files, { file: segmentFile(3), seq: 3, reason: 'OUT_OF_ORDER' });
  });

  test('the message says where, and what to do', async () => {
    const files = await written(new FaultyFiles(), 4, 1);
    files.delete(segmentFile(3));
    await expect(openOn(files)).rejects.toThrow(/00000000000000000003\.log, record 3.*[Rr]estore/);
  });
});

describe('the head file', () => {
  test('damaged at any byte never loses a record, and is mended', async () => {
    for (const count of [1, 4, 5]) {
      const files = await written(new FaultyFiles(), count, 200);
      const bytes = files.get(HEAD);
      for (let offset = 0; offset < bytes.length; offset += 1) {
        const disk = files.clone();
        disk.put(HEAD, flipped(bytes, offset));
        const inSlot = offset % SLOT_STRIDE < SLOT_BYTES;
        const opened = await openOn(disk);
        expect(opened.journal.position.seq, `byte ${offset}`).toBe(count);
        expect(opened.records).toHaveLength(count);
        expect(opened.mended).toEqual(inSlot ? [{ file: HEAD, seq: count }] : []);
        await appendUpTo(opened.journal, count + 1);
        expect((await openOn(disk)).mended).toEqual([]);
      }
    }
  });

  test('with a damaged slot, a broken record after it is refused: it may have been acknowledged', async () => {
    const files = await written(new FaultyFiles(), 4);
    files.put(HEAD, flipped(files.get(HEAD), 0));
    const bytes = files.get(segmentFile(1));
    const { start } = recordBytes(bytes, 4);
    for (let offset = start; offset < bytes.length; offset += 1) {
      const disk = files.clone();
      disk.put(segmentFile(1), flipped(bytes, offset));
      await expectRefusal(disk, { file: segmentFile(1), seq: 4 });
    }
  });

  test('with a damaged slot, the record after it is kept and the one after that is cut', async () => {
    const files = await written(new FaultyFiles(), 4);
    const { before, after } = await unacknowledged(files, 5);
    files.put(HEAD, flipped(files.get(HEAD), 0));
    files.put(segmentFile(1), after);
    await expectCut(files, { file: segmentFile(1), seq: 5, bytes: after.length - before.length }, 4);
  });

  test('with a slot write that was lost counts as damaged', async () => {
    const files = await written(new FaultyFiles(), 4);
    const old = files.get(HEAD);
    await written(files, 6);
    // Record 6 belongs to slot 0, which still says 4; slot 1 says 5.
    const head = Buffer.concat([old.subarray(0, SLOT_STRIDE), files.get(HEAD).subarray(SLOT_STRIDE)]);
    const lost = files.clone();
    lost.put(HEAD, head);
    expect((await openOn(lost)).cuts).toHaveLength(1);
    // Slot 1 still says 3 while slot 0 says 6: what should be 5 was lost, so 7 could have been too.
    files.put(HEAD, Buffer.concat([files.get(HEAD).subarray(0, SLOT_STRIDE), old.subarray(SLOT_STRIDE)]));
    const opened = await openOn(files);
    expect(opened.journal.position.seq).toBe(6);
    expect(opened.mended).toHaveLength(1);
  });

  test('missing, empty or without a valid slot is refused when there are records', async () => {
    const files = await written(new FaultyFiles(), 2);
    const bytes = files.get(HEAD);
    const missing = files.clone();
    missing.delete(HEAD);
    await expectRefusal(missing, { file: HEAD, seq: 0, reason: 'HEAD_MISSING' });
    for (const head of [Buffer.alloc(0), flipped(flipped(bytes, 3), SLOT_STRIDE + 3)]) {
      const disk = files.clone();
      disk.put(HEAD, head);
      await expectRefusal(disk, { file: HEAD, seq: 0, reason: 'HEAD_BROKEN' });
    }
  });

  test('missing is refused when any segment but a first, empty one is there', async () => {
    const files = await written(new FaultyFiles(), 2, 1);
    files.delete(HEAD);
    files.delete(segmentFile(1));
    files.put(segmentFile(2), files.get(segmentFile(2)).subarray(0, HEADER_BYTES));
    await expectRefusal(files, { file: HEAD, seq: 0, reason: 'HEAD_MISSING' });
  });

  test('damaged in one slot and later in the other is as good as new', async () => {
    const files = await written(new FaultyFiles(), 4);
    const { after } = await unacknowledged(files, 5);
    files.put(HEAD, flipped(files.get(HEAD), SLOT_STRIDE));
    expect((await openOn(files)).mended).toEqual([{ file: HEAD, seq: 4 }]);
    files.put(HEAD, flipped(files.get(HEAD), 0));
    files.put(segmentFile(1), after);
    const { journal, mended } = await openOn(files);
    expect(mended).toEqual([{ file: HEAD, seq: 5 }]);
    await appendUpTo(journal, 6);
    expect((await openOn(files)).mended).toEqual([]);
  });

  test('missing or torn is fine after a first start that was cut off', async () => {
    const files = await written(new FaultyFiles(), 1);
    const header = files.get(segmentFile(1)).subarray(0, HEADER_BYTES);
    for (let length = 0; length <= HEADER_BYTES; length += 1) {
      for (const head of [null, Buffer.alloc(0), files.get(HEAD).subarray(0, 20)]) {
        const disk = files.clone();
        disk.put(segmentFile(1), header.subarray(0, length));
        if (head) disk.put(HEAD, head);
        else disk.delete(HEAD);
        const { journal } = await openOn(disk);
        expect(journal.position.seq).toBe(0);
        await appendUpTo(journal, 2);
        expect((await openOn(disk)).records).toHaveLength(2);
      }
    }
  });
});

/** The first segment without and with record `seq`, which a crash wrote and did not acknowledge. `files` stays without it. */
async function unacknowledged(files: FaultyFiles, seq: number): Promise<{ before: Buffer; after: Buffer }> {
  const disk = await written(files.clone(), seq);
  return { before: files.get(segmentFile(1)), after: disk.get(segmentFile(1)) };
}

async function expectCut(
  files: FaultyFiles,
  cut: { file: string; seq: number; bytes: number },
  last = cut.seq - 1,
): Promise<void> {
  const { journal, records, cuts } = await openOn(files);
  expect(cuts).toEqual([cut]);
  expect(records.map((record) => record.seq)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  await appendUpTo(journal, cut.seq + 1);
  await journal.close();
  const again = await openOn(files);
  expect(again.cuts).toEqual([]);
  expect(again.records).toHaveLength(cut.seq + 1);
}

async function expectRefusal(
  files: FaultyFiles,
  where: { file: string; seq: number; reason?: string },
): Promise<void> {
  const before = files.snapshot();
  await expect(openOn(files)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', ...where });
  expect(files.snapshot()).toEqual(before);
  expect(files.openFiles).toBe(0);
}

function flipped(bytes: Uint8Array, offset: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset]! ^= 1 << (offset % 8);
  return copy;
}

function splice(bytes: Buffer, start: number, end: number, middle: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), middle, bytes.subarray(end)]);
}

function* segmentStarts(files: FaultyFiles): Generator<{ file: string; firstSeq: number }> {
  for (const file of Object.keys(files.snapshot())) {
    const name = /(\d{20})\.log$/.exec(file);
    if (name) yield { file, firstSeq: Number(name[1]) };
  }
}

function recordBytes(segment: Buffer, seq: number): { start: number; end: number; bytes: Buffer } {
  let start = HEADER_BYTES;
  for (let at = 1; at < seq; at += 1) start += RECORD_BYTES + segment.readUInt32BE(start);
  const end = start + RECORD_BYTES + segment.readUInt32BE(start);
  return { start, end, bytes: segment.subarray(start, end) };
}

/** The record that holds byte `offset` of an intact segment; the header counts as the first one's. */
function recordAt(segment: Buffer, firstSeq: number, offset: number): number {
  let seq = firstSeq;
  for (let end = HEADER_BYTES; ; seq += 1) {
    end += RECORD_BYTES + segment.readUInt32BE(end);
    if (offset < end) return seq;
  }
}
