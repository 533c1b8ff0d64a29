/** A seeded generator (mulberry32): a failing test prints its seed, and the seed brings the failure back. */
export type Random = (below: number) => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The seed of this run: BERTH_SEED, or a new one. */
export function runSeed(): number {
  return Number(process.env.BERTH_SEED ?? Math.floor(Math.random() * 2 ** 32));
}
