import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJournal } from '../auditor/auditor.js';
import { relayFile } from './paths.js';
import type { Started } from './process.js';
import { type Person, Site } from './site.js';
import { until, within } from './waiting.js';

// Issue 3, part 6: checkout({ wait }) stands in line on the server.

const LEASE_SECONDS = 3;
const ROUNDS = 1000;

let site: Site;
let people: Person[];

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: LEASE_SECONDS });
  await site.grant({ product: 'render', seats: 1, share: 'process' });
  people = await site.hire('anna@studio.example', 'bo@studio.example', 'cem@studio.example');
}, 120_000);

afterAll(() => site?.close());

async function plugin(at: number): Promise<Started> {
  const started = site.plugin(people[at]!);
  await started.hear({ event: 'ready' });
  return started;
}

async function holder(): Promise<Started> {
  const started = await plugin(0);
  started.tell('checkout');
  await started.hear({ event: 'done', order: 'checkout' });
  return started;
}

/** In line for certain, at this place. */
async function waiter(at: number, position: number): Promise<Started> {
  const started = await plugin(at);
  started.tell('checkout 1 120000');
  await started.hear({ event: 'queued', position });
  return started;
}

function isServed(started: Started): Promise<Record<string, unknown>> {
  return started.hear({ event: 'done', order: 'checkout' });
}

async function leave(...all: Started[]): Promise<void> {
  for (const started of all) started.tell('close');
  await Promise.all(all.map((started) => within('the plugin to end', started.exited)));
}

async function inLine(): Promise<number> {
  const { body } = await site.http('/metrics');
  return Number(/^berth_waiting\{product="render"\} (\d+)$/m.exec(body)?.[1] ?? 0);
}

test(`two waiters and one seat: the order is kept over ${ROUNDS} rounds, no round has two holders`, async () => {
  const orders = {
    product: 'render',
    vendorKey: site.vendorKey,
    homes: people.map(({ home }) => home),
    rounds: ROUNDS,
  };
  const relay = site.start({
    argv: [...site.tapped(relayFile), JSON.stringify(orders)],
    env: site.environmentOf(people[0]!, 'relay'),
  });
  const exit = await within('the relay to end', relay.exited, 150_000);
  const [over] = relay.said;
  console.log(`relay: ${JSON.stringify(over)}`);
  expect(over, exit.stderr).toMatchObject({ event: 'over', rounds: ROUNDS, faults: [] });
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.seats).toBeGreaterThan(ROUNDS);
  expect(await site.pool()).toMatchObject({ inUse: 0, held: 0, free: 1 });
}, 240_000);

test('a seat that is given back goes to the first in line in the same record of the journal', async () => {
  const before = readJournal(site.data).records.length;
  const first = await holder();
  const second = await waiter(1, 1);
  first.tell('release');
  await isServed(second);
  const types = readJournal(site.data)
    .records.slice(before)
    .map(({ changes }) => changes.map(({ type }) => type));
  const released = types.find((names) => names.includes('lease.ended'));
  expect(released).toEqual(expect.arrayContaining(['lease.ended', 'seat.taken', 'lease.granted']));
  await leave(first, second);
}, 60_000);

test('nobody who comes later is served before, and everybody moves up', async () => {
  const first = await holder();
  const second = await waiter(1, 1);
  const third = await waiter(2, 2);
  expect(await inLine()).toBe(2);
  await leave(first);
  expect(await isServed(second)).toMatchObject({ state: 'held' });
  await third.hear({ event: 'queued', position: 1 });
  expect(third.said.some(({ event }) => event === 'done')).toBe(false);
  await leave(second);
  await isServed(third);
  await leave(third);
}, 60_000);

test('a waiter that is killed leaves the line: the next one is served, and no seat waits for the dead', async () => {
  const first = await holder();
  const second = await waiter(1, 1);
  const third = await waiter(2, 2);
  await second.kill();
  await third.hear({ event: 'queued', position: 1 });
  expect(await inLine()).toBe(1);
  await leave(first);
  await isServed(third);
  await leave(third);
  expect(await site.pool()).toMatchObject({ inUse: 0, free: 1 });
}, 60_000);

describe.each([
  ['killed', () => site.kill()],
  ['stopped', () => site.stop()],
] as const)('a server that is %s and started again', (_how, end) => {
  test('the waiter waits on and gets its seat from the new one', async () => {
    const first = await holder();
    const second = await waiter(1, 1);
    await end();
    await site.serve();
    await until('it to stand in line again', async () => (await inLine()) === 1, 40_000, 200);
    expect(second.said.some(({ event }) => event === 'done' || event === 'failed')).toBe(false);
    await leave(first);
    expect(await isServed(second)).toMatchObject({ state: 'held' });
    await leave(second);
  }, 120_000);
});

test('a seat granted after more than its whole length of waiting is held, and stays so (I2)', async () => {
  const first = await holder();
  const second = await waiter(1, 1);
  const sinceMs = performance.now();
  await until(
    'the wait to be longer than two leases',
    () => performance.now() - sinceMs > LEASE_SECONDS * 2000,
  );
  await leave(first);
  const seat = await isServed(second);
  expect(seat).toMatchObject({ state: 'held' });
  expect(Number(seat.expiresAtMs) - Date.now()).toBeGreaterThan(LEASE_SECONDS * 500);
  const servedMs = performance.now();
  await until('two more leases to go by', () => performance.now() - servedMs > LEASE_SECONDS * 2000);
  second.tell('state');
  expect(await second.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'held' });
  await leave(second);
}, 60_000);

test('a wait that is over ends with the denial; Ctrl-C ends it at once, with 3; nobody is left in line', async () => {
  const first = await holder();
  const run = (wait: string): Started =>
    site.start({
      argv: site.berthArgv(['run', '--product', 'render', '--wait', wait, '--', 'echo', 'ran']),
      env: site.environmentOf(people[1]!, 'run'),
    });
  const patient = await within('its end', run('1s').exited, 30_000);
  expect(patient).toMatchObject({ code: 7, stdout: '' });
  expect(patient.stderr).toMatch(/^berth: NO_SEAT /m);
  const cancelled = run('1h');
  await until('it to stand in line', async () => (await inLine()) === 1);
  cancelled.signal('SIGINT');
  expect(await within('its end', cancelled.exited, 30_000)).toMatchObject({ code: 3, stdout: '' });
  await until('the line to be empty', async () => (await inLine()) === 0);
  await leave(first);
  expect(await site.pool()).toMatchObject({ inUse: 0, free: 1 });
}, 90_000);

test('the auditor has nothing to say', async () => {
  expect((await site.stop()).code).toBe(0);
  expect((await site.check()).json).toMatchObject({ ok: true });
  const { findings, judged } = site.audit();
  console.log(`waiting: ${JSON.stringify(judged)}`);
  expect(findings).toEqual([]);
}, 60_000);
