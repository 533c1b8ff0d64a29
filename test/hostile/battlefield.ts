import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AdminConnection, newIdempotencyKey, openAdmin } from '@berth/client';
import type { Pool } from '@berth/protocol';
import { type Keys, keysToPem } from '../system/device-keys.js';
import type { Started } from '../system/process.js';
import { Site } from '../system/site.js';
import { within } from '../system/waiting.js';
import { type Attack, addressOf, type Outcome } from './attack.js';
import type { AttackerFacts } from './attacker.js';
import type { HonestFacts, Phase } from './honest.js';
import { bytesIn, cpuMs, openFiles, rssMiB } from './measure.js';
import { Peer, type Target } from './peer.js';

const HONEST = 20;
/** Devices of those who come in: one that works where the others are, and those of first-timers. */
const COMING = 1 + 8;
const HOSTILE = 100;
const HOST = '127.0.0.1';
const FIRST = -15;
/** Attackers come after the attacked: on a site they are other computers, and what they compute is missing to nobody. */
const AFTER = 8;
const here = dirname(fileURLToPath(import.meta.url));

/** What one attack did to the server. */
export interface Verdict {
  readonly attack: string;
  /** From its beginning to its last word: what it leaves behind comes after the seconds that it was given. */
  readonly lastedSeconds: number;
  readonly honestP99Ms: number;
  readonly baselineP99Ms: number;
  readonly rssMiB: number;
  readonly journalBytes: number;
  /** Everything in the data folder, the log apart. */
  readonly folderBytes: number;
  readonly logBytes: number;
  readonly openFiles: number;
  /** Of one core, what the server computed. */
  readonly serverCpuPercent: number;
  readonly stolen: number;
  readonly honest: Phase;
  readonly baseline: Phase;
  readonly outcome: Outcome;
  readonly problems: readonly string[];
}

/** By lease: the device of the honest client that holds it, and the token it was given. */
interface Honest {
  readonly device: string;
  readonly token: string;
}

interface Parts {
  readonly site: Site;
  readonly server: Started;
  readonly honest: Started;
  readonly admin: AdminConnection;
  readonly devicesFile: string;
  readonly leases: ReadonlyMap<string, Honest>;
}

/** A server with honest people at work, and a hundred enrolled devices that mean it no good. */
export class Battlefield {
  /** The priority of the server and of the honest (setpriority). */
  readonly #base: number;
  readonly #site: Site;
  readonly #server: Started;
  readonly #honest: Started;
  readonly #admin: AdminConnection;
  readonly #devicesFile: string;
  readonly #leases: ReadonlyMap<string, Honest>;
  #phases = 0;

  private constructor(parts: Parts, base: number) {
    this.#base = base;
    this.#site = parts.site;
    this.#server = parts.server;
    this.#honest = parts.honest;
    this.#admin = parts.admin;
    this.#devicesFile = parts.devicesFile;
    this.#leases = parts.leases;
  }

  /** @param first the processes of this run before all others of the machine */
  static async open(first: boolean): Promise<Battlefield> {
    const site = await Site.open({ leaseSeconds: 30 });
    try {
      const parts = await settle(site);
      const base = first ? FIRST : 0;
      if (first) await preferSession(FIRST);
      for (const { pid } of [parts.server, parts.honest]) prioritise(pid, base);
      return new Battlefield(parts, base);
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  /** One attack of so many seconds, with a quiet time before it. */
  async endure({ name }: Attack, seconds: number, quietSeconds: number): Promise<Verdict> {
    const baseline = await this.#watch(wait(quietSeconds));
    const [before, data, logged] = [await this.#journal(), await this.#folder(), this.#logged()];
    const [cpu, since] = [cpuMs(this.#server.pid), performance.now()];
    const attacker = this.#attack(name, seconds);
    let [rss, files] = [0, 0];
    const looking = setInterval(() => {
      rss = Math.max(rss, rssMiB(this.#server.pid));
      void openFiles(this.#server.pid).then((count) => {
        files = Math.max(files, count);
      });
    }, 200);
    const honest = await this.#watch(within(`the end of ${name}`, attacker.exited, seconds * 1000 + 60_000));
    clearInterval(looking);
    const lastedMs = performance.now() - since;
    const cpuPart = (cpuMs(this.#server.pid) - cpu) / lastedMs;
    const said = attacker.said.find(({ event }) => event === 'outcome') as Outcome | undefined;
    const outcome = said ?? {
      counts: {},
      stolen: [],
      problems: [`it broke: ${attacker.stderr.slice(0, 400)}`],
    };
    const owners = await this.#owners();
    const stolen = [...outcome.stolen, ...owners];
    return {
      attack: name,
      lastedSeconds: lastedMs / 1000,
      ...{ honestP99Ms: honest.p99Ms, baselineP99Ms: baseline.p99Ms, rssMiB: rss },
      journalBytes: (await this.#journal()) - before,
      folderBytes: (await this.#folder()) - data,
      logBytes: this.#logged() - logged,
      serverCpuPercent: Math.round(100 * cpuPart),
      ...{ openFiles: files, stolen: stolen.length, honest, baseline, outcome },
      problems: [...stolen, ...outcome.problems, ...honest.failed],
    };
  }

  get serverRuns(): boolean {
    return this.#server.running;
  }

  async close(): Promise<void> {
    if (this.#base < 0) await preferSession(0);
    await this.#admin.close().catch(() => undefined);
    await this.#site.close();
  }

  /** What the honest saw while something lasted. */
  async #watch(lasts: Promise<unknown>): Promise<Phase> {
    this.#honest.tell('begin');
    await lasts;
    this.#honest.tell('end');
    const nth = ++this.#phases;
    const phases = await within(
      'the honest to say how it was',
      this.#honest.hear({ event: 'phase', nth }, 60_000),
    );
    return phases as unknown as Phase;
  }

  #attack(attack: string, seconds: number): Started {
    const { port, serverKey } = this.#site;
    const facts: AttackerFacts = {
      ...{ attack, seconds, host: HOST, port, serverKey },
      devicesFile: this.#devicesFile,
      foreign: [...this.#leases].map(([lease, { token }]) => ({ lease, token })),
    };
    const argv = [process.execPath, join(here, 'attacker.js'), JSON.stringify(facts)];
    const attacker = this.#site.start({ argv });
    prioritise(attacker.pid, this.#base + AFTER);
    return attacker;
  }

  /** Seats that are in other hands than they should be, by what the server itself says. */
  async #owners(): Promise<string[]> {
    const wrong: string[] = [];
    const holders = new Map<string, string>();
    let cursor: string | undefined;
    do {
      const page = await this.#admin.call('lease.list', cursor === undefined ? {} : { cursor });
      for (const { id, device } of page.items) holders.set(id, device);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    for (const [lease, { device }] of this.#leases) {
      const holder = holders.get(lease);
      if (holder !== device) wrong.push(`${lease} of ${device} is held by ${holder ?? 'nobody'}`);
    }
    const { pools } = await this.#admin.call('pool.status', {});
    for (const pool of pools) if (!isBalanced(pool)) wrong.push(`the pool is ${JSON.stringify(pool)}`);
    return wrong;
  }

  #journal(): Promise<number> {
    return bytesIn(join(this.#site.data, 'journal'));
  }
  #folder(): Promise<number> {
    return bytesIn(this.#site.data);
  }
  #logged(): number {
    return this.#server.stdout.length + this.#server.stderr.length;
  }
}

/** PRODUCT: both equations, and never more than is owned. */
function isBalanced({ owned, allocated, shared, inUse, borrowed, held, free, over }: Pool): boolean {
  return owned === allocated + shared && inUse + borrowed + held + free === owned + over && over === 0;
}

async function settle(site: Site): Promise<Parts> {
  await site.grant({ product: 'render', seats: 40, share: 'process', id: 'ent-render' });
  await site.grant({ product: 'lobby', seats: 20, share: 'process', id: 'ent-lobby' });
  await site.grant({ product: 'scarce', seats: 1, share: 'process', id: 'ent-scarce' });
  await site.grant({ product: 'shared', seats: 8, share: 'device', id: 'ent-shared' });
  await site.grant({ product: 'crowd', seats: 300, share: 'process', id: 'ent-crowd' });
  await site.grant({ product: 'busy', seats: 8, share: 'process', id: 'ent-busy' });
  const admin = await openAdmin({ home: site.owner.home });
  const { link } = await admin.call('machine.token.create', {
    ...{ key: newIdempotencyKey(), name: 'hostile', uses: HONEST + COMING + HOSTILE },
  });
  const target = { host: HOST, port: site.port };
  const hostile = await enrol(target, link, 'hostile', HOSTILE, addressOf);
  const honest = await enrol(target, link, 'honest', HONEST + COMING, () => HOST);
  const devicesFile = join(site.folder, 'hostile.json');
  await writeFile(devicesFile, JSON.stringify(hostile.map((keys) => [keys.text, keysToPem(keys)])));
  const facts: HonestFacts = { ...target, devices: honest.map((keys) => [keys.text, keysToPem(keys)]) };
  const process_ = site.start({ argv: [process.execPath, join(here, 'honest.js'), JSON.stringify(facts)] });
  const ready = await process_.hear({ event: 'ready' }, 60_000);
  const names = new Map(honest.map((keys, at) => [keys.text, `honest-${at}`]));
  const leases = new Map(
    Object.entries(ready.leases as Record<string, Honest>).map(([lease, { device, token }]) => [
      lease,
      { device: names.get(device)!, token },
    ]),
  );
  return { site, server: site.server!, honest: process_, admin, devicesFile, leases };
}

async function enrol(
  target: Target,
  link: string,
  name: string,
  count: number,
  from: (at: number) => string,
): Promise<Keys[]> {
  const all: Keys[] = [];
  for (let at = 0; at < count; at++) all.push(await Peer.enrol(target, link, from(at), `${name}-${at}`));
  return all;
}

/** Every thread: on Linux each has its own. */
function prioritise(pid: number, priority: number): void {
  for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), priority);
}

/** Where Linux shares out the processor by session (autogroup), a priority counts inside its session only. */
function preferSession(priority: number): Promise<void> {
  return writeFile('/proc/self/autogroup', String(priority)).catch(() => undefined);
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => resolve();
    setTimeout(done, seconds * 1000);
  });
}
