import { limits } from '@berth/protocol';
import { Engine } from '@berth/server/engine/engine';
import type { Place } from '@berth/server/engine/place-teller';
import { START } from '@berth/server/store/position';
import { describe, expect, test } from 'vitest';
import { World } from '../domain/world.js';

/** An engine whose commits are durable at once, counting them. */
function site(): { world: World; engine: Engine; commits: string[][]; disk: { low: boolean } } {
  const disk = { low: false };
  const world = new World();
  world.import({ seats: 1 });
  const commits: string[][] = [];
  let seq = 0;
  const { newId } = world.context;
  const engine = new Engine({
    state: world.state,
    journal: {
      position: START,
      append: async (payload) => {
        const { changes } = JSON.parse(Buffer.from(payload).toString()) as { changes: { type: string }[] };
        commits.push(changes.map(({ type }) => type));
        seq += 1;
        return { seq, hash: 'ab'.repeat(32) };
      },
    },
    clock: { now: () => world.now },
    newId,
    leaseSeconds: world.leaseSeconds,
    diskLow: () => disk.low,
    onCommitted: () => {},
    onFatal: (error) => {
      throw error;
    },
  });
  return { world, engine, commits, disk };
}

type Asked = Parameters<Engine['submitWaiting']>[0];

interface Waiting {
  readonly command: Asked;
  readonly places: Place[];
  readonly abort: AbortController;
  readonly result: Promise<{ lease: string } | { code: string }>;
}

function wait(engine: Engine, world: World, device: string, waitMs = 60_000, seats = 1): Waiting {
  return ask(engine, world.checkingOut(device, seats), waitMs);
}

/** The same command again is a retry with the same key. */
function ask(engine: Engine, command: Asked, waitMs = 60_000): Waiting {
  const abort = new AbortController();
  const places: Place[] = [];
  const onPlace = (place: Place): void => void places.push(place);
  const settled = engine.submitWaiting(command, {
    waitMs,
    signal: abort.signal,
    onPlace,
  });
  const result = settled.then((it) => (it.ok ? { lease: it.outcome.leases[0]!.jti } : { code: it.code }));
  return { command, places, abort, result };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

async function hold(engine: Engine, world: World, device: string): Promise<string> {
  const settled = await engine.submit(world.checkingOut(device));
  if (!settled.ok) throw new Error(settled.code);
  return settled.outcome.leases[0]!.jti;
}

describe('waiting', () => {
  test('a seat that is given back goes to the first in line in the same commit; the others move up', async () => {
    const { world, engine, commits } = site();
    const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
    const lease = await hold(engine, world, a);
    const first = wait(engine, world, b);
    await settle();
    const second = wait(engine, world, c);
    await settle();
    expect([first.places, second.places]).toMatchObject([
      [{ position: 1, nextFreeAtMs: expect.any(Number) }],
      [{ position: 2 }],
    ]);
    await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
    expect(await first.result).toHaveProperty('lease');
    expect(commits.at(-1)).toEqual([
      'lease.ended',
      'request.kept',
      'seat.taken',
      'lease.granted',
      'request.kept',
    ]);
    world.pass(1000);
    engine.tick();
    expect(second.places.at(-1)).toMatchObject({ position: 1 });
    expect(world.usage().used).toBe(1);
  });

  test('nobody who comes later is served before, not even without waiting', async () => {
    const { world, engine } = site();
    const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
    world.import({ jti: 'ent-2', seats: 1 });
    await hold(engine, world, a);
    const two = wait(engine, world, b, 60_000, 2);
    await settle();
    const barging = await engine.submit(world.checkingOut(c));
    expect(barging).toMatchObject({ ok: false, detail: { rule: 'OTHERS_WAIT' } });
    two.abort.abort();
    expect(await two.result).toEqual({ code: 'NO_SEAT' });
    expect(await engine.submit(world.checkingOut(c))).toMatchObject({ ok: true });
  });

  test('a wait ends with the denial when its time is over, and when the server goes', async () => {
    const { world, engine } = site();
    const [a, b] = [world.user('a'), world.user('b')];
    await hold(engine, world, a);
    const short = wait(engine, world, b, 1000);
    const long = wait(engine, world, b);
    await settle();
    world.pass(1000);
    engine.tick();
    expect(await short.result).toEqual({ code: 'NO_SEAT' });
    engine.dismissWaiting();
    expect(await long.result).toEqual({ code: 'DRAINING' });
  });

  test('a seat whose window ends is given to the waiter by the ticker', async () => {
    const { world, engine } = site();
    const [a, b] = [world.user('a'), world.user('b')];
    await hold(engine, world, a);
    const waiting = wait(engine, world, b, 1e9);
    await settle();
    world.now = { ...world.now, monoMs: world.now.monoMs + 200_000 };
    engine.tick();
    expect(await waiting.result).toHaveProperty('lease');
  });

  test('what can never be served is refused at once', async () => {
    const { world, engine } = site();
    const a = world.user('a');
    expect(await wait(engine, world, a, 1e9, 5).result).toEqual({ code: 'NO_SEAT' });
  });

  test('two waiters and one seat: order kept over 1,000 rounds, never two holders', async () => {
    const { world, engine } = site();
    const devices = [world.user('a'), world.user('b'), world.user('c')];
    let holder = { device: devices[0]!, lease: await hold(engine, world, devices[0]!) };
    const line = [devices[1]!, devices[2]!].map((device) => ({ device, ...wait(engine, world, device) }));
    await settle();
    for (let round = 0; round < 1000; round++) {
      await engine.submit({
        type: 'release',
        ...world.by(holder.device),
        leases: [holder.lease],
        stopped: [],
      });
      const next = line.shift()!;
      const served = await next.result;
      expect(served).toHaveProperty('lease');
      expect(world.usage()).toMatchObject({ used: 1, over: 0 });
      line.push({ device: holder.device, ...wait(engine, world, holder.device) });
      holder = { device: next.device, lease: 'lease' in served ? served.lease : '' };
      await settle();
    }
  });
});

test('a seat that comes free while the denial is still being synced is not lost to the waiter', async () => {
  const { world, engine } = site();
  const [a, b] = [world.user('a'), world.user('b')];
  const lease = await hold(engine, world, a);
  const waiting = wait(engine, world, b);
  const released = engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
  expect(await waiting.result).toHaveProperty('lease');
  await released;
});

test('stop() waits for what is pending and is not followed by another commit', async () => {
  const { world, engine, commits } = site();
  const a = world.user('a');
  void engine.submit(world.checkingOut(a));
  const stopping = engine.stop();
  void engine.submit(world.checkingOut(a));
  await stopping;
  const before = commits.length;
  await settle();
  expect([before, commits.length]).toEqual([1, 1]);
});

describe('a checkout asked again while it waits (I7)', () => {
  test('stands in the same place, and both get the same seat', async () => {
    const { world, engine } = site();
    const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
    const lease = await hold(engine, world, a);
    const first = wait(engine, world, b);
    const other = wait(engine, world, c);
    const again = ask(engine, first.command);
    await settle();
    expect([again.places.at(-1), engine.waiting.get('render')]).toMatchObject([{ position: 1 }, 2]);
    await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
    const [one, two] = [await first.result, await again.result];
    expect(one).toHaveProperty('lease');
    expect(two).toEqual(one);
    expect(world.usage().used).toBe(1);
    other.abort.abort();
  });

  test('outlives the connection of the first, and asks for another thing in vain', async () => {
    const { world, engine } = site();
    const [a, b] = [world.user('a'), world.user('b')];
    const lease = await hold(engine, world, a);
    const first = wait(engine, world, b);
    const again = ask(engine, first.command);
    const { request } = first.command;
    const forged = ask(engine, { ...first.command, request: { ...request, hash: 'other' } });
    expect(await forged.result).toEqual({ code: 'KEY_REUSED' });
    first.abort.abort();
    await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
    expect(await again.result).toHaveProperty('lease');
  });

  test('after its grant it gets the same grant', async () => {
    const { world, engine } = site();
    const [a, b] = [world.user('a'), world.user('b')];
    const lease = await hold(engine, world, a);
    const first = wait(engine, world, b);
    await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
    expect(await ask(engine, first.command).result).toEqual(await first.result);
    expect(world.usage().used).toBe(1);
  });
});

describe('a connection that breaks', () => {
  function broken() {
    const { world, engine } = site();
    const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
    return { world, engine, a, b, c };
  }

  test('leaves a place to come back to, ahead of those who came later', async () => {
    const { world, engine, a, b, c } = broken();
    const lease = await hold(engine, world, a);
    const first = wait(engine, world, b);
    const second = wait(engine, world, c);
    await settle();
    first.abort.abort();
    world.pass(limits.placeKeptMs - 1);
    engine.tick();
    const back = ask(engine, first.command);
    await settle();
    expect(back.places).toMatchObject([{ position: 1 }]);
    await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
    expect(await back.result).toHaveProperty('lease');
    second.abort.abort();
  });

  test('which is forgotten after a while', async () => {
    const { world, engine, a, b, c } = broken();
    await hold(engine, world, a);
    const first = wait(engine, world, b);
    wait(engine, world, c);
    await settle();
    first.abort.abort();
    world.pass(limits.placeKeptMs);
    engine.tick();
    const back = ask(engine, first.command);
    await settle();
    expect(back.places).toMatchObject([{ position: 2 }]);
  });

  test('keeps no seat from the others meanwhile', async () => {
    const { world, engine, a, b, c } = broken();
    const lease = await hold(engine, world, a);
    const first = wait(engine, world, b);
    const second = wait(engine, world, c);
    await settle();
    first.abort.abort();
    await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
    expect(await second.result).toHaveProperty('lease');
  });
});

describe('cancelled', () => {
  test('it is answered with the denial, the place is given up for good, and once is enough', async () => {
    const { world, engine } = site();
    const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
    await hold(engine, world, a);
    const first = wait(engine, world, b);
    wait(engine, world, c);
    const { device, key } = first.command.request;
    expect(engine.cancelWaiting(c, key)).toBe(false);
    expect(engine.cancelWaiting(device, key)).toBe(true);
    expect(await first.result).toEqual({ code: 'NO_SEAT' });
    expect(engine.cancelWaiting(device, key)).toBe(false);
    const back = ask(engine, first.command);
    await settle();
    expect(back.places).toMatchObject([{ position: 2 }]);
  });

  test('a place that is kept for a broken connection is given up too', async () => {
    const { world, engine } = site();
    const [a, b] = [world.user('a'), world.user('b')];
    await hold(engine, world, a);
    const first = wait(engine, world, b);
    await settle();
    first.abort.abort();
    expect(engine.cancelWaiting(b, first.command.request.key)).toBe(true);
  });
});

describe('what those in line keep from others', () => {
  test('as many seats as they want, and no more', async () => {
    const { world, engine } = site();
    const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
    world.import({ jti: 'ent-gui', product: 'gui', seats: 3 });
    await hold(engine, world, a);
    const wants = [
      { products: ['render'], seats: 1 },
      { products: ['gui'], seats: 1 },
    ];
    const bundle = ask(engine, { ...world.checkingOut(b), wants });
    await settle();
    expect(await engine.submit(world.checkingOut(c, 2, 'gui'))).toMatchObject({ ok: true });
    expect(await engine.submit(world.checkingOut(c, 1, 'gui'))).toMatchObject({
      ok: false,
      detail: { rule: 'OTHERS_WAIT' },
    });
    expect(await engine.submit(world.borrowing(c, 3600))).toMatchObject({ ok: false });
    bundle.abort.abort();
    expect(await engine.submit(world.checkingOut(c, 1, 'gui'))).toMatchObject({ ok: true });
  });

  test('a device may not fill the line', async () => {
    const { world, engine } = site();
    const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
    await hold(engine, world, a);
    for (let at = 0; at < limits.waitsPerDevice; at++) wait(engine, world, b);
    const more = await engine.submitWaiting(world.checkingOut(b), {
      waitMs: 1000,
      signal: new AbortController().signal,
      onPlace: () => {},
    });
    expect(more).toMatchObject({ code: 'NO_SEAT', detail: { rule: 'LINE_FULL' } });
    const other = wait(engine, world, c);
    await settle();
    expect(other.places).toMatchObject([{ position: limits.waitsPerDevice + 1 }]);
  });
});

test('of a list whose first product nobody owns, it waits for the others', async () => {
  const { world, engine } = site();
  const [a, b] = [world.user('a'), world.user('b')];
  const lease = await hold(engine, world, a);
  const waiting = ask(engine, {
    ...world.checkingOut(b),
    wants: [{ products: ['none', 'render'], seats: 1 }],
  });
  await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
  expect(await waiting.result).toHaveProperty('lease');
});

test('a state of the server that passes keeps everybody in place', async () => {
  const { world, engine, disk } = site();
  const [a, b] = [world.user('a'), world.user('b')];
  const lease = await hold(engine, world, a);
  const waiting = wait(engine, world, b);
  await settle();
  disk.low = true;
  await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
  await settle();
  expect(engine.waiting.get('render')).toBe(1);
  disk.low = false;
  engine.tick();
  expect(await waiting.result).toHaveProperty('lease');
});

test('an estimate comes from how fast seats came lately, and changes are told at most once a second', async () => {
  const { world, engine } = site();
  const devices = ['a', 'b', 'c', 'd', 'e'].map((name) => world.user(name));
  let lease = await hold(engine, world, devices[0]!);
  const line = devices.slice(1).map((device) => wait(engine, world, device, 1e9));
  await settle();
  const last = line.at(-1)!;
  expect(last.places).toMatchObject([{ position: 4, estimateMs: null }]);
  for (const [at, next] of line.slice(0, 3).entries()) {
    world.pass(10_000);
    await engine.submit({ type: 'release', ...world.by(devices[at]!), leases: [lease], stopped: [] });
    const served = await next.result;
    lease = 'lease' in served ? served.lease : '';
    engine.tick();
    engine.tick();
  }
  expect(last.places).toMatchObject([
    { position: 4 },
    { position: 3, estimateMs: null },
    { position: 2, estimateMs: 20_000 },
    { position: 1, estimateMs: 10_000 },
  ]);
});
