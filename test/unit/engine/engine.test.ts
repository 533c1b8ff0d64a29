import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokenInvariants } from '@berth/server/domain/invariants';
import type { State } from '@berth/server/domain/state';
import { Engine } from '@berth/server/engine/engine';
import { recover } from '@berth/server/engine/recover';
import { nodeFiles } from '@berth/server/store/files';
import { LevelStore } from '@berth/server/store/level-store';
import { afterEach, describe, expect, test } from 'vitest';
import { keyOf, World } from '../domain/world.js';
import { answered, engineOver, HeldJournal, turns } from './held-journal.js';

describe('group commit', () => {
  test('no reply leaves before its changes are durable; what comes meanwhile shares the next record', async () => {
    const world = new World();
    world.import({ seats: 9 });
    const a = world.user('a');
    const journal = new HeldJournal();
    const { engine } = engineOver(world, journal);
    const first = answered(engine.submit(world.checkingOut(a)));
    await turns();
    const others = [1, 2, 3].map(() => answered(engine.submit(world.checkingOut(a))));
    await turns();
    expect([first.yet, ...others.map(({ yet }) => yet)]).toEqual([false, false, false, false]);
    await journal.finish();
    expect([first.yet, ...others.map(({ yet }) => yet)]).toEqual([true, false, false, false]);
    await journal.finish();
    expect(others.map(({ yet }) => yet)).toEqual([true, true, true]);
    expect(journal.payloads).toHaveLength(2);
  });

  test('a denial and a reading wait for what they saw; a renewal alone needs no record', async () => {
    const world = new World();
    world.import({ seats: 1 });
    const a = world.user('a');
    const journal = new HeldJournal();
    const { engine } = engineOver(world, journal);
    const granted = engine.submit(world.checkingOut(a));
    const denied = answered(engine.submit(world.checkingOut(a)));
    const read = answered(engine.read((state) => state.tables.lease.size));
    await turns();
    expect([denied.yet, read.yet]).toEqual([false, false]);
    await journal.finish();
    expect([denied.yet, read.yet]).toEqual([true, true]);
    const settled = await granted;
    const lease = settled.ok ? settled.outcome.leases[0]!.jti : '';
    const renewed = await engine.submit({ type: 'renew', by: world.by(a).by, leases: [lease], nonce: 'x' });
    expect(renewed).toMatchObject({ ok: true });
    expect(journal.payloads).toHaveLength(1);
  });

  test('what changes by few things waits for a commit that has one of them, and for no other', async () => {
    const world = new World();
    world.import({ seats: 9 });
    const a = world.user('a');
    const journal = new HeldJournal();
    const { engine } = engineOver(world, journal);
    const types = new Set(['entitlement.put'] as const);
    const owned = () => engine.readOf(types, (state) => state.tables.entitlement.size);
    void engine.submit(world.checkingOut(a));
    await turns();
    expect(owned()).toBe(1);
    // Two commits with one: what is being written, and what waits for its turn.
    void engine.submit(world.importing({ jti: 'ent-2', seats: 3 }));
    const pending = answered(Promise.resolve(owned()));
    await journal.finish();
    expect(pending.yet).toBe(false);
    const inFlight = answered(Promise.resolve(owned()));
    void engine.submit(world.checkingOut(a));
    await turns();
    expect(inFlight.yet).toBe(false);
    await journal.finish();
    await journal.finish();
    expect([pending.yet, inFlight.yet]).toEqual([true, true]);
    expect(owned()).toBe(2);
  });

  test('what would come of a command is what comes of it, and leaves no trace', async () => {
    const world = new World();
    world.import({ seats: 1 });
    const a = world.user('a');
    const journal = new HeldJournal();
    const { engine } = engineOver(world, journal);
    const asked = world.checkingOut(a);
    const sizes = () => Object.values(world.state.tables).map((table) => table.size);
    const before = sizes();
    const would = await engine.would(asked);
    expect(sizes()).toEqual(before);
    await turns();
    expect(journal.payloads).toHaveLength(0);
    const granted = engine.submit(asked);
    await turns();
    // What it sees has to be durable, as for any answer.
    const refused = answered(engine.would(world.checkingOut(a)));
    await turns();
    expect(refused.yet).toBe(false);
    await journal.finish();
    expect([would.ok, (await granted).ok, refused.yet]).toEqual([true, true, true]);
    expect(await engine.would(world.checkingOut(a))).toMatchObject({ ok: false, code: 'NO_SEAT' });
    expect(journal.payloads).toHaveLength(1);
  });

  test('a failed write stops everything: nobody gets an answer any more', async () => {
    const world = new World();
    world.import({ seats: 1 });
    const a = world.user('a');
    const journal = new HeldJournal();
    const { engine, fatal } = engineOver(world, journal);
    const waiting = answered(engine.submit(world.checkingOut(a)));
    const saw = answered(engine.read((state) => state.tables.lease.size));
    const failure = new Error('EIO');
    await journal.finish(failure);
    const late = answered(engine.submit(world.checkingOut(a)));
    await turns();
    expect(fatal).toEqual([failure]);
    expect([waiting.yet, saw.yet, late.yet]).toEqual([false, false, false]);
  });
});

describe('recovery', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  async function reopen(
    folder: string,
  ): Promise<Awaited<ReturnType<typeof recover>> & { store: LevelStore; rebuilt: string[] }> {
    const store = await LevelStore.open(folder);
    const rebuilt: string[] = [];
    const recovering = recover({
      files: nodeFiles,
      folder,
      store,
      monoMs: 0,
      onCut: () => {},
      onRebuilt: (reason) => rebuilt.push(reason),
    });
    recovering.catch(() => store.close());
    const recovered = await recovering;
    return { ...recovered, store, rebuilt };
  }

  /** Runs a few commands through a real engine on a real folder; stops without a flush if asked, as kill -9 does. */
  async function live(folder: string, flush: boolean): Promise<State> {
    const { state, journal, store } = await reopen(folder);
    const world = new World();
    world.state = state;
    const engine = new Engine({
      state,
      journal,
      clock: { now: () => world.now },
      newId: (letter) => `${letter}${Math.random().toString(36).slice(2)}`,
      leaseSeconds: 120,
      diskLow: () => false,
      onCommitted: ({ position, rows }) => store.put(position, rows),
      onFatal: (error) => {
        throw error;
      },
    });
    if (state.tables.organisation.size === 0) await found(engine, state);
    const device = [...state.tables.device.values()][0]!;
    const by = () => world.by(device.id, Math.random().toString(36));
    for (let i = 0; i < 20; i++) {
      const settled = await engine.submit({ ...world.checkingOut(device.id), ...by() });
      if (settled.ok && i % 3 === 0) {
        await engine.submit({
          type: 'release',
          ...by(),
          leases: settled.outcome.leases.map(({ jti }) => jti),
          stopped: [],
        });
      }
    }
    await engine.stop();
    if (flush) await store.flush();
    await journal.close();
    await store.close();
    return state;
  }

  async function found(engine: Engine, state: State): Promise<void> {
    const world = new World();
    const founding = {
      name: 'S',
      serverId: 'srv',
      serverKey: world.importing().claims.sub,
      epoch: 'e',
      owner: 'owner@studio.example',
    };
    const settled = await engine.submit({ type: 'found', ...founding, invitationMs: 1e9 });
    const invitation = settled.ok ? settled.outcome.invitation : '';
    await engine.submit({ type: 'enrol', invitation, leaseKey: keyOf('o'), adminKey: null, name: 'pc' });
    const device = [...state.tables.device.values()][0]!.id;
    await engine.submit({ ...world.importing({ seats: 30 }), by: { device, email: founding.owner } });
  }

  function rowsOf(state: State): unknown {
    return Object.entries(state.tables).map(([name, table]) => [
      name,
      [...table.entries()].sort(([a], [b]) => (a < b ? -1 : 1)),
    ]);
  }

  test.each([true, false])(
    'the state comes back exactly, whether the state store was flushed (%s) or not',
    async (flush) => {
      const folder = await mkdtemp(join(tmpdir(), 'berth-engine-'));
      folders.push(folder);
      const before = rowsOf(await live(folder, flush));
      const { state, journal, store, rebuilt } = await reopen(folder);
      expect(rowsOf(state)).toEqual(before);
      expect(brokenInvariants(state, { monoMs: 0, wallMs: Date.now(), steadyWallMs: Date.now() })).toEqual(
        [],
      );
      expect(rebuilt).toEqual([]);
      await journal.close();
      await store.close();
    },
  );

  test.each([
    ['ahead of its journal', 999],
    ['of another history', 3],
  ])('a state %s is refused: the journal lost what was acknowledged', async (_what, seq) => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-engine-'));
    folders.push(folder);
    const before = rowsOf(await live(folder, true));
    const store = await LevelStore.open(folder);
    await store.reset();
    store.put({ seq, hash: 'ee'.repeat(32) }, new Map([['user/x', '{}']]));
    await store.flush();
    await store.close();
    await expect(reopen(folder)).rejects.toMatchObject({ code: 'JOURNAL_ROLLED_BACK' });
    await rm(join(folder, 'state'), { recursive: true });
    const again = await reopen(folder);
    expect(rowsOf(again.state)).toEqual(before);
    await again.journal.close();
    await again.store.close();
  });

  test('a damaged state is rebuilt from the journal', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-engine-'));
    folders.push(folder);
    const before = rowsOf(await live(folder, true));
    const rows = join(folder, 'state', 'rows');
    for (const name of await readdir(rows))
      if (/\.(ldb|log)$/.test(name)) await writeFile(join(rows, name), 'not a database');
    const again = await reopen(folder);
    expect(again.replayed).toBe(again.journal.position.seq);
    expect(rowsOf(again.state)).toEqual(before);
    await again.journal.close();
    await again.store.close();
  });
});
