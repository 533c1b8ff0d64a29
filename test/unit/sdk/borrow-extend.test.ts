import type { Borrow, Client, ExtensionNotice } from '@berth/client';
import { describe, expect, it } from 'vitest';
import { settle, World } from './world.js';

const hour = 3_600;

/** A borrow of an hour that is to be extended when less than ten minutes are left. */
async function lent(world: World, more: object = { autoExtend: true, extendBeforeSeconds: 600 }) {
  const notices: ExtensionNotice[] = [];
  lendAgain(world);
  const client = await world.connect({ onExtension: (notice) => notices.push(notice) });
  const borrow = await client.borrow({ seconds: hour, ...more });
  return { client, borrow, notices };
}

/** As a server does: taken again, the borrow stays on its seat. */
function lendAgain(world: World): void {
  world.server.scripts['borrow.take'] = (params) => world.server.lend(params, { seat: 'seat-1' });
}

const takes = (world: World): number => world.server.of('borrow.take').length;
const only = async (client: Client): Promise<Borrow> => {
  const [borrow, ...others] = await client.borrows();
  expect(others).toEqual([]);
  return borrow!;
};

/** Lets time pass until so many seconds of the borrow are left. */
async function until(world: World, borrow: Borrow, leftMs: number): Promise<void> {
  await world.time.advance(borrow.expiresAtMs - leftMs - world.time.wallMs());
  await settle();
}

describe('a borrow with a window', () => {
  it('is extended when the window opens, to the millisecond, by its own length', async () => {
    const world = new World();
    const { client, borrow, notices } = await lent(world);
    await until(world, borrow, 600_001);
    expect([takes(world), notices]).toEqual([1, []]);
    await until(world, borrow, 600_000);
    expect(takes(world)).toBe(2);
    const extended = await only(client);
    expect(extended.expiresAtMs).toBe(borrow.expiresAtMs - 600_000 + hour * 1000);
    expect(extended.autoExtend).toEqual({ seconds: hour, beforeSeconds: 600 });
    expect(notices).toMatchObject([{ extended: true, borrow: { id: extended.id } }]);
    // And again, without end.
    await until(world, extended, 600_000);
    expect(takes(world)).toBe(3);
  });

  it('just after it opened: a plugin that starts then extends at once', async () => {
    const world = new World();
    const { client, borrow } = await lent(world);
    await client.close();
    world.time.sleep(hour * 1000 - 599_000);
    const second = await world.connect({}, world.process('process-2', false));
    await settle();
    expect(takes(world)).toBe(2);
    expect((await only(second)).expiresAtMs).toBe(borrow.expiresAtMs - 599_000 + hour * 1000);
  });

  it('that is open again as soon as it was extended asks with pauses, not in a loop', async () => {
    const world = new World();
    await lent(world, { autoExtend: true, extendBeforeSeconds: hour - 1 });
    // As of a server whose clock is behind this one.
    world.server.scripts['borrow.take'] = (params) =>
      world.server.lend({ ...params, seconds: hour - 60 }, { seat: 'seat-1' });
    await world.time.advance(10_000);
    await settle();
    const before = takes(world);
    expect(before).toBeGreaterThan(1);
    for (let second = 0; second < 300; second++) await world.time.advance(1_000);
    expect(takes(world)).toBeGreaterThan(before);
    // Between half a minute and a whole one apart.
    expect(takes(world) - before).toBeLessThanOrEqual(10);
  });

  it('leaves no file for each extension while the session goes on', async () => {
    const world = new World();
    const { client } = await lent(world, { seconds: 60, autoExtend: true });
    const files = (): number => world.files.under('state/studio/borrows').length;
    await world.time.advance(30 * 60_000);
    const before = files();
    expect(before).toBeGreaterThan(10);
    await world.time.advance(30 * 60_000);
    await settle();
    expect(takes(world)).toBeGreaterThan(70);
    // Those whose hold is not over by the server's clock: of a minute and a quarter of an hour.
    expect(files()).toBeLessThanOrEqual(before);
    expect((await only(client)).state).toBe('valid');
  });

  it('in its last second it is extended, expired it is not', async () => {
    for (const [leftMs, expected] of [
      [1, 2],
      [0, 1],
    ] as const) {
      const world = new World();
      const { client } = await lent(world);
      await client.close();
      world.time.sleep(hour * 1000 - leftMs);
      await world.connect({}, world.process('process-2', false));
      await settle();
      expect(takes(world)).toBe(expected);
    }
  });

  it('waits for the server: offline nothing is sent, and on the next session it is', async () => {
    const world = new World();
    const { borrow, client } = await lent(world);
    world.cut();
    await until(world, borrow, 60_000);
    expect(takes(world)).toBe(1);
    world.mend();
    await world.time.advance(30_000);
    await settle();
    expect(takes(world)).toBe(2);
    expect((await only(client)).expiresAtMs).toBeGreaterThan(borrow.expiresAtMs);
  });
});

describe('a refused extension', () => {
  it('is told and tried again, at jittered and bounded intervals, until the borrow has ended', async () => {
    const world = new World();
    const { client, borrow, notices } = await lent(world);
    world.server.scripts['borrow.take'] = () => ({ error: 'NO_SEAT' });
    await until(world, borrow, -120_000);
    expect(notices.length).toBeGreaterThan(8);
    let before = borrow.expiresAtMs - 600_000;
    for (const notice of notices) {
      if (notice.extended) throw new Error('it was extended');
      expect(notice).toMatchObject({ code: 'NO_SEAT', borrow: { id: borrow.id } });
      const pauseMs = notice.retryAtMs! - before;
      expect(pauseMs).toBeGreaterThanOrEqual(1_000);
      // At most an eighth of what is left, so that several attempts always fit.
      expect(pauseMs).toBeLessThanOrEqual(Math.max(1_000, (borrow.expiresAtMs - before) / 8) + 50);
      before = notice.retryAtMs!;
    }
    expect(before).toBeGreaterThan(borrow.expiresAtMs - 10_000);
    expect(world.server.of('borrow.take').length).toBe(1 + notices.length);
    expect(await only(client)).toMatchObject({ state: 'expired' });
  });

  it('because a revoke is pending is told once; the next session asks once more', async () => {
    const world = new World();
    const { client, borrow, notices } = await lent(world);
    world.server.scripts['borrow.take'] = () => ({ error: 'REVOKE_PENDING' });
    await until(world, borrow, 60_000);
    expect(notices).toMatchObject([{ extended: false, code: 'REVOKE_PENDING', retryAtMs: null }]);
    lendAgain(world);
    world.server.dropAll();
    await world.time.advance(10_000);
    expect(notices).toHaveLength(2);
    expect((await only(client)).expiresAtMs).toBeGreaterThan(borrow.expiresAtMs);
  });
});

describe('what was asked for', () => {
  it('nothing: the borrow just ends', async () => {
    const world = new World();
    const { client, borrow } = await lent(world, {});
    expect(borrow.autoExtend).toBeNull();
    await until(world, borrow, 0);
    expect(takes(world)).toBe(1);
    expect(await only(client)).toMatchObject({ state: 'expired' });
  });

  it.each([
    [{ autoExtend: true }, { seconds: hour, beforeSeconds: 900 }],
    [
      { autoExtend: true, seconds: 30 * 86_400 },
      { seconds: 30 * 86_400, beforeSeconds: 86_400 },
    ],
    [{ extendBeforeSeconds: 60 }, { seconds: hour, beforeSeconds: 60 }],
    [{ autoExtend: false, extendBeforeSeconds: 60 }, null],
  ])('%j is kept with the borrow as %j', async (asked, kept) => {
    const world = new World({ borrow: { maxSeconds: 60 * 86_400, seats: 2 } });
    const { client } = await lent(world, asked);
    expect((await only(client)).autoExtend).toEqual(kept);
  });

  it('the last take decides', async () => {
    const world = new World();
    const { client } = await lent(world);
    await client.borrow({ seconds: hour });
    expect((await only(client)).autoExtend).toBeNull();
  });

  it.each([0, -1, 1.5, hour])('a window of %s seconds is refused', async (extendBeforeSeconds) => {
    const world = new World();
    const client = await world.connect();
    await expect(client.borrow({ seconds: hour, extendBeforeSeconds })).rejects.toMatchObject({
      code: 'PARAMS_INVALID',
    });
  });
});

it('a closed client leaves no timer and extends nothing', async () => {
  const world = new World();
  const { client, borrow } = await lent(world);
  await client.close();
  expect(world.time.timers).toBe(0);
  await until(world, borrow, 1);
  expect(takes(world)).toBe(1);
});

it('a plugin whose callback throws, and a disk that cannot be read for a moment, end no extension', async () => {
  const world = new World();
  lendAgain(world);
  const told: boolean[] = [];
  const onExtension = ({ extended }: ExtensionNotice): void => {
    told.push(extended);
    throw new Error('the plugin');
  };
  const client = await world.connect({ onExtension });
  const borrow = await client.borrow({ seconds: hour, autoExtend: true, extendBeforeSeconds: 600 });
  await until(world, borrow, 600_000);
  expect([takes(world), told]).toEqual([2, [true]]);
  const extended = await only(client);
  const list = world.files.list.bind(world.files);
  world.files.list = () => Promise.reject(new Error('EIO'));
  await until(world, extended, 600_000);
  world.files.list = list;
  await until(world, extended, 60_000);
  expect([takes(world), told]).toEqual([3, [true, true]]);
});
