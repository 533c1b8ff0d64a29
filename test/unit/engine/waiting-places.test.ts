import { limits } from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { ask, hold, settle, site, wait } from './line.js';

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

  test('may find a seat before the line is served: then nobody waits for it any more', async () => {
    const { world, engine } = site();
    const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
    world.import({ jti: 'ent-2', seats: 1 });
    await hold(engine, world, a);
    const two = wait(engine, world, b, 60_000, 2);
    const first = wait(engine, world, c);
    await settle();
    engine.cancelWaiting(b, two.command.request.key);
    const again = ask(engine, first.command);
    const lease = await again.result;
    expect(lease).toHaveProperty('lease');
    expect(await Promise.race([first.result, settle().then(() => 'waits')])).toEqual(lease);
    expect(engine.waiting.size).toBe(0);
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

test('one checkout asked over and over while it waits holds a few waiters, not as many as were sent', async () => {
  const { world, engine } = site();
  const [a, b] = [world.user('a'), world.user('b')];
  const lease = await hold(engine, world, a);
  const command = world.checkingOut(b);
  const asked: ReturnType<typeof ask>[] = [];
  for (let i = 0; i < 100; i++) asked.push(ask(engine, command, 1e9));
  await settle();
  const over = new Set<number>();
  for (const [at, { result }] of asked.entries()) void result.then(() => over.add(at));
  await settle();
  // The newest are kept: they are the connections that live.
  expect([over.size, over.has(0), over.has(99)]).toEqual([100 - limits.waitersPerPlace, true, false]);
  await engine.submit({ type: 'release', ...world.by(a), leases: [lease], stopped: [] });
  expect(await asked[99]!.result).toHaveProperty('lease');
});
