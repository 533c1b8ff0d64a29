import { Bench, type Suite } from '../bench.js';

/** So many ask at once, three seats each: what a pool of 100 has. */
const CONNECTIONS = 32;
const EACH = 3;
const FREE = 100;

/** What grows. Every pool has a hundred seats free, the others are in use. */
const sizes = [
  { seats: 100, users: 1 },
  { seats: 10_000, users: 1 },
  { seats: 100_000, users: 1 },
  { seats: 100, users: 1_000 },
  { seats: 100, users: 100_000 },
  { seats: 100_000, users: 100_000 },
] as const;

export const scale: Suite = {
  name: 'scale',
  what: 'the same checkouts beside 100, 10,000 and 100,000 seats in use, and 1 to 100,000 users',
  run: async (options) => {
    for (const size of sizes) {
      const seats = Math.max(FREE, size.seats * options.part);
      const users = Math.max(1, size.users * options.part);
      const title = `${seats} seats, ${users} user${users === 1 ? '' : 's'}`;
      options.say(`${title}: filling a data folder`);
      const pools = [{ product: 'render', seats, taken: seats - FREE }];
      await Bench.on(options, { pools, users, devices: CONNECTIONS }, (bench) =>
        bench.measure(
          { suite: 'scale', case: title, connections: CONNECTIONS },
          { operation: 'checkout', each: EACH },
        ),
      );
    }
  },
};
