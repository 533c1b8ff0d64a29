/**
 * What `/metrics` shows (Prometheus text). Labels come from what the server owns: a product it has, a method of the
 * protocol's table, a code of ours. Whatever else is asked for counts as `other`, since every new label value is memory
 * here and in Prometheus for good.
 */
import { isMethod } from '@berth/protocol';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The numbers of a pool, in seats. `over`: in use beyond what is owned (I1). */
export const SEAT_STATES = [
  'owned',
  'allocated',
  'shared',
  'inUse',
  'borrowed',
  'held',
  'free',
  'over',
] as const;

export type SeatState = (typeof SEAT_STATES)[number];
export type PoolReading = Readonly<Record<SeatState, number>> & { readonly product: string };

/** `joined`: an open seat was shared. `repeated`: a retry got the first answer again (I7). */
export type CheckoutOutcome = 'granted' | 'joined' | 'repeated' | 'denied';

export interface Metrics {
  checkout(product: string, outcome: CheckoutOutcome): void;
  /** @param rule the stable code of the denial. */
  denial(product: string, rule: string): void;
  request(method: string): void;
  /** A checkout has waited in line so long, whatever came of it. */
  waited(seconds: number): void;
  sessionOpened(): void;
  sessionClosed(): void;
  /** One group commit: from its first write to durable, in seconds, and how many changes it carried. */
  commit(seconds: number, changes: number): void;
  /** The last durable sequence of the journal. */
  journalSeq(seq: number): void;
  /** Adds a number that is read at each scrape. */
  gauge(name: `berth_${string}`, help: string, read: () => number): void;
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** A site with more products still sees the rest summed as `other`. 500 products are 4,000 seat gauges. */
const MAX_PRODUCTS = 500;
/** Codes are ours and far fewer; this catches one that was built from input by mistake. */
const MAX_RULES = 128;
/** Readings of the pools that names nobody has may cause between two scrapes. */
const MAX_MISSES_PER_SCRAPE = 100;
const OTHER = 'other';

/** A local SSD syncs in 0.1 ms, a network disk in 10; seconds mean trouble. */
const COMMIT_SECONDS_BUCKETS = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];
/** A render takes minutes, a night's work hours. */
const WAIT_SECONDS_BUCKETS = [0.1, 1, 10, 60, 300, 900, 3600, 14_400, 86_400];
const COMMIT_CHANGES_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/**
 * @param readPools the current pools, one entry per product; called at every scrape, and when an unknown product
 * shows up. @param readWaiting product -> checkouts in line, at every scrape
 */
export function createMetrics(
  readPools: () => readonly PoolReading[],
  readWaiting: () => ReadonlyMap<string, number> = () => new Map(),
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const products = new ProductLabels(readPools);
  const rules = new FirstLabels(MAX_RULES);
  const counted = createInstruments(registry);
  createSeatGauge(registry, products);
  createWaitingGauge(registry, products, readWaiting);
  return {
    checkout: (product, outcome) => counted.checkouts.inc({ product: products.label(product), outcome }),
    denial: (product, rule) =>
      counted.denials.inc({ product: products.label(product), rule: rules.label(rule) }),
    waited: (seconds) => counted.waitSeconds.observe(seconds),
    request: (method) => counted.requests.inc({ method: isMethod(method) ? method : OTHER }),
    sessionOpened: () => counted.sessions.inc(),
    sessionClosed: () => counted.sessions.dec(),
    commit: (seconds, changes) => {
      counted.commitSeconds.observe(seconds);
      counted.commitChanges.observe(changes);
    },
    journalSeq: (seq) => counted.journalSeq.set(seq),
    gauge: (name, help, read) => {
      const collect = function (this: Gauge): void {
        this.set(read());
      };
      new Gauge({ name, help, registers: [registry], collect });
    },
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function createInstruments(registry: Registry) {
  const registers = [registry];
  return {
    checkouts: new Counter({
      name: 'berth_checkouts_total',
      help: 'Checkouts by product and outcome.',
      labelNames: ['product', 'outcome'],
      registers,
    }),
    denials: new Counter({
      name: 'berth_denials_total',
      help: 'Denials by product and rule.',
      labelNames: ['product', 'rule'],
      registers,
    }),
    requests: new Counter({
      name: 'berth_requests_total',
      help: 'Requests by method.',
      labelNames: ['method'],
      registers,
    }),
    sessions: new Gauge({ name: 'berth_sessions', help: 'Open sessions.', registers }),
    waitSeconds: new Histogram({
      name: 'berth_wait_seconds',
      help: 'How long checkouts waited in line, served or not.',
      buckets: WAIT_SECONDS_BUCKETS,
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'berth_commit_seconds',
      help: 'Time until a group commit is durable.',
      buckets: COMMIT_SECONDS_BUCKETS,
      registers,
    }),
    commitChanges: new Histogram({
      name: 'berth_commit_changes',
      help: 'Changes in one group commit.',
      buckets: COMMIT_CHANGES_BUCKETS,
      registers,
    }),
    journalSeq: new Gauge({
      name: 'berth_journal_seq',
      help: 'The last durable sequence of the journal.',
      registers,
    }),
  };
}

/** Read at each scrape rather than kept up to date: it cannot drift from the state. */
function createSeatGauge(registry: Registry, products: ProductLabels): void {
  new Gauge({
    name: 'berth_seats',
    help: 'Seats by product and state; over: in use beyond what is owned.',
    labelNames: ['product', 'state'],
    registers: [registry],
    collect() {
      // A product that is gone must not keep its last numbers.
      this.reset();
      for (const pool of products.refresh()) {
        const product = products.known(pool.product);
        for (const state of SEAT_STATES) this.inc({ product, state }, pool[state]);
      }
    },
  });
}

/** Who waits for one of several products counts for each. */
function createWaitingGauge(
  registry: Registry,
  products: ProductLabels,
  readWaiting: () => ReadonlyMap<string, number>,
): void {
  new Gauge({
    name: 'berth_waiting',
    help: 'Checkouts that wait in line, by product.',
    labelNames: ['product'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [product, count] of readWaiting()) this.inc({ product: products.known(product) }, count);
    },
  });
}

/** The products the server has, as of the last look. */
class ProductLabels {
  readonly #readPools: () => readonly PoolReading[];
  #known = new Set<string>();
  #misses = 0;

  constructor(readPools: () => readonly PoolReading[]) {
    this.#readPools = readPools;
  }

  /** As of the last look. */
  known(product: string): string {
    return this.#known.has(product) ? product : OTHER;
  }

  /** Looks again for one it does not know. */
  label(product: string): string {
    if (this.#known.has(product)) return product;
    // It may be new since the last look; but names that clients make up must not cost a look each.
    if (this.#misses < MAX_MISSES_PER_SCRAPE) {
      this.#misses++;
      this.#look();
    }
    return this.known(product);
  }

  refresh(): readonly PoolReading[] {
    this.#misses = 0;
    return this.#look();
  }

  #look(): readonly PoolReading[] {
    const pools = this.#readPools();
    this.#known = new Set(pools.slice(0, MAX_PRODUCTS).map((pool) => pool.product));
    return pools;
  }
}

/** The first so many labels; later ones are `other`. */
class FirstLabels {
  readonly #limit: number;
  readonly #known = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  label(value: string): string {
    if (this.#known.size < this.#limit) this.#known.add(value);
    return this.#known.has(value) ? value : OTHER;
  }
}
