import { describe, expect, test } from 'vitest';
import { DAY_MS, entitlement, SERVER_KEY, START_MS, WINDOW_MS, World } from './world.js';

const render = { product: 'render', endMs: null };

describe('allocations', () => {
  test('are used before shared seats, idle ones count as free but only for their user', () => {
    const world = new World();
    world.import({ seats: 2 });
    const [a, b] = [world.user('a'), world.user('b')];
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 1 });
    expect(world.usage()).toMatchObject({ owned: 2, allocated: 1, free: 2 });
    world.checkout(b);
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.checkout(a);
    expect(world.usage()).toMatchObject({ free: 0, inUse: 2 });
  });

  test('a seat assigned while another uses it goes to its user when it is next free', () => {
    const world = new World();
    world.import({ seats: 1 });
    const [a, b] = [world.user('a'), world.user('b')];
    const lease = world.checkout(b).leases[0]!.jti;
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 1 });
    world.refused(world.checkingOut(a), 'NO_SEAT');
    world.release(b, [lease]);
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.checkout(a);
  });

  test('an allocation whose seats others still use does not overdraw its entitlement', () => {
    const world = new World();
    world.import({ seats: 1 });
    const [a, b] = [world.user('a'), world.user('b')];
    world.checkout(b);
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 1 });
    world.import({ jti: 'ent-2', seats: 1 });
    expect(world.checkout(a).leases).toMatchObject([{ ent: 'ent-2' }]);
  });

  test('more than the entitlement has is refused, naming whom it could come from', () => {
    const world = new World();
    world.import({ seats: 1 });
    world.user('a');
    world.user('b');
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 1 });
    const denial = world.refused(
      { type: 'assign', ...world.admin(), email: 'b@studio.example', ...render, quantity: 1 },
      'ALL_ALLOCATED',
    );
    expect(denial.detail).toMatchObject({ allocatedTo: [{ email: 'a@studio.example', quantity: 1 }] });
  });

  test('a revoke takes one seat by default, revokes live leases beyond what is left, and holds them', () => {
    const world = new World();
    world.import({ seats: 2 });
    const a = world.user('a');
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 2 });
    const first = world.checkout(a).leases[0]!.jti;
    const revoking = { type: 'revoke', email: 'a@studio.example', ...render } as const;
    expect(world.ok({ ...revoking, ...world.admin(), quantity: 1 })).toEqual({
      email: 'a@studio.example',
      revoked: 1,
      left: 1,
      leasesRevoked: 0,
    });
    expect(world.ok({ ...revoking, ...world.admin(), quantity: 'all' })).toEqual({
      email: 'a@studio.example',
      revoked: 1,
      left: 0,
      leasesRevoked: 1,
    });
    expect(world.usage()).toMatchObject({ allocated: 0, held: 1, free: 1 });
    expect(world.renew(a, [first]).leases).toEqual([{ lease: first, code: 'LEASE_REVOKED' }]);
    world.refused({ ...revoking, ...world.admin(), quantity: 1 }, 'ALLOCATION_UNKNOWN');
  });

  test('end with their entitlement', () => {
    const world = new World();
    world.import({ seats: 2, exp: (START_MS + 600_000) / 1000 });
    world.user('a');
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 2 });
    world.pass(600_000);
    expect(world.usage()).toMatchObject({ owned: 0, allocated: 0 });
    expect(world.state.tables.allocation.size).toBe(0);
  });
});

describe('entitlements', () => {
  test('are refused with a code each', () => {
    const world = new World();
    world.import();
    const foreign = `ed25519:${'X'.repeat(43)}`;
    world.refused(world.importing({ jti: 'x', sub: foreign }), 'ENTITLEMENT_FOREIGN');
    world.refused(world.importing({ jti: 'x', exp: START_MS / 1000 }), 'ENTITLEMENT_EXPIRED');
    world.refused(world.importing({ jti: 'x', iss: foreign }), 'VENDOR_MISMATCH');
    world.refused(world.importing({ jti: 'x', share: 'user' }), 'SHARE_MISMATCH');
    world.refused(world.importing({ seats: 9 }), 'ENTITLEMENT_CONFLICT');
    world.import({ rev: 3, seats: 9 });
    world.refused(world.importing({ rev: 2 }), 'ENTITLEMENT_SUPERSEDED');
    expect(world.usage().owned).toBe(9);
  });

  test('imported again change nothing', () => {
    const world = new World();
    world.import();
    expect(world.ok(world.importing())).toMatchObject({ entitlement: { id: 'ent-1' }, changed: false });
    expect(world.usage().owned).toBe(3);
  });

  test('that shrink below use leave an excess that only shrinks, and nothing is granted', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    const leases = world.checkout(a, 3).leases.map(({ jti }) => jti);
    const [second] = [world.checkingOut(a)];
    world.import({ rev: 2, seats: 1 });
    expect(world.usage()).toMatchObject({ owned: 1, inUse: 3, free: 0, over: 2 });
    expect(world.refused(second!, 'NO_SEAT').detail).toMatchObject({ rule: 'SHRUNK' });
    world.release(a, leases);
    expect(world.usage()).toMatchObject({ over: 0, free: 1 });
  });

  test('that are removed leave their held seats in the way until those are over, whatever others have free', () => {
    const world = new World();
    world.import({ seats: 1 });
    const [a, b] = [world.user('a'), world.user('b')];
    const lease = world.checkout(a).leases[0]!.jti;
    world.import({ jti: 'ent-2', seats: 1 });
    // In use it would go over to ent-2.
    world.ok({ type: 'revokeLease', ...world.admin(), lease, reason: '' });
    world.ok({ type: 'removeEntitlement', ...world.admin(), id: 'ent-1' });
    expect(world.usage()).toMatchObject({ owned: 1, held: 1, free: 0 });
    expect(world.refused(world.checkingOut(b), 'NO_SEAT').detail).toMatchObject({ rule: 'ALL_IN_USE' });
    world.pass(WINDOW_MS);
    world.checkout(b);
  });

  test('that are not valid yet start by themselves', () => {
    const world = new World();
    const a = world.user('a');
    world.import({ nbf: (START_MS + 60_000) / 1000 });
    expect(world.usage().owned).toBe(0);
    world.pass(60_000);
    expect(world.state.tables.entitlement.get('ent-1')!.state).toBe('active');
    world.checkout(a);
  });

  test('a replacement takes over what was allocated and in use', () => {
    const world = new World();
    world.import({ seats: 2 });
    const a = world.user('a');
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 1 });
    const lease = world.checkout(a).leases[0]!.jti;
    world.refused(world.importing({ jti: 'ent-2', replaces: 'unknown' }), 'ENTITLEMENT_UNKNOWN');
    world.import({ jti: 'ent-2', replaces: 'ent-1', seats: 4 });
    expect(world.usage()).toMatchObject({ owned: 4, allocated: 1, inUse: 1 });
    expect(world.renew(a, [lease])).toMatchObject({ moved: true, leases: [{ claims: { ent: 'ent-2' } }] });
    world.refused(world.importing(), 'ENTITLEMENT_SUPERSEDED');
  });

  test('a replacement has room for what is in use', () => {
    const world = new World();
    world.import({ seats: 2 });
    for (const name of ['a', 'b']) world.checkout(world.user(name));
    const smaller = world.importing({ jti: 'ent-2', replaces: 'ent-1', seats: 1 });
    expect(world.refused(smaller, 'IN_USE').detail).toMatchObject({ used: 2, seats: 1 });
    world.import({ jti: 'ent-2', replaces: 'ent-1', seats: 2 });
  });

  test('a personal one is its holder alone', () => {
    const world = new World();
    const [a, b] = [world.user('a'), world.user('b')];
    world.import({ seats: 1, holder: 'a@studio.example' });
    expect(world.usage()).toMatchObject({ owned: 1, allocated: 1 });
    world.refused(world.checkingOut(b), 'NO_SEAT');
    world.checkout(a);
    const revoke = { type: 'revoke', email: 'a@studio.example', ...render, quantity: 1 } as const;
    world.refused({ ...revoke, ...world.admin() }, 'PERSONAL');
    expect(entitlement().sub).toBe(SERVER_KEY);
  });
});

describe('users', () => {
  test('an invitation enrols one device; the same keys again get the same answer', () => {
    const world = new World();
    const inviting = {
      type: 'invite',
      email: 'a@studio.example',
      name: null,
      role: null,
      device: false,
      invitationMs: DAY_MS,
    } as const;
    const { invitation } = world.ok({ ...inviting, ...world.admin() });
    const enrol = {
      type: 'enrol',
      invitation,
      leaseKey: `ed25519:${'a'.repeat(43)}`,
      adminKey: null,
      name: 'pc',
    } as const;
    const first = world.ok(enrol);
    expect(world.ok(enrol)).toEqual(first);
    world.refused({ ...enrol, leaseKey: `ed25519:${'b'.repeat(43)}` }, 'INVITATION_USED');
    world.refused({ ...inviting, ...world.admin() }, 'USER_EXISTS');
  });

  test('inviting again ends the old invitation; a late one is expired', () => {
    const world = new World();
    const inviting = {
      type: 'invite',
      email: 'a@studio.example',
      name: null,
      role: null,
      device: false,
      invitationMs: DAY_MS,
    } as const;
    const old = world.ok({ ...inviting, ...world.admin() }).invitation;
    const fresh = world.ok({ ...inviting, ...world.admin() }).invitation;
    const enrol = {
      type: 'enrol',
      leaseKey: `ed25519:${'a'.repeat(43)}`,
      adminKey: null,
      name: 'pc',
    } as const;
    world.refused({ ...enrol, invitation: old }, 'INVITATION_INVALID');
    world.pass(DAY_MS);
    world.refused({ ...enrol, invitation: fresh }, 'INVITATION_EXPIRED');
  });

  test('nobody grants a role above their own, and the last owner stays', () => {
    const world = new World();
    const { invitation } = world.ok({
      type: 'invite',
      ...world.admin(),
      email: 'x@studio.example',
      name: null,
      role: 'admin',
      device: false,
      invitationMs: DAY_MS,
    });
    const device = world.ok({
      type: 'enrol',
      invitation,
      leaseKey: `ed25519:${'x'.repeat(43)}`,
      adminKey: null,
      name: 'pc',
    }).device;
    const asAdmin = world.by(device);
    world.refused(
      {
        type: 'invite',
        ...asAdmin,
        email: 'y@studio.example',
        name: null,
        role: 'owner',
        device: false,
        invitationMs: DAY_MS,
      },
      'NOT_ALLOWED',
    );
    world.refused({ type: 'removeUser', ...world.by(device), email: 'owner@studio.example' }, 'NOT_ALLOWED');
    world.refused({ type: 'removeUser', ...world.admin(), email: 'owner@studio.example' }, 'LAST_OWNER');
  });

  test('removal is refused while seats are allocated, and holds what was in use', () => {
    const world = new World();
    world.import();
    const a = world.user('a');
    world.ok({ type: 'assign', ...world.admin(), email: 'a@studio.example', ...render, quantity: 1 });
    const removing = { type: 'removeUser', email: 'a@studio.example' } as const;
    world.refused({ ...removing, ...world.admin() }, 'ALLOCATED');
    world.ok({ type: 'revoke', ...world.admin(), email: 'a@studio.example', ...render, quantity: 'all' });
    world.checkout(a);
    world.ok({ ...removing, ...world.admin() });
    expect(world.usage()).toMatchObject({ held: 1, inUse: 0 });
    world.refused(world.checkingOut(a), 'DEVICE_UNKNOWN');
    world.pass(WINDOW_MS);
    expect(world.usage()).toMatchObject({ held: 0, free: 3 });
  });
});
