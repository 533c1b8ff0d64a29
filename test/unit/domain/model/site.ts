import type { Command, Decision } from '@berth/server/domain/commands';
import { keyOf, World } from '../world.js';

export const people = ['anna', 'bob', 'node'] as const;
export type Who = (typeof people)[number];
export const products = ['render', 'sim'] as const;
export type Product = (typeof products)[number];
export type Share = 'process' | 'device' | 'user';

/** One counter a pool: the seats that are in somebody's hands, in whatever way. All that the model knows. */
export type Counters = { [P in Product]: number };

/** By how much a command may change each counter, least and most; a pool that is not named stays as it is. */
export type Bounds = Readonly<Partial<Record<Product, readonly [least: number, most: number]>>>;

const NOBODY = 'nobody';
export const DAY_MS = 86_400_000;

/** The real domain of a studio with two people, a render node and two pools, and what the commands need to name things in it. */
export class Site {
  readonly world = new World();
  readonly devices = new Map<Who, string>();
  readonly share: Share;
  readonly lastAsked: Map<string, Command<'checkout'>> = new Map();
  readonly revisions: Counters = { render: 1, sim: 1 };
  named = 0;
  requests = 0;

  constructor(share: Share) {
    this.share = share;
    this.importing('render', 4, { jti: 'render-1' });
    this.importing('sim', 2, { jti: 'sim-1' });
    for (const who of people) this.enrol(who);
  }

  device(who: Who): string {
    return this.devices.get(who) ?? NOBODY;
  }

  email(who: Who): string {
    return who === 'node' ? `machine:${this.device(who)}` : `${who}@studio.example`;
  }

  /** @returns whether there was anything to do */
  enrol(who: Who): boolean {
    const { tables } = this.world.state;
    if (this.world.diskLow || tables.device.has(this.device(who)) || tables.user.has(this.email(who)))
      return false;
    if (who !== 'node') this.devices.set(who, this.world.user(who));
    else {
      const facts = { name: 'farm', group: null, maxUses: 1, expiresAtMs: null };
      const { token } = this.world.ok({ type: 'createMachineToken', ...this.world.admin(), ...facts });
      const enrolled = this.world.ok({
        type: 'enrolMachine',
        token: token.id,
        leaseKey: keyOf('node'),
        name: 'node-1',
      });
      this.devices.set(who, enrolled.device);
    }
    return true;
  }

  /** @param names `jti`: of a new entitlement, or of the one that this is a new revision of */
  importing(product: Product, seats: number, names: { jti: string; replaces?: string }): Decision<'import'> {
    const claims = { product, seats, rev: this.revisions[product]++, share: this.share };
    const borrow = { maxSeconds: 86_400, seats: 2 };
    return this.world.send(this.world.importing({ ...claims, borrow, ...names }));
  }

  /** A name for one more entitlement of a pool. */
  newName(product: Product): string {
    return `${product}-new-${++this.named}`;
  }

  /** One of the entitlements that a pool has now; the last that it had when all are removed. */
  entitlement(product: Product, pick: number): string {
    const all = [...this.world.state.tables.entitlement.values()].filter(
      ({ claims }) => claims.product === product,
    );
    const live = all.filter(({ state }) => state === 'active');
    const ids = (live.length > 0 ? live : all).map(({ claims }) => claims.jti);
    return ids[pick % Math.max(ids.length, 1)] ?? `${product}-1`;
  }

  leases(kind: 'online' | 'borrow', who?: Who): string[] {
    const device = who === undefined ? undefined : this.device(who);
    return [...this.world.state.tables.lease.values()]
      .filter((row) => row.claims.kind === kind && (device === undefined || row.device === device))
      .map((row) => row.claims.jti);
  }

  counters(): Counters {
    return { render: this.world.usage('render').used, sim: this.world.usage('sim').used };
  }

  /** Seats that nobody has a lease of and that are kept for whoever had it: many commands may end that. */
  lingering(product: Product): number {
    let sum = 0;
    for (const seat of this.world.state.tables.seat.values())
      if (seat.linger !== undefined && seat.product === product) sum += seat.count;
    return sum;
  }

  /** A pool in which every free seat is for everybody: what is refused there was taken. */
  isOpen(product: Product): boolean {
    const { tables } = this.world.state;
    const plain = [...tables.entitlement.values()].every(({ removing }) => removing === undefined);
    return plain && this.world.usage(product).allocated === 0 && tables.product.get(product)!.sharing;
  }
}
