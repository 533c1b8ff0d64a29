import { borrowFreeAtMs, type LeaseKind, onlineWindowMs, type Pool } from '@berth/protocol';
import type { FakeTime } from './fake-time.js';
import { entitlementToken, type FakeProduct, fakeKeys } from './fake-vendor.js';

/** A lease as the server knows it. */
export interface FakeLease {
  readonly id: string;
  readonly product: string;
  readonly seats: number;
  readonly kind: LeaseKind;
  readonly device: string;
  readonly durationSeconds: number;
  /** When its seats are free if nothing more is heard, ms since 1970. */
  freeAtMs: number;
  isRevoked: boolean;
}

/** The seats of every product, and who has them: counted as a server does. */
export class FakePool {
  readonly #time: FakeTime;
  readonly #products: ReadonlyMap<string, FakeProduct>;
  readonly #leases = new Map<string, FakeLease>();
  /** Seats that somebody who is not in this test has. */
  readonly #occupied = new Map<string, number>();
  readonly #entitlements = new Map<string, string>();
  #count = 0;

  constructor(time: FakeTime, products: ReadonlyMap<string, FakeProduct>) {
    this.#time = time;
    this.#products = products;
    for (const [name, product] of products) {
      this.#entitlements.set(name, entitlementToken(name, product, time.wallMs()));
    }
  }

  has(product: string): boolean {
    return this.#products.has(product);
  }

  entitlement(product: string): string {
    return this.#entitlements.get(product) ?? '';
  }

  maxBorrowSeconds(product: string): number {
    return this.#products.get(product)?.borrowSeconds ?? 30 * 86_400;
  }

  owned(product: string): number {
    return this.#products.get(product)?.seats ?? 0;
  }

  free(product: string): number {
    const { free } = this.status(product);
    return free;
  }

  occupy(product: string, seats: number): void {
    this.#occupied.set(product, Math.min(seats, this.owned(product)));
  }

  /** Somebody else's seats, of a product. */
  occupied(product: string): number {
    return this.#occupied.get(product) ?? 0;
  }

  take(wish: Pick<FakeLease, 'product' | 'seats' | 'kind' | 'device' | 'durationSeconds'>): FakeLease {
    const id = `fake-lease-${++this.#count}`;
    const lease: FakeLease = { ...wish, id, isRevoked: false, freeAtMs: 0 };
    this.#leases.set(id, lease);
    this.renew(lease);
    return lease;
  }

  renew(lease: FakeLease): void {
    const nowMs = this.#time.wallMs();
    const endsMs = nowMs + lease.durationSeconds * 1000;
    lease.freeAtMs =
      lease.kind === 'borrow'
        ? borrowFreeAtMs(nowMs, endsMs)
        : nowMs + onlineWindowMs(lease.durationSeconds * 1000);
  }

  /** One that still counts. */
  lease(id: string): FakeLease | undefined {
    return this.leases().find((lease) => lease.id === id);
  }

  leases(): FakeLease[] {
    for (const [id, lease] of this.#leases) {
      if (lease.freeAtMs <= this.#time.wallMs()) this.#leases.delete(id);
    }
    return [...this.#leases.values()];
  }

  end(id: string): void {
    this.#leases.delete(id);
  }

  status(product: string): Pool {
    const owned = this.owned(product);
    const count = (kind: LeaseKind) =>
      this.leases()
        .filter((lease) => lease.product === product && lease.kind === kind)
        .reduce((sum, lease) => sum + lease.seats, 0);
    const borrowed = count('borrow');
    const inUse = count('online') + this.occupied(product);
    const over = Math.max(0, inUse + borrowed - owned);
    const free = owned + over - inUse - borrowed;
    const shares = { owned, allocated: 0, shared: owned, floatingSharing: true };
    return { product, vendor: fakeKeys.vendorText, ...shares, inUse, borrowed, held: 0, free, over };
  }

  get products(): string[] {
    return [...this.#products.keys()];
  }
}
