import { borrowFreeAtMs, type LeaseClaims, onlineWindowMs, type Share } from '@berth/protocol';
import { expect, test } from 'vitest';
import { DAY_MS, World } from './world.js';

// Two histories that begin alike: the one that was lived, and the one that a backup brings back. Whatever both signed, never more seats of a
// product are anybody's right than are owned (I1, I9). What is anybody's right is reckoned here from what was signed, with none of the
// domain's code but its windows.

const SEED = Number(process.env.RESTORE_SEED ?? 0);
const HISTORIES = Number(process.env.RESTORE_HISTORIES ?? 25);

/** What one token gives: until when, unless its device stops before. */
interface Right {
  readonly claims: LeaseClaims;
  readonly device: string;
  untilMs: number;
}

class Site {
  readonly rights = new Map<string, Right>();
  readonly world = new World();
  /** Leases that a restored server took back, and seats that it granted. */
  readonly seen = { admitted: 0, granted: 0 };
  readonly devices: readonly string[];
  readonly #below: (bound: number) => number;
  readonly #owned: number;

  constructor(share: Share, below: (bound: number) => number) {
    this.#below = below;
    const { world } = this;
    const [first, second] = [1 + below(3), below(3)];
    this.#owned = first + second;
    world.import({ seats: first, share, borrow: { maxSeconds: 3600, seats: 1 + below(first) } });
    if (second > 0) {
      const lends = below(2) === 0 ? { borrow: { maxSeconds: 7200, seats: 1 } } : { borrow: undefined };
      world.import({ jti: 'ent-2', seats: second, share, ...(lends as object) });
    }
    if (below(2) === 0)
      world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings: { lingerSeconds: 300 } });
    this.devices = ['anna', 'ben', 'cleo', 'dave'].map((name) => world.user(name));
  }

  /** Somebody does something, and some time passes. */
  step(): void {
    const { world } = this;
    const device = this.devices[this.#below(this.devices.length)]!;
    const own = this.#of(device);
    switch (this.#below(7)) {
      case 0:
      case 1: {
        const decision = world.send(world.checkingOut(device, 1 + this.#below(2)));
        if (decision.ok) this.#take(device, decision.outcome.leases);
        break;
      }
      case 2: {
        const decision = world.send(world.borrowing(device, 60 + this.#below(3500), 1 + this.#below(2)));
        if (decision.ok) this.#take(device, decision.outcome.leases);
        break;
      }
      case 3:
        this.#release(device, own.filter(({ claims }) => claims.kind === 'online').slice(0, 1));
        break;
      case 4:
        this.#giveBack(
          device,
          own.filter(({ claims }) => claims.kind === 'borrow'),
        );
        break;
      default:
        this.#renewAll();
    }
    this.pass(this.#below(3) === 0 ? this.#below(1_800_000) : this.#below(60_000));
  }

  pass(ms: number): void {
    this.world.pass(ms);
    this.#judge();
  }

  /** The server is gone for a while, and comes back as it was in the backup. */
  restore(backup: Map<string, string>): void {
    const { world } = this;
    const awayMs = this.#below(2) === 0 ? this.#below(20_000) : this.#below(3_600_000);
    const { monoMs, wallMs } = world.now;
    world.now = { monoMs, wallMs: wallMs + awayMs, steadyWallMs: wallMs + awayMs };
    world.restore(backup);
    this.#judge();
  }

  /** A device connects: it shows all it has, as the SDK does, or (rarely) only some of it. */
  show(): void {
    const device = this.devices[this.#below(this.devices.length)]!;
    const all = this.#of(device).filter(({ claims }) => this.#isUsable(claims));
    const shown = this.#below(4) === 0 ? all.slice(0, 1) : all;
    const leases = shown.map(({ claims }) => claims);
    const { admitted } = this.world.ok({ type: 'readmit', by: this.world.by(device).by, leases });
    this.seen.admitted += admitted.length;
    this.#renew(device);
    this.#judge();
  }

  #isUsable({ exp }: LeaseClaims): boolean {
    return exp * 1000 > this.world.now.wallMs;
  }

  #of(device: string): Right[] {
    return [...this.rights.values()].filter((right) => right.device === device);
  }

  #take(device: string, leases: readonly LeaseClaims[]): void {
    for (const claims of leases) {
      const untilMs =
        claims.kind === 'online'
          ? this.world.now.wallMs + onlineWindowMs(claims.dur * 1000)
          : borrowFreeAtMs(claims.iat * 1000, claims.exp * 1000);
      this.rights.set(claims.jti, { claims, device, untilMs });
      if (claims.epoch !== 'epoch') this.seen.granted += 1;
    }
  }

  #renewAll(): void {
    for (const device of this.devices) if (this.#below(3) > 0) this.#renew(device);
  }

  #renew(device: string): void {
    const online = this.#of(device).filter(
      ({ claims }) => claims.kind === 'online' && this.#isUsable(claims),
    );
    const leases = online.map(({ claims }) => claims.jti);
    if (leases.length === 0) return;
    for (const row of this.world.renew(device, leases).leases) {
      if ('claims' in row) this.#take(device, [row.claims]);
      else this.rights.delete(row.lease);
    }
  }

  #release(device: string, rights: readonly Right[]): void {
    const leases = rights.map(({ claims }) => claims.jti);
    if (leases.length === 0) return;
    this.world.send({ type: 'release', ...this.world.by(device), leases, stopped: [] });
    for (const lease of leases) this.rights.delete(lease);
  }

  /** With the stops of every token it has of them. */
  #giveBack(device: string, rights: readonly Right[]): void {
    const leases = rights.map(({ claims }) => claims.jti);
    if (leases.length === 0) return;
    if (!this.world.send({ type: 'return', ...this.world.by(device), leases }).ok) return;
    for (const lease of leases) this.rights.delete(lease);
  }

  #judge(): void {
    const seats = new Map<string, number>();
    for (const [id, { claims, untilMs }] of this.rights) {
      if (untilMs <= this.world.now.wallMs) this.rights.delete(id);
      else seats.set(claims.seat, Math.max(seats.get(claims.seat) ?? 0, claims.n));
    }
    const out = [...seats.values()].reduce((sum, count) => sum + count, 0);
    if (out > this.#owned)
      throw new Error(`${out} seats are out of ${this.#owned}: ${JSON.stringify([...this.rights.values()])}`);
  }
}

test.each(['process', 'device', 'user'] as const)('no restore ever doubles a seat (share %s)', (share) => {
  let [admitted, granted] = [0, 0];
  for (let at = 0; at < HISTORIES; at += 1) {
    const seed = SEED === 0 ? at + 1 : SEED;
    try {
      const site = new Site(share, dice(seed));
      live(site, dice(seed + 1_000_000));
      admitted += site.seen.admitted;
      granted += site.seen.granted;
    } catch (error) {
      throw new Error(`RESTORE_SEED=${seed} (share ${share})`, { cause: error });
    }
    if (SEED !== 0) return;
  }
  // A check that never sees a lease taken back, nor a grant after a restore, shows nothing.
  expect(admitted).toBeGreaterThan(0);
  expect(granted).toBeGreaterThan(0);
});

/** Some of it before the backup, some of it lost, then the restored server; and, now and then, all of that once more. */
function live(site: Site, below: (bound: number) => number): void {
  for (let round = 0; round <= below(2); round += 1) {
    for (let steps = below(8); steps > 0; steps -= 1) site.step();
    const backup = site.world.rows();
    for (let steps = below(8); steps > 0; steps -= 1) site.step();
    site.restore(backup);
    for (let steps = 30; steps > 0; steps -= 1) {
      if (below(3) === 0) site.show();
      site.step();
    }
  }
  site.pass(9 * DAY_MS);
}

/** Mulberry32. */
function dice(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * bound);
  };
}
