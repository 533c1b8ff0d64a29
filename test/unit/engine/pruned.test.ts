import { AuditLog } from '@berth/server/audit/audit-log';
import { type PruneRequest, Pruner } from '@berth/server/audit/pruner';
import { Engine } from '@berth/server/engine/engine';
import { type Recovered, recover } from '@berth/server/engine/recover';
import {
  BASE_HEADER_BYTES,
  baseName,
  decodeBaseHeader,
  encodeBaseHeader,
} from '@berth/server/store/base-format';
import { emptyMemoryDisk, type MemoryDisk, MemoryStore } from '@berth/server/store/memory-store';
import { verifyOlder } from '@berth/server/store/older-records';
import { beforeAll, describe, expect, test } from 'vitest';
import { FaultyFiles, type Survivors } from '../../store/faulty-files.js';
import { runSeed, seeded } from '../../store/random.js';
import { DAY_MS, START_MS } from '../domain/world.js';

/** Each segment has a handful of records. */
const SEGMENT_BYTES = 3000;
const FOLDER = '/data';
const owner = { device: 'd', email: 'it@studio.example' };

/** A disk with a data folder, its stored state, and a server on it that may be started again and again. */
class Studio {
  clock = { monoMs: 0, wallMs: START_MS, steadyWallMs: START_MS };
  busy: { backup: boolean; older: 'reading' | 'damaged' | null } = { backup: false, older: null };
  #ids = 0;

  constructor(
    readonly files: FaultyFiles,
    readonly disk: MemoryDisk,
  ) {}

  /** @param how `lost`: the stored state is; `reread` as for `recover` */
  async start({ lost = false, reread }: { lost?: boolean; reread?: number } = {}) {
    const disk = lost ? emptyMemoryDisk() : this.disk;
    const store = await MemoryStore.open(disk);
    const rebuilt: string[] = [];
    const recovered = await recover({
      ...{ files: this.files, folder: FOLDER, segmentBytes: SEGMENT_BYTES, monoMs: 0, store },
      onCut: () => {},
      onRebuilt: (reason) => rebuilt.push(reason),
      ...(reread === undefined ? {} : { reread }),
    });
    const { state, journal } = recovered;
    let died: (error: unknown) => void = () => {};
    const dead = new Promise<never>((_, reject) => {
      died = reject;
    });
    dead.catch(() => {});
    const engine = new Engine({
      ...{ state, journal, clock: { now: () => this.clock }, leaseSeconds: 120, diskLow: () => false },
      newId: (letter) => `${letter}${String(this.#ids++).padStart(8, '0')}`,
      onCommitted: ({ position, rows }) => store.put(position, rows),
      onFatal: died,
    });
    const audit = new AuditLog(this.files, journal, `${FOLDER}/audit`);
    const pruner = new Pruner({
      ...{ state, journal, audit, store, onFatal: died, wallMs: () => this.clock.wallMs },
      backups: { isRead: this.busy.backup, alone: (work) => work() },
      older: () => this.busy.older,
      submit: (command) => Promise.race([engine.submit(command), dead]),
      sign: ({ seq, hash }) => `signed ${seq} ${hash}`,
      log: { info: () => {}, warn: () => {} },
    });
    return { ...recovered, rebuilt, engine, audit, pruner, store };
  }

  async stop({ engine, journal, store }: Awaited<ReturnType<Studio['start']>>): Promise<void> {
    await engine.stop();
    await store.flush();
    await journal.close();
    await store.close();
  }

  clone(): Studio {
    const studio = new Studio(this.files.clone(), { meta: this.disk.meta, rows: new Map(this.disk.rows) });
    studio.clock = { ...this.clock };
    studio.#ids = this.#ids;
    return studio;
  }
}

let template: Studio;
/** The last record of a segment in the middle, and its hash. */
let until: { seq: number; hash: string };

beforeAll(async () => {
  const files = new FaultyFiles();
  await files.makeFolder(FOLDER);
  await files.makeFolder(`${FOLDER}/audit`);
  template = new Studio(files, emptyMemoryDisk());
  const server = await template.start();
  const found = { name: 'Studio', serverId: 'srv', serverKey: 'key', epoch: 'e', owner: owner.email };
  await server.engine.submit({ type: 'found', ...found, invitationMs: 100 * DAY_MS });
  await invite(server, 16);
  const middle = server.journal.segments[server.journal.segments.length >> 1]!;
  until = (await server.journal.endOfSegment(middle.firstSeq - 1))!;
  await template.stop(server);
  template.clock.wallMs += 40 * DAY_MS;
  template.clock.steadyWallMs += 40 * DAY_MS;
});

async function invite(
  { engine, journal }: Pick<Awaited<ReturnType<Studio['start']>>, 'engine' | 'journal'>,
  many: number,
) {
  for (let at = 0; at < many; at++) {
    const email = `user${journal.position.seq}@studio.example`;
    await engine.submit({
      ...{ type: 'invite', by: owner, email, name: email, role: 'user', device: false },
      ...{ request: { device: 'd', key: `key-${email}`, hash: 'hash' }, invitationMs: 100 * DAY_MS },
    });
  }
}

const asking = (more: Partial<PruneRequest> = {}): PruneRequest => ({
  until: until.seq,
  head: Buffer.from(until.hash, 'hex').toString('base64url'),
  by: owner,
  request: { device: 'd', key: 'prune', hash: 'hash' },
  ...more,
});

function rowsOf({ state }: Pick<Recovered, 'state'>): unknown {
  return Object.entries(state.tables).map(([name, table]) => [name, [...table.entries()].sort()]);
}

const on = async (): Promise<boolean> => true;

/** Pruned, with records behind it, and stopped. @returns what it served */
async function prunedStudio(): Promise<{ studio: Studio; served: unknown }> {
  const studio = template.clone();
  const server = await studio.start();
  expect(await server.pruner.prune(asking())).toMatchObject({ ok: true });
  await invite(server, 5);
  await studio.stop(server);
  return { studio, served: rowsOf(server) };
}

const base = (studio: Studio): string => {
  const [name, ...more] = studio.files.names('/data/journal').filter((each) => each.includes('base'));
  expect([name, more]).toEqual([expect.stringMatching(/^\d{20}\.base$/), []]);
  return `/data/journal/${name}`;
};

test('a journal that was pruned begins behind what went, and leads to the same state, stored or not', async () => {
  const { studio, served } = await prunedStudio();
  for (const how of [{}, { reread: 0 }, { reread: 1e6 }, { lost: true }, { lost: true, reread: 0 }]) {
    const server = await studio.start(how);
    expect(rowsOf(server), JSON.stringify(how)).toEqual(served);
    expect(server.journal.segments[0]!.firstSeq).toBe(until.seq + 1);
    expect(server.rebuilt.length > 0).toBe('lost' in how);
    // Clients that saw what is gone raise no alarm, and a forged record is still one.
    const head = Buffer.from(until.hash, 'hex').toString('base64url');
    expect([
      server.hashes.has(until.seq, head),
      server.hashes.has(server.journal.position.seq, head),
    ]).toEqual([null, false]);
    await verifyOlder(studio.files, server.journal, on);
    if (!('lost' in how)) continue;
    // What was rebuilt was stored: the next start needs no base.
    await server.store.flush();
    const stored = new Map<string, string>();
    const at = await server.store.dump(async (rows) => {
      for (const [key, value] of rows) stored.set(key, value);
    });
    expect([at, stored]).toEqual([server.journal.position, studio.disk.rows]);
    // Behind the base, and nothing twice.
    expect(server.replayed).toBe(server.journal.position.seq - server.journal.base!.at.seq);
  }
  const { audit, journal } = await studio.start();
  const { entries } = await audit.newest({ kind: 'journal' }, null, 10);
  expect(entries[0]).toMatchObject({
    did: 'prune',
    by: owner.email,
    changes: [
      { kind: 'journal.checkpoint' },
      { kind: 'journal.pruned', facts: { from: 1, until: until.seq, hash: until.hash } },
    ],
  });
  expect((await audit.records({ seq: 1, offset: 0 }, journal.position.seq, 100)).parts[0]).toMatchObject({
    seq: until.seq + 1,
    prev: until.hash,
  });
});

test('asked again it is the same answer; pruned once more, the base is a later one', async () => {
  const { studio } = await prunedStudio();
  const first = base(studio);
  const server = await studio.start();
  const seq = server.journal.position.seq;
  const again = await server.pruner.prune(asking({ request: { device: 'd', key: 'another', hash: 'hash' } }));
  expect(again).toMatchObject({ ok: true, outcome: { pruned: { seq: until.seq, by: owner.email } } });
  expect(server.journal.position.seq).toBe(seq);
  const next = server.journal.segments[2]!.firstSeq - 1;
  const end = (await server.pruner.endOf(next)) as { hash: string };
  const later = { until: next, head: Buffer.from(end.hash, 'hex').toString('base64url') };
  expect(
    await server.pruner.prune(asking({ ...later, request: { device: 'd', key: 'more', hash: 'hash' } })),
  ).toMatchObject({ ok: true, outcome: { pruned: { from: until.seq + 1 } } });
  expect(await server.pruner.prune(asking())).toMatchObject({
    code: 'PRUNE_REFUSED',
    detail: { rule: 'PRUNED' },
  });
  expect(base(studio)).not.toBe(first);
  await studio.stop(server);
  expect(rowsOf(await studio.start({ lost: true }))).toEqual(rowsOf(server));
});

test('what may not go stays, and says why', async () => {
  const studio = template.clone();
  const before = studio.files.names('/data/journal');
  const refused = async (
    more: Partial<PruneRequest>,
    rule: string,
    code = 'PRUNE_REFUSED',
  ): Promise<void> => {
    const { pruner } = await studio.start();
    expect(await pruner.prune(asking(more))).toMatchObject({ ok: false, code, detail: { rule } });
    expect(studio.files.names('/data/journal')).toEqual(before);
  };
  await refused({ until: until.seq - 1 }, 'SEGMENT');
  await refused({ until: 0 }, 'SEGMENT');
  const { journal } = await studio.start();
  await refused({ until: journal.position.seq }, 'SEGMENT');
  await refused({ head: 'A'.repeat(43) }, 'HEAD');
  studio.clock.wallMs -= 20 * DAY_MS;
  await refused({}, 'RECENT');
  studio.clock.wallMs += 20 * DAY_MS;
  studio.busy = { backup: true, older: null };
  await refused({}, 'BACKUP', 'PRUNE_BUSY');
  studio.busy = { backup: false, older: 'reading' };
  await refused({}, 'VERIFYING', 'PRUNE_BUSY');
  studio.busy = { backup: false, older: 'damaged' };
  await refused({}, 'DAMAGED');
  studio.busy = { backup: false, older: null };
  studio.disk.rows.set('user/nobody', '{}');
  const { pruner } = await studio.start({ reread: 0 });
  // The state was rebuilt, and then damaged under the running server.
  studio.disk.rows.set('user/nobody', '{}');
  expect(await pruner.prune(asking())).toMatchObject({ code: 'PRUNE_REFUSED', detail: { rule: 'BASE' } });
  expect(studio.files.names('/data/journal')).toEqual(before);
  // Younger ones go when it is said.
  studio.clock.wallMs -= 20 * DAY_MS;
  expect(await (await studio.start()).pruner.prune(asking({ recent: true }))).toMatchObject({ ok: true });
});

describe('damage of what a pruned journal stands on', () => {
  test('a flipped bit anywhere in the base: no rebuild, no check, no backup; what is stored is served, and it is told', async () => {
    const seed = runSeed();
    console.info(`BERTH_SEED=${seed}`);
    const random = seeded(seed);
    const { studio, served } = await prunedStudio();
    const path = base(studio);
    const bytes = studio.files.get(path);
    const places = Array.from({ length: 40 }, (_, at) =>
      at < 25 ? at * 6 + random(6) : random(bytes.length),
    );
    for (const place of places) {
      const flipped = studio.clone();
      const changed = Buffer.from(bytes);
      changed[place]! ^= 1 << random(8);
      flipped.files.put(path, changed);
      const reason = { code: 'JOURNAL_CORRUPT', reason: 'BASE_BROKEN', file: path };
      await expect(flipped.start({ lost: true, reread: 0 }), `byte ${place}`).rejects.toMatchObject(reason);
      await expect(flipped.start()).rejects.toMatchObject(reason);
      const server = await flipped.start({ reread: 0 });
      expect(rowsOf(server)).toEqual(served);
      await expect(verifyOlder(flipped.files, server.journal, on)).rejects.toMatchObject(reason);
    }
    const cut = studio.clone();
    cut.files.put(path, bytes.slice(0, -1));
    await expect(cut.start({ lost: true })).rejects.toMatchObject({ reason: 'BASE_BROKEN' });
  });

  test('the base of another journal, or none', async () => {
    const { studio, served } = await prunedStudio();
    const path = base(studio);
    const bytes = studio.files.get(path);
    const facts = decodeBaseHeader(bytes.subarray(0, BASE_HEADER_BYTES))!;
    const hash = 'f'.repeat(64);
    const others = { until: { ...facts.until, hash }, at: { ...facts.at, hash } };
    for (const [name, named] of Object.entries(others)) {
      const foreign = studio.clone();
      const header = encodeBaseHeader({ ...facts, [name]: named });
      foreign.files.put(path, Buffer.concat([header, bytes.subarray(BASE_HEADER_BYTES)]));
      for (const how of [{}, { lost: true }])
        await expect(foreign.start(how), name).rejects.toMatchObject({ reason: 'BASE_FOREIGN', file: path });
      const { journal } = await foreign.start({ reread: 0 });
      await expect(verifyOlder(foreign.files, journal, on), name).rejects.toMatchObject({
        reason: 'BASE_FOREIGN',
        file: path,
      });
    }
    const none = studio.clone();
    await none.files.remove(path);
    await expect(none.start({ lost: true })).rejects.toMatchObject({ reason: 'SEGMENT_MISSING' });
    await expect(none.start()).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    const server = await none.start({ reread: 0 });
    expect(rowsOf(server)).toEqual(served);
    await expect(verifyOlder(none.files, server.journal, on)).rejects.toMatchObject({
      reason: 'BASE_MISSING',
    });
  });

  test('a segment that is gone otherwise is missed', async () => {
    const { studio } = await prunedStudio();
    const [first, second] = (await studio.start()).journal.segments;
    for (const gone of [first!, second!]) {
      const broken = studio.clone();
      await broken.files.remove(gone.file);
      const missing = { reason: 'SEGMENT_MISSING', file: gone.file };
      await expect(broken.start({ lost: true })).rejects.toMatchObject(missing);
      await expect(broken.start({ reread: 1e6 })).rejects.toMatchObject(missing);
    }
  });
});

test('a power cut at any step leaves a folder that starts and is true, and the next start or prune ends the work', async () => {
  const seed = runSeed();
  console.info(`BERTH_SEED=${seed}`);
  const random = seeded(seed);
  const whole = template.clone();
  const server = await whole.start();
  const began = whole.files.steps;
  expect(await server.pruner.prune(asking())).toMatchObject({ ok: true });
  const steps = whole.files.steps - began;
  expect(steps).toBeGreaterThan(LAST + 10);
  const ends = new Set<string>();
  for (let at = 1; at <= steps; at++) {
    // Where files go, what of it is left decides: more of these.
    const chances: Survivors[] = at > steps - LAST ? Array(5).fill(random) : [random];
    for (const survivors of [at % 2 === 0 ? 'ALL' : 'NONE', ...chances] as const)
      ends.add(await cutAt(at, survivors));
  }
  expect([...ends].sort()).toEqual(expect.arrayContaining(['false false', 'true true']));
});

/** The steps of a prune in which files go. */
const LAST = 12;

/** @param step of a prune, in which the power goes; and what it comes to */
async function cutAt(step: number, survivors: Survivors): Promise<string> {
  const studio = template.clone();
  const dying = await studio.start();
  const served = rowsOf(dying);
  studio.files.crashAt = studio.files.steps + step;
  const settled = await dying.pruner.prune(asking()).catch(() => null);
  studio.files.powerCut(survivors);
  // Either nothing happened yet, or it is known who pruned; both with and without the stored state.
  const rebuilt = await studio.start({ lost: true });
  const server = await studio.start();
  expect(rowsOf(rebuilt)).toEqual(rowsOf(server));
  const isPruned = server.state.tables.organisation.get('self')?.pruned !== undefined;
  if (!isPruned) expect(rowsOf(server)).toEqual(served);
  if (settled?.ok === true) expect(isPruned).toBe(true);
  await server.pruner.finish();
  const left = studio.files.names('/data/journal').filter((name) => name.includes('base'));
  expect(left).toEqual(left.filter((name) => name === baseName(server.journal.base?.at.seq ?? 0)));
  expect(server.journal.segments[0]!.firstSeq).toBe(isPruned ? until.seq + 1 : 1);
  expect(await server.pruner.prune(asking())).toMatchObject({ ok: true });
  expect(server.journal.segments[0]!.firstSeq).toBe(until.seq + 1);
  expect(studio.files.names('/data/journal').filter((name) => name.includes('base'))).toHaveLength(1);
  const { segments, position } = server.journal;
  await verifyOlder(studio.files, { segments, verifiedAfter: position }, on);
  return `${isPruned} ${settled?.ok ?? 'died'}`;
}
