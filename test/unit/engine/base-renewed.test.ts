import { OlderRecords } from '@berth/server/older-records';
import { verifyOlder } from '@berth/server/store/older-records';
import { beforeAll, expect, test } from 'vitest';
import { runSeed, seeded } from '../../store/random.js';
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

// A base that is damaged while the state is right: another one takes its place (decision 0018).

let template: Studio;
let until: End;

beforeAll(async () => {
  ({ template, until } = await oldStudio());
});

/** The record that the base stands for which the journal names. */
const namedIn = ({ journal }: Awaited<ReturnType<Studio['start']>>): number => journal.named!.at;

/** As a server does behind its start. */
async function readOlder(studio: Studio, { journal, pruner }: Awaited<ReturnType<Studio['start']>>) {
  const told: object[] = [];
  const note = (details: object): void => void told.push(details);
  const older = new OlderRecords({
    ...{ files: studio.files, journal, log: { info: () => {}, warn: note, error: note } },
    renewBase: (at) => pruner.renew(at),
    after: (_ms, then) => {
      setImmediate(then);
      return () => {};
    },
  });
  await older.start();
  return { told, older };
}

test('a base that is damaged, foreign or gone is made anew behind the start, from the state, and the journal says so', async () => {
  const { studio, served } = await prunedStudio(template, until);
  const path = baseIn(studio);
  const bytes = studio.files.get(path);
  const flipped = Buffer.from(bytes);
  flipped[bytes.length >> 1]! ^= 1;
  for (const now of [flipped, bytes.subarray(0, 7), withOtherRows(bytes), null]) {
    const broken = studio.clone();
    if (now === null) await broken.files.remove(path);
    else broken.files.put(path, now);
    const server = await broken.start({ reread: 0 });
    const { told, older } = await readOlder(broken, server);
    expect([told, older.trouble]).toMatchObject([[{ code: 'BASE_RENEWED' }], 'BASE_RENEWED']);
    expect(baseIn(broken)).not.toBe(path);
    expect((await server.audit.newest({ kind: 'journal' }, null, 1)).entries[0]).toMatchObject({
      did: 'renewBase',
      changes: [{ kind: 'journal.pruned', facts: { until: until.seq, renewed: expect.any(String) } }],
    });
    await invite(server, 2);
    await broken.stop(server);
    // With and without its state it is the same server; and the next start finds nothing.
    const rebuilt = await broken.start({ lost: true });
    expect(rowsOf(rebuilt)).toEqual(rowsOf(server));
    const next = await broken.start();
    expect((await readOlder(broken, next)).told).toEqual([]);
    // Asked again, what went is still what that admin let go of, and more can go.
    expect(await next.pruner.prune(askingFor(until))).toMatchObject({
      ok: true,
      outcome: { pruned: { seq: until.seq, by: owner.email } },
    });
    const end = (await next.pruner.endOf(next.journal.segments[2]!.firstSeq - 1)) as End;
    const more = askingFor(end, { request: { device: 'd', key: 'more', hash: 'hash' } });
    expect(await next.pruner.prune(more)).toMatchObject({ ok: true });
    expect(next.state.tables.organisation.get('self')!.pruned).not.toHaveProperty('renewedAtMs');
  }
  expect(rowsOf(await studio.start())).toEqual(served);
});

test('where the stored state does not check, or the disk is full, none is made: it stays damaged, and that is said', async () => {
  const { studio } = await prunedStudio(template, until);
  const path = baseIn(studio);
  studio.files.put(path, studio.files.get(path).subarray(0, 200));
  for (const how of ['state', 'disk']) {
    const broken = studio.clone();
    const server = await broken.start({ reread: 0 });
    if (how === 'disk') broken.files.free = SPARE_BYTES;
    else broken.disk.rows.set('user/nobody', '{}');
    const { told, older } = await readOlder(broken, server);
    const notRenewed = expect.stringMatching(how === 'disk' ? /free/ : /the stored state does not check/);
    expect([told, older.trouble], how).toMatchObject([
      [{ code: 'JOURNAL_DAMAGED', notRenewed }],
      'JOURNAL_DAMAGED',
    ]);
    expect(broken.warned, how).toMatchObject([{ message: expect.stringContaining('could not be made') }]);
    expect(broken.warned[0]!.message).not.toContain('pruned');
    expect(baseIn(broken), how).toBe(path);
  }
});

/** What reading it finds. */
async function damageOf({ files }: Studio, { journal }: Awaited<ReturnType<Studio['start']>>) {
  const { segments, position, named } = journal;
  return await verifyOlder(files, { segments, verifiedAfter: position, named }, on).catch((error) => error);
}

test('what was found twice is made anew once: by then another base has its place', async () => {
  const { studio } = await prunedStudio(template, until);
  const path = baseIn(studio);
  const server = await studio.start({ reread: 0 });
  studio.files.put(path, studio.files.get(path).subarray(0, 200));
  const found = await damageOf(studio, server);
  const { told, older } = await readOlder(studio, server);
  const renewed = baseIn(studio);
  expect(renewed).not.toBe(path);
  for (let again = 0; again < 2; again++) expect(await older.mend(found)).toEqual({ ok: true, made: false });
  expect([baseIn(studio), told.length]).toEqual([renewed, 1]);
});

test('where none could be made, a later one ends the trouble, and what was not read is read', async () => {
  const { studio } = await prunedStudio(template, until);
  const path = baseIn(studio);
  studio.files.put(path, studio.files.get(path).subarray(0, 200));
  const server = await studio.start({ reread: 0 });
  const { free } = studio.files;
  studio.files.free = SPARE_BYTES;
  const { told, older } = await readOlder(studio, server);
  const found = await damageOf(studio, server);
  expect(await older.mend(found)).toMatchObject({ ok: false, why: expect.stringMatching(/free/) });
  expect([older.trouble, older.unread > 0]).toEqual(['JOURNAL_DAMAGED', true]);
  studio.files.free = free;
  expect(await older.mend(found)).toEqual({ ok: true, made: true });
  expect([older.trouble, older.reading]).toEqual(['BASE_RENEWED', true]);
  await expect.poll(() => older.reading).toBe(false);
  expect([older.trouble, older.unread]).toEqual(['BASE_RENEWED', 0]);
  expect(told).toMatchObject([{ code: 'JOURNAL_DAMAGED' }, { code: 'BASE_RENEWED' }]);
});

test('a base that a backup reads stays until the next prune or start, and can be read', async () => {
  const { studio } = await prunedStudio(template, until);
  const path = baseIn(studio);
  const server = await studio.start({ reread: 0 });
  const at = namedIn(server);
  const bytes = Buffer.from(studio.files.get(path));
  studio.busy.backup = true;
  expect(await server.pruner.renew(at)).toEqual({ ok: true, made: true });
  expect(namedIn(server)).toBeGreaterThan(at);
  expect(Buffer.from((await server.journal.bytesOfBase(at, 0, bytes.length))!)).toEqual(bytes);
  await studio.stop(server);
  studio.busy.backup = false;
  const next = await studio.start();
  await next.pruner.finish();
  expect(baseIn(studio)).not.toBe(path);
  expect(await damageOf(studio, next)).toBeUndefined();
});

test('damage of a record is no reason for another base', async () => {
  const { studio } = await prunedStudio(template, until);
  const [first] = (await studio.start()).journal.segments;
  const bytes = Buffer.from(studio.files.get(first!.file));
  bytes[bytes.length - 9]! ^= 1;
  studio.files.put(first!.file, bytes);
  const path = baseIn(studio);
  const { told } = await readOlder(studio, await studio.start({ reread: 0 }));
  expect([told, baseIn(studio)]).toMatchObject([[{ code: 'JOURNAL_DAMAGED' }], path]);
});

test('a power cut at any step of making a damaged base anew: the state is served, and the next start makes it', async () => {
  const seed = runSeed();
  console.info(`BERTH_SEED=${seed}`);
  const random = seeded(seed);
  const studio = template.clone();
  const pruning = await studio.start();
  expect(await pruning.pruner.prune(askingFor(until))).toMatchObject({ ok: true });
  await invite(pruning, 3);
  await studio.stop(pruning);
  const path = pruning.journal.base!.file;
  studio.files.put(path, studio.files.get(path).subarray(0, -1));
  const whole = studio.clone();
  const renewing = await whole.start({ reread: 0 });
  const began = whole.files.steps;
  expect(await renewing.pruner.renew(namedIn(renewing))).toEqual({ ok: true, made: true });
  const steps = whole.files.steps - began;
  expect(steps).toBeGreaterThan(10);
  const ends = new Set<boolean>();
  for (let step = 1; step <= steps; step++) {
    for (const survivors of ['ALL', 'NONE', random] as const) {
      const cut = studio.clone();
      const dying = await cut.start({ reread: 0 });
      cut.files.crashAt = cut.files.steps + step;
      await dying.pruner.renew(namedIn(dying)).catch(() => null);
      cut.files.powerCut(survivors);
      const server = await cut.start({ reread: 0 });
      await server.pruner.finish();
      const { segments, position, named } = server.journal;
      const isSound = await verifyOlder(cut.files, { segments, verifiedAfter: position, named }, on).then(
        () => true,
        () => false,
      );
      ends.add(isSound);
      if (!isSound) expect(await server.pruner.renew(named!.at)).toEqual({ ok: true, made: true });
      await cut.stop(server);
      expect(rowsOf(await cut.start({ lost: true }))).toEqual(rowsOf(server));
      expect(cut.files.names('/data/journal').filter((name) => name.includes('base'))).toHaveLength(1);
    }
  }
  expect([...ends].sort()).toEqual([false, true]);
});
