import type { BerthError } from '@berth/client';
import {
  borrowsToReturnWith,
  connectWith,
  listBorrowsWith,
  returnBorrowsWith,
  returnOfflineWith,
} from '@berth/client/internal';
import { closeCodes } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { stopOf } from './fake-replies.js';
import { settle, World } from './world.js';

const hour = 3_600;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: BerthError) => error.code,
  );
/** A return that left, got no answer, and was then given up without a server. */
async function sentAndCut() {
  const world = new World();
  const client = await world.connect();
  await client.borrow({ seconds: hour });
  world.server.scripts['borrow.return'] = () => 'drop';
  const first = codeOf(client.returnBorrow());
  await settle();
  world.cut();
  expect(await world.run(first)).toBe('UNREACHABLE');
  return { world, client };
}
const borrowsOn = (world: World) => world.files.under('state/studio/borrows');
const pendingOn = (world: World) => world.files.under('state/studio/pending');

describe('borrowing', () => {
  it('is on disk before it resolves', async () => {
    const world = new World();
    const client = await world.connect();
    const borrow = await client.borrow({ seconds: hour, seats: 2 });
    expect(borrowsOn(world)).toEqual([`state/studio/borrows/${borrow.id}.json`]);
    expect(pendingOn(world)).toEqual([]);
    const file = JSON.parse(world.files.contents.get(borrowsOn(world)[0]!)!);
    expect(Object.keys(file).sort()).toEqual([
      'earlyReturn',
      'entitlement',
      'freeAtMs',
      'lease',
      'take',
      'takenAtMs',
    ]);
    expect(borrow).toMatchObject({ product: 'render', seats: 2, state: 'valid', fault: null });
    expect(borrow.expiresAtMs).toBe(world.time.wallMs() + hour * 1000);
  });

  it('resolves with an error and nothing on disk when it is refused', async () => {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['borrow.take'] = () => ({ error: 'BORROW_LIMIT' });
    expect(await codeOf(client.borrow({ seconds: hour }))).toBe('BORROW_LIMIT');
    expect([borrowsOn(world), pendingOn(world)]).toEqual([[], []]);
  });

  it('keeps nothing for later when the request never left', async () => {
    const world = new World();
    const client = await world.connect();
    world.cut();
    expect(await world.run(codeOf(client.borrow({ seconds: hour })))).toBe('UNREACHABLE');
    expect(pendingOn(world)).toEqual([]);
  });

  it('does not keep a borrow that does not verify, and returns it', async () => {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['borrow.take'] = (params) =>
      world.server.lend(params, { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' });
    expect(await codeOf(client.borrow({ seconds: hour }))).toBe('TOKEN_INVALID');
    await settle();
    expect(world.server.of('borrow.return')).toHaveLength(1);
    expect([borrowsOn(world), pendingOn(world)]).toEqual([[], []]);
  });

  it('is returned when it was cancelled meanwhile', async () => {
    const world = new World();
    const client = await world.connect();
    const abort = new AbortController();
    world.server.scripts['borrow.take'] = async (params) => {
      abort.abort();
      await settle();
      return world.server.lend(params);
    };
    expect(await codeOf(client.borrow({ seconds: hour, signal: abort.signal }))).toBe('CANCELLED');
    for (let i = 0; i < 3; i++) await settle();
    expect(world.server.of('borrow.return')).toHaveLength(1);
    expect([borrowsOn(world), pendingOn(world)]).toEqual([[], []]);
  });

  it.each([0, -1, 1.5, 366 * 86_400 + 1])('refuses %s seconds', async (seconds) => {
    const client = await new World().connect();
    expect(await codeOf(client.borrow({ seconds }))).toBe('PARAMS_INVALID');
  });
});

describe('after a crash in the middle (I7)', () => {
  /** A first process that has sent the request and will never see the answer. */
  async function crashed(reply: 'lent' | 'never received') {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['borrow.take'] = (params) =>
      reply === 'lent' ? { lost: world.server.lend(params) } : 'drop';
    void client.borrow({ seconds: hour }).catch(() => undefined);
    await settle();
    world.host.network.clear();
    world.server.scripts['borrow.take'] = (params) => world.server.lend(params);
    return world;
  }

  it.each(['lent', 'never received'] as const)('the same request is repeated: it was %s', async (reply) => {
    const world = await crashed(reply);
    const second = world.process('process-2', false);
    const client = await world.connect({}, second);
    await settle();
    const [sent, repeated, ...more] = world.server.of('borrow.take');
    expect(repeated?.params).toEqual(sent?.params);
    expect(more).toEqual([]);
    expect(await client.borrows()).toHaveLength(1);
    expect(pendingOn(world)).toEqual([]);
  });

  it('a new borrow waits for that, so that it extends instead of taking a second seat', async () => {
    const world = await crashed('never received');
    const onDisk: number[] = [];
    world.server.scripts['borrow.take'] = async (params) => {
      onDisk.push(borrowsOn(world).length);
      await settle();
      return world.server.lend(params);
    };
    const client = await world.connect({}, world.process('process-2', false));
    await client.borrow({ seconds: 2 * hour });
    const keys = world.server.of('borrow.take').map((request) => request.params.key);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
    expect(onDisk).toEqual([0, 1]);
  });

  it('a process that lives is left alone', async () => {
    const world = await crashed('lent');
    const client = await world.connect({}, world.process('process-2', true));
    await settle();
    expect(world.server.of('borrow.take')).toHaveLength(1);
    expect(await client.borrows()).toEqual([]);
  });

  it('a plugin of another product leaves it to one that can verify it', async () => {
    const world = await crashed('lent');
    await world.connect({ product: 'paint' }, world.process('process-2', false));
    await settle();
    expect(world.server.of('borrow.take')).toHaveLength(1);
    expect(pendingOn(world)).toHaveLength(1);
  });

  it('a request that the server refuses by now is forgotten', async () => {
    const world = await crashed('never received');
    world.server.scripts['borrow.take'] = () => ({ error: 'CLOCK_SKEW' });
    await world.connect({}, world.process('process-2', false));
    await settle();
    expect(pendingOn(world)).toEqual([]);
  });

  it('what could not be written is asked for again', async () => {
    const world = new World();
    const client = await world.connect();
    world.files.fail = /borrows/;
    expect(await codeOf(client.borrow({ seconds: hour }))).toBe('FOLDER_UNWRITABLE');
    expect(pendingOn(world)).toHaveLength(1);
    world.files.fail = null;
    const again = await world.connect({}, world.process('process-2', false));
    await settle();
    expect(await again.borrows()).toHaveLength(1);
    expect(new Set(world.server.of('borrow.take').map((request) => request.params.key)).size).toBe(1);
  });

  it('a return is repeated, and the borrow is not used meanwhile', async () => {
    const world = new World();
    const client = await world.connect();
    await client.borrow({ seconds: hour });
    world.server.scripts['borrow.return'] = () => 'drop';
    void client.returnBorrow().catch(() => undefined);
    await settle();
    world.host.network.clear();
    world.server.scripts['borrow.return'] = ({ stops }) => ({
      returned: stops.map((stop) => ({ lease: stopOf(stop), freeAtMs: 1 })),
    });
    const second = world.process('process-2', false);
    expect((await listBorrowsWith(second, {})).map(({ state }) => state)).toEqual(['returning']);
    await world.connect({}, second);
    await settle();
    expect([borrowsOn(world), pendingOn(world)]).toEqual([[], []]);
    const [sent, repeated] = world.server.of('borrow.return');
    expect(repeated?.params).toEqual(sent?.params);
  });
});

describe('returning', () => {
  it('sends a signed stop for each lease of the seat, together, and then removes the files', async () => {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['borrow.take'] = (params) => world.server.lend(params, { seat: 'seat-1' });
    await client.borrow({ seconds: hour });
    await world.time.advance(1_000);
    const extended = await client.borrow({ seconds: 2 * hour });
    expect(extended.leaseIds).toHaveLength(2);
    expect(await client.borrows()).toHaveLength(1);
    let filesAtAnswer = 0;
    world.server.scripts['borrow.return'] = ({ stops }) => {
      filesAtAnswer = borrowsOn(world).length;
      return { returned: stops.map((stop) => ({ lease: stopOf(stop), freeAtMs: 42 })) };
    };
    const returned = await client.returnBorrow(extended.id);
    expect(returned).toMatchObject([{ id: extended.id, freeAtMs: 42 }]);
    expect(world.server.of('borrow.return')).toHaveLength(1);
    expect(filesAtAnswer).toBe(2);
    expect([borrowsOn(world), await client.borrows()]).toEqual([[], []]);
  });

  it('is refused while a program uses the seat, before anything is signed', async () => {
    const world = new World();
    const client = await world.connect();
    await client.borrow({ seconds: hour });
    const seat = await client.checkout();
    const other = world.process('process-2');
    expect(await codeOf(returnBorrowsWith(other, {}))).toBe('IN_USE');
    expect(await codeOf(client.returnBorrow())).toBe('IN_USE');
    for (const inFile of [false, true])
      expect(await codeOf(borrowsToReturnWith(other, {}, inFile))).toBe('IN_USE');
    expect(world.server.of('borrow.return')).toEqual([]);
    await seat.release();
    expect(await world.run(returnBorrowsWith(other, {}))).toHaveLength(1);
  });

  it('asked ahead says what it would be, without a server, and leaves it', async () => {
    const world = new World();
    const client = await world.connect();
    const { id } = await client.borrow({ seconds: hour });
    world.cut();
    for (const inFile of [false, true]) {
      const ahead = (which: object) => borrowsToReturnWith(world.host, which, inFile);
      expect(await ahead({})).toMatchObject([{ id, product: 'render', state: 'valid' }]);
      expect(await ahead({ id, product: 'render' })).toHaveLength(1);
      expect(await codeOf(ahead({ id: 'l-none' }))).toBe('BORROW_UNKNOWN');
    }
    expect(await client.borrows()).toMatchObject([{ id, state: 'valid' }]);
    // Once it is given back, it would be again in a file alone: that one may have been lost.
    await returnOfflineWith(world.host, {});
    expect(await borrowsToReturnWith(world.host, {}, false)).toEqual([]);
    expect(await borrowsToReturnWith(world.host, {}, true)).toMatchObject([{ id, state: 'returning' }]);
  });

  it('that cannot be sent leaves the borrow as it was', async () => {
    const world = new World();
    const client = await world.connect();
    await client.borrow({ seconds: hour });
    world.cut();
    expect(await world.run(codeOf(client.returnBorrow()))).toBe('UNREACHABLE');
    expect((await client.borrows()).map(({ state }) => state)).toEqual(['valid']);
    // Not even signed.
    world.files.fail = /pending/;
    expect(await world.run(codeOf(client.returnBorrow()))).toBe('UNREACHABLE');
  });

  it('that was sent once stays one, also when its repetition cannot be sent: the seat may be somebody else’s by now (I1)', async () => {
    const { world, client } = await sentAndCut();
    expect(world.server.of('borrow.return').length).toBeGreaterThan(0);
    const states = async () => (await client.borrows()).map(({ state }) => state);
    expect(await states()).toEqual(['returning']);
    // Repeats what is pending first, and cannot.
    await world.run(client.returnBorrow().catch(() => undefined));
    expect(await states()).toEqual(['returning']);
    expect(pendingOn(world)).toHaveLength(1);
  });

  it('of one that the server no longer knows removes it here', async () => {
    const world = new World();
    const client = await world.connect();
    await client.borrow({ seconds: hour });
    world.server.scripts['borrow.return'] = () => ({ error: 'BORROW_UNKNOWN' });
    expect(await client.returnBorrow()).toHaveLength(1);
    expect([borrowsOn(world), pendingOn(world)]).toEqual([[], []]);
  });

  it('whose answer the end of the device overtakes is one: the server would not have removed a device that has a borrow (I8)', async () => {
    for (const end of [closeCodes.DEVICE_REMOVED.number, 1006]) {
      const world = new World();
      const client = await world.connect();
      await client.borrow({ seconds: hour });
      world.server.scripts['borrow.return'] = (_params, socket) => {
        world.server.scripts['session.open'] = () => ({ error: 'DEVICE_UNKNOWN' });
        socket.close(end);
        return null;
      };
      expect(await world.run(client.returnBorrow())).toHaveLength(1);
      expect([borrowsOn(world), pendingOn(world)]).toEqual([[], []]);
    }
  });

  it('that a server which does not know the device has not been sent leaves the borrow: it may have been restored', async () => {
    const { world } = await sentAndCut();
    world.mend();
    world.server.scripts['session.open'] = () => ({ error: 'DEVICE_UNKNOWN' });
    expect(await world.run(codeOf(returnBorrowsWith(world.host, {})))).toBe('DEVICE_UNKNOWN');
    expect([borrowsOn(world).length, pendingOn(world).length]).toEqual([1, 1]);
  });

  it('of an id that is none is BORROW_UNKNOWN; of everything when there is nothing is nothing', async () => {
    const client = await new World().connect();
    expect(await codeOf(client.returnBorrow('lease-99'))).toBe('BORROW_UNKNOWN');
    expect(await client.returnBorrow()).toEqual([]);
  });

  it('goes in batches of 12 stops', async () => {
    const world = new World();
    const client = await world.connect();
    for (let i = 0; i < 13; i++) await client.borrow({ seconds: hour });
    await world.run(client.returnBorrow());
    expect(
      world.server.of('borrow.return').map((request) => (request.params.stops as string[]).length),
    ).toEqual([12, 1]);
  });

  it('forgets by itself what the server has taken back', async () => {
    const world = new World();
    const client = await world.connect();
    await client.borrow({ seconds: hour });
    await world.run(client.close());
    await world.time.advance(2 * hour * 1000);
    expect(await listBorrowsWith(world.host, {})).toEqual([]);
    await world.run(connectWith(world.host, world.options()));
    await settle();
    expect(borrowsOn(world)).toEqual([]);
  });
});
