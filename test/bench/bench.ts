import type { SuiteFacts } from './asked.js';
import { BenchSite, limitLoad } from './bench-site.js';
import type { LoadClient } from './load-client.js';
import type { Handed, Measured, Operation } from './orders.js';
import type { Population } from './population.js';
import { type Row, rowOf, type Title } from './report.js';

export interface BenchOptions {
  readonly runs: number;
  /** How long the clock runs in each run, ms. */
  readonly ms: number;
  /** Only cases with so many; left out: all. */
  readonly connections: readonly number[] | null;
  /** Everything that is large is this part of it: to try the bench, not to measure with it. */
  readonly part: number;
  readonly profile: string | null;
  readonly emit: (row: Row) => void;
  /** For people: what is being done now. */
  readonly say: (line: string) => void;
}

export interface Suite extends SuiteFacts {
  run(bench: BenchOptions): Promise<void>;
}

/** The bare loop that does as much for the same answer. */
const bareOf: Readonly<Partial<Record<Operation, keyof typeof bareCases>>> = {
  ...{ checkout: 'append', release: 'append', renew: 'sign', deny: 'echo' },
};

/** Titles of the bare loops' rows. */
export const bareCases = {
  ...{ append: 'append and sign', sign: 'sign', root: 'sign one root a turn', echo: 'echo' },
} as const;

/** Before an operation is measured for the first time: what runs seldom is not compiled yet. */
const WARM = { ms: 500, atLeast: 4_000, connections: 32 };

/** A server, the bare loop beside it, and a load client for each. */
export class Bench {
  readonly site: BenchSite;
  readonly #load: LoadClient;
  readonly #limit: LoadClient;
  readonly #options: BenchOptions;
  readonly #handed: Handed[] = [];
  readonly #warm = new Set<Operation>();

  /** Opens one, lets `work` measure, and judges the accounts afterwards. @throws when they do not agree */
  static async on(
    options: BenchOptions,
    population: Population,
    work: (bench: Bench) => Promise<void>,
  ): Promise<void> {
    const site = await BenchSite.open(population, options.profile);
    try {
      const bench = new Bench(site, await site.load(), await limitLoad(site.site), options);
      await work(bench);
      bench.#handed.push(await bench.#load.leave());
      await settle(site, bench.#handed);
    } finally {
      await site.close();
    }
  }

  private constructor(site: BenchSite, load: LoadClient, limit: LoadClient, options: BenchOptions) {
    this.site = site;
    this.#load = load;
    this.#limit = limit;
    this.#options = options;
  }

  /** One case: server and bare loop in turn, so that what else the machine does meets both. */
  async measure(
    title: Title,
    { operation, each, product = 'render' }: { operation: Operation; each: number; product?: string },
  ): Promise<void> {
    const { runs, ms, emit, connections } = this.#options;
    if (connections !== null && !connections.includes(title.connections)) return;
    const bare = bareOf[operation];
    const both: [LoadClient, Operation][] =
      bare === undefined
        ? [[this.#limit, operation]]
        : [
            [this.#load, operation],
            [this.#limit, bare],
          ];
    await this.#warmUp(both, { each, product });
    for (const [client] of both) await client.connect(title.connections);
    const measured: Measured[][] = both.map(() => []);
    for (let run = 0; run < runs; run++)
      for (const [at, [client, of]] of both.entries())
        measured[at]!.push(await client.run({ operation: of, each, product, ms }));
    const bareTitle = bare && { suite: 'limit', case: bareCases[bare], connections: title.connections };
    emit(rowOf(title, measured[0]!, bareTitle && { title: bareTitle, runs: measured[1]! }));
  }

  async #warmUp(
    both: readonly [LoadClient, Operation][],
    what: { readonly each: number; readonly product: string },
  ): Promise<void> {
    for (const [client, operation] of both) {
      if (this.#warm.has(operation)) continue;
      this.#warm.add(operation);
      await client.connect(WARM.connections);
      await client.run({ operation, ...what, ...WARM });
    }
  }
}

/**
 * Runs a suite and says its rows when it has ended well: its accounts are settled last, and figures whose accounts do not agree are none.
 * @throws what the suite throws; its message then says how many rows were kept back
 */
export async function sayWhenSettled(
  suite: Suite,
  options: BenchOptions,
  marked: (row: Row) => Row,
): Promise<void> {
  const rows: Row[] = [];
  try {
    await suite.run({ ...options, emit: (row) => void rows.push(marked(row)) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}\nIts figures are not told, since they do not count: ${rows.length} rows.`);
  }
  for (const row of rows) options.emit(row);
}

/** @throws when seats handed out, journal and status do not agree: then no figure counts */
export async function settle(site: BenchSite, handed: readonly Handed[]): Promise<void> {
  const wrong = await site.accounts(handed);
  if (wrong.length > 0)
    throw new Error(`Seats handed out, journal and status do not agree:\n${wrong.join('\n')}`);
}
