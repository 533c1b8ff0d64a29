import { onlineWindowMs } from '@berth/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NetworkPath } from './network-path.js';
import type { Started } from './process.js';
import { type Person, Site } from './site.js';
import { until } from './waiting.js';

// A laptop is closed and opened, changes its network, loses its VPN: with real processes stopped and real sockets cut (issue 3, part 4).
// One seat, `share process`: a second seat for the same plugin would show as a refusal.
const leaseSeconds = 6;
const D_MS = leaseSeconds * 1000;
let site: Site;
let anna: Person;
let bo: Person;
let path: NetworkPath;
let plugin: Started;
let leaseIds: unknown;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds });
  await site.grant({ seats: 1, share: 'process' });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
});

afterAll(() => site?.close());

beforeEach(async () => {
  path = await NetworkPath.open(site.port);
  plugin = site.plugin(anna, {}, path.address);
  plugin.tell('checkout 1 30000');
  ({ leaseIds } = await plugin.hear({ event: 'done', order: 'checkout' }, 40_000));
});

afterEach(async () => {
  plugin.signal('SIGCONT');
  plugin.tell('close');
  await plugin.exited;
  await path.close();
});

/** So long by the clock: what is under test is that time went by. */
const pass = (ms: number) => {
  const endMs = performance.now() + ms;
  return until('time to go by', () => performance.now() >= endMs, ms + 10_000);
};

/** The next answer to `state`. */
async function state(of = plugin): Promise<Record<string, unknown>> {
  const answers = () => of.said.filter(({ event, order }) => event === 'done' && order === 'state');
  const before = answers().length;
  of.tell('state');
  return until('its state', () => answers()[before]);
}

const heard = (event: string) => plugin.said.filter((line) => line.event === event);

async function stillTheSameSeat(): Promise<void> {
  expect(await state()).toMatchObject({ state: 'held', leaseIds });
  expect(heard('lost')).toEqual([]);
  expect(await site.pool()).toMatchObject({ inUse: 1, free: 0, held: 0, over: 0 });
}

/** Renewed since: only a session that works does that. */
async function renewedAgain(): Promise<void> {
  const { expiresAtMs } = await state();
  await until('a renewal', async () => Number((await state()).expiresAtMs) > Number(expiresAtMs) + 100);
}

describe('suspend and resume', () => {
  it('longer than the heartbeat but inside D: the same seat goes on', async () => {
    plugin.signal('SIGSTOP');
    await pass(D_MS * 0.7);
    plugin.signal('SIGCONT');
    await renewedAgain();
    await stillTheSameSeat();
  });

  it('longer than D: lost at the first look, before anything else happens, and for good', async () => {
    plugin.signal('SIGSTOP');
    await pass(D_MS + 500);
    // Waits in its stdin: the first thing the plugin does when it wakes up is to look.
    plugin.tell('state');
    plugin.signal('SIGCONT');
    expect(await plugin.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'lost' });
    expect(await plugin.hear({ event: 'lost' })).toMatchObject({ code: 'SEAT_LOST' });
    // The server still counts it: nobody else may have it before W.
    const other = site.plugin(bo);
    other.tell('checkout');
    expect(await other.hear({ event: 'failed', order: 'checkout' })).toMatchObject({ code: 'NO_SEAT' });
    await other.kill();
    // It says that it has stopped, and may begin again at once.
    plugin.tell('release');
    await plugin.hear({ event: 'done', order: 'release' });
    plugin.tell('checkout');
    const again = await until('a new seat', () =>
      plugin.said.filter(({ event, order }) => event === 'done' && order === 'checkout').at(1),
    );
    expect(again.state).toBe('held');
    expect(again.leaseIds).not.toEqual(leaseIds);
    expect(await site.pool()).toMatchObject({ inUse: 1, over: 0 });
  });

  it('longer than W: somebody else may have the seat by then, and the plugin knows that it has none', async () => {
    plugin.signal('SIGSTOP');
    const other = site.plugin(bo);
    other.tell(`checkout 1 ${onlineWindowMs(D_MS) + 5_000}`);
    const taken = await other.hear({ event: 'done', order: 'checkout' }, onlineWindowMs(D_MS) + 10_000);
    expect(taken.state).toBe('held');
    plugin.tell('state');
    plugin.signal('SIGCONT');
    expect(await plugin.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'lost' });
    expect(await state(other)).toMatchObject({ state: 'held' });
    expect(await site.pool()).toMatchObject({ inUse: 1, over: 0 });
    other.tell('close');
    await other.exited;
  });
});

describe('another network', () => {
  it('the connection breaks and the next one comes from another address: the same seat', async () => {
    path.from = '127.0.0.2';
    path.cut();
    await renewedAgain();
    await stillTheSameSeat();
    expect(path.carried).toBe(2);
  });

  it('the server has not noticed: it closes the half-open session, and nothing is counted twice', async () => {
    path.from = '127.0.0.2';
    path.cutHalf();
    await renewedAgain();
    await stillTheSameSeat();
    expect(site.server?.stdout).toContain('127.0.0.2');
  });

  it('a second plugin is faster: the first follows it to the new address', async () => {
    await site.grant({ product: 'comp', seats: 1, share: 'process' });
    path.from = '127.0.0.2';
    // The old connection works: only what is opened now takes the new way.
    const second = site.plugin(anna, { product: 'comp' }, path.address);
    second.tell('checkout');
    await second.hear({ event: 'done', order: 'checkout' });
    await renewedAgain();
    await stillTheSameSeat();
    expect(await state(second)).toMatchObject({ state: 'held' });
    second.tell('close');
    await second.exited;
  });
});

describe('a VPN that drops everything without a word', () => {
  it('is noticed by a renewal without an answer; over a new path the same seat goes on', async () => {
    path.silence();
    await renewedAgain();
    await stillTheSameSeat();
    expect(path.carried).toBe(2);
  });

  it('comes back before D: grace is told, then recovered', async () => {
    path.isBlackHole = true;
    path.silence();
    const { expiresAtMs } = await plugin.hear({ event: 'grace' });
    path.isBlackHole = false;
    path.cut();
    await plugin.hear({ event: 'recovered' });
    expect(Number(expiresAtMs)).toBeGreaterThan(0);
    await stillTheSameSeat();
  });

  it('stays away: lost at D, told once, and free for others after W', async () => {
    path.isBlackHole = true;
    path.silence();
    const lost = await plugin.hear({ event: 'lost' });
    expect(lost).toMatchObject({ code: 'SEAT_LOST' });
    expect(heard('lost')).toHaveLength(1);
    expect(await state()).toMatchObject({ state: 'lost' });
    const other = site.plugin(bo);
    other.tell(`checkout 1 ${onlineWindowMs(D_MS)}`);
    await other.hear({ event: 'done', order: 'checkout' }, onlineWindowMs(D_MS) + 10_000);
    // The way is free again: the plugin learns nothing that would make its seat one again.
    path.isBlackHole = false;
    path.cut();
    expect(await state()).toMatchObject({ state: 'lost' });
    expect(await site.pool()).toMatchObject({ inUse: 1, over: 0 });
    other.tell('close');
    await other.exited;
  });
});

it('and at no moment were there more rights than seats', () => {
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.tokens).toBeGreaterThan(20);
});
