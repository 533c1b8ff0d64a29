import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rssMiB } from '../../hostile/measure.js';
import { keysToPem } from '../../system/device-keys.js';
import type { Started } from '../../system/process.js';
import { type BenchOptions, type Suite, settle } from '../bench.js';
import { BenchSite, limitLoad } from '../bench-site.js';
import type { CrowdFacts, CrowdOrder, Returned, Worked } from '../crowd-orders.js';
import { here, type LoadClient } from '../load-client.js';
import type { Handed } from '../orders.js';
import { cpuNs } from '../processor.js';
import { rowOf } from '../report.js';
import { rounded } from '../statistics.js';

const PEOPLE = 10_000;
const NEWCOMERS = 50;
/** A third of the 120 s that a lease lasts. */
const HEARTBEAT_MS = 40_000;
const WORK_MS = 20_000;
/** Of the bare loop's work a half is enough, and of those who come to it a part: each is alike. */
const BARE_WORK_MS = 10_000;
const BARE_PEOPLE = 2_000;
const PATIENCE_MS = 300_000;

/** The crowd, from outside. */
class Crowd {
  readonly #process: Started;
  readonly #file: string;
  #orders = 0;

  static async start({ site, populated }: BenchSite): Promise<Crowd> {
    const devicesFile = join(site.folder, 'crowd.json');
    const rows = populated.devices.map((keys) => [keys.text, keysToPem(keys)]);
    await writeFile(devicesFile, JSON.stringify(rows));
    const facts: CrowdFacts = {
      ...{ host: '127.0.0.1', port: site.port, devicesFile, heartbeatMs: HEARTBEAT_MS },
      ...{ serverKey: site.serverKey, vendorKey: populated.vendorKey },
    };
    const argv = [process.execPath, join(here, 'crowd.js'), JSON.stringify(facts)];
    return new Crowd(site.start({ argv }), join(site.folder, 'crowd-handed.json'));
  }

  private constructor(process_: Started, file: string) {
    this.#process = process_;
    this.#file = file;
  }

  order(order: CrowdOrder): Promise<Record<string, unknown>> {
    this.#process.tell(JSON.stringify(order));
    return this.#process.hear({ event: 'done', nth: ++this.#orders }, PATIENCE_MS);
  }

  async leave(): Promise<Handed> {
    await this.order({ do: 'leave', file: this.#file });
    return JSON.parse(await readFile(this.#file, 'utf8')) as Handed;
  }
}

/** When crowd and server are gone: the bare loop's part, and the rows of both. */
type Beside = (bare: LoadClient) => Promise<void>;

async function withCrowd(
  options: BenchOptions,
  work: (site: BenchSite, crowd: Crowd, emptyRssMiB: number) => Promise<Beside>,
): Promise<void> {
  const people = PEOPLE * options.part;
  const site = await BenchSite.open(
    { pools: [{ product: 'render', seats: people + NEWCOMERS }], devices: people + NEWCOMERS },
    options.profile,
  );
  try {
    const emptyRssMiB = rssMiB(site.pid);
    const crowd = await Crowd.start(site);
    options.say(`${people} come in`);
    await crowd.order({ do: 'come' });
    const beside = await work(site, crowd, emptyRssMiB);
    await settle(site, [await crowd.leave()]);
    options.say('the bare loop, with nobody else there');
    await beside(await limitLoad(site.site));
  } finally {
    await site.close();
  }
}

/** How it is while all of them work. */
async function atWork(
  { emit, say, part }: BenchOptions,
  site: BenchSite,
  crowd: Crowd,
  emptyRssMiB: number,
): Promise<Beside> {
  say(`they work for ${WORK_MS / 1000} s`);
  const [cpu, sinceMs] = [cpuNs(site.pid), performance.now()];
  const worked = (await crowd.order({ do: 'work', ms: WORK_MS })) as unknown as Worked;
  const [serverCpuNs, ms] = [cpuNs(site.pid) - cpu, performance.now() - sinceMs];
  const rss = rssMiB(site.pid);
  const connections = PEOPLE * part;
  return async (loop) => {
    await loop.connect(connections);
    const paced = await loop.pace({ everyMs: HEARTBEAT_MS, ms: BARE_WORK_MS });
    const bare = {
      ...{ title: { suite: 'limit', case: 'sign, each every 40 s', connections }, runs: [paced] },
    };
    emit(
      rowOf(
        { suite: 'sessions', case: 'heartbeats at D/3', connections },
        [{ ...worked, operations: worked.renewals, ms, serverCpuNs, rssMiB: rss }],
        bare,
        {
          'percent of a core': rounded((100 * serverCpuNs) / 1e6 / ms),
          'KiB resident a session': rounded(((rss - emptyRssMiB) * 1024) / connections),
          'MiB without sessions': emptyRssMiB,
        },
      ),
    );
    const percent = rounded((100 * paced.serverCpuNs) / 1e6 / paced.ms);
    emit(rowOf(bare.title, bare.runs, null, { 'percent of a core': percent }));
  };
}

/** The server dies, and all of them come back to the next one. */
async function afterDeath({ emit, say, part }: BenchOptions, site: BenchSite, crowd: Crowd): Promise<Beside> {
  say('the server is killed, and all of them come back');
  const killedMs = performance.now();
  await site.site.kill();
  const returning = crowd.order({ do: 'return' });
  await site.serve();
  const servesMs = performance.now() - killedMs;
  const returned = (await returning) as unknown as Returned;
  const { lastMs, p50Ms, p99Ms, resumed, lost, verified, newcomers, newcomersServed } = returned;
  if (lost > 0) throw new Error(`${lost} of ${PEOPLE * part} came back and had lost their lease`);
  const run = {
    ...{ operations: resumed, ms: lastMs, p50Ms, p99Ms, verified },
    ...{ serverCpuNs: cpuNs(site.pid), rssMiB: rssMiB(site.pid) },
  };
  const facts = {
    'seconds from the kill to the last': rounded(lastMs / 1000),
    'of these until it served': rounded(servesMs / 1000),
    'new seats asked for meanwhile': newcomers,
    'and given': newcomersServed,
  };
  return async (loop) => {
    const connections = BARE_PEOPLE * part;
    const title = { suite: 'limit', case: 'connect, and one sign each', connections };
    const bare = { title, runs: [await loop.connect(connections, true)] };
    emit(rowOf({ suite: 'storm', case: 'all resume', connections: PEOPLE * part }, [run], bare, facts));
    emit(rowOf(title, bare.runs));
  };
}

export const sessions: Suite = {
  name: 'sessions',
  what: '10,000 sessions over TLS with a seat each, heartbeats every 40 s',
  connections: [],
  without: {
    runs: 'it is one stretch of work, in which each heartbeat of 10,000 people is a figure',
    seconds: 'they work for 20 s, half the time between two heartbeats',
  },
  run: (options) => withCrowd(options, (site, crowd, empty) => atWork(options, site, crowd, empty)),
};

export const storm: Suite = {
  name: 'storm',
  what: 'the server is killed under these, and all of them come back and resume',
  connections: [],
  without: {
    runs: 'the server is killed once, and each return of 10,000 people is a figure',
    seconds: 'it ends when the last one is back',
  },
  run: (options) => withCrowd(options, (site, crowd) => afterDeath(options, site, crowd)),
};
