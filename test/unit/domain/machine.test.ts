import { describe, expect, test } from 'vitest';
import { DAY_MS, keyOf, World } from './world.js';

function farm(maxUses = 2, expiresAtMs: number | null = null) {
  const world = new World();
  world.import({ seats: 2 });
  const facts = { name: 'night', group: 'farm', maxUses, expiresAtMs };
  const { token } = world.ok({ type: 'createMachineToken', ...world.admin(), ...facts });
  return { world, token: token.id };
}

const enrolling = (token: string, name: string) =>
  ({ type: 'enrolMachine', token, leaseKey: keyOf(name), name }) as const;

const used = (world: World, token: string) => world.state.tables.machineToken.get(token)!.uses;

function revoke(world: World, id: string) {
  return world.ok({ type: 'revokeMachineToken', ...world.admin(), id }).token;
}

describe('a machine token', () => {
  test('enrols as many machines as it says, for the scope lease alone', () => {
    const { world, token } = farm(2);
    const { device, email, scopes } = world.ok(enrolling(token, 'node-1'));
    expect([email, scopes]).toEqual([`machine:${device}`, ['lease']]);
    expect(world.state.tables.device.get(device)).toMatchObject({
      adminKey: null,
      machine: { group: 'farm' },
    });
    world.ok(enrolling(token, 'node-2'));
    expect(used(world, token)).toBe(2);
    world.refused(enrolling(token, 'node-3'), 'MACHINE_TOKEN_USED_UP');
    expect(used(world, token)).toBe(2);
  });

  test('the same key gets the same answer and takes no second use, whatever became of the token (I7)', () => {
    const { world, token } = farm(1);
    const first = world.ok(enrolling(token, 'node-1'));
    expect(world.ok(enrolling(token, 'node-1'))).toEqual(first);
    revoke(world, token);
    expect(world.ok(enrolling(token, 'node-1'))).toEqual(first);
    expect(used(world, token)).toBe(1);
    world.restart();
    expect(used(world, token)).toBe(1);
    expect(world.ok(enrolling(token, 'node-1'))).toEqual(first);
  });

  test('a machine that was set up anew takes another use', () => {
    const { world, token } = farm(2);
    world.ok(enrolling(token, 'node-1'));
    world.ok({ type: 'enrolMachine', token, leaseKey: keyOf('node-1-again'), name: 'node-1' });
    expect(used(world, token)).toBe(2);
  });

  test('ends by being revoked, by its time, and is told apart', () => {
    const { world, token } = farm(9, new World().now.wallMs + DAY_MS);
    world.ok(enrolling(token, 'node-1'));
    world.pass(DAY_MS - 1);
    world.ok(enrolling(token, 'node-2'));
    world.pass(1);
    world.refused(enrolling(token, 'node-3'), 'MACHINE_TOKEN_EXPIRED');
    expect(revoke(world, token)).toMatchObject({ state: 'revoked', uses: 2 });
    world.refused(enrolling(token, 'node-3'), 'MACHINE_TOKEN_REVOKED');
    world.refused(enrolling('m-none', 'node-3'), 'INVITATION_INVALID');
  });

  test('revoking it leaves its machines alone, and twice changes nothing', () => {
    const { world, token } = farm();
    const { device } = world.ok(enrolling(token, 'node-1'));
    revoke(world, token);
    world.checkout(device);
    const again = world.send({ type: 'revokeMachineToken', ...world.admin(), id: token });
    expect(again).toMatchObject({ ok: true, changes: [] });
    world.refused({ type: 'revokeMachineToken', ...world.admin(), id: 'm-none' }, 'MACHINE_TOKEN_UNKNOWN');
  });

  test('does not enrol the key of a person, nor one of another token', () => {
    const { world, token } = farm();
    world.user('anna');
    world.refused(enrolling(token, 'anna'), 'KEY_REUSED');
    world.ok(enrolling(token, 'node-1'));
    const facts = { name: '', group: null, maxUses: 1, expiresAtMs: null };
    const other = world.ok({ type: 'createMachineToken', ...world.admin(), ...facts }).token.id;
    world.refused(enrolling(other, 'node-1'), 'KEY_REUSED');
  });
});

describe('a machine', () => {
  test('uses shared seats only: never what is allocated, never a personal entitlement', () => {
    const { world, token } = farm();
    const { device } = world.ok(enrolling(token, 'node-1'));
    world.user('anna');
    const email = 'anna@studio.example';
    world.ok({ type: 'assign', ...world.admin(), email, product: 'render', quantity: 1, endMs: null });
    world.import({ jti: 'ent-personal', seats: 1, holder: email });
    world.checkout(device);
    const denial = world.refused(world.checkingOut(device), 'NO_SEAT');
    expect(denial.detail).toMatchObject({ rule: 'ALLOCATED_TO_OTHERS' });
    expect(denial.detail?.holders).toMatchObject([{ user: 'machine (farm)', device: 'node-1' }]);
  });

  test('nothing can be allocated to it', () => {
    const { world, token } = farm();
    const { email } = world.ok(enrolling(token, 'node-1'));
    const assign = { type: 'assign', ...world.admin(), product: 'render', quantity: 1, endMs: null } as const;
    world.refused({ ...assign, email }, 'EMAIL_INVALID');
  });

  test('gets nothing while floating sharing is off, and is told so', () => {
    const { world, token } = farm();
    const { device } = world.ok(enrolling(token, 'node-1'));
    world.ok({ type: 'setSharing', ...world.admin(), on: false, product: null, running: 'drain' });
    const denial = world.refused(world.checkingOut(device), 'NO_SEAT');
    expect(denial.detail).toMatchObject({ rule: 'SHARING_OFF' });
  });

  test('is removed by name or id: its leases are revoked, what lingers is free, its key is unknown', () => {
    const { world, token } = farm();
    world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings: { lingerSeconds: 600 } });
    const { device } = world.ok(enrolling(token, 'node-1'));
    world.release(device, [world.checkout(device).leases[0]!.jti]);
    const other = world.ok(enrolling(token, 'node-2')).device;
    world.checkout(other);
    const remove = (machine: string) => world.ok({ type: 'removeMachine', ...world.admin(), machine });
    expect(remove('node-1')).toMatchObject({ machine: { id: device, name: 'node-1' }, leasesRevoked: 0 });
    expect(world.usage()).toMatchObject({ inUse: 1, held: 0 });
    expect(remove(other)).toMatchObject({ leasesRevoked: 1 });
    expect(world.usage()).toMatchObject({ inUse: 0, held: 1 });
    world.refused(world.checkingOut(other), 'DEVICE_UNKNOWN');
    world.refused({ type: 'removeMachine', ...world.admin(), machine: 'node-1' }, 'MACHINE_UNKNOWN');
  });

  test('with a borrow it is not removed (I8)', () => {
    const { world, token } = farm();
    const { device } = world.ok(enrolling(token, 'node-1'));
    world.ok(world.borrowing(device, 3600));
    const refused = world.refused({ type: 'removeMachine', ...world.admin(), machine: device }, 'BORROWED');
    expect(refused.detail).toEqual({ machine: device, name: 'node-1', untilMs: expect.any(Number) });
  });

  test('whoever else wants its borrowed seat is told of a machine, not of a user', () => {
    const { world, token } = farm();
    const { device } = world.ok(enrolling(token, 'node-1'));
    const [borrow] = world.ok(world.borrowing(device, 3600)).leases;
    const [entitlement] = [...world.state.tables.entitlement.values()];
    const blocked = [
      { type: 'revokeLease', ...world.admin(), lease: borrow!.jti, reason: 'now' } as const,
      { type: 'removeEntitlement', ...world.admin(), id: entitlement!.claims.jti } as const,
    ];
    for (const command of blocked) {
      const refused = world.refused(command, 'BORROWED');
      expect(refused.detail).toMatchObject({ machine: device, name: 'node-1' });
      expect(refused.message).not.toMatch(/user|machine:/);
    }
  });

  test('two of one name must be told apart by id; a person is no machine', () => {
    const { world, token } = farm();
    const first = world.ok(enrolling(token, 'node-1')).device;
    world.ok({ type: 'enrolMachine', token, leaseKey: keyOf('again'), name: 'node-1' });
    const remove = { type: 'removeMachine', ...world.admin() } as const;
    const refused = world.refused({ ...remove, machine: 'node-1' }, 'MACHINE_AMBIGUOUS');
    expect(refused.detail?.ids).toHaveLength(2);
    world.ok({ ...remove, ...world.admin(), machine: first });
    const anna = world.user('anna');
    world.refused({ ...remove, ...world.admin(), machine: anna }, 'MACHINE_UNKNOWN');
    world.refused({ ...remove, ...world.admin(), machine: 'anna-pc' }, 'MACHINE_UNKNOWN');
  });
});
