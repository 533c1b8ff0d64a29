import type { Journal } from '@berth/server/store/journal';
import { describe, expect, test } from 'vitest';
import { FaultyFiles, type Survivors } from './faulty-files.js';
import { appendUpTo, DATA, HEAD, openOn, payloadOf } from './journal-fixture.js';
import { runSeed, seeded } from './random.js';

const SEGMENT_BYTES = 220;
const RECORDS = 7;

/** Opens, appends and dies where the disk says so. Returns the last sequence whose append resolved. */
async function runUntilCrash(files: FaultyFiles): Promise<number> {
  let acknowledged = 0;
  try {
    const { journal } = await openOn(files, { segmentBytes: SEGMENT_BYTES });
    acknowledged = journal.position.seq;
    for (let seq = acknowledged + 1; seq <= RECORDS; seq += 1) {
      acknowledged = (await journal.append(payloadOf(seq))).seq;
    }
    await journal.close();
  } catch (error) {
    expect(error).toMatchObject({ code: 'JOURNAL_WRITE_FAILED', errno: 'CRASHED' });
  }
  return acknowledged;
}

async function newDisk(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  await files.makeFolder(DATA);
  return files;
}

/** Acknowledged is durable (I6), and what is there is what was written, in order. */
async function expectHistory(files: FaultyFiles, acknowledged: number): Promise<Journal> {
  const { journal, records } = await openOn(files, { segmentBytes: SEGMENT_BYTES });
  expect(journal.position.seq).toBeGreaterThanOrEqual(acknowledged);
  expect(journal.position.seq).toBeLessThanOrEqual(acknowledged + 1);
  expect(records.map((record) => record.seq)).toEqual(
    Array.from({ length: journal.position.seq }, (_, index) => index + 1),
  );
  for (const record of records) expect(Buffer.from(record.payload)).toEqual(payloadOf(record.seq));
  return journal;
}

describe('a power cut', () => {
  test('at every step loses nothing acknowledged', async () => {
    const seed = runSeed();
    console.info(`BERTH_SEED=${seed}`);
    const random = seeded(seed);
    const whole = await newDisk();
    expect(await runUntilCrash(whole)).toBe(RECORDS);
    const fates: Survivors[] = ['NONE', 'ALL', ...Array.from({ length: 20 }, () => random)];
    for (let crashAt = 1; crashAt <= whole.steps; crashAt += 1) {
      for (const survivors of fates) {
        const files = await newDisk();
        files.crashAt = crashAt;
        const acknowledged = await runUntilCrash(files);
        files.powerCut(survivors);
        const journal = await expectHistory(files, acknowledged);
        await appendUpTo(journal, RECORDS + 2);
        await journal.close();
        expect((await openOn(files)).records).toHaveLength(RECORDS + 2);
      }
    }
  });

  test('again and again, also during recovery, loses nothing acknowledged', async () => {
    const seed = runSeed();
    console.info(`BERTH_SEED=${seed}`);
    const random = seeded(seed);
    for (let run = 0; run < 500; run += 1) {
      const files = await newDisk();
      let acknowledged = 0;
      while (acknowledged < RECORDS) {
        files.crashAt = files.steps + 1 + random(25);
        const reached = await runUntilCrash(files);
        acknowledged = Math.max(acknowledged, reached);
        files.powerCut([random, random, 'ALL' as const, 'NONE' as const][random(4)]!);
        await (await expectHistory(files.clone(), acknowledged)).close();
      }
    }
  });

  test('while a head slot is mended loses nothing acknowledged', async () => {
    const seed = runSeed();
    console.info(`BERTH_SEED=${seed}`);
    const random = seeded(seed);
    for (const slot of [0, 1]) {
      const damaged = await newDisk();
      await runUntilCrash(damaged);
      const head = damaged.get(HEAD);
      head[slot * 512]! ^= 1;
      damaged.put(HEAD, head);
      for (let run = 0; run < 200; run += 1) {
        const files = damaged.clone();
        files.crashAt = 1 + (run % 8);
        await runUntilCrash(files);
        files.powerCut(random);
        await expectHistory(files, RECORDS);
      }
    }
  });
});

describe('a failing disk', () => {
  test.each(['EIO', 'ENOSPC'])('%s at any step of an append stops the journal for good', async (errno) => {
    const whole = await newDisk();
    await runUntilCrash(whole);
    for (let failAt = 1; failAt <= whole.steps; failAt += 1) {
      const files = await newDisk();
      Object.assign(files, { failAt, errno });
      const acknowledged = await runUntilFailure(files, errno);
      files.powerCut('ALL');
      await expectHistory(files, acknowledged);
    }
  });
});

/** Like runUntilCrash, on a disk that fails one step and then works again: a retry must not be taken for success. */
async function runUntilFailure(files: FaultyFiles, errno: string): Promise<number> {
  const failed = { code: 'JOURNAL_WRITE_FAILED', errno };
  let journal: Journal;
  try {
    ({ journal } = await openOn(files, { segmentBytes: SEGMENT_BYTES }));
  } catch (error) {
    expect(error).toMatchObject(failed);
    return 0;
  }
  let acknowledged = 0;
  try {
    for (let seq = 1; seq <= RECORDS; seq += 1) acknowledged = (await journal.append(payloadOf(seq))).seq;
    expect.unreachable('the disk failed');
  } catch (error) {
    expect(error).toMatchObject(failed);
  }
  expect(journal.position.seq).toBe(acknowledged);
  const { steps } = files;
  await expect(journal.append(payloadOf(acknowledged + 1))).rejects.toMatchObject(failed);
  expect(files.steps).toBe(steps);
  await journal.close();
  return acknowledged;
}
