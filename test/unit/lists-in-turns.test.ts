import { listAllocations } from '@berth/server/admin/allocation-list';
import { listUsers } from '@berth/server/admin/user-list';
import { describe, expect, test } from 'vitest';
import { DAY_MS, World } from './domain/world.js';

// Lists that look at many rows in turns, while what they look at changes: whatever is there all the time is told once (PROTOCOL 7, pages).

type Filter = Parameters<typeof listUsers>[1];
const emailOf = (at: number): string => `m${String(at).padStart(6, '0')}@studio.example`;

function deps(world: World) {
  const read = async <R>(view: (state: World['state'], now: World['now']) => R) =>
    view(world.state, world.now);
  return { state: world.state, engine: { read } };
}

/** More than are looked at in one turn: so many users, of whom the first are viewers, may spend credits or have a seat. */
function crowd(users: number, { viewers = 0, spenders = 0, holders = 0, of = 'ent-2' } = {}): World {
  const world = new World();
  world.import({ seats: users });
  world.import({ jti: 'ent-2', seats: users });
  const { user, creditAccess, allocation } = world.state.tables;
  const [row] = user.values();
  for (let at = 0; at < users; at += 1) {
    const email = emailOf(at);
    const role = at < viewers ? 'viewer' : 'user';
    user.set(email, { ...row!, email, name: `Name ${at}`, role, state: 'active' });
    const grant = { access: 'limited', limit: 5, per: 'month' } as const;
    const changed = { by: 'owner@studio.example', atMs: 0 };
    if (at < spenders) creditAccess.set(email, { email, grant, changed });
    if (at < holders) allocation.set(`${email} ${of}`, { email, entitlement: of, quantity: 1 });
  }
  world.restart();
  return world;
}

const invite = (world: World, email: string, role: 'user' | 'viewer') =>
  world.ok({
    ...{ type: 'invite', ...world.admin(), email, role },
    ...{ name: null, device: false, invitationMs: DAY_MS },
  });
const assign = (world: World, email: string, subscription?: string) =>
  world.ok({
    ...{ type: 'assign', ...world.admin(), email, product: 'render', quantity: 1, endMs: null },
    ...(subscription === undefined ? {} : { subscription }),
  });
const revoke = (world: World, email: string) =>
  world.ok({
    ...{ type: 'revoke', ...world.admin(), email, product: 'render' },
    ...{ quantity: 'all', endMs: null, when: 'now' },
  });

describe('users', () => {
  const [viewers, spenders, holders] = [{ viewers: 4500 }, { spenders: 4500 }, { holders: 4500 }];
  const cases: [string, World, Filter, (world: World) => void][] = [
    [
      'one viewer of those who were looked at is none any more',
      withOneMore(crowd(19_000, viewers)),
      { role: 'viewer', sort: 'name', search: 'm00204' },
      (world) => {
        const names = { name: null, addAliases: [], removeAliases: [], was: {} };
        world.ok({ type: 'setUser', ...world.admin(), email: emailOf(2030), role: 'user', ...names });
      },
    ],
    [
      'one viewer more, among those who were looked at',
      withOneMore(crowd(19_000, viewers)),
      { role: 'viewer', sort: 'name', search: 'm00204' },
      (world) => invite(world, 'm002030a@studio.example', 'viewer'),
    ],
    [
      'the limit of one who was looked at',
      crowd(5000, spenders),
      { credit: 'limited', sort: 'name', search: 'm00000' },
      (world) => {
        const grant = { access: 'limited', limit: 6, per: 'month' } as const;
        world.ok({ type: 'setCreditAccess', ...world.admin(), email: emailOf(3), grant, was: null });
      },
    ],
    [
      'one who was looked at gives the seats back and has them again',
      crowd(5000, holders),
      { product: 'render', sort: 'name', search: 'm00000' },
      (world) => {
        revoke(world, emailOf(3));
        assign(world, emailOf(3), 'ent-2');
      },
    ],
    [
      'one who was not has the seat of another entitlement, whose holders were looked at',
      alsoHolding(crowd(5000, { of: 'ent-1', holders: 4500 }), emailOf(4501), 'ent-2'),
      { product: 'render', sort: 'name', search: 'm00450' },
      (world) => {
        revoke(world, emailOf(4501));
        assign(world, emailOf(4501), 'ent-1');
      },
    ],
    [
      'one who was looked at is removed and invited again',
      crowd(5000),
      { sort: 'name', search: 'm00000' },
      (world) => {
        world.ok({ type: 'removeUser', ...world.admin(), email: emailOf(3) });
        invite(world, emailOf(3), 'user');
      },
    ],
  ];

  test.each(cases)('%s', async (_, world, filter, change) => {
    const told = async () => {
      const answer = await listUsers(deps(world), { ...filter, limit: 100, page: 1 });
      if (!answer.ok) throw new Error(answer.code);
      return { emails: answer.result.items.map(({ email }) => email).sort(), total: answer.result.total };
    };
    const before = await told();
    expect(before.emails.length).toBeGreaterThan(0);
    let changed = 0;
    setImmediate(() => {
      change(world);
      changed += 1;
    });
    const during = await told();
    expect(changed).toBe(1);
    expect(during).toEqual(before);
  });
});

/** Blocks of the index as on a site that has lived: one was parted. */
function withOneMore(world: World): World {
  invite(world, 'm000005a@studio.example', 'viewer');
  return world;
}

function alsoHolding(world: World, email: string, entitlement: string): World {
  assign(world, email, entitlement);
  return world;
}

test('allocations of a product: one that was looked at is revoked and made again', async () => {
  const world = crowd(9000, { holders: 9000 });
  let changed = 0;
  setImmediate(() => {
    revoke(world, emailOf(3));
    assign(world, emailOf(3), 'ent-2');
    changed += 1;
  });
  const answer = await listAllocations(deps(world), { product: 'render', limit: 20 }, undefined);
  if (!answer.ok) throw new Error(answer.code);
  expect(changed).toBe(1);
  expect(answer.result.items.map(({ email }) => email)).toEqual(
    Array.from({ length: 20 }, (_, at) => emailOf(at)),
  );
});

test('from the end, behind somebody, where nobody is left', async () => {
  const ask = (asked: Filter) => listUsers(deps(new World()), { state: 'removed', ...asked });
  const cursor = Buffer.from('anna@studio.example').toString('base64url');
  for (const asked of [{ cursor }, { descending: true }, { descending: true, cursor }])
    expect(await ask(asked)).toEqual({ ok: true, result: { items: [], next: null } });
});

test.each([false, true])(
  'a cursor that cannot be read begins at the beginning (descending: %j)',
  async (descending) => {
    const world = crowd(3);
    const ask = (asked: Filter) => listUsers(deps(world), { descending, ...asked });
    for (const sort of ['email', 'name'] as const)
      expect(await ask({ sort, cursor: '!' })).toEqual(await ask({ sort }));
    expect(await ask({ cursor: '!' })).toMatchObject({ result: { items: { length: 4 } } });
  },
);
