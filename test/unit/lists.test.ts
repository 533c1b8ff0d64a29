import { roleOrder } from '@berth/protocol';
import { listAllocations } from '@berth/server/admin/allocation-list';
import { listLeases } from '@berth/server/admin/lease-list';
import { inTurns, ROWS_AT_ONCE, Selection } from '@berth/server/admin/selection';
import { listUsers } from '@berth/server/admin/user-list';
import { isLasting } from '@berth/server/domain/views';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { World } from './domain/world.js';

// Lists of many rows: their pages, one after the other, are what sorting all rows gives, also while rows come and go (PROTOCOL 7, pages).

interface Answered {
  readonly items: readonly object[];
  readonly next: string | null;
}
type Asking = { readonly cursor?: string; readonly limit: number };

/** Every page, one after the other. */
async function all(
  ask: (page: Asking) => Promise<{ ok: boolean; result?: Answered }>,
  limit: number,
  between = (): void => {},
): Promise<object[]> {
  const found: object[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { result } = await ask({ limit, ...(cursor === undefined ? {} : { cursor }) });
    expect(result!.items.length).toBeLessThanOrEqual(limit);
    found.push(...result!.items);
    cursor = result!.next;
    between();
  }
  return found;
}

function deps(world: World) {
  const read = async <R>(view: (state: World['state'], now: World['now']) => R) =>
    view(world.state, world.now);
  return { state: world.state, engine: { read } };
}

const products = ['render', 'render-2', 'bake'] as const;
const names = [...'dbkaclgehfij'].map((letter) => `u${letter}`);

/** Users with leases, seats that linger, borrows that were extended, and allocations of several products. */
function studio() {
  const world = new World();
  for (const [at, product] of products.entries()) {
    world.import({ jti: `ent-${at}`, product, seats: 200 });
    world.import({ jti: `ent-${9 - at}`, product, seats: 50 });
  }
  world.ok({ type: 'setPool', ...world.admin(), product: 'bake', settings: { lingerSeconds: 60 } });
  const devices = names.map((name) => world.user(name));
  for (const [at, device] of devices.entries()) {
    for (const product of products.slice(at % 2)) world.checkout(device, 1, product);
    for (const product of products.slice(at % 3)) assign(world, names[at]!, product, 1 + (at % 4));
    if (at % 3 === 0) leave(world, device);
  }
  for (const seconds of [3600, 7200]) world.ok({ ...world.borrowing(devices[0]!, seconds) });
  return { world, devices };
}

function assign(world: World, name: string, product: string, quantity: number): void {
  const asked = { email: `${name}@studio.example`, product, quantity, endMs: null };
  world.ok({ type: 'assign', ...world.admin(), ...asked });
}

function leave(world: World, device: string): void {
  const { leases } = world.checkout(device, 1, 'bake');
  world.release(
    device,
    leases.map(({ jti }) => jti),
  );
}

/** What the list has, by a walk over all rows. */
function leasesIn({ state }: World, email?: string, product?: string): string[] {
  const { lease, seat } = state.tables;
  const rows = [
    ...[...lease.values()]
      .filter((row) => isLasting(state, row))
      .map((row) => ({ email: row.email, product: row.claims.product, id: row.claims.jti })),
    ...[...seat.values()].flatMap((row) =>
      row.linger === undefined ? [] : [{ email: row.email, product: row.product, id: row.linger.lease }],
    ),
  ];
  return rows
    .filter((row) => (email ?? row.email) === row.email && (product ?? row.product) === row.product)
    .map((row) => `${row.product} ${row.id}`)
    .sort();
}

function allocationsIn({ state }: World, email?: string, product?: string): string[] {
  return [...state.tables.allocation.values()]
    .map((row) => ({
      ...row,
      product: state.tables.entitlement.get(row.entitlement)!.claims.product,
    }))
    .filter((row) => (email ?? row.email) === row.email && (product ?? row.product) === row.product)
    .map((row) => `${row.email} ${row.product} ${row.entitlement}`)
    .sort();
}

const filters = [undefined, 'ud@studio.example'].flatMap((email) =>
  [undefined, ...products].map((product) => ({ email, product })),
);
const keyOfLease = (item: object): string => {
  const { product, id } = item as { product: string; id: string };
  return `${product} ${id}`;
};
const keyOfAllocation = (item: object): string => {
  const { email, product, entitlement: of } = item as Record<string, string>;
  return `${email} ${product} ${of}`;
};

describe('leases and allocations', () => {
  const { world } = studio();

  test.each(filters)('leases of %j: those that all rows have', async ({ email, product }) => {
    const asked = product === undefined ? {} : { product };
    for (const limit of [1, 3, 100])
      expect(
        (
          await all(async (page) => listLeases(world.state, { ...asked, ...page }, email, world.now), limit)
        ).map(keyOfLease),
      ).toEqual(leasesIn(world, email, product));
    expect(leasesIn(world).length).toBeGreaterThan(25);
  });

  test.each(filters)('allocations of %j: those that all rows have', async ({ email, product }) => {
    const asked = product === undefined ? {} : { product };
    for (const limit of [1, 3, 100])
      expect(
        (await all((page) => listAllocations(deps(world), { ...asked, ...page }, email), limit)).map(
          keyOfAllocation,
        ),
      ).toEqual(allocationsIn(world, email, product));
    expect(allocationsIn(world).length).toBeGreaterThan(20);
  });
});

test('leases come and go between two pages: whatever is there all the time is told once', async () => {
  const { world, devices } = studio();
  const before = leasesIn(world);
  const found = await all(
    async (page) => listLeases(world.state, page, undefined, world.now),
    4,
    () => {
      const lease = [...world.state.tables.lease.values()].findLast(({ claims }) => claims.kind === 'online');
      world.release(lease!.device, [lease!.claims.jti]);
      world.checkout(devices[3]!, 1, 'bake');
    },
  );
  const keys = found.map(keyOfLease);
  expect(keys).toEqual([...new Set(keys)].sort());
  const stayed = before.filter((key) => leasesIn(world).includes(key));
  expect(stayed.length).toBeGreaterThan(10);
  expect(stayed.filter((key) => !keys.includes(key))).toEqual([]);
});

/** Users without a past, as many as need more than one turn. */
function crowd(count: number): World {
  const world = new World();
  world.import({ seats: count });
  world.import({ jti: 'ent-2', seats: 3 });
  const { user, allocation } = world.state.tables;
  const [row] = user.values();
  for (let at = 0; at < count; at += 1) {
    const email = `m${String((at * 7919) % count).padStart(5, '0')}@studio.example`;
    user.set(email, {
      ...row!,
      email,
      name: `Ñame ${at % 97}`,
      role: at % 5 ? 'user' : 'viewer',
      state: 'active',
    });
    if (at % 3 === 0)
      allocation.set(`${email} ent-1`, { email, entitlement: 'ent-1', quantity: 1 + (at % 2) });
  }
  world.restart();
  return world;
}

describe('users', () => {
  const world = crowd(ROWS_AT_ONCE + 1000);
  const collected = (asked: object) =>
    listUsers(deps(world), asked).then((answer) => {
      if (!answer.ok) throw new Error(answer.code);
      return answer.result;
    });
  type Filter = Parameters<typeof listUsers>[1];
  const asked: Filter[] = [
    {},
    { descending: true },
    { role: 'viewer' },
    { role: 'viewer', descending: true },
    { role: 'owner' },
    { state: 'active' },
    { state: 'active', role: 'viewer' },
    { search: 'm0012' },
    { search: 'ñame 13', descending: true },
    { search: 'm00123', sort: 'name' },
    { product: 'render', role: 'viewer' },
    { product: 'render', sort: 'seats', descending: true, search: 'ñame 42' },
    { sort: 'name', search: 'ñame 7' },
    { credit: 'disabled', sort: 'role', search: 'm000' },
  ];

  /** By a walk over all rows, and a sort of all. */
  function meant({ role, state, search, product, sort = 'email', descending = false }: Filter): string[] {
    const { user, allocation } = world.state.tables;
    const held = (email: string): number => allocation.get(`${email} ent-1`)?.quantity ?? 0;
    const by = {
      ...{ email: () => '', name: (email: string) => user.get(email)!.name.toLowerCase() },
      ...{ role: (email: string) => String(roleOrder.indexOf(user.get(email)!.role)) },
      ...{ seats: (email: string) => String(held(email)) },
    }[sort as 'email']!;
    const found = [...user.values()]
      .filter((row) => role === undefined || row.role === role)
      .filter((row) => state === undefined || row.state === state)
      .filter((row) => product === undefined || held(row.email) > 0)
      .filter(
        ({ email, name }) =>
          search === undefined || email.includes(search) || name.toLowerCase().includes(search),
      )
      .map(({ email }) => `${(by as (email: string) => string)(email)}\u0000${email}`)
      .sort()
      .map((key) => key.slice(key.indexOf('\u0000') + 1));
    return descending ? found.reverse() : found;
  }

  test.each(asked)('%j: those that all rows have, by cursor and by number', async (filter) => {
    const expected = meant(filter);
    expect(expected.length).toBeGreaterThan(0);
    const limit = Math.max(1, Math.min(100, Math.ceil(expected.length / 7)));
    const pages = Math.ceil(expected.length / limit);
    for (const page of new Set([1, 2, 5, pages, pages + 1])) {
      const { items, total } = await collected({ ...filter, limit, page });
      expect(items.map(({ email }) => email)).toEqual(expected.slice((page - 1) * limit, page * limit));
      expect(total).toBe(expected.length);
    }
    let cursor: string | null = null;
    for (let at = 0; at < Math.min(expected.length, 8 * limit); at += limit) {
      const answer = await collected({ ...filter, limit, ...(cursor === null ? {} : { cursor }) });
      expect(answer.items.map(({ email }) => email)).toEqual(expected.slice(at, at + limit));
      expect(answer.next === null).toBe(at + limit >= expected.length);
      cursor = answer.next;
    }
  });

  test('some go while all are looked at: the others are told, and the sockets had their turn', async () => {
    const mine = crowd(ROWS_AT_ONCE + 1000);
    const filter = { search: 'm000', sort: 'name', limit: 100 } as const;
    const before = await listUsers(deps(mine), filter);
    let turns = 0;
    setImmediate(() => {
      turns += 1;
      mine.state.tables.user.delete('m00013@studio.example');
    });
    const after = await listUsers(deps(mine), filter);
    expect(turns).toBe(1);
    const told = (answer: typeof before) =>
      answer.ok ? answer.result.items.map(({ email }) => email) : [answer.code];
    expect(told(before)).toContain('m00013@studio.example');
    expect(told(after)).toEqual(told(before).filter((email) => email !== 'm00013@studio.example'));
  });
});

test('who goes before the page is made is left out of it, and hides nobody behind it', async () => {
  const { world } = studio();
  const { user } = world.state.tables;
  const everybody = [...user.keys()].sort();
  const gone = new Set<string>();
  const read = async <R>(view: (state: World['state'], now: World['now']) => R): Promise<R> => {
    const going = everybody.filter((email) => !gone.has(email))[gone.size * 3];
    if (going !== undefined) user.delete(going);
    if (going !== undefined) gone.add(going);
    return view(world.state, world.now);
  };
  const asked = { state: world.state, engine: { read } };
  const told = await all((page) => listUsers(asked, { search: 'studio', ...page }), 4);
  expect(gone.size).toBeGreaterThan(2);
  const stayed = everybody.filter((email) => !gone.has(email));
  expect(told).toHaveLength(new Set(told.map((item) => JSON.stringify(item))).size);
  expect(told.map((item) => (item as { email: string }).email)).toEqual(expect.arrayContaining(stayed));
});

test('the first few of many are those that a sort of all has', () => {
  const compare = (a: number, b: number): number => a - b;
  const [rows, few] = [fc.uniqueArray(fc.integer(), { maxLength: 1500 }), fc.integer({ min: 0, max: 400 })];
  fc.assert(
    fc.property(rows, few, few, (all, skip, count) => {
      const found = new Selection(skip + count + 1, compare);
      for (const row of all) found.add(row);
      expect(found.sorted(skip)).toEqual([...all].sort(compare).slice(skip, skip + count + 1));
    }),
    { numRuns: 300 },
  );
  // Many more than are kept: whoever loses against a worst that is none is missing.
  const many = Array.from({ length: 4000 }, (_, at) => (at * at * 7919 + at * 31) % 65_537);
  for (let count = 1; count <= 150; count += 1) {
    const found = new Selection(count, compare);
    for (const row of new Set(many)) found.add(row);
    expect(found.sorted()).toEqual([...new Set(many)].sort(compare).slice(0, count));
  }
});

test('many rows are looked at in turns, each once', async () => {
  const rows = new Map(Array.from({ length: 3 * ROWS_AT_ONCE }, (_, at) => [at, at]));
  let [turns, seen] = [0, 0];
  const tick = (): void => {
    turns += 1;
    if (turns < 3) setImmediate(tick);
  };
  setImmediate(tick);
  await inTurns(rows.values(), () => {
    seen += 1;
  });
  expect(seen).toBe(rows.size);
  expect(turns).toBeGreaterThanOrEqual(2);
});
