import type { Command, CommandType, Decision, Want } from '@berth/server/domain/commands';
import { expect } from 'vitest';
import { keyOf } from '../world.js';
import { goesOnRightly, outlive, shrink, takenSeats } from './excess.js';
import { type Bounds, type Product, products, type Site, type Who } from './site.js';

/** What a command is given; each is generated in steps.ts. */
export interface Parameters {
  checkout: { who: Who; product: Product; seats: number };
  bundle: { who: Who; seats: number };
  fallback: { who: Who; seats: number };
  again: { who: Who };
  release: { who: Who; pick: number };
  renew: { who: Who };
  idle: { who: Who; seconds: number };
  borrow: { who: Who; seconds: number; seats: number };
  offline: { seconds: number };
  give: { who: Who; pick: number };
  assign: { who: Who; product: Product; seats: number };
  revoke: { who: Who; product: Product; seats: number | 'all'; when: 'now' | 'pending' | 'cancel' };
  force: { pick: number; afterMs: number | null };
  keep: { pick: number };
  remove: { who: Who; when: 'now' | 'pending' | 'cancel' };
  enrol: { who: Who };
  add: { product: Product; seats: number };
  resize: { product: Product; seats: number; pick: number };
  shrink: { product: Product; pick: number; fewer: number };
  outlive: Record<never, never>;
  replace: { product: Product; seats: number; pick: number };
  end: { product: Product; pick: number; when: 'now' | 'pending' | 'cancel' };
  settings: { product: Product; lingerSeconds: number | null; idleSeconds: number | null };
  sharing: { on: boolean; product: Product | null; running: 'drain' | 'cut' };
  pass: { ms: number };
  restart: Record<never, never>;
  jump: { ms: number };
  accept: Record<never, never>;
  disk: { low: boolean };
}

/** What happened, in words, and what it may do to the counters. Left out: nothing. */
export interface Told {
  readonly words: string;
  readonly bounds?: Bounds;
}

/** Everything in all pools may end, and nothing may begin. */
const onlyFewer: Bounds = Object.fromEntries(
  products.map((product) => [product, [Number.NEGATIVE_INFINITY, 0]]),
);

const all = (site: Site, product: Product): Bounds => ({ [product]: [-site.lingering(product), 0] });

export const actions: { readonly [D in keyof Parameters]: (site: Site, given: Parameters[D]) => Told } = {
  checkout: (site, { who, product, seats }) =>
    take(site, who, `checks out ${seats} of ${product}`, [{ products: [product], seats }]),
  bundle: (site, { who, seats }) =>
    take(site, who, `checks out ${seats} of render and 1 of sim, or nothing`, [
      { products: ['render'], seats },
      { products: ['sim'], seats: 1 },
    ]),
  fallback: (site, { who, seats }) =>
    take(site, who, `checks out ${seats} of sim, else of render`, [{ products: ['sim', 'render'], seats }]),
  again: (site, { who }) => {
    const asked = site.lastAsked.get(who);
    const { tables } = site.world.state;
    const kept = asked && tables.request.get(`${asked.request.device} ${asked.request.key}`);
    if (asked === undefined || kept === undefined) return { words: `${who} has nothing to ask again` };
    const decision = site.world.send(asked);
    // I7
    if (tables.device.has(asked.by.device))
      expect(decision).toMatchObject({ ok: true, outcome: kept.outcome });
    return { words: `${who} asks the same again -> ${saidOf(decision)}` };
  },
  release: (site, { who, pick }) => {
    const lease = one(site.leases('online', who), pick);
    if (lease === undefined) return { words: `${who} has nothing to release` };
    const [product, seats] = seatsOf(site, lease);
    site.world.release(site.device(who), [lease], [lease]);
    return { words: `${who} releases ${lease}`, bounds: { [product]: [-seats, 0] } };
  },
  renew: (site, { who }) => renew(site, who, null),
  idle: (site, { who, seconds }) => renew(site, who, seconds),
  borrow: (site, { who, seconds, seats }) => {
    const before = seatIds(site);
    const lingering = site.lingering('render');
    const decision = site.world.send(site.world.borrowing(site.device(who), seconds, seats));
    const words = `${who} borrows ${seats} of render for ${seconds} s -> ${saidOf(decision)}`;
    return {
      words,
      bounds: bounds(decision.ok ? decision.outcome.leases : [], before, { render: lingering }),
    };
  },
  offline: (site, { seconds }) => {
    const before = seatIds(site);
    const lingering = site.lingering('render');
    const nonce = `offline-${++site.requests}`.padEnd(22, 'n');
    const decision = site.world.send({
      type: 'grantBorrow',
      by: site.world.admin().by,
      request: { device: `offline ${keyOf('cave')}`, key: nonce, hash: 'hash' },
      ...{
        leaseKey: keyOf('cave'),
        name: 'cave',
        email: 'anna@studio.example',
        server: null,
        product: 'render',
      },
      ...{ seats: 1, seconds, nonce, requestedAtMs: site.world.now.wallMs },
    });
    const words = `a file from the cave borrows 1 of render for ${seconds} s -> ${saidOf(decision)}`;
    return {
      words,
      bounds: bounds(decision.ok ? decision.outcome.leases : [], before, { render: lingering }),
    };
  },
  give: (site, { who, pick }) => {
    const lease = one(site.leases('borrow', who), pick);
    if (lease === undefined) return { words: `${who} has no borrow to return` };
    const [product, seats] = seatsOf(site, lease);
    // A removal that was pending for it is carried out, and gives up what was kept.
    const bound: Bounds = { ...all(site, 'render'), ...all(site, 'sim') };
    const least = -seats - site.lingering(product);
    site.world.ok({ type: 'return', ...site.world.by(site.device(who)), leases: [lease] });
    return { words: `${who} returns ${lease}`, bounds: { ...bound, [product]: [least, 0] } };
  },
  assign: (site, { who, product, seats }) => {
    const bound = all(site, product);
    const asked = { email: site.email(who), product, quantity: seats, endMs: null };
    const decision = site.world.send({ type: 'assign', ...site.world.admin(), ...asked });
    return { words: `${who} is assigned ${seats} of ${product} -> ${saidOf(decision)}`, bounds: bound };
  },
  revoke: (site, { who, product, seats, when }) => {
    const bound = all(site, product);
    const asked = { email: site.email(who), product, quantity: seats, endMs: null, when };
    const decision = keepingBorrows(site, { type: 'revoke', ...site.world.admin(), ...asked });
    return {
      words: `${seats} of ${product} of ${who} revoked (${when}) -> ${saidOf(decision)}`,
      bounds: bound,
    };
  },
  force: (site, { pick, afterMs }) => {
    const lease = one(site.leases('online'), pick);
    if (lease === undefined) return { words: 'there is no lease to take back' };
    const later = afterMs === null ? {} : { afterMs };
    // Whatever is kept for its holder may be given up; a seat in use is only held (I1).
    const [product] = seatsOf(site, lease);
    const bound = all(site, product);
    const decision = site.world.send({
      type: 'revokeLease',
      ...site.world.admin(),
      lease,
      reason: '',
      ...later,
    });
    const words = `an admin takes ${lease} back${afterMs === null ? '' : ` after ${afterMs} ms`} -> ${saidOf(decision)}`;
    return { words, bounds: bound };
  },
  keep: (site, { pick }) => {
    const lease = one(site.leases('online'), pick);
    if (lease === undefined) return { words: 'there is no lease to leave' };
    const decision = site.world.send({ type: 'keepLease', ...site.world.admin(), lease });
    return { words: `an admin leaves ${lease} where it is -> ${saidOf(decision)}` };
  },
  remove: (site, { who, when }) => {
    const bound: Bounds = { ...all(site, 'render'), ...all(site, 'sim') };
    const asked = site.world.admin();
    const decision =
      who === 'node'
        ? keepingBorrows(site, { type: 'removeMachine', ...asked, machine: site.device('node') })
        : keepingBorrows(site, { type: 'removeUser', ...asked, email: site.email(who), when });
    return { words: `${who} is removed (${when}) -> ${saidOf(decision)}`, bounds: bound };
  },
  enrol: (site, { who }) => ({ words: `${who} ${site.enrol(who) ? 'joins again' : 'is there already'}` }),
  add: (site, { product, seats }) => {
    const bound = all(site, product);
    const jti = site.newName(product);
    const decision = site.importing(product, seats, { jti });
    return { words: `${jti} with ${seats} seats comes on top -> ${saidOf(decision)}`, bounds: bound };
  },
  resize: (site, { product, seats, pick }) => {
    const bound = all(site, product);
    const jti = site.entitlement(product, pick);
    const decision = site.importing(product, seats, { jti });
    return { words: `${jti} now has ${seats} seats -> ${saidOf(decision)}`, bounds: bound };
  },
  shrink: (site, { product, pick, fewer }) => shrink(site, product, pick, fewer),
  outlive: (site) => outlive(site),
  replace: (site, { product, seats, pick }) => {
    const bound = all(site, product);
    const names = { replaces: site.entitlement(product, pick), jti: site.newName(product) };
    const decision = site.importing(product, seats, names);
    return {
      words: `${names.jti} with ${seats} seats replaces ${names.replaces} -> ${saidOf(decision)}`,
      bounds: bound,
    };
  },
  end: (site, { product, pick, when }) => {
    const bound = all(site, product);
    const id = site.entitlement(product, pick);
    const decision = keepingBorrows(site, { type: 'removeEntitlement', ...site.world.admin(), id, when });
    return { words: `${id} is removed (${when}) -> ${saidOf(decision)}`, bounds: bound };
  },
  settings: (site, { product, lingerSeconds, idleSeconds }) => {
    const bound = all(site, product);
    const settings = { lingerSeconds, idleSeconds };
    const decision = site.world.send({ type: 'setPool', ...site.world.admin(), product, settings });
    return {
      words: `${product}: linger ${lingerSeconds}, idle ${idleSeconds} -> ${saidOf(decision)}`,
      bounds: bound,
    };
  },
  sharing: (site, { on, product, running }) => {
    const bound: Bounds = { ...all(site, 'render'), ...all(site, 'sim') };
    const decision = keepingBorrows(site, {
      type: 'setSharing',
      ...site.world.admin(),
      on,
      product,
      running,
    });
    const what = `sharing of ${product ?? 'all'} ${on ? 'on' : `off (${running})`}`;
    return { words: `${what} -> ${saidOf(decision)}`, bounds: bound };
  },
  pass: (site, { ms }) => {
    site.world.pass(ms);
    return { words: `${ms} ms pass`, bounds: onlyFewer };
  },
  restart: (site) => {
    // I4: everything is held. A clock that jumped before is believed by the next process (I3 does not promise it).
    const trusted = site.world.now.steadyWallMs === site.world.now.wallMs;
    site.world.restart();
    site.world.tick();
    return { words: 'the server restarts', ...(trusted ? {} : { bounds: onlyFewer }) };
  },
  jump: (site, { ms }) => {
    const { now } = site.world;
    const wallMs = now.wallMs + ms;
    site.world.now = { ...now, wallMs, steadyWallMs: Math.min(now.steadyWallMs, wallMs) };
    const borrowed = site.world.usage().borrowed;
    site.world.tick();
    // I5
    if (ms > 0) expect(site.world.usage().borrowed).toBe(borrowed);
    return { words: `the wall clock jumps by ${ms} ms`, bounds: onlyFewer };
  },
  accept: (site) => {
    const decision = site.world.send({ type: 'acceptClock', ...site.world.admin() });
    const { now } = site.world;
    site.world.now = { ...now, steadyWallMs: now.wallMs };
    site.world.tick();
    return { words: `an admin accepts the clock -> ${saidOf(decision)}`, bounds: onlyFewer };
  },
  disk: (site, { low }) => {
    site.world.diskLow = low;
    return { words: `the disk ${low ? 'is low' : 'has room'}` };
  },
};

function take(site: Site, who: Who, what: string, wants: readonly Want[]): Told {
  const before = seatIds(site);
  const lingering = { render: site.lingering('render'), sim: site.lingering('sim') };
  const command: Command<'checkout'> = { ...site.world.checkingOut(site.device(who)), wants };
  site.lastAsked.set(who, command);
  const free = Object.fromEntries(products.map((product) => [product, site.world.usage(product).free]));
  const decision = site.world.send(command);
  const words = `${who} ${what} -> ${saidOf(decision)}`;
  if (!decision.ok) {
    const [want] = wants;
    const product = want!.products[0] as Product;
    // A seat that is free and for everybody is not refused.
    if (
      decision.code === 'NO_SEAT' &&
      wants.length === 1 &&
      want!.products.length === 1 &&
      site.isOpen(product)
    )
      expect(free[product], words).toBeLessThan(want!.seats);
    return { words };
  }
  for (const want of wants) {
    const granted = decision.outcome.leases.filter(({ product }) => want.products.includes(product));
    const seats = granted.reduce((sum, { n }) => sum + n, 0);
    // All or nothing; only a seat that was there and is joined may be larger.
    expect(seats, words).toBeGreaterThanOrEqual(want.seats);
    if (!decision.outcome.joined) expect(seats, words).toBe(want.seats);
    expect(new Set(granted.map(({ product }) => product)).size, words).toBe(1);
  }
  return { words, bounds: bounds(decision.outcome.leases, before, lingering) };
}

function renew(site: Site, who: Who, idleSeconds: number | null): Told {
  const leases = site.leases('online', who);
  const idle = idleSeconds === null ? {} : { idle: leases.map((lease) => ({ lease, seconds: idleSeconds })) };
  const { by } = site.world.by(site.device(who));
  const before = takenSeats(site);
  const decision = site.world.send({ type: 'renew', by, leases, nonce: 'm'.repeat(22), ...idle });
  goesOnRightly(site, before, decision);
  const how = idleSeconds === null ? '' : `, idle for ${idleSeconds} s`;
  return { words: `${who} renews ${leases.join(', ') || 'nothing'}${how} -> ${saidOf(decision)}` };
}

/** I8: nothing that an admin does takes a borrow away. */
function keepingBorrows<T extends CommandType>(site: Site, command: Command<T>): Decision<T> {
  const borrowed = products.map((product) => site.world.usage(product).borrowed);
  const decision = site.world.send(command);
  expect(products.map((product) => site.world.usage(product).borrowed)).toEqual(borrowed);
  return decision;
}

function seatIds(site: Site): Set<string> {
  return new Set([...site.world.state.tables.seat.values()].map(({ id }) => id));
}

/** The counters grow by the seats that were not there before, and by no more; what lingered may have been given up for them. */
function bounds(
  leases: readonly { readonly seat: string; readonly product: string; readonly n: number }[],
  before: ReadonlySet<string>,
  lingering: Partial<Record<Product, number>>,
): Bounds {
  const grown = (product: Product): number => {
    const fresh = new Map(leases.filter((row) => row.product === product).map(({ seat, n }) => [seat, n]));
    return [...fresh].reduce((sum, [seat, n]) => sum + (before.has(seat) ? 0 : n), 0);
  };
  return Object.fromEntries(
    products.map((product) => [product, [grown(product) - (lingering[product] ?? 0), grown(product)]]),
  );
}

function seatsOf(site: Site, lease: string): [Product, number] {
  const { claims } = site.world.state.tables.lease.get(lease)!;
  // Who joined with fewer holds the whole seat.
  return [claims.product as Product, site.world.state.tables.seat.get(claims.seat)!.count];
}

function one(ids: readonly string[], pick: number): string | undefined {
  return ids[pick % Math.max(ids.length, 1)];
}

function saidOf(decision: Decision<CommandType>): string {
  if (!decision.ok) return decision.code;
  const { outcome } = decision;
  if (!('leases' in outcome)) return 'done';
  const rows = outcome.leases.map((row) => {
    if (!('jti' in row)) return 'code' in row ? row.code : row.lease;
    return `${row.jti} (${row.n} of ${row.product}, seat ${row.seat})`;
  });
  return `${'joined' in outcome && outcome.joined ? 'joined ' : 'granted '}${rows.join(', ')}`;
}
