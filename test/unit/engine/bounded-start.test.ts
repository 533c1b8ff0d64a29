import { copyFile, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Engine } from '@berth/server/engine/engine';
import { type Recovered, recover } from '@berth/server/engine/recover';
import { OlderRecords } from '@berth/server/older-records';
import { nodeFiles } from '@berth/server/store/files';
import { emptyMemoryDisk, type MemoryDisk, MemoryStore } from '@berth/server/store/memory-store';
import { verifyOlder } from '@berth/server/store/older-records';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { World } from '../domain/world.js';

/** Each segment has a handful of records. */
const SEGMENT_BYTES = 1024;

/** A data folder with a history of many segments, and the state that its server had written behind. */
class Past {
  readonly folder: string;
  readonly disk: MemoryDisk = emptyMemoryDisk();

  static async make(organisation = 'Studio'): Promise<Past> {
    const past = new Past(await mkdtemp(join(tmpdir(), 'berth-bounded-')));
    await past.live(organisation);
    return past;
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param reread left out: the whole journal */
  async start(reread?: number): Promise<Recovered & { readonly rebuilt: string[] }> {
    const rebuilt: string[] = [];
    const recovered = await recover({
      ...{ files: nodeFiles, folder: this.folder, segmentBytes: SEGMENT_BYTES, monoMs: 0 },
      store: await MemoryStore.open(this.disk),
      onCut: () => {},
      onRebuilt: (reason) => rebuilt.push(reason),
      ...(reread === undefined ? {} : { reread }),
    });
    return { ...recovered, rebuilt };
  }

  async live(organisation: string): Promise<void> {
    const { state, journal } = await this.start();
    const store = await MemoryStore.open(this.disk);
    await store.load();
    const world = new World();
    let ids = 0;
    const engine = new Engine({
      ...{ state, journal, clock: { now: () => world.now }, leaseSeconds: 120, diskLow: () => false },
      // As long in every history, so that their segments have the same names.
      newId: (letter) => `${letter}${String(ids++).padStart(8, '0')}`,
      onCommitted: ({ position, rows }) => store.put(position, rows),
      onFatal: (error) => {
        throw error;
      },
    });
    const serverKey = world.importing().claims.sub;
    const founding = {
      name: organisation,
      serverId: 'srv',
      serverKey,
      epoch: 'e',
      owner: 'it@studio.example',
    };
    await engine.submit({ type: 'found', ...founding, invitationMs: 1e9 });
    for (let at = 0; at < 60; at++) {
      const email = `user${at}@studio.example`;
      await engine.submit({
        ...{ type: 'invite', by: { device: 'd', email: founding.owner }, email, name: email, role: 'user' },
        ...{ request: { device: 'd', key: `key-${at}`, hash: 'hash' }, device: false, invitationMs: 1e9 },
      });
      // What came later was killed before it was written behind.
      if (at === 30) await store.flush();
    }
    await engine.stop();
    await journal.close();
    await store.close();
  }

  /** Paths of its segments, oldest first. */
  async segments(): Promise<string[]> {
    const names = await readdir(join(this.folder, 'journal'));
    return names
      .filter((name) => name.endsWith('.log'))
      .sort()
      .map((name) => join(this.folder, 'journal', name));
  }
}

function rowsOf({ state }: Recovered): unknown {
  return Object.entries(state.tables).map(([name, table]) => [name, [...table.entries()].sort()]);
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 3]! ^= 4;
  await writeFile(file, bytes);
}

const on = async (): Promise<boolean> => true;

describe('a start that does not read the whole journal', () => {
  let past: Past;
  beforeEach(async () => {
    past = await Past.make();
  });
  afterEach(() => rm(past.folder, { recursive: true, force: true }));

  test('serves the same state, and says how far it went back', async () => {
    const whole = await past.start();
    await whole.journal.close();
    expect(whole.journal.verifiedAfter.seq).toBe(0);
    const bounded = await past.start(0);
    expect(rowsOf(bounded)).toEqual(rowsOf(whole));
    expect(bounded.journal.position).toEqual(whole.journal.position);
    expect(bounded.replayed).toBeGreaterThan(20);
    const stored = bounded.journal.position.seq - bounded.replayed;
    const held = bounded.journal.segments.findLast(({ firstSeq }) => firstSeq <= stored)!;
    expect(bounded.journal.verifiedAfter.seq).toBe(held.firstSeq - 1);
    await bounded.journal.append(Buffer.from('{"v":1,"changes":[]}'));
    await bounded.journal.close();
    await verifyOlder(nodeFiles, bounded.journal, on);
    const again = await past.start();
    expect(again.journal.position.seq).toBe(whole.journal.position.seq + 1);
    await again.journal.close();
  });

  test('reads again what a client may still have seen, however little the state needs', async () => {
    const { journal, hashes } = await past.start(40);
    const { seq } = journal.position;
    expect(journal.verifiedAfter.seq).toBeGreaterThan(0);
    expect(hashes.has(seq - 39, 'another history')).toBe(false);
    await journal.close();
  });

  test('a changed byte in an old file is found by whoever reads on behind it, and told until the end', async () => {
    const [, second] = await past.segments();
    const whole = await past.start();
    await whole.journal.close();
    await flip(second!);
    const bounded = await past.start(0);
    expect(rowsOf(bounded)).toEqual(rowsOf(whole));
    const logged: unknown[] = [];
    const note = (details: object) => logged.push(details);
    const log = { info: () => {}, warn: note, error: note };
    const turns: (() => void)[] = [];
    const after = (_ms: number, then: () => void) => {
      turns.push(then);
      return () => {};
    };
    const older = new OlderRecords({
      ...{ files: nodeFiles, journal: bounded.journal, log, after },
      renewBase: () => Promise.reject(new Error('it is not the base')),
    });
    expect(older.trouble).toBeNull();
    const ended = older.start();
    for (let over = false; !over; ) {
      turns.shift()?.();
      over = await Promise.race([
        ended.then(() => true),
        new Promise<false>((go) => setImmediate(go, false)),
      ]);
    }
    expect(older.trouble).toBe('JOURNAL_DAMAGED');
    expect(logged).toMatchObject([{ code: 'JOURNAL_DAMAGED', err: { file: second, reason: 'CHECKSUM' } }]);
    await bounded.journal.close();
    await expect(past.start()).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', file: second });
  });

  test('a changed byte in a file that it needs is refused, with file and record', async () => {
    const last = (await past.segments()).at(-1)!;
    await flip(last);
    await expect(past.start(0)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', file: last });
  });

  test('an old file that is gone is found behind it', async () => {
    const [, , third] = await past.segments();
    await unlink(third!);
    const { journal } = await past.start(0);
    await expect(verifyOlder(nodeFiles, journal, on)).rejects.toMatchObject({
      reason: 'SEGMENT_MISSING',
      file: third,
    });
    await journal.close();
  });

  test('old files of another history are found: they do not lead to the record that it went on from', async () => {
    const other = await Past.make('Studia');
    const whole = await past.start(0);
    await whole.journal.close();
    const old = whole.journal.segments.filter(({ firstSeq }) => firstSeq <= whole.journal.verifiedAfter.seq);
    for (const { file } of old) await copyFile(join(other.folder, 'journal', basename(file)), file);
    const { journal } = await past.start(0);
    await expect(verifyOlder(nodeFiles, journal, on)).rejects.toMatchObject({ reason: 'CHAIN' });
    await journal.close();
    await rm(other.folder, { recursive: true });
  });

  test('a state of another journal is refused, and so is one whose journal was put back', async () => {
    const other = await Past.make('Studia');
    past.disk.rows = other.disk.rows;
    past.disk.meta = other.disk.meta;
    await expect(past.start(0)).rejects.toMatchObject({ code: 'JOURNAL_ROLLED_BACK' });
    const store = await MemoryStore.open(past.disk);
    const loaded = await store.load();
    store.put({ seq: loaded.ok ? loaded.seq + 500 : 0, hash: 'ab'.repeat(32) }, new Map([['user/x', null]]));
    await store.flush();
    await expect(past.start(0)).rejects.toMatchObject({ code: 'JOURNAL_ROLLED_BACK' });
    await rm(other.folder, { recursive: true });
  });

  test('without a state that checks it reads everything, and refuses a changed byte wherever it is', async () => {
    const whole = await past.start();
    await whole.journal.close();
    const [key] = past.disk.rows.keys();
    past.disk.rows.delete(key!);
    const rebuilt = await past.start(0);
    expect([rebuilt.journal.verifiedAfter.seq, rebuilt.rebuilt.length]).toEqual([0, 1]);
    expect(rowsOf(rebuilt)).toEqual(rowsOf(whole));
    await rebuilt.journal.close();
    past.disk.rows.clear();
    const [first] = await past.segments();
    await flip(first!);
    await expect(past.start(0)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', file: first });
  });
});
