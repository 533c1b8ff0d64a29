import { START } from '@berth/server/store/position';
import { takeChangedRows } from '@berth/server/store/records';
import { expect, test } from 'vitest';
import { WatchedEngine, WatchedReads, WatchedWaits } from '../../simulation/watched-engine.js';
import { World } from '../domain/world.js';
import { answered, HeldJournal, turns } from '../engine/held-journal.js';
import { hold, settle, wait } from '../engine/line.js';

test('an answer that leaves before the record of a row that it saw is durable is told of', async () => {
  const world = new World();
  const said: string[] = [];
  const held = new HeldJournal();
  const reads = new WatchedReads(world.state, (text) => said.push(text));
  const journal = reads.over(held);
  reads.leaves(reads.decided);
  expect(said).toHaveLength(0);
  world.user('a');
  const ofPending = reads.decided;
  reads.leaves(ofPending);
  expect(said).toHaveLength(1);
  void journal.append(new Uint8Array());
  expect(reads.decided).toBe(ofPending);
  reads.leaves(ofPending);
  expect(said).toHaveLength(2);
  world.user('b');
  const ofNext = reads.decided;
  await held.finish();
  reads.leaves(ofPending);
  expect(said).toHaveLength(2);
  reads.leaves(ofNext);
  expect(said).toHaveLength(3);
});

test('a denial that leaves before what it was decided from is durable is told of', async () => {
  const world = new World();
  const said: string[] = [];
  const held = new HeldJournal();
  const reads = new WatchedReads(world.state, (text) => said.push(text));
  void reads.over(held).append(new Uint8Array());
  await reads.refusal(Promise.resolve({ ok: true }));
  expect(said).toEqual([]);
  await reads.refusal(Promise.resolve({ ok: false }));
  expect(said).toHaveLength(1);
  await reads.refusal(held.finish().then(() => ({ ok: false })));
  expect(said).toHaveLength(1);
});

test('a denial at the end of a wait that leaves before what there was then is durable is told of', async () => {
  const world = new World();
  const denied = async (changes: 'while it waits' | 'after it', isDurable: boolean): Promise<string[]> => {
    const said: string[] = [];
    for (const table of Object.values(world.state.tables)) table.takeDirty();
    const held = new HeldJournal();
    const reads = new WatchedReads(world.state, (text) => said.push(text));
    const journal = reads.over(held);
    let end = (): void => {};
    const wait = { waitMs: 1, signal: new AbortController().signal, onPlace: () => {} };
    const answer = reads.waited(wait, ({ signal }) => {
      const leave = (): void => {};
      signal.addEventListener('abort', leave);
      return new Promise<{ ok: boolean }>((resolve) => {
        end = () => {
          signal.removeEventListener('abort', leave);
          if (changes === 'after it') world.user(`${changes} ${isDurable}`);
          resolve({ ok: false });
        };
      });
    });
    if (changes === 'while it waits') world.user(`${changes} ${isDurable}`);
    if (isDurable) {
      void journal.append(new Uint8Array());
      await held.finish();
    }
    end();
    await answer;
    return said;
  };
  expect(await denied('while it waits', false)).toHaveLength(1);
  expect(await denied('while it waits', true)).toEqual([]);
  expect(await denied('after it', false)).toEqual([]);
});

test('rows that are stored as of a record before theirs are told of', () => {
  const world = new World();
  const said: string[] = [];
  for (const table of Object.values(world.state.tables)) table.takeDirty();
  const reads = new WatchedReads(world.state, (text) => said.push(text));
  const journal = reads.over(new HeldJournal());
  world.user('a');
  const ofFirst = takeChangedRows(world.state);
  void journal.append(new Uint8Array());
  world.user('b');
  reads.stores(ofFirst);
  expect(said).toEqual([]);
  const ofNext = takeChangedRows(world.state);
  reads.stores(new Map([...ofFirst, ...ofNext]));
  reads.stores(ofNext);
  reads.stores(new Map());
  expect(said).toHaveLength(3);
});

test('a wait that is granted while its connection is gone is told of', async () => {
  const said: string[] = [];
  const waits = new WatchedWaits((text) => said.push(text));
  const world = new World();
  const granted = (id: string, lease: string): void => {
    waits.made('l', lease);
    const request = { id, method: 'checkout', hash: '', outcome: {}, leases: [lease], keptMs: 0 };
    const changes = [{ type: 'request.kept', request }] as const;
    waits.committed({ position: START, changes, rows: new Map(), seconds: 0 });
  };
  const asked = (id: string): AbortController => {
    const abort = new AbortController();
    void waits.open(id, { waitMs: 1, signal: abort.signal, onPlace: () => {} }, new Promise(() => {}));
    return abort;
  };
  asked('d1 stays');
  granted('d1 stays', 'l1');
  asked('d1 leaves').abort();
  asked('d1 is back').abort();
  asked('d1 is back');
  granted('d1 is back', 'l2');
  asked('d1 asks anew').abort();
  waits.during('d1 asks anew', () => granted('d1 asks anew', 'l3'));
  granted('d1 never waited', 'l4');
  expect(said).toEqual([]);
  granted('d1 leaves', 'l5');
  expect(said).toEqual(['the wait "d1 leaves" is granted while nobody waits for its answer']);
  expect(world.state.tables.lease.size).toBe(0);
});

test('of the real engine there is nothing to tell: who left is passed over, and who reads waits', async () => {
  const world = new World();
  world.import({ seats: 1 });
  const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
  const said: string[] = [];
  const held = new HeldJournal();
  let isHeld = false;
  let seq = 0;
  for (const table of Object.values(world.state.tables)) table.takeDirty();
  const engine = new WatchedEngine({
    ...{ owner: { dead: false, frozenUntilMs: 0 }, onWrong: (text: string) => said.push(text) },
    state: world.state,
    journal: {
      position: START,
      append: (payload) =>
        isHeld ? held.append(payload) : Promise.resolve({ seq: ++seq, hash: 'ab'.repeat(32) }),
    },
    clock: { now: () => world.now },
    newId: world.context.newId,
    leaseSeconds: world.leaseSeconds,
    diskLow: () => false,
    onCommitted: () => {},
    onFatal: (error) => said.push(String(error)),
  });
  const lease = await hold(engine, world, a);
  const first = wait(engine, world, b);
  const second = wait(engine, world, c);
  await settle();
  first.abort.abort();
  isHeld = true;
  void engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
  const read = answered(engine.read((state) => state.tables.lease.size));
  await turns();
  expect(read.yet).toBe(false);
  await held.finish();
  expect(read.yet).toBe(true);
  expect(await second.result).toHaveProperty('lease');
  expect(said).toEqual([]);
});
