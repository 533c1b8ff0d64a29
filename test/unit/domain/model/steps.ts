import fc from 'fast-check';
import { expect } from 'vitest';
import { actions, type Parameters } from './actions.js';
import { movedWithinOwned, takenSeats } from './excess.js';
import { type Counters, people, products, type Site } from './site.js';

type Do = keyof Parameters;

/** One command as fast-check wants it: run against the model, a counter for each pool, and the real domain. */
export class Step<D extends Do = Do> implements fc.Command<Counters, Site> {
  readonly #do: D;
  readonly #given: Parameters[D];
  /** What happened, once it has. */
  #said: string;

  constructor(what: D, given: Parameters[D]) {
    this.#do = what;
    this.#given = given;
    this.#said = `${what} ${JSON.stringify(given)}`;
  }

  check(): boolean {
    return true;
  }

  run(model: Counters, site: Site): void {
    // For one that throws; a shrunk history runs the same steps again, which did something else before.
    this.#said = `${this.#do} ${JSON.stringify(this.#given)}`;
    const before = takenSeats(site);
    const { words, bounds = {} } = actions[this.#do](site, this.#given);
    this.#said = words;
    movedWithinOwned(site, before, words);
    const real = site.counters();
    for (const product of products) {
      const [least, most] = bounds[product] ?? [0, 0];
      const [had, has] = [model[product], real[product]];
      const where = `${words}: ${product} had ${had} seats taken, now ${has}`;
      expect(has - had, where).toBeGreaterThanOrEqual(least);
      expect(has - had, where).toBeLessThanOrEqual(most);
      // I1: nothing is granted beyond what is owned, nor while there is an excess.
      if (has > had) expect(has, where).toBeLessThanOrEqual(site.world.usage(product).owned);
      model[product] = has;
    }
  }

  toString(): string {
    return this.#said;
  }
}

const who = fc.constantFrom(...people);
const product = fc.constantFrom(...products);
const seats = fc.integer({ min: 1, max: 3 });
const owned = fc.integer({ min: 1, max: 6 });
const pick = fc.nat({ max: 20 });
const when = fc.constantFrom('now' as const, 'pending' as const, 'cancel' as const);
const seconds = fc.integer({ min: 1, max: 7200 });
const setting = fc.constantFrom(null, 1, 100);
const nothing = fc.constant({});

/** How often, and with what. */
const given: { readonly [D in Do]: readonly [weight: number, fc.Arbitrary<Parameters[D]>] } = {
  checkout: [10, fc.record({ who, product, seats })],
  bundle: [3, fc.record({ who, seats })],
  fallback: [3, fc.record({ who, seats })],
  again: [2, fc.record({ who })],
  release: [6, fc.record({ who, pick })],
  renew: [4, fc.record({ who })],
  idle: [3, fc.record({ who, seconds: fc.integer({ min: 0, max: 200 }) })],
  borrow: [4, fc.record({ who, seconds, seats: fc.integer({ min: 1, max: 2 }) })],
  offline: [1, fc.record({ seconds })],
  give: [2, fc.record({ who, pick })],
  assign: [3, fc.record({ who, product, seats })],
  revoke: [3, fc.record({ who, product, seats: fc.constantFrom(1, 2, 'all' as const), when })],
  force: [2, fc.record({ pick, afterMs: fc.constantFrom(null, 1_000, 60_000) })],
  keep: [1, fc.record({ pick })],
  remove: [1, fc.record({ who, when })],
  enrol: [1, fc.record({ who })],
  add: [2, fc.record({ product, seats: owned })],
  resize: [2, fc.record({ product, seats: owned, pick })],
  shrink: [3, fc.record({ product, pick, fewer: fc.integer({ min: 1, max: 3 }) })],
  outlive: [2, nothing],
  replace: [1, fc.record({ product, seats: owned, pick })],
  end: [1, fc.record({ product, pick, when })],
  settings: [2, fc.record({ product, lingerSeconds: setting, idleSeconds: setting })],
  sharing: [
    2,
    fc.record({
      on: fc.boolean(),
      product: fc.constantFrom(null, ...products),
      running: fc.constantFrom('drain' as const, 'cut' as const),
    }),
  ],
  pass: [5, fc.record({ ms: fc.integer({ min: 1, max: 200_000 }) })],
  restart: [2, nothing],
  jump: [1, fc.record({ ms: fc.constantFrom(-7_200_000, -240_000, 240_000, 7_200_000) })],
  accept: [1, nothing],
  disk: [1, fc.record({ low: fc.boolean() })],
};

/** One arbitrary each; as often in the list as it is to be chosen. */
export const stepArbitraries: fc.Arbitrary<Step>[] = (Object.keys(given) as Do[]).flatMap((what) => {
  const [weight, parameters] = given[what];
  const arbitrary = (parameters as fc.Arbitrary<Parameters[Do]>).map(
    (values) => new Step<Do>(what, values) as Step,
  );
  return Array.from({ length: weight }, () => arbitrary);
});
