import { type EntitlementClaims, signToken } from '@berth/protocol';
import { openDataFolder } from '@berth/server/data-folder';
import type { By, Command, CommandType, Outcomes } from '@berth/server/domain/commands';
import { nativeSigner } from '@berth/server/ed25519';
import { Engine } from '@berth/server/engine/engine';
import { recover } from '@berth/server/engine/recover';
import { randomId } from '@berth/server/random';
import { LevelStore } from '@berth/server/store/level-store';
import { type Keys, newKeys, newNonce } from '../system/device-keys.js';
import { unsyncedFiles } from './unsynced-files.js';

/** Who is there, and what has happened, before a server is measured. */
export interface Population {
  readonly pools: readonly PoolOf[];
  /** Machines of the load client. */
  readonly devices: number;
  readonly users?: number;
  /** Records in the journal, most of them of seats that were taken and given back in the days before. */
  readonly records?: number;
}

export interface PoolOf {
  readonly product: string;
  readonly seats: number;
  /** Of these, so many are taken by machines that are not the load client's. */
  readonly taken?: number;
  /** The first so many users have one of them allocated each. */
  readonly allocated?: number;
}

export interface Populated {
  readonly devices: readonly Keys[];
  readonly vendorKey: string;
  /** The last record of the journal: whatever comes after it is the bench's. */
  readonly seq: number;
}

/** Commands in one record, where it does not matter in how many. */
const AT_ONCE = 500;
/** As many as a bulk job decides in one commit. */
const ROWS_AT_ONCE = 50;
/** Machines that have the seats that are taken. */
const TENANTS = 200;
/** Nobody renews what is taken, and it must outlast the bench: the longest D there is. */
const TAKEN_SECONDS = 3600;
/** Between two records of the days before. */
const RECORD_EVERY_MS = 800;
const DAY_SECONDS = 86_400;
const OWNER: By = { device: 'bench', email: 'it@studio.example' };

/** Fills a data folder that `berthd init` has made, by the server's own engine and journal. */
export async function populate(data: string, population: Population): Promise<Populated> {
  const { records = 0 } = population;
  const time = new PastTime(records * RECORD_EVERY_MS + 60_000);
  const store = await LevelStore.open(data);
  const recovered = await recover({
    ...{ files: unsyncedFiles, folder: data, store, monoMs: time.now().monoMs },
    ...{ onCut: fail, onRebuilt: fail },
  });
  const { state, journal } = recovered;
  let leaseSeconds = 120;
  const engine = new Engine({
    ...{ state, journal, clock: time, newId: randomId, diskLow: () => false },
    get leaseSeconds() {
      return leaseSeconds;
    },
    onCommitted: ({ position, rows }) => store.put(position, rows),
    onFatal: fail,
  });
  const founders = new Founders(engine, time);
  const { identity } = await openDataFolder(data);
  await founders.setClock();
  const vendorKey = await founders.grant(population.pools, identity.keyText, time.startSeconds);
  await founders.invite(population.users ?? 0);
  for (const { product, allocated = 0 } of population.pools) await founders.assign(product, allocated);
  const devices = await founders.enrol('load', population.devices);
  const tenants = await founders.enrol('tenant', TENANTS);
  const busy = population.pools[0]!;
  while (journal.position.seq < records) await founders.takeAndGiveBack(busy.product, tenants);
  time.arrive();
  leaseSeconds = TAKEN_SECONDS;
  for (const { product, taken = 0 } of population.pools) await founders.take(product, taken, tenants);
  const { seq } = journal.position;
  await engine.stop();
  await store.flush();
  await journal.close();
  await store.close();
  return { devices: devices.map(({ keys }) => keys), vendorKey, seq };
}

interface Machine {
  readonly keys: Keys;
  readonly by: By;
}

/** Asks for what makes a site, one after the other or many in one commit. */
class Founders {
  readonly #engine: Engine;
  readonly #time: PastTime;

  constructor(engine: Engine, time: PastTime) {
    this.#engine = engine;
    this.#time = time;
  }

  /** The folder was made today, and knows it: without an admin's word nothing is granted in the days before (I5). */
  async setClock(): Promise<void> {
    await this.#do({ type: 'acceptClock', ...asked(OWNER) });
  }

  /** @returns the key of the vendor who signed them all */
  async grant(pools: readonly PoolOf[], server: string, startSeconds: number): Promise<string> {
    const { text: vendor, secret } = newKeys();
    for (const { product, seats } of pools) {
      const claims = entitlementOf(product, seats, { vendor, server }, startSeconds);
      const token = signToken('entitlement', claims, nativeSigner(secret));
      await this.#do({ type: 'import', ...asked(OWNER), claims, token });
    }
    return vendor;
  }

  async invite(count: number): Promise<void> {
    await this.#each(
      count,
      (at) =>
        this.#do({
          ...{ type: 'invite', ...asked(OWNER), email: `user${at}@studio.example`, name: `User ${at}` },
          ...{ role: 'user', device: false, invitationMs: 7 * DAY_SECONDS * 1000 },
        }),
      ROWS_AT_ONCE,
    );
  }

  async assign(product: string, count: number): Promise<void> {
    await this.#each(
      count,
      (at) =>
        this.#do({
          ...{ type: 'assign', ...asked(OWNER), email: `user${at}@studio.example` },
          ...{ product, quantity: 1, endMs: null },
        }),
      ROWS_AT_ONCE,
    );
  }

  async enrol(name: string, count: number): Promise<Machine[]> {
    const made = await this.#do({
      ...{ type: 'createMachineToken', ...asked(OWNER), name, group: null, maxUses: Math.max(1, count) },
      expiresAtMs: null,
    });
    const machines: Machine[] = [];
    await this.#each(count, async (at) => {
      const keys = newKeys();
      const { device, email } = await this.#do({
        ...{ type: 'enrolMachine', token: made.token.id, leaseKey: keys.text, name: `${name}-${at}` },
      });
      machines[at] = { keys, by: { device, email } };
    });
    return machines;
  }

  async take(product: string, count: number, machines: readonly Machine[]): Promise<void> {
    await this.#each(count, (at) => this.#checkout(product, machines[at % machines.length]!));
  }

  async takeAndGiveBack(product: string, machines: readonly Machine[]): Promise<void> {
    const machine = machines[this.#time.now().monoMs % machines.length]!;
    const { leases } = await this.#checkout(product, machine);
    const taken = leases.map(({ jti }) => jti);
    this.#time.pass(RECORD_EVERY_MS);
    await this.#do({ type: 'release', ...asked(machine.by), leases: taken, stopped: [] });
    this.#time.pass(RECORD_EVERY_MS);
  }

  #checkout(product: string, { by }: Machine): Promise<Outcomes['checkout']> {
    const wants = [{ products: [product], seats: 1 }];
    return this.#do({ type: 'checkout', ...asked(by), wants, nonce: newNonce(), places: 1 });
  }

  async #each(count: number, work: (at: number) => Promise<unknown>, atOnce = AT_ONCE): Promise<void> {
    for (let from = 0; from < count; from += atOnce) {
      const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, at) => work(from + at));
      await Promise.all(some);
    }
  }

  async #do<T extends CommandType>(command: Command<T>): Promise<Outcomes[T]> {
    const settled = await this.#engine.submit(command);
    if (!settled.ok) throw new Error(`${command.type} was refused: ${settled.code}`);
    return settled.outcome;
  }
}

/** The days before the bench, which pass as fast as they are told. */
class PastTime {
  readonly startSeconds: number;
  readonly #agoMs: number;
  #passedMs = 0;

  constructor(agoMs: number) {
    this.#agoMs = agoMs;
    this.startSeconds = Math.floor((Date.now() - agoMs) / 1000);
  }

  now(): { monoMs: number; wallMs: number; steadyWallMs: number } {
    const wallMs = this.startSeconds * 1000 + this.#passedMs;
    return { monoMs: this.#passedMs, wallMs, steadyWallMs: wallMs };
  }

  pass(ms: number): void {
    this.#passedMs += ms;
  }

  /** It is today, and was never later. */
  arrive(): void {
    this.#passedMs = Math.max(this.#passedMs, this.#agoMs - 10_000);
  }
}

function asked(by: By): { by: By; request: { device: string; key: string; hash: string } } {
  return { by, request: { device: by.device, key: newNonce(), hash: newNonce() } };
}

function entitlementOf(
  product: string,
  seats: number,
  { vendor, server }: { vendor: string; server: string },
  startSeconds: number,
): EntitlementClaims {
  const today = Math.floor(startSeconds / DAY_SECONDS) * DAY_SECONDS;
  return {
    ...{ jti: `ent-${product}`, rev: 1, iss: vendor, sub: server, product, seats },
    ...{ nbf: today - DAY_SECONDS, exp: today + 366 * DAY_SECONDS, share: 'process' },
    ...{ borrow: { maxSeconds: 7 * DAY_SECONDS, seats }, earlyReturn: 'at-once' },
    display: { number: `BENCH-${product}`, orderedFrom: 'Vendor Ltd' },
  };
}

function fail(what: unknown): never {
  throw new Error(`The data folder could not be filled: ${String(what)}`);
}
