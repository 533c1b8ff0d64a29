import { limits } from '@berth/protocol';
import { memberHandlers } from '@berth/server/admin/member-handlers';
import { listUsers } from '@berth/server/admin/user-list';
import { decide } from '@berth/server/domain/decide/decide';
import { takeDue } from '@berth/server/domain/due';
import { evolve } from '@berth/server/domain/evolve';
import { loadState } from '@berth/server/domain/load';
import { decodeRows } from '@berth/server/store/records';
import { expect, test } from 'vitest';
import { DAY_MS, World } from './world.js';

// Issue 5, part 2: the state removed is kept, shown and searched; whoever is invited again is a member again.

const email = 'anna@studio.example';
const remove = (world: World, who = email) => world.ok({ type: 'removeUser', ...world.admin(), email: who });
const invite = (world: World, more: object = {}) =>
  ({
    type: 'invite',
    ...world.admin(),
    email,
    name: null,
    role: null,
    device: false,
    invitationMs: DAY_MS,
    ...more,
  }) as const;
const listed = (world: World, asked: Parameters<typeof listUsers>[1]) => {
  const read = async <R>(view: (state: World['state'], now: World['now']) => R) =>
    view(world.state, world.now);
  return listUsers({ state: world.state, engine: { read } }, asked);
};
const removed = (world: World, more: object = {}) => listed(world, { state: 'removed', ...more });
const show = (world: World) => {
  const read = (view: (state: World['state'], now: World['now']) => unknown) => view(world.state, world.now);
  const handlers = memberHandlers({ state: world.state, engine: { read } } as never);
  return handlers['user.show']({ email }, undefined as never);
};

test('who was removed, when and by whom; not among the members; back after a restart', async () => {
  const world = new World();
  world.ok(invite(world, { name: 'Anna Ek', role: 'viewer' }));
  world.user('bo');
  remove(world);
  remove(world, 'bo@studio.example');
  world.restart();
  const facts = { by: 'owner@studio.example', atMs: world.now.wallMs };
  const anna = {
    email,
    name: 'Anna Ek',
    role: 'viewer',
    state: 'removed',
    devices: 0,
    products: [],
    removed: facts,
  };
  expect(await removed(world)).toMatchObject({
    result: { items: [anna, { email: 'bo@studio.example' }], next: null },
  });
  expect(await removed(world, { search: 'ek' })).toMatchObject({ result: { items: [anna] } });
  expect(await removed(world, { role: 'user' })).toMatchObject({
    result: { items: [{ email: 'bo@studio.example' }] },
  });
  expect(await removed(world, { sort: 'email', descending: true, page: 2, limit: 1 })).toMatchObject({
    result: { items: [anna], total: 2 },
  });
  world.import();
  expect(await removed(world, { product: 'render' })).toMatchObject({ result: { items: [] } });
  expect(await listed(world, {})).toMatchObject({
    result: { items: [{ email: 'owner@studio.example' }] },
  });
  expect(await show(world)).toMatchObject({
    ok: true,
    result: { user: anna, invitation: null, allocations: [] },
  });
});

test('whatever needs a member is refused, with what became of this one', () => {
  const world = new World();
  world.user('anna');
  world.import();
  remove(world);
  const assign = {
    type: 'assign',
    ...world.admin(),
    email,
    product: 'render',
    quantity: 1,
    endMs: null,
  } as const;
  for (const command of [
    assign,
    { type: 'removeUser', ...world.admin(), email } as const,
    invite(world, { resend: true }),
  ]) {
    const { message, next } = world.refused(command, 'USER_UNKNOWN');
    expect([message, next]).toEqual([
      expect.stringMatching(/^anna@studio\.example was removed on .* by owner@studio\.example\.$/),
      'To let them in again: berth user invite anna@studio.example',
    ]);
  }
});

test('invited again they are a member of that name, without the role, and no former one', async () => {
  const world = new World();
  world.ok(invite(world, { name: 'Anna Ek', role: 'admin' }));
  remove(world);
  expect(world.ok(invite(world)).user).toMatchObject({ name: 'Anna Ek', role: 'user', state: 'invited' });
  expect(await removed(world)).toMatchObject({ result: { items: [] } });
  expect(world.state.tables.formerUser.size).toBe(0);
});

test('a removal that waited for a borrow names who had asked for it', async () => {
  const world = new World();
  const device = world.user('anna');
  world.import();
  const { leases } = world.ok(world.borrowing(device, 3600));
  world.ok({ type: 'removeUser', ...world.admin(), email, when: 'pending' });
  world.ok({ type: 'return', ...world.by(device), leases: leases.map(({ jti }) => jti) });
  expect(await removed(world)).toMatchObject({
    result: { items: [{ email, removed: { by: 'owner@studio.example' } }] },
  });
});

/** As many of them as are kept. */
function fill(world: World): void {
  for (let at = 0; at < limits.formerUsers; at += 1) {
    const name = `x${(at * 7919) % limits.formerUsers}@studio.example`;
    const row = {
      email: name,
      name: '',
      role: 'user',
      state: 'removed',
      removed: { by: 'x', atMs: at },
    } as const;
    world.state.tables.formerUser.set(name, row);
  }
}

test('beyond the limit the one removed first is forgotten, also after a restart', () => {
  const world = new World();
  world.user('anna');
  fill(world);
  // Not by way of the world, which looks through all of them at each step.
  const state = loadState(decodeRows(world.rows()), world.now.monoMs);
  const decision = decide(state, { type: 'removeUser', ...world.admin(), email }, world.context);
  for (const change of decision.ok ? decision.changes : []) evolve(state, change, world.now.monoMs);
  const { formerUser } = state.tables;
  expect([formerUser.size, formerUser.has('x0@studio.example'), formerUser.has(email)]).toEqual([
    limits.formerUsers,
    false,
    true,
  ]);
});

test('several that are removed by one commit are forgotten for together: the limit holds, and those removed last are kept', () => {
  const world = new World();
  world.import({ seats: 3, borrow: { maxSeconds: DAY_MS / 1000, seats: 3 } });
  const names = ['anna', 'bo', 'cy'];
  for (const name of names) {
    world.ok(world.borrowing(world.user(name), 3600));
    world.ok({ type: 'removeUser', ...world.admin(), email: `${name}@studio.example`, when: 'pending' });
  }
  fill(world);
  // Not by way of the world, which looks through all of them at each step.
  const state = loadState(decodeRows(world.rows()), world.now.monoMs);
  const afterMs = world.now.wallMs + DAY_MS;
  world.now = { monoMs: world.now.monoMs + DAY_MS, wallMs: afterMs, steadyWallMs: afterMs };
  const step = (command: Parameters<typeof decide>[1]): number => {
    const decision = decide(state, command, world.context);
    if (!decision.ok) throw new Error(decision.code);
    for (const change of decision.changes) evolve(state, change, world.now.monoMs);
    return decision.changes.filter(({ type }) => type === 'user.removed').length;
  };
  step({ type: 'expire', due: takeDue(state, world.now)[0]! });
  expect(step({ type: 'settlePending' })).toBe(3);
  const { formerUser } = state.tables;
  expect(formerUser.size).toBe(limits.formerUsers);
  expect([...formerUser.keys()].slice(-3)).toEqual(names.map((name) => `${name}@studio.example`));
  expect(['x0', 'x7919', 'x15838'].map((name) => formerUser.has(`${name}@studio.example`))).toEqual([
    false,
    false,
    false,
  ]);
});
