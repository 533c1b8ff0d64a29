import type { PruneRequest } from '@berth/server/audit/pruner';
import { BackupSource } from '@berth/server/backup/source';
import { BASE_HEADER_BYTES, decodeBaseHeader, encodeBaseHeader } from '@berth/server/store/base-format';
import { verifyOlder } from '@berth/server/store/older-records';
import { beforeAll, describe, expect, test } from 'vitest';
import { runSeed, seeded } from '../../store/random.js';
import { DAY_MS } from '../domain/world.js';
import {
  askingFor,
  baseIn,
  type End,
  invite,
  oldStudio,
  on,
  owner,
  prunedStudio,
  rowsOf,
  SPARE_BYTES,
  type Studio,
  withOtherRows,
} from './pruned-studio.js';

let template: Studio;
let until: End;

beforeAll(async () => {
  ({ template, until } = await oldStudio());
});

const asking = (more: Partial<PruneRequest> = {}): PruneRequest => askingFor(until, more);
const prunedOne = () => prunedStudio(template, until);

test('a journal that was pruned begins behind what went, and leads to the same state, stored or not', async () => {
  const { studio, served } = await prunedOne();
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
  // Who was in the midst of a record that is gone begins with the first that is there.
  expect((await audit.records({ seq: 1, offset: 7 }, journal.position.seq, 100)).parts[0]).toMatchObject({
    ...{ seq: until.seq + 1, prev: until.hash },
    offset: 0,
  });
});

test('asked again it is the same answer; pruned once more, the base is a later one', async () => {
  const { studio } = await prunedOne();
  const first = baseIn(studio);
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
  expect(
    await server.pruner.prune(asking({ request: { device: 'd', key: 'third', hash: 'hash' } })),
  ).toMatchObject({ code: 'PRUNE_REFUSED', detail: { rule: 'PRUNED' } });
  expect(baseIn(studio)).not.toBe(first);
  await studio.stop(server);
  expect(rowsOf(await studio.start({ lost: true }))).toEqual(rowsOf(server));
});

test('who asks again after a lost answer gets it, whatever was pruned since (I7)', async () => {
  const studio = template.clone();
  const server = await studio.start();
  const first = await server.pruner.prune(asking());
  const next = server.journal.segments[1]!.firstSeq - 1;
  const end = (await server.pruner.endOf(next)) as { hash: string };
  const more = { until: next, head: Buffer.from(end.hash, 'hex').toString('base64url') };
  const key = { device: 'd', key: 'more', hash: 'other' };
  expect(await server.pruner.prune(asking({ ...more, request: key }))).toMatchObject({ ok: true });
  expect(await server.pruner.prune(asking())).toMatchObject(first);
  // The same key for something else is no answer to anything.
  expect(await server.pruner.prune(asking({ ...more, request: { ...key, key: 'prune' } }))).toMatchObject({
    code: 'KEY_REUSED',
  });
  await server.pruner.stop();
  // A server that is being stopped still says what went, and begins nothing.
  expect(await server.pruner.prune(asking())).toMatchObject(first);
  const last = server.journal.segments[1]!.firstSeq - 1;
  expect(await server.pruner.prune(asking({ until: last, request: { ...key, key: 'last' } }))).toMatchObject({
    code: 'DRAINING',
  });
});

test('what may not go stays, and says why', async () => {
  const studio = template.clone();
  const before = studio.files.names('/data/journal');
  const refused = async (
    more: Partial<PruneRequest>,
    rule: string,
    code = 'PRUNE_REFUSED',
  ): Promise<void> => {
    const { pruner, journal } = await studio.start();
    const { seq } = journal.position;
    // Before anything is exported, and when it is meant: one answer, by one rule.
    const ahead = await pruner.preview(asking(more));
    expect(ahead).toMatchObject({ ok: false, code, detail: { rule } });
    // That is when what blocks ends, and is told so: of these nobody knows an end.
    expect(ahead).not.toHaveProperty('detail.untilMs');
    expect(await pruner.prune(asking(more))).toEqual(ahead);
    expect(journal.position.seq).toBe(seq);
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
  studio.files.free = SPARE_BYTES;
  await refused({}, 'BASE');
  studio.files.free = 1e12;
  const would = await (await studio.start()).pruner.preview(asking());
  expect(would).toMatchObject({ from: 1, bytes: expect.any(Number) });
  studio.disk.rows.set('user/nobody', '{}');
  const { pruner } = await studio.start({ reread: 0 });
  // The state was rebuilt, and then damaged under the running server.
  studio.disk.rows.set('user/nobody', '{}');
  expect(await pruner.prune(asking())).toMatchObject({ code: 'PRUNE_REFUSED', detail: { rule: 'BASE' } });
  expect(studio.files.names('/data/journal')).toEqual(before);
  // Younger ones go when it is said.
  studio.clock.wallMs -= 20 * DAY_MS;
  const done = await (await studio.start()).pruner.prune(asking({ recent: true }));
  expect(done).toMatchObject({ ok: true, outcome: { pruned: would } });
  // Of what went already, as the prune itself says: it went, or something earlier did.
  const { pruner: later } = await studio.start();
  expect(await later.preview(asking())).toEqual(would);
  expect(await later.preview(asking({ until: until.seq - 1 }))).toMatchObject({ detail: { rule: 'PRUNED' } });
});

test('a clock that was ahead for a while keeps nothing for ever, and makes nothing young old', async () => {
  const studio = template.clone();
  const years = (sign: number) => {
    studio.clock.wallMs += sign * 4 * 365 * DAY_MS;
    studio.clock.steadyWallMs += sign * 4 * 365 * DAY_MS;
  };
  const before = await studio.start();
  const first = before.journal.position.seq;
  years(1);
  await invite(before, 6);
  years(-1);
  const aheadUntil = before.journal.position.seq;
  const nowMs = () => studio.clock.wallMs;
  const found = async () => (await before.audit.segments(0, 100, nowMs())).segments;
  // Nothing that is whole was written since: what was ahead is as young as can be.
  const young = (await found()).filter(({ last }) => last.seq > first);
  expect(young.length).toBeGreaterThan(0);
  for (const { untilMs } of young) expect(untilMs).toBe(nowMs());
  const setBackMs = nowMs();
  await invite(before, 12);
  studio.clock.wallMs += 40 * DAY_MS;
  const now = await found();
  for (const { untilMs } of now) expect(untilMs).toBeLessThanOrEqual(setBackMs);
  // As a whole it can go without a word of being young: 40 days have passed since.
  const past = now.filter(({ last }) => last.seq >= aheadUntil)[0]!;
  expect(now.length).toBeGreaterThan(2);
  const end = (await before.pruner.endOf(past.last.seq)) as End;
  expect(await before.pruner.prune(askingFor(end))).toMatchObject({
    ok: true,
    outcome: { pruned: { from: 1 } },
  });
});

describe('damage of what a pruned journal stands on', () => {
  test('a flipped bit anywhere in the base: no rebuild, no check, no backup; what is stored is served, and it is told', async () => {
    const seed = runSeed();
    console.info(`BERTH_SEED=${seed}`);
    const random = seeded(seed);
    const { studio, served } = await prunedOne();
    const path = baseIn(studio);
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
      // Said before anything is handed out, with the file that is to be put back.
      const source = new BackupSource(flipped.files, '/data', server.journal, () => 0);
      expect((await source.damage())?.words).toMatch(new RegExp(`^${path}: .* is damaged$`));
    }
    const sound = await studio.start();
    expect(await new BackupSource(studio.files, '/data', sound.journal, () => 0).damage()).toBe(null);
    const cut = studio.clone();
    cut.files.put(path, bytes.slice(0, -1));
    await expect(cut.start({ lost: true })).rejects.toMatchObject({ reason: 'BASE_BROKEN' });
  });

  test('the base of another journal, or none', async () => {
    const { studio, served } = await prunedOne();
    const path = baseIn(studio);
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
    await expect(none.start()).rejects.toMatchObject({ reason: 'BASE_MISSING', file: path });
    const server = await none.start({ reread: 0 });
    expect(rowsOf(server)).toEqual(served);
    await expect(verifyOlder(none.files, server.journal, on)).rejects.toMatchObject({
      reason: 'BASE_MISSING',
    });
    const source = new BackupSource(none.files, '/data', server.journal, () => 0);
    expect((await source.damage())?.words).toMatch(new RegExp(`^${path}: .* is missing`));
    // Where nothing was pruned there is none to be.
    const whole = await template.clone().start();
    expect(await new BackupSource(none.files, '/data', whole.journal, () => 0).damage()).toBe(null);
  });

  test('a base alone makes no missing record legal: the journal says who pruned, or nobody did', async () => {
    const studio = template.clone();
    const server = await studio.start();
    await server.store.flush();
    // As anybody can make one who has the folder: all of it checks.
    expect(await server.journal.rebase(until, server.store.dump, 0)).toMatchObject({ until });
    const gone = server.journal.segments.filter(({ firstSeq }) => firstSeq <= until.seq);
    await studio.stop(server);
    for (const { file } of gone) await studio.files.remove(file);
    for (const how of [{}, { reread: 0 }, { reread: 1e6 }, { lost: true }, { lost: true, reread: 0 }])
      await expect(studio.start(how), JSON.stringify(how)).rejects.toMatchObject({
        reason: 'SEGMENT_MISSING',
        file: gone[0]!.file,
      });
  });

  test('a base where nothing is missing is not used: what can be replayed is', async () => {
    const studio = template.clone();
    const server = await studio.start();
    await server.store.flush();
    const { file } = (await server.journal.rebase(until, server.store.dump, 0)) as { file: string };
    const served = rowsOf(server);
    await studio.stop(server);
    // With other rows, all of it in order, and a stored state that does not check.
    studio.files.put(file, withOtherRows(studio.files.get(file)));
    studio.disk.rows.set('user/nobody', '{}');
    for (const how of [{}, { reread: 0 }]) {
      const again = await studio.clone().start(how);
      expect(again.rebuilt).toHaveLength(1);
      expect(rowsOf(again), JSON.stringify(how)).toEqual(served);
      expect(again.replayed).toBe(again.journal.position.seq);
    }
  });

  test('a base with other rows, all of it in order: the journal names another one', async () => {
    const { studio, served } = await prunedOne();
    const path = baseIn(studio);
    const foreign = { reason: 'BASE_FOREIGN', file: path };
    studio.files.put(path, withOtherRows(studio.files.get(path)));
    await expect(studio.start({ lost: true })).rejects.toMatchObject(foreign);
    await expect(studio.start({ lost: true, reread: 0 })).rejects.toMatchObject(foreign);
    await expect(studio.start()).rejects.toMatchObject(foreign);
    const server = await studio.start({ reread: 0 });
    expect(rowsOf(server)).toEqual(served);
    await expect(verifyOlder(studio.files, server.journal, on)).rejects.toMatchObject(foreign);
  });

  test('of two bases the one counts that the journal names, and a newer one goes', async () => {
    const { studio, served } = await prunedOne();
    const named = baseIn(studio);
    const dying = await studio.start();
    await dying.store.flush();
    const end = (await dying.journal.endOfSegment(dying.journal.segments[1]!.firstSeq - 1))!;
    const newer = await dying.journal.rebase(end, dying.store.dump, 0);
    expect(newer).toMatchObject({ until: end });
    for (const how of [{}, { reread: 0 }, { lost: true }, { lost: true, reread: 0 }]) {
      const server = await studio.clone().start(how);
      expect(rowsOf(server), JSON.stringify(how)).toEqual(served);
      expect(server.journal.base).toMatchObject({ file: named });
      await verifyOlder(studio.files, server.journal, on);
    }
    const server = await studio.start();
    await server.pruner.finish();
    expect(baseIn(studio)).toBe(named);
  });

  test('a segment that is gone otherwise is missed', async () => {
    const { studio } = await prunedOne();
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
