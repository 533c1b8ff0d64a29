import type { BerthError } from '@berth/client';
import { listBorrowsWith } from '@berth/client/internal';
import { describe, expect, it } from 'vitest';
import { settle, World } from './world.js';

const hour = 3_600;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: BerthError) => error.code,
  );
const borrowsOn = (world: World) => world.files.under('state/studio/borrows');

describe('without a server', () => {
  async function borrowed(entitlement = {}) {
    const world = new World(entitlement);
    const client = await world.connect();
    await client.borrow({ seconds: hour });
    await world.run(client.close());
    world.host.network.clear();
    return world;
  }

  it('connect succeeds and checkout takes the borrow', async () => {
    const world = await borrowed();
    const client = await world.connect();
    expect([client.online, client.me]).toEqual([false, null]);
    const seat = await client.checkout();
    expect(seat).toMatchObject({ kind: 'borrow', state: 'held', seats: 1 });
    await world.time.advance(hour * 1000 - 1_000);
    expect(seat.state).toBe('held');
    await world.time.advance(1_000);
    expect(seat.state).toBe('lost');
    expect(await world.run(codeOf(client.checkout()))).toBe('UNREACHABLE');
  });

  it('connect does not wait long for a server that does not answer', async () => {
    const world = await borrowed();
    world.host.openSocket = () => new Promise(() => undefined);
    const startMs = world.time.monoMs();
    await world.connect();
    expect(world.time.monoMs() - startMs).toBeLessThanOrEqual(2_100);
  });

  it('connects in the background when the server is back', async () => {
    const world = await borrowed();
    const client = await world.connect();
    world.mend();
    await world.time.advance(15_000);
    expect(client.online).toBe(true);
    expect(client.me?.user.email).toBe('anna@example.com');
  });

  it('a borrow of fewer seats than asked is not enough', async () => {
    const world = await borrowed();
    const client = await world.connect();
    expect(await world.run(codeOf(client.checkout({ seats: 2 })))).toBe('UNREACHABLE');
  });

  it('with share: device every process uses it; with share: process one at a time', async () => {
    const device = await borrowed({ share: 'device' });
    for (const id of ['a', 'b']) {
      const host = device.process(id);
      host.network.clear();
      expect((await (await device.connect({}, host)).checkout()).kind).toBe('borrow');
    }
    const single = await borrowed({ share: 'process' });
    const [a, b] = ['a', 'b'].map((id) => single.process(id));
    for (const host of [a, b]) host?.network.clear();
    const seat = await (await single.connect({}, a)).checkout();
    const second = await single.connect({}, b);
    expect(await single.run(codeOf(second.checkout()))).toBe('UNREACHABLE');
    await seat.release();
    expect((await second.checkout()).kind).toBe('borrow');
  });

  it('a use of a process that crashed does not count', async () => {
    const world = await borrowed({ share: 'process' });
    await (await world.connect()).checkout();
    const next = world.process('process-2', false);
    next.network.clear();
    expect((await (await world.connect({}, next)).checkout()).kind).toBe('borrow');
  });

  it('a tampered or foreign file gives no seat and says why', async () => {
    const world = await borrowed();
    const [path] = borrowsOn(world);
    const file = JSON.parse(world.files.contents.get(path!)!);
    const lease = file.lease as string;
    world.files.contents.set(path!, JSON.stringify({ ...file, lease: `${lease.slice(0, -3)}AAA` }));
    expect(await listBorrowsWith(world.host, {})).toMatchObject([
      { state: 'invalid', fault: 'LEASE_SIGNATURE' },
    ]);
    expect(await world.run(codeOf(world.connect()))).toBe('UNREACHABLE');
  });

  it('a clock set back to before the borrow gives no seat', async () => {
    const world = await borrowed();
    world.time.setWall(world.time.wallMs() - 3 * hour * 1000);
    expect(await listBorrowsWith(world.host, {})).toMatchObject([{ fault: 'CLOCK_BEFORE_BORROW' }]);
  });
});

describe('a seat that is held when it is borrowed', () => {
  /** The server converts what is held and extends what is borrowed: the same seat, a new lease. */
  async function converted() {
    const world = new World();
    const client = await world.connect();
    const seat = await client.checkout();
    world.server.scripts['borrow.take'] = (params) => world.server.lend(params, { seat: 'seat-1' });
    world.server.scripts['lease.renew'] = () => ({
      leases: [{ lease: 'lease-1', code: 'LEASE_UNKNOWN' }],
      entitlements: [],
    });
    return { world, client, seat };
  }

  it('lives on the borrow from then on', async () => {
    const { world, client, seat } = await converted();
    const borrow = await client.borrow({ seconds: hour });
    expect([seat.kind, seat.leaseIds]).toEqual(['borrow', [borrow.id]]);
    world.cut();
    await world.time.advance(300_000);
    expect(seat.state).toBe('held');
    expect(seat.expiresAtMs).toBe(borrow.expiresAtMs);
  });

  it('also when another process of this device borrowed it', async () => {
    const { world, seat } = await converted();
    const other = await world.connect({}, world.process('process-2'));
    await other.borrow({ seconds: hour });
    expect(seat.kind).toBe('online');
    await world.time.advance(50_000);
    expect([seat.state, seat.kind]).toEqual(['held', 'borrow']);
  });

  it('not when the other returns it while this one makes its mark: the mark came too late to be seen', async () => {
    const { world, seat } = await converted();
    const other = await world.connect({}, world.process('process-2'));
    const { leaseIds } = await other.borrow({ seconds: hour });
    const pending = { key: 'k', owner: 'process-2', createdAtMs: 0, stops: ['s'], leases: leaseIds };
    const create = world.files.create.bind(world.files);
    let marks = 0;
    world.files.create = async (path, text) => {
      if (path.includes('/uses/')) {
        marks++;
        world.files.contents.set('state/studio/pending/return-k.json', JSON.stringify(pending));
      }
      return create(path, text);
    };
    await world.time.advance(50_000);
    expect(marks).toBe(1);
    expect(seat.kind).toBe('online');
    expect(world.files.under('state/studio/uses')).toEqual([]);
  });

  it('lets its online lease go: nobody else would', async () => {
    const { world, client } = await converted();
    await client.borrow({ seconds: hour });
    await settle();
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1']);
    expect(world.server.of('lease.release')).toHaveLength(1);
  });

  it('also when the server is gone and only another process knew of the borrow', async () => {
    const { world, seat } = await converted();
    const other = await world.connect({}, world.process('process-2'));
    await other.borrow({ seconds: hour });
    world.cut();
    await world.time.advance(121_000);
    expect([seat.state, seat.kind]).toEqual(['held', 'borrow']);
  });

  it('lasts longer when the borrow is extended, by this process or another', async () => {
    const { world, client, seat } = await converted();
    await client.borrow({ seconds: hour });
    const longer = await client.borrow({ seconds: 2 * hour });
    expect(seat.expiresAtMs).toBe(longer.expiresAtMs);
    const other = await world.connect({}, world.process('process-2'));
    const longest = await other.borrow({ seconds: 3 * hour });
    await world.time.advance(60_000);
    expect(seat.expiresAtMs).toBe(longest.expiresAtMs);
  });
});

describe('a borrow that is returned while another process begins to use it', () => {
  async function two() {
    const world = new World();
    const [owner, user] = [await world.connect(), await world.connect({}, world.process('process-2'))];
    const borrow = await owner.borrow({ seconds: hour });
    return { world, owner, user, borrow };
  }

  it('is said to be returned when the other did that before it was told of (kill rounds, 838491)', async () => {
    const world = new World();
    const [taker, other] = [await world.connect(), await world.connect({}, world.process('process-2'))];
    const remove = world.files.remove.bind(world.files);
    world.files.remove = async (path) => {
      await remove(path);
      if (path.includes('/pending/take')) await other.returnBorrow();
    };
    expect(await world.run(codeOf(taker.borrow({ seconds: hour })))).toBe('BORROW_UNKNOWN');
    expect(world.server.of('borrow.return')).toHaveLength(1);
    expect([world.files.under('state/studio/borrows'), world.files.under('state/studio/pending')]).toEqual([
      [],
      [],
    ]);
  });

  it('stays with whoever began before the return was on disk', async () => {
    const { world, owner, user } = await two();
    world.cut();
    const returning = codeOf(owner.returnBorrow());
    await settle();
    // It looked, nobody used it; now it waits for the server.
    expect(await world.run(user.checkout())).toMatchObject({ kind: 'borrow', state: 'held' });
    world.mend();
    expect(await world.run(returning)).toBe('IN_USE');
    expect(world.server.of('borrow.return')).toEqual([]);
    expect(world.files.under('state/studio/pending')).toEqual([]);
  });

  it('is not used by whoever finds the return on disk once its mark is made', async () => {
    const { world, user, borrow } = await two();
    const create = world.files.create.bind(world.files);
    world.files.create = async (path, text) => {
      const pending = { key: 'k', owner: 'process-1', createdAtMs: 0, stops: ['s'], leases: borrow.leaseIds };
      if (path.includes('/uses/'))
        world.files.contents.set('state/studio/pending/return-k.json', JSON.stringify(pending));
      return create(path, text);
    };
    expect(await world.run(user.checkout())).toMatchObject({ kind: 'online' });
    expect(world.files.under('state/studio/uses')).toEqual([]);
  });
});
