import { describe, expect, test } from 'vitest';
import { hold, settle, site, wait } from './line.js';

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

  test('a wall clock that was ahead and is set right brings back what seemed about to end', async () => {
    const { world, engine } = site();
    const [a, b] = [world.user('a'), world.user('b')];
    const endsMs = world.now.wallMs + 10 * 86_400_000;
    await hold(engine, world, a);
    world.import({ jti: 'ent-2', seats: 1, exp: endsMs / 1000 });
    const right = world.now.wallMs;
    world.now = { ...world.now, wallMs: endsMs - 10_000 };
    const waiting = wait(engine, world, b);
    await settle();
    world.pass(1000);
    engine.tick();
    expect(waiting.places).toHaveLength(1);
    expect(world.usage().used).toBe(1);
    world.now = { ...world.now, wallMs: right };
    engine.tick();
    expect(await waiting.result).toHaveProperty('lease');
  });

  test('also one that was ahead between two ticks only', async () => {
    const { world, engine } = site();
    const [a, b] = [world.user('a'), world.user('b')];
    const endsMs = world.now.wallMs + 10 * 86_400_000;
    await hold(engine, world, a);
    engine.tick();
    world.import({ jti: 'ent-2', seats: 1, exp: endsMs / 1000 });
    const right = world.now.wallMs;
    world.now = { ...world.now, wallMs: endsMs - 10_000 };
    const waiting = wait(engine, world, b);
    await settle();
    expect(world.usage().used).toBe(1);
    world.now = { ...world.now, wallMs: right };
    engine.tick();
    expect(await waiting.result).toHaveProperty('lease');
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

  test.each(['cancel', 'connection', 'time'])(
    'the seats that somebody kept go to those behind: %s',
    async (end) => {
      const { world, engine } = site();
      const [a, b, c] = [world.user('a'), world.user('b'), world.user('c')];
      world.import({ jti: 'ent-2', seats: 1 });
      await hold(engine, world, a);
      const two = wait(engine, world, b, 5000, 2);
      await settle();
      const one = wait(engine, world, c);
      await settle();
      expect(one.places).toHaveLength(1);
      if (end === 'cancel') engine.cancelWaiting(b, two.command.request.key);
      else if (end === 'connection') two.abort.abort();
      else world.pass(5000);
      engine.tick();
      expect(await two.result).toEqual({ code: 'NO_SEAT' });
      engine.tick();
      expect(await Promise.race([one.result, settle()])).toHaveProperty('lease');
    },
  );

  test('those behind a larger wish cost no decision each while the free seat is kept for it', async () => {
    const { world, engine, disk } = site();
    const devices = ['a', 'b', 'c', 'd'].map((name) => world.user(name));
    world.import({ jti: 'ent-2', seats: 1 });
    await hold(engine, world, devices[0]!);
    wait(engine, world, devices[1]!, 60_000, 2);
    for (let i = 0; i < 100; i++) wait(engine, world, devices[i % 4]!);
    await settle();
    let decisions = 0;
    Object.defineProperty(disk, 'low', { get: () => ++decisions === 0 });
    await engine.submit({ type: 'setSharing', ...world.admin(), on: true, product: null, running: 'drain' });
    const settings = { idleSeconds: 100 };
    await engine.submit({ type: 'setPool', ...world.admin(), product: 'render', settings });
    expect(decisions).toBeLessThan(5);
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
