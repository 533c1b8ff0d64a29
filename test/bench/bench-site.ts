import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type AdminConnection, joinServer, openAdmin } from '@berth/client';
import { nodeFiles } from '@berth/server/store/files';
import { Journal } from '@berth/server/store/journal';
import { decodeChanges } from '@berth/server/store/records';
import { atEnd } from '../system/at-end.js';
import { Site } from '../system/site.js';
import { here, LoadClient } from './load-client.js';
import type { Handed } from './orders.js';
import { type Populated, type Population, populate } from './population.js';

/** One address and few devices ask for everything here, so what guards against one of either is set aside; every other limit is on. */
export const LIFTED = {
  'limits.handshakes-per-second-per-address': 10_000,
  'limits.requests-per-second-per-device': 100_000,
} as const;

const flags = Object.entries(LIFTED).flatMap(([key, value]) => [
  `--${key.replaceAll('.', '-')}`,
  String(value),
]);

/** A berthd with a past, and its owner. */
export class BenchSite {
  readonly population: Population;
  readonly populated: Populated;
  readonly #site: Site;
  readonly #profile: string | null;
  /** Calls off its removal at the end of this process, which may come first: some are a gigabyte. */
  readonly #isRemoved: () => void;
  #admin: AdminConnection | null = null;

  /** @param profile a folder for a CPU profile of the server */
  static async open(population: Population, profile: string | null): Promise<BenchSite> {
    const site = await Site.found({ leaseSeconds: 120 });
    const removed = atEnd(() => rmSync(site.folder, { recursive: true, force: true }));
    try {
      await site.init();
      const populated = await populate(site.data, population);
      const bench = new BenchSite(site, { population, populated, profile }, removed);
      await bench.serve();
      await joinServer({ link: site.ownerLink, home: site.owner.home });
      return bench;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  private constructor(
    site: Site,
    of: { readonly population: Population; readonly populated: Populated; readonly profile: string | null },
    isRemoved: () => void,
  ) {
    this.#site = site;
    this.#isRemoved = isRemoved;
    this.#profile = of.profile;
    this.population = of.population;
    this.populated = of.populated;
  }

  get site(): Site {
    return this.#site;
  }

  get pid(): number {
    return this.#site.server!.pid;
  }

  /** The first time and every other with the same flags, and the same profile. */
  async serve(): Promise<void> {
    await this.#site.serve(flags, 0, this.#profile === null ? [] : profiledIn(this.#profile));
  }

  load(): Promise<LoadClient> {
    const { port, serverKey } = this.#site;
    const { vendorKey, devices } = this.populated;
    return LoadClient.start(this.#site, { port, serverKey, vendorKey, serverPid: this.pid }, devices);
  }

  async admin(): Promise<AdminConnection> {
    this.#admin ??= await openAdmin({ home: this.#site.owner.home });
    return this.#admin;
  }

  /**
   * Everything was given back: the status says so, and the journal has granted exactly the leases that the clients were given, each once, and ended
   * each. The server is stopped for it.
   * @returns what does not agree
   */
  async accounts(handed: readonly Handed[]): Promise<string[]> {
    const wrong = await this.#statusFaults();
    await this.#admin?.close();
    this.#admin = null;
    await this.#site.stop();
    const checked = await this.#site.check();
    if (checked.code !== 0) wrong.push(`berthd check: ${checked.stdout}${checked.stderr}`);
    const given = handed.flatMap(({ granted }) => granted);
    const { granted, ended } = await grantsIn(this.#site.data, this.populated.seq);
    if (new Set(given).size !== given.length) wrong.push('a lease was given twice');
    wrong.push(...differences('granted', given, granted), ...differences('ended', given, ended));
    return wrong;
  }

  async #statusFaults(): Promise<string[]> {
    const { pools } = await (await this.admin()).call('pool.status', {});
    return this.population.pools.flatMap(({ product, seats, taken = 0 }) => {
      const pool = pools.find((row) => row.product === product);
      const isRight = pool?.owned === seats && pool.inUse === taken && pool.free === seats - taken;
      return isRight ? [] : [`${product} should have ${taken} of ${seats} in use: ${JSON.stringify(pool)}`];
    });
  }

  async close(): Promise<void> {
    await this.#admin?.close().catch(() => undefined);
    await this.#site.close();
    this.#isRemoved();
  }
}

/**
 * Not in NODE_OPTIONS, which refuses it: a shell puts it behind `node` and becomes that, and puts the many files of berthd in the place of its one.
 * The folder is a word of its own, whatever is in it.
 */
function profiledIn(folder: string): string[] {
  const script =
    'folder=$1 main=$2 node=$3; shift 4; exec "$node" --cpu-prof --cpu-prof-dir="$folder" "$main" "$@"';
  return ['sh', '-c', script, 'sh', folder, join(here, 'unbundled.js')];
}

/** The leases that the journal has granted and ended behind a record, as often as it did. */
async function grantsIn(data: string, behind: number): Promise<{ granted: string[]; ended: string[] }> {
  const [granted, ended]: [string[], string[]] = [[], []];
  const journal = await Journal.open({
    ...{ files: nodeFiles, folder: data, readOnly: true },
    onRecord: ({ seq, payload }) => {
      if (seq <= behind) return;
      for (const change of decodeChanges(payload)) {
        if (change.type === 'lease.granted') granted.push(change.lease.claims.jti);
        if (change.type === 'lease.ended') ended.push(change.id);
      }
    },
  });
  await journal.close();
  return { granted, ended };
}

function differences(what: string, given: readonly string[], inJournal: readonly string[]): string[] {
  const [clients, journal] = [new Set(given), new Set(inJournal)];
  const onlyClients = given.filter((jti) => !journal.has(jti));
  const onlyJournal = inJournal.filter((jti) => !clients.has(jti));
  return [
    ...(journal.size === inJournal.length ? [] : [`the journal has ${what} a lease twice`]),
    ...(onlyClients.length === 0 ? [] : [`not ${what} in the journal: ${onlyClients.slice(0, 3)}`]),
    ...(onlyJournal.length === 0 ? [] : [`${what} in the journal alone: ${onlyJournal.slice(0, 3)}`]),
  ];
}

/** The bare loop, in a process of its own that the site ends. */
export async function limitLoad(site: Site): Promise<LoadClient> {
  const tls = (name: string) => join(site.data, 'tls', name);
  const facts = { folder: site.folder, certificate: tls('server.crt'), key: tls('server.key') };
  const argv = [process.execPath, join(here, 'limit-server.js'), JSON.stringify(facts)];
  const server = site.start({ argv });
  const { port } = await server.hear({ event: 'ready' });
  return LoadClient.start(
    site,
    { port: Number(port), serverPid: server.pid, serverKey: '', vendorKey: '' },
    null,
  );
}
