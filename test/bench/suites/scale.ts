import { Bench, type BenchOptions, type Suite } from '../bench.js';
import type { Population } from '../population.js';

/** So many ask at once, three seats each: what a pool of 100 has. */
const CONNECTIONS = 32;
const EACH = 3;
const FREE = 100;

/** What grows. Every pool has a hundred seats free, the others are in use. */
const sizes: readonly Size[] = [
  { seats: 100, users: 1 },
  { seats: 10_000, users: 1 },
  { seats: 100_000, users: 1 },
  { seats: 100, users: 1_000 },
  { seats: 100, users: 100_000 },
  { seats: 100_000, users: 100_000 },
  { seats: 100, users: 1, records: 1_000_000 },
];

interface Size {
  readonly seats: number;
  readonly users: number;
  /** In the journal; left out: those that made the rest. */
  readonly records?: number;
}

interface ScaleCase {
  readonly title: string;
  readonly population: Population;
}

/** Each title once: with `--small` some sizes are the same. */
export function casesOf(part: number): ScaleCase[] {
  const cases = sizes.map((size): [string, ScaleCase] => {
    const seats = Math.max(FREE, size.seats * part);
    const users = Math.max(1, size.users * part);
    const records = size.records === undefined ? undefined : size.records * part;
    const title = [
      `${seats} seats, ${users} user${users === 1 ? '' : 's'}`,
      ...(records === undefined ? [] : [`${records} records`]),
    ].join(', ');
    const pools = [{ product: 'render', seats, taken: seats - FREE }];
    const past = records === undefined ? {} : { records };
    return [title, { title, population: { pools, users, devices: CONNECTIONS, ...past } }];
  });
  return [...new Map(cases).values()];
}

async function measure(options: BenchOptions, { title, population }: ScaleCase): Promise<void> {
  options.say(`${title}: filling a data folder`);
  await Bench.on(options, population, (bench) =>
    bench.measure(
      { suite: 'scale', case: title, connections: CONNECTIONS },
      { operation: 'checkout', each: EACH },
    ),
  );
}

export const scale: Suite = {
  name: 'scale',
  what: 'the same checkouts beside 100, 10,000 and 100,000 seats in use, 1 to 100,000 users, and a million records',
  connections: [CONNECTIONS],
  run: async (options) => {
    for (const each of casesOf(options.part)) await measure(options, each);
  },
};
