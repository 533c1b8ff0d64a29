import { Bench, bareCases, type Suite } from '../bench.js';
import type { Population } from '../population.js';

/** Leases of a line in one burst: a session has places for 64. */
const EACH = 60;
/** With a thousand lines fewer: a burst is then as long as a run. */
const EACH_OF_MANY = 8;

const CONNECTIONS = [1, 32, 128, 1000];

const site: Population = {
  pools: [
    { product: 'render', seats: 10_000 },
    { product: 'full', seats: 100, taken: 100 },
  ],
  devices: 1000,
};

/** Of the bare loop beside the one with the file: those that a case is told as a part of, and one that is weighed. */
const BARE = [
  ['sign', 1],
  ['sign', 128],
  ['root', 128],
  ['echo', 128],
] as const;

export const limit: Suite = {
  name: 'limit',
  what: 'the bare loop: WebSocket over TLS, an Ed25519 signature, a synced append of all that wait',
  connections: CONNECTIONS,
  bare: true,
  run: (options) =>
    Bench.on(options, site, async (bench) => {
      for (const connections of CONNECTIONS)
        await bench.measure(
          { suite: 'limit', case: bareCases.append, connections },
          { operation: 'append', each: connections > 128 ? EACH_OF_MANY : EACH },
        );
      for (const [operation, connections] of BARE)
        await bench.measure(
          { suite: 'limit', case: bareCases[operation], connections },
          { operation, each: EACH },
        );
    }),
};

export const checkout: Suite = {
  name: 'checkout',
  what: 'seats taken, one lease each, durable and signed, by 1, 32, 128 and 1,000 connections',
  connections: CONNECTIONS,
  run: (options) =>
    Bench.on(options, site, async (bench) => {
      for (const connections of CONNECTIONS)
        await bench.measure(
          { suite: 'checkout', case: 'a seat', connections },
          { operation: 'checkout', each: connections > 128 ? EACH_OF_MANY : EACH },
        );
    }),
};

export const renew: Suite = {
  name: 'renew',
  what: 'heartbeats, one lease each, freshly signed',
  connections: [1, 128],
  run: (options) =>
    Bench.on(options, site, async (bench) => {
      for (const connections of [1, 128])
        await bench.measure(
          { suite: 'renew', case: 'a lease', connections },
          { operation: 'renew', each: EACH },
        );
    }),
};

export const release: Suite = {
  name: 'release',
  what: 'seats given back, one in each frame',
  connections: [128],
  run: (options) =>
    Bench.on(options, site, async (bench) => {
      await bench.measure(
        { suite: 'release', case: 'a seat', connections: 128 },
        { operation: 'release', each: EACH },
      );
    }),
};

export const deny: Suite = {
  name: 'deny',
  what: 'checkouts from a pool that has nothing left, refused with the reason',
  connections: [128],
  run: (options) =>
    Bench.on(options, site, async (bench) => {
      await bench.measure(
        { suite: 'deny', case: 'a full pool', connections: 128 },
        { operation: 'deny', each: EACH, product: 'full' },
      );
    }),
};
