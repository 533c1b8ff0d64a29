import { watch } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type AdminConnection, BerthError, newIdempotencyKey, openAdmin } from '@berth/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LossyProxy } from './lossy-proxy.js';
import type { Started } from './process.js';
import { Random } from './random.js';
import { type Person, type Ran, Site } from './site.js';
import { until } from './waiting.js';

// Plugins come and go at random while they and the server are killed at random; every time the folder is checked, and all that any
// client ever received is judged by the auditor. BERTH_SEED repeats the dice (not the scheduler), BERTH_KILL_ROUNDS makes it longer.
const ROUNDS = Number(process.env.BERTH_KILL_ROUNDS ?? 50);
const SEED = Number(process.env.BERTH_SEED ?? Date.now() % 1_000_000);
const LEASE_SECONDS = 4;
/** W of such a lease (I2), and a second for the ticker and a slow machine. */
const WINDOW_MS = LEASE_SECONDS * 1002 + 10_000 + 1_000;
/** So often a round is long enough for the seats of the dead to come free. */
const BREATHERS = 2;

/** A verdict on fewer is worth little. */
const ENOUGH_TOKENS = ROUNDS * 5;

interface Actor {
  readonly person: Person;
  readonly product: string;
  /** How likely a round kills it. */
  readonly dies: number;
  process: Started;
}

const random = new Random(SEED);
const actors: Actor[] = [];
const adminWork: Promise<unknown>[] = [];
const checks: { readonly round: number; readonly ran: Ran }[] = [];
let site: Site;
let proxy: LossyProxy;
let admin: AdminConnection;

beforeAll(async () => {
  console.log(`kill rounds: ${ROUNDS} rounds, BERTH_SEED=${SEED}`);
  site = await Site.open({ leaseSeconds: LEASE_SECONDS });
  // Fewer seats than are asked for at any time: a seat that comes free too early is taken at once.
  await site.grant({ product: 'render', seats: 2, share: 'process', borrow: { max: '30d', seats: 1 } });
  await site.grant({ product: 'render', seats: 1, share: 'process' });
  await site.grant({ product: 'comp', seats: 2, share: 'device', borrow: { max: '1d', seats: 1 } });
  const emails = ['anna', 'bo', 'cem', 'dua'].map((name) => `${name}@studio.example`);
  const [anna, bo, cem, dua] = (await site.hire(...emails)) as [Person, Person, Person, Person];
  admin = await openAdmin({ home: site.owner.home });
  proxy = await LossyProxy.open(site.port, random);
  // The seat of one that was killed is gone for a window; where devices share, its successor takes it over.
  for (const person of [anna, bo]) actors.push(enter(person, 'render', 0.04));
  for (const person of [cem, dua, dua]) actors.push(enter(person, 'comp', 0.2));
}, 120_000);

afterAll(async () => {
  await admin?.close();
  await proxy?.close();
  await site?.close();
});

function enter(person: Person, product: string, dies: number): Actor {
  return { person, product, dies, process: play(person, product) };
}

function play(person: Person, product: string): Started {
  return site.plugin(person, { product, chaos: random.between(0, 2 ** 31) }, `127.0.0.1:${proxy.port}`);
}

test(`${ROUNDS} rounds of SIGKILL lose nothing and double nothing (BERTH_SEED=${SEED})`, {
  timeout: 120_000 + ROUNDS * 12_000,
}, async () => {
  let checking: Promise<void> = Promise.resolve();
  // On a machine that is busy with other things a round sees little: then it takes more of them.
  for (let round = 1; round <= ROUNDS || (round <= 2 * ROUNDS && hasSeenLittle()); round++) {
    await wreck(round);
    expect(site.auditDurability(), `round ${round}, BERTH_SEED=${SEED}`).toEqual([]);
    await checking;
    const copy = join(site.folder, `copy-${round}`);
    await cp(site.data, copy, { recursive: true });
    checking = checkCopy(round, copy);
    replaceTheDead(round);
    await comeBack();
  }
  await checking;
  await curtain();
  for (const { round, ran } of checks)
    expect(ran.json, `berthd check after round ${round}: ${ran.stderr}`).toMatchObject({ ok: true });
  expect(checks.length).toBeGreaterThanOrEqual(ROUNDS);
  const { findings, judged } = site.audit();
  console.log(`kill rounds: ${JSON.stringify(judged)}`);
  expect(findings, `BERTH_SEED=${SEED}`).toEqual([]);
  expect(judged.tokens).toBeGreaterThan(ENOUGH_TOKENS);
  expect(judged.seats).toBeGreaterThan(ROUNDS / 2);
  expect(judged.denials).toBeGreaterThan(0);
  expect(judged.borrows).toBeGreaterThan(0);
  expect(judged.retries).toBeGreaterThan(ROUNDS / 5);
  expect(judged.statuses).toBeGreaterThan(ROUNDS / 5);
});

function hasSeenLittle(): boolean {
  return site.audit().judged.tokens <= ENOUGH_TOKENS;
}

/** The server dies at a random moment, perhaps some plugins before it, perhaps an admin takes or gives meanwhile. */
async function wreck(round: number): Promise<void> {
  const breathes = round % Math.ceil(ROUNDS / (BREATHERS + 1)) === 0;
  const livesMs = breathes ? WINDOW_MS : random.between(100, 1500);
  for (let deeds = random.between(0, 3); deeds > 0; deeds--)
    adminWork.push(pause(random.between(0, livesMs)).then(administer));
  if (random.chance(0.2)) adminWork.push(site.berth(site.owner, ['status', '--json']));
  const victims = actors.filter(({ dies }) => random.chance(breathes ? 0 : dies));
  await Promise.all([
    ...victims.map(async ({ process: victim }) => {
      await pause(random.between(0, livesMs));
      await victim.kill();
    }),
    death(livesMs, random.chance(0.5)).then(() => site.kill()),
  ]);
}

/** After so long; or then as soon as a plugin says or hears something, so that requests and answers are under way. */
async function death(afterMs: number, whenBusy: boolean): Promise<void> {
  await pause(afterMs);
  if (!whenBusy) return;
  const words = watch(site.logs);
  const spoken = new Promise<void>((resolve) => words.once('change', () => resolve()));
  await Promise.race([spoken, pause(1000)]);
  words.close();
  await pause(random.between(0, 4));
}

/** Takes seats from people and gives them to others. Refusals are fine, also the one that the server is gone. */
async function administer(): Promise<void> {
  const { email } = random.pick(actors).person;
  const product = random.pick(actors).product;
  const key = newIdempotencyKey();
  const deeds = [
    () => admin.call('allocation.assign', { key, email, product, quantity: 1 }),
    () => admin.call('allocation.revoke', { key, email, product, quantity: 'all' }),
    async () => {
      const { items } = await admin.call('lease.list', { product });
      if (items.length === 0) return;
      const lease = items.find(({ kind }) => kind === 'borrow' && random.chance(0.5)) ?? random.pick(items);
      await admin.call('lease.revoke', { key, lease: lease.id });
    },
  ];
  await random
    .pick(deeds)()
    .catch((error: unknown) => {
      if (!(error instanceof BerthError) || error.code === 'INTERNAL') throw error;
    });
}

/** What the kill left behind is checked while the server is already back. */
async function checkCopy(round: number, copy: string): Promise<void> {
  checks.push({ round, ran: await site.check(copy) });
  await rm(copy, { recursive: true });
}

function replaceTheDead(round: number): void {
  for (const actor of actors) {
    if (actor.process.running) continue;
    const { stderr } = actor.process;
    // Killed is how they die; anything else is a fault of the plugin.
    expect(stderr, `a plugin of ${actor.person.email} failed in round ${round}, BERTH_SEED=${SEED}`).toBe('');
    actor.process = play(actor.person, actor.product);
  }
}

/** Most of the time at once, sometimes late, sometimes only after it was killed while it started. */
async function comeBack(): Promise<void> {
  if (random.chance(0.15)) await pause(random.between(0, LEASE_SECONDS * 1000));
  if (random.chance(0.15)) {
    const stillborn = site.launch();
    await pause(random.between(0, 1500));
    await stillborn.kill();
  }
  await site.serve();
  // Two unclean ends in a row and the state is rebuilt from the journal; after a clean one it is loaded (DESIGN 2). Both must be right.
  if (random.chance(0.2)) {
    await site.stop();
    await site.serve();
  }
}

/** Everybody is killed: one window later every seat that is not borrowed is free, and somebody new gets it. */
async function curtain(): Promise<void> {
  await Promise.all(actors.map(({ process: actor }) => actor.kill()));
  await Promise.all(adminWork);
  for (const product of ['render', 'comp']) {
    await until(
      `the seats of ${product} to come free`,
      async () => {
        const { pools } = await admin.call('pool.status', { product });
        return pools[0]!.inUse + pools[0]!.held === 0;
      },
      WINDOW_MS + 15_000,
      500,
    );
  }
  const pool = await site.pool('render');
  expect(pool).toMatchObject({ owned: 3, inUse: 0, held: 0, free: 3 - pool.borrowed });
  expect((await site.stop()).code).toBe(0);
  expect((await site.check()).json).toMatchObject({ ok: true });
}
