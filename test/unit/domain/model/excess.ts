import type { Decision } from '@berth/server/domain/commands';
import { expect } from 'vitest';
import { LEASE_SECONDS, WINDOW_MS } from '../world.js';
import type { Told } from './actions.js';
import { type Product, people, products, type Site } from './site.js';

// I1, while capacity is below use: nothing is taken from anybody, an entitlement that shrank goes on for as many seats as it has (the borrowed ones,
// then the oldest), and the rest moves to where there is room, or runs out.

/** A seat as it was before a command. */
interface Taken {
  readonly id: string;
  readonly entitlement: string;
  readonly count: number;
  readonly borrowed: boolean;
  readonly takenAtMs: number;
}

export function takenSeats(site: Site): Taken[] {
  const { tables, derived } = site.world.state;
  return [...tables.seat.values()].map(({ id, entitlement, count, takenAtMs }) => ({
    ...{ id, entitlement, count, takenAtMs },
    borrowed: derived.statusBySeat.get(id) === 'borrowed',
  }));
}

const sum = (seats: readonly Taken[]): number => seats.reduce((total, { count }) => total + count, 0);

/** A revision with fewer seats than are in use of one. */
export function shrink(site: Site, product: Product, pick: number, fewer: number): Told {
  const jti = site.entitlement(product, pick);
  const used = sum(takenSeats(site).filter(({ entitlement }) => entitlement === jti));
  if (used < 2) return { words: `nothing of ${jti} is too much` };
  const bounds = { [product]: [-site.lingering(product), 0] as const };
  const seats = Math.max(1, used - fewer);
  const decision = site.importing(product, seats, { jti });
  const said = decision.ok ? 'done' : decision.code;
  return { words: `${jti} has ${seats} seats, of which ${used} are in use -> ${said}`, bounds };
}

/** Whoever has a lease renews it in time, for longer than anybody's window: what may not go on has run out then. */
export function outlive(site: Site): Told {
  const stepMs = (LEASE_SECONDS * 1000) / 3;
  for (let leftMs = WINDOW_MS + stepMs; leftMs > 0; leftMs -= stepMs) {
    for (const who of people) {
      const before = takenSeats(site);
      const leases = site.leases('online', who);
      const { by } = site.world.by(site.device(who));
      goesOnRightly(site, before, site.world.send({ type: 'renew', by, leases, nonce: 'm'.repeat(22) }));
    }
    site.world.pass(stepMs);
  }
  for (const product of products) {
    const entitlements = [...site.world.state.tables.entitlement.values()].filter(
      ({ claims }) => claims.product === product,
    );
    const seats = takenSeats(site);
    for (const { claims, state } of entitlements) {
      const own = seats.filter(({ entitlement }) => entitlement === claims.jti);
      const has = state === 'active' ? claims.seats : 0;
      const most = Math.max(has, sum(own.filter(({ borrowed }) => borrowed)));
      expect(sum(own), `seats of ${claims.jti} that go on`).toBeLessThanOrEqual(most);
    }
  }
  const bound = [Number.NEGATIVE_INFINITY, 0] as const;
  return {
    words: 'everybody renews until what may not go on has run out',
    bounds: { render: bound, sim: bound },
  };
}

/** Of an entitlement that shrank those renew that may, and no others. @param before the renewal */
export function goesOnRightly(site: Site, before: readonly Taken[], decision: Decision<'renew'>): void {
  expect(decision.ok).toBe(true);
  if (!decision.ok) return;
  const { tables } = site.world.state;
  for (const row of decision.outcome.leases) {
    const seat = before.find(({ id }) => id === tables.lease.get(row.lease)?.claims.seat);
    const entitlement = seat && tables.entitlement.get(seat.entitlement);
    if (seat === undefined || entitlement?.state !== 'active') continue;
    const { jti, seats } = entitlement.claims;
    const others = before.filter((other) => other.entitlement === jti && other.id !== seat.id);
    const older = others.filter((other) => isBefore(other, seat));
    const asOld = others.filter((other) => !isBefore(seat, other));
    if ('claims' in row && row.claims.ent === jti)
      expect(sum(older) + seat.count, `${row.lease} goes on`).toBeLessThanOrEqual(seats);
    if ('code' in row && row.code === 'ENTITLEMENT_EXPIRED')
      expect(sum(asOld) + seat.count, `${row.lease} does not go on`).toBeGreaterThan(seats);
  }
}

function isBefore(a: Taken, b: Taken): boolean {
  return a.borrowed === b.borrowed ? a.takenAtMs < b.takenAtMs : a.borrowed;
}

/**
 * I1: a seat goes to another entitlement only while everything that is not on the one of before fits in what is owned without that.
 * @param before the command
 */
export function movedWithinOwned(site: Site, before: readonly Taken[], words: string): void {
  const { tables } = site.world.state;
  const had = new Map(before.map((seat) => [seat.id, seat.entitlement]));
  const after = takenSeats(site);
  for (const { id, entitlement } of after) {
    const from = had.get(id) ?? entitlement;
    const heir = tables.entitlement.get(entitlement)!.claims;
    if (from === entitlement || heir.replaces === from) continue;
    const { owned } = site.world.usage(heir.product);
    const old = tables.entitlement.get(from)!;
    const without = owned - (old.state === 'active' ? old.claims.seats : 0);
    const elsewhere = after.filter(
      (seat) =>
        seat.entitlement !== from &&
        tables.entitlement.get(seat.entitlement)!.claims.product === heir.product,
    );
    expect(sum(elsewhere), `${words}: seats elsewhere, as ${id} leaves ${from}`).toBeLessThanOrEqual(without);
  }
}
