import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NetworkPath } from './network-path.js';
import type { Exit, Started } from './process.js';
import { berthPy, pythonPlugin, whyNoPython } from './python.js';
import { type Person, Site } from './site.js';
import { until, within } from './waiting.js';

// examples/python/berth.py, a client written from PROTOCOL.md alone, against a real berthd. D is short, so that several pass.

const LEASE_SECONDS = 5;
const missing = whyNoPython();

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  if (missing !== null) return;
  site = await Site.open({ leaseSeconds: LEASE_SECONDS });
  await site.grant({ product: 'render', seats: 1, share: 'process' });
  [anna, bo] = [site.person('anna@studio.example'), site.person('bo@studio.example')];
  for (const person of [anna, bo]) {
    const joined = await python(person, ['join', '-'], await site.invite(person.email));
    expect(joined, joined.stderr).toMatchObject({ code: 0 });
  }
}, 120_000);

afterAll(() => site?.close());

function python(who: Person, words: readonly string[], input = ''): Promise<Exit> {
  const started = site.start({
    argv: ['python3', '-B', berthPy, ...words],
    env: site.environmentOf(who, 'berth-py'),
  });
  started.endInput(input);
  return within(`berth.py ${words[0]}`, started.exited, 30_000);
}

/** A process that holds the session; see python-plugin.py. */
async function plugin(who: Person, servers?: string, at = site): Promise<Started> {
  const facts = JSON.stringify({ product: 'render', vendorKey: at.vendorKey });
  const started = at.start({
    argv: ['python3', '-B', pythonPlugin, facts],
    env: { ...at.environmentOf(who, 'python'), ...(servers === undefined ? {} : { BERTH_SERVERS: servers }) },
  });
  await line(started, (said) => said.event === 'ready');
  return started;
}

type Said = Record<string, unknown>;

/** @param from how many lines of before do not count */
function line(plugin: Started, match: (said: Said) => boolean, from = 0, withinMs = 20_000): Promise<Said> {
  return until(
    `a line of the Python plugin`,
    () => {
      const found = plugin.said.slice(from).find(match);
      if (found === undefined && !plugin.running)
        throw new Error(`it ended: ${plugin.stdout}${plugin.stderr}`);
      return found;
    },
    withinMs,
  );
}

async function order(plugin: Started, words: string): Promise<Said> {
  const before = plugin.said.length;
  plugin.tell(words);
  const name = words.split(' ')[0];
  return line(plugin, (said) => said.order === name, before);
}

/** Its state once its session is there: an answer is written down before the client has made anything of it. */
function onceOnline(plugin: Started): Promise<Said> {
  return until('the session to be there again', async () => {
    const said = await order(plugin, 'state');
    return said.online === true ? said : null;
  });
}

async function end(plugin: Started): Promise<void> {
  plugin.endInput('close\n');
  expect((await within('the Python plugin to end', plugin.exited)).code).toBe(0);
}

/** Answers with tokens to requests of that method, from this process's own log. */
function answers(plugin: Started, method: string, at = site): number {
  const mine = at.evidence().entries.filter((entry) => entry.process.endsWith(`-${plugin.pid}`));
  return mine.filter((entry) => entry.event === 'answer' && entry.method === method).length;
}

function renewed(plugin: Started, times: number): Promise<unknown> {
  const from = answers(plugin, 'lease.renew');
  return until(`${times} renewals`, () => answers(plugin, 'lease.renew') >= from + times, 30_000, 100);
}

function poolShows(what: object): Promise<unknown> {
  return until(
    `the pool to show ${JSON.stringify(what)}`,
    async () => {
      const pool: object = await site.pool();
      return Object.entries(what).every(([name, value]) => pool[name as keyof object] === value);
    },
    30_000,
    200,
  );
}

describe('a client in Python', () => {
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
  });

  test('joined a context that berth can use, and has the keys to itself', async () => {
    const whoami = await site.berthOk(anna, ['whoami', '--json']);
    expect(whoami.json).toMatchObject({ user: { email: 'anna@studio.example' }, scopes: ['lease'] });
    const again = await python(anna, ['join', '-'], 'berth://nonsense');
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/^berth: LINK_INVALID .*\nNext: /);
  });

  test('works with a context that berth join made', async () => {
    const [carl] = (await site.hire('carl@studio.example')) as [Person];
    const process = await plugin(carl);
    expect(await order(process, 'checkout')).toMatchObject({ event: 'done', state: 'held' });
    await end(process);
  });

  test('holds a seat over several D', async () => {
    const process = await plugin(anna);
    const seat = await order(process, 'checkout');
    expect(seat).toMatchObject({ event: 'done', state: 'held' });
    await renewed(process, 7);
    expect(await order(process, 'state')).toMatchObject({ state: 'held', leaseIds: seat.leaseIds });
    expect(process.said.some(({ event }) => event === 'lost')).toBe(false);
    expect(await site.pool()).toMatchObject({ inUse: 1, free: 0 });
    await end(process);
    await poolShows({ inUse: 0, held: 0, free: 1 });
  }, 60_000);

  test('the server is killed and starts again: the same lease is resumed', async () => {
    // With a D that is longer than any start of berthd on a busy machine.
    const calm = await Site.open({ leaseSeconds: 40 });
    try {
      await calm.grant({ product: 'render', seats: 1, share: 'process' });
      const [dora] = (await calm.hire('dora@studio.example')) as [Person];
      const process = await plugin(dora, undefined, calm);
      const seat = await order(process, 'checkout');
      await calm.restart();
      await until('the lease to be resumed', () => answers(process, 'session.resume', calm) > 0, 30_000, 200);
      expect(await onceOnline(process)).toMatchObject({ state: 'held', leaseIds: seat.leaseIds });
      expect(await calm.pool()).toMatchObject({ inUse: 1, free: 0 });
      await end(process);
      expect(await calm.pool()).toMatchObject({ inUse: 0, held: 0, free: 1 });
      expect(calm.audit().findings).toEqual([]);
    } finally {
      await calm.close();
    }
  }, 120_000);

  test('is told at once of a seat taken away, and gives it back with a signed stop', async () => {
    const process = await plugin(anna);
    const seat = await order(process, 'checkout');
    const [lease] = seat.leaseIds as [string];
    const fromMs = performance.now();
    await site.berthOk(site.owner, ['lease', 'release', lease, '--reason', 'night run', '--yes', '--json']);
    await line(process, ({ event }) => event === 'lost', 0, 10_000);
    expect(performance.now() - fromMs).toBeLessThan(10_000);
    expect(await order(process, 'state')).toMatchObject({ state: 'lost', error: 'LEASE_REVOKED' });
    await order(process, 'release');
    expect(process.said).toContainEqual(expect.objectContaining({ event: 'given back', confirmed: true }));
    // Long before its window has passed: the stop was accepted.
    expect(await site.pool()).toMatchObject({ inUse: 0, held: 0, free: 1 });
    await end(process);
  });

  test('a cut network: first grace, then lost after D and never held again', async () => {
    const path = await NetworkPath.open(site.port);
    try {
      const process = await plugin(bo, path.address);
      await order(process, 'checkout');
      path.isBlackHole = true;
      path.cut();
      const lost = await line(process, ({ event }) => event === 'lost');
      const told = process.said.map(({ event }) => event);
      expect(told.indexOf('grace')).toBeGreaterThan(0);
      expect(told.indexOf('grace')).toBeLessThan(told.indexOf('lost'));
      expect(lost).toMatchObject({ state: 'lost', error: 'SEAT_LOST' });
      path.isBlackHole = false;
      path.cut();
      expect(await onceOnline(process)).toMatchObject({ state: 'lost' });
      await end(process);
      await poolShows({ inUse: 0, held: 0, free: 1 });
    } finally {
      await path.close();
    }
  }, 60_000);

  test('no network for a moment costs nothing', async () => {
    const path = await NetworkPath.open(site.port);
    try {
      const process = await plugin(bo, path.address);
      const seat = await order(process, 'checkout');
      path.cut();
      await renewed(process, 2);
      expect(await onceOnline(process)).toMatchObject({ state: 'held', leaseIds: seat.leaseIds });
      await end(process);
    } finally {
      await path.close();
    }
  }, 60_000);

  test('two clients and one seat: the second is told who holds it, then waits in line and gets it', async () => {
    const [first, second] = await Promise.all([plugin(anna), plugin(bo)]);
    await order(first, 'checkout');
    const refused = await order(second, 'checkout');
    expect(refused).toMatchObject({ event: 'failed', code: 'NO_SEAT', rule: 'ALL_IN_USE' });
    expect(refused.holders).toMatchObject([{ user: 'anna@studio.example' }]);
    const from = second.said.length;
    second.tell('checkout 60');
    expect(await line(second, ({ event }) => event === 'queued')).toMatchObject({ position: 1 });
    // Longer than D/10 in line: the grant is counted from a renewal, not from when it was asked for (PROTOCOL 8.1).
    await renewed(first, 2);
    await order(first, 'release');
    const got = await line(second, (said) => said.order === 'checkout', from, 40_000);
    expect(got).toMatchObject({ event: 'done', state: 'held' });
    await renewed(second, 2);
    await Promise.all([end(first), end(second)]);
    await poolShows({ inUse: 0, held: 0, free: 1 });
  }, 60_000);

  test('berth.py run: the command runs while the seat is held; 7 when there is none', async () => {
    const run = ['run', '--product', 'render', '--vendor-key', site.vendorKey, '--'];
    expect(await python(anna, [...run, 'sh', '-c', 'echo ran; exit 4'])).toMatchObject({
      code: 4,
      stdout: 'ran\n',
    });
    const holder = await plugin(bo);
    await order(holder, 'checkout');
    const refused = await python(anna, [...run, 'echo', 'ran']);
    expect(refused).toMatchObject({ code: 7, stdout: '' });
    expect(refused.stderr).toMatch(/^berth: NO_SEAT .*\nNext: /);
    await end(holder);
  });

  test('the auditor has nothing to say', async () => {
    await site.stop();
    expect((await site.check()).json).toMatchObject({ ok: true });
    const { findings, judged } = site.audit();
    expect(findings).toEqual([]);
    expect(judged.tokens).toBeGreaterThan(20);
    expect(judged.seats).toBeGreaterThan(5);
  });
});
