import { nativeEd25519 } from '@berth/client/internal';
import { fastCrypto, rememberingCrypto, type SimCrypto } from './sim-crypto.js';
import { Dice } from './sim-random.js';

/** Every so many seeds a large one. */
export const LARGE_EVERY = 50;
/** One in so many seeds, but no large one, is of each of these kinds. */
const KINDS_EVERY = 10;
/** In these clocks also do what no invariant promises to bear. */
const BEYOND_AT = 9;
/** In these the server is lost, and made anew of a backup. */
const RESTORES_AT = 4;

const MINUTE_MS = 60_000;

/** What one seed is, apart from its randomness. */
export interface Plan {
  readonly seed: number;
  readonly isLarge: boolean;
  /** How long things go wrong; the liveness phase comes after it. */
  readonly hours: number;
  readonly clients: number;
  readonly crypto: SimCrypto;
  /** D, seconds. */
  readonly leaseSeconds: number;
  /** Seats of each pool, as a multiple of those for 20 clients: as many clients want each seat on every site. */
  readonly scale: number;
  /** How long a client, and an admin, does nothing between two things it does, ms on average. */
  readonly clientThinksMs: number;
  readonly adminThinksMs: number;
  /** The most that somebody borrows for, seconds. */
  readonly loanSeconds: number;
  /** Between two faults, ms on average. */
  readonly faultEveryMs: number;
  /** Whether what no invariant promises happens as well. */
  readonly beyond: boolean;
  /** Whether the server is once made anew of a backup. */
  readonly restores: boolean;
  /** Whether errors have stacks: a replay wants them, a thousand seeds do not. */
  readonly stacks: boolean;
  /** How often somebody looks whether anything is wrong already, ms: looking changes nothing but when the seed ends. */
  readonly lookEveryMs: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly hours?: number | undefined;
  readonly clients?: number | undefined;
  readonly crypto?: SimCrypto | undefined;
  readonly stacks?: boolean | undefined;
  /** In every seed, not in those alone that are of that kind. */
  readonly restores?: boolean | undefined;
  readonly lookEveryMs?: number | undefined;
}

/** The most clients of a site that is not large. */
const MOST_CLIENTS = 20;

const small = {
  isLarge: false,
  hours: 2,
  loanSeconds: 3_600,
  crypto: fastCrypto,
};

/** Ten times the clients for twelve times as long, with real signatures. It would take an hour with the small one's haste, so leases last longer and everybody thinks longer. Some borrow for so long that what clocks may drift meanwhile (I3) is more than the auditor forgives. */
const large = {
  isLarge: true,
  hours: 24,
  clients: 200,
  crypto: rememberingCrypto(nativeEd25519),
  leaseSeconds: 1_800,
  loanSeconds: 80_000,
  clientThinksMs: 40 * MINUTE_MS,
  adminThinksMs: 5 * MINUTE_MS,
  faultEveryMs: 20 * MINUTE_MS,
};

export function planOf(options: PlanOptions): Plan {
  const { seed, hours, clients, crypto, stacks = false, restores = false, lookEveryMs } = options;
  const base = seed % LARGE_EVERY === 0 ? large : { ...small, ...siteOf(seed) };
  const size = clients ?? base.clients;
  return {
    ...base,
    seed,
    hours: hours ?? base.hours,
    clients: size,
    scale: size / MOST_CLIENTS,
    crypto: crypto ?? base.crypto,
    beyond: seed % KINDS_EVERY === BEYOND_AT,
    stacks,
    restores: restores || seed % KINDS_EVERY === RESTORES_AT,
    lookEveryMs: lookEveryMs ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * Most faults of a protocol need two clients and a server that crashes, so four of five sites are small; one in five is a crowd. Sites differ in how long
 * their leases last, in how busy they are, and in how much goes wrong.
 */
function siteOf(
  seed: number,
): Pick<Plan, 'clients' | 'leaseSeconds' | 'clientThinksMs' | 'adminThinksMs' | 'faultEveryMs'> {
  const dice = new Dice(seed, 'clients');
  const clients = dice.chance(0.2) ? dice.between(12, MOST_CLIENTS) : dice.between(2, 6);
  const leaseSeconds = dice.pick([120, 300, 600]);
  const calm = dice.pick([2, 5, 10]);
  return {
    ...{ clients, leaseSeconds, faultEveryMs: dice.pick([3, 6, 12]) * MINUTE_MS },
    ...{ clientThinksMs: 1.5 * calm * MINUTE_MS, adminThinksMs: calm * MINUTE_MS },
  };
}
