import { allocationId } from '@berth/server/domain/state';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { World } from './world.js';

// I8: a revoke or removal that a borrow forbids waits for the borrow, keeps everything new away, and takes effect by itself.

const ANNA = 'anna@studio.example';
const HOUR = 3600;

let world: World;
let anna: string;
let bo: string;

beforeEach(() => {
  world = new World();
  world.import({ seats: 4, borrow: { maxSeconds: 30 * 86_400, seats: 3 } });
  [anna, bo] = [world.user('anna'), world.user('bo')];
});

const assign = (quantity: number, email = ANNA) =>
  ({ type: 'assign', ...world.admin(), email, product: 'render', quantity, endMs: null }) as const;
const revoke = (quantity: number | 'all', when: 'now' | 'pending' | 'cancel' = 'pending') =>
  ({
    type: 'revoke',
    ...world.admin(),
    email: ANNA,
    product: 'render',
    quantity,
    endMs: null,
    when,
  }) as const;
const removeAnna = (when: 'now' | 'pending' | 'cancel' = 'pending') =>
  ({ type: 'removeUser', ...world.admin(), email: ANNA, when }) as const;
const removeEntitlement = (when: 'now' | 'pending' | 'cancel' = 'pending') =>
  ({ type: 'removeEntitlement', ...world.admin(), id: 'ent-1', when }) as const;
const allocated = () => world.state.tables.allocation.get(allocationId(ANNA, 'ent-1'));
const giveBack = (device: string, leases: readonly { jti: string }[]) =>
  world.ok({ type: 'return', ...world.by(device), leases: leases.map(({ jti }) => jti) });

describe('an allocation', () => {
  test('of three with one borrowed gives up two at once and leaves one pending', () => {
    world.ok(assign(3));
    const { leases, freeAtMs } = world.ok(world.borrowing(anna, HOUR));
    const outcome = world.ok(revoke(3));
    expect(outcome).toEqual({
      email: 'anna@studio.example',
      revoked: 2,
      left: 1,
      leasesRevoked: 0,
      pending: 1,
      pendingUntilMs: freeAtMs,
    });
    expect(allocated()).toMatchObject({ quantity: 1, revoking: { seats: 1, by: 'owner@studio.example' } });
    giveBack(anna, leases);
    expect(allocated()).toBeUndefined();
    expect(world.usage()).toMatchObject({ allocated: 0, free: 4 });
  });

  test('is revoked to the millisecond at the end of the hold when nobody returns', () => {
    world.ok(assign(1));
    const { freeAtMs } = world.ok(world.borrowing(anna, HOUR));
    world.ok(revoke(1));
    world.pass(freeAtMs - world.now.wallMs - 1);
    expect(allocated()).toMatchObject({ quantity: 1 });
    world.pass(1);
    expect(allocated()).toBeUndefined();
  });

  test('early return at-expiry: pending until the hold ends', () => {
    world.import({ jti: 'ent-2', product: 'comp', seats: 1, earlyReturn: 'at-expiry' });
    const target = { email: ANNA, product: 'comp', endMs: null };
    world.ok({ type: 'assign', ...world.admin(), ...target, quantity: 1 });
    const { leases, freeAtMs } = world.ok({ ...world.borrowing(anna, HOUR), product: 'comp' });
    world.ok({ type: 'revoke', ...world.admin(), ...target, quantity: 1, when: 'pending' });
    giveBack(anna, leases);
    const id = allocationId(ANNA, 'ent-2');
    expect(world.state.tables.allocation.get(id)).toMatchObject({ revoking: { seats: 1 } });
    world.pass(freeAtMs - world.now.wallMs);
    expect(world.state.tables.allocation.has(id)).toBe(false);
  });

  test('survives a restart', () => {
    world.ok(assign(1));
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.ok(revoke(1));
    world.restart();
    world.refused(world.borrowing(anna, 2 * HOUR), 'REVOKE_PENDING');
    giveBack(anna, leases);
    expect(allocated()).toBeUndefined();
  });

  test('is not lent for longer, nor assigned again, and says until when', () => {
    world.ok(assign(1));
    const { freeAtMs } = world.ok(world.borrowing(anna, HOUR));
    world.ok(revoke(1));
    for (const command of [world.borrowing(anna, 2 * HOUR), assign(1)]) {
      expect(world.refused(command, 'REVOKE_PENDING').detail).toMatchObject({
        rule: 'REVOKE_PENDING',
        untilMs: freeAtMs,
      });
    }
    // The shared seats are for everybody still, and another user's allocation too.
    world.checkout(anna);
    world.ok(assign(1, 'bo@studio.example'));
    world.ok(world.borrowing(bo, HOUR));
  });

  test('a checkout that it could not serve anyway is refused by the rule that stands in the way', () => {
    world.ok(assign(2));
    world.ok(world.borrowing(anna, HOUR, 2));
    world.ok(revoke(1));
    world.ok(assign(2, 'bo@studio.example'));
    const denial = world.refused(world.checkingOut(anna), 'NO_SEAT');
    // Both of her seats are borrowed: lifting the revoke would not give her a third one.
    expect(denial.detail).toMatchObject({ rule: 'ALLOCATED_TO_OTHERS' });
  });

  test('asked for again it changes nothing; one more seat is one more', () => {
    world.ok(assign(2));
    world.ok(world.borrowing(anna, HOUR, 2));
    expect(world.ok(revoke(1))).toMatchObject({ pending: 1, revoked: 0, left: 2 });
    expect(world.ok(revoke(1))).toMatchObject({ pending: 2 });
    expect(world.ok(revoke(1))).toMatchObject({ pending: 2, revoked: 0 });
    expect(world.ok(revoke('all'))).toMatchObject({ pending: 2 });
    world.refused(revoke(1, 'now'), 'BORROWED');
  });

  test('nothing borrowed: a pending revoke is a revoke', () => {
    world.ok(assign(1));
    expect(world.ok(revoke(1))).toEqual({
      email: 'anna@studio.example',
      revoked: 1,
      left: 0,
      leasesRevoked: 0,
    });
  });

  test('cancelled when it has taken all, it is refused with the way back', () => {
    world.ok(assign(1));
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.ok(revoke(1));
    giveBack(anna, leases);
    const { message, next } = world.refused(revoke('all', 'cancel'), 'ALLOCATION_UNKNOWN');
    expect(message).toContain(`No revoke of render from ${ANNA} is pending`);
    expect(next).toContain(`berth license assign ${ANNA} render`);
  });

  test('cancelled for an entitlement that it is not of, it is not said to be nowhere', () => {
    world.ok(assign(1));
    world.ok(world.borrowing(anna, HOUR));
    world.ok(revoke(1));
    const denial = world.refused({ ...revoke('all', 'cancel'), endMs: 1000 }, 'ALLOCATION_UNKNOWN');
    expect(denial.message).toContain('but none of the entitlement that you name');
    expect(denial.next).toContain(`berth license list ${ANNA}`);
  });

  test('cancelled, it is as if it had not been asked for', () => {
    world.ok(assign(1));
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.ok(revoke(1));
    expect(world.ok(revoke('all', 'cancel'))).toEqual({
      cancelled: 1,
      email: 'anna@studio.example',
      revoked: 0,
      leasesRevoked: 0,
      left: 1,
    });
    expect(world.ok(revoke('all', 'cancel'))).toMatchObject({ cancelled: 0 });
    const longer = world.ok(world.borrowing(anna, 2 * HOUR));
    giveBack(anna, [...leases, ...longer.leases]);
    expect(allocated()).toMatchObject({ quantity: 1 });
  });

  test('a seat that still runs online when its borrow ends is revoked as any other', () => {
    world.ok(assign(1));
    const online = world.checkout(anna).leases;
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.ok(revoke(1));
    giveBack(anna, leases);
    expect(allocated()).toBeUndefined();
    expect(world.state.tables.lease.get(online[0]!.jti)).toMatchObject({ state: 'revoked' });
  });

  test('moves with its seats to the entitlement that replaces its own', () => {
    world.ok(assign(1));
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.ok(revoke(1));
    world.import({
      jti: 'ent-2',
      replaces: 'ent-1',
      seats: 4,
      borrow: { maxSeconds: 30 * 86_400, seats: 3 },
    });
    const id = allocationId(ANNA, 'ent-2');
    expect(world.state.tables.allocation.get(id)).toMatchObject({ quantity: 1, revoking: { seats: 1 } });
    world.refused(world.borrowing(anna, 2 * HOUR), 'REVOKE_PENDING');
    giveBack(anna, leases);
    expect(world.state.tables.allocation.has(id)).toBe(false);
  });
});

describe('a user', () => {
  test('is removed by itself when the borrow is returned, devices and all', () => {
    const { leases, freeAtMs } = world.ok(world.borrowing(anna, HOUR));
    world.refused(removeAnna('now'), 'BORROWED');
    expect(world.ok(removeAnna())).toMatchObject({ email: ANNA, pending: { untilMs: freeAtMs } });
    expect(world.ok(removeAnna())).toMatchObject({ pending: { untilMs: freeAtMs } });
    for (const command of [world.checkingOut(anna), world.borrowing(anna, 2 * HOUR), assign(1)])
      expect(world.refused(command, 'REVOKE_PENDING').next).toContain(
        `\`berth user remove ${ANNA} --cancel\``,
      );
    const invite = { email: ANNA, name: null, role: null, device: true, invitationMs: 1000 };
    world.refused({ type: 'invite', ...world.admin(), ...invite }, 'REVOKE_PENDING');
    giveBack(anna, leases);
    expect(world.state.tables.user.has(ANNA)).toBe(false);
    expect(world.state.tables.device.has(anna)).toBe(false);
  });

  test('with an allocation only once that is to go too; and then the allocation cannot come back alone', () => {
    world.ok(assign(1));
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.refused(removeAnna(), 'ALLOCATED');
    world.ok(revoke(1));
    world.ok(removeAnna());
    world.refused(revoke('all', 'cancel'), 'REVOKE_PENDING');
    world.restart();
    giveBack(anna, leases);
    expect(world.state.tables.user.has(ANNA)).toBe(false);
    expect(allocated()).toBeUndefined();
  });

  test('stays when it is cancelled', () => {
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.ok(removeAnna());
    expect(world.ok(removeAnna('cancel'))).toMatchObject({ cancelled: true });
    expect(world.ok(removeAnna('cancel'))).toMatchObject({ cancelled: false });
    giveBack(anna, leases);
    expect(world.state.tables.user.has(ANNA)).toBe(true);
    world.checkout(anna);
  });

  test('an owner whose removal is pending does not count as the last one', () => {
    const email = 'second@studio.example';
    const invite = { email, name: null, role: 'owner', device: false, invitationMs: 86_400_000 } as const;
    const { invitation } = world.ok({ type: 'invite', ...world.admin(), ...invite });
    const keys = { leaseKey: `ed25519:${'2'.repeat(43)}`, adminKey: null, name: 'pc' };
    const { device } = world.ok({ type: 'enrol', invitation, ...keys });
    world.ok(world.borrowing(device, HOUR));
    world.ok({ type: 'removeUser', ...world.admin(), email, when: 'pending' });
    world.refused({ type: 'removeUser', ...world.admin(), email: 'owner@studio.example' }, 'LAST_OWNER');
  });
});

describe('an entitlement', () => {
  test('grants nothing new, runs out its leases, and goes when the borrow is back', () => {
    const online = world.checkout(bo).leases;
    const { leases, freeAtMs } = world.ok(world.borrowing(anna, HOUR));
    world.refused(removeEntitlement('now'), 'BORROWED');
    expect(world.ok(removeEntitlement())).toMatchObject({ pending: { untilMs: freeAtMs } });
    expect(world.refused(world.checkingOut(bo), 'NO_SEAT').detail).toMatchObject({
      rule: 'REVOKE_PENDING',
      untilMs: freeAtMs,
    });
    const { next } = world.refused(world.borrowing(anna, 2 * HOUR), 'REVOKE_PENDING');
    expect(next).toContain('`berth entitlement remove ent-1 --cancel`');
    expect(world.refused(assign(1), 'REVOKE_PENDING').next).toContain(
      'berth entitlement remove ent-1 --cancel',
    );
    expect(world.renew(bo, [online[0]!.jti]).leases).toMatchObject([{ claims: { jti: online[0]!.jti } }]);
    world.restart();
    giveBack(anna, leases);
    expect(world.state.tables.entitlement.get('ent-1')).toMatchObject({ state: 'removed' });
    expect(world.state.tables.entitlement.get('ent-1')!.removing).toBeUndefined();
    expect(world.state.tables.lease.get(online[0]!.jti)).toMatchObject({ state: 'revoked' });
  });

  test('a new revision does not undo it, cancelling does', () => {
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.ok(removeEntitlement());
    world.import({ rev: 2, seats: 5, borrow: { maxSeconds: 30 * 86_400, seats: 3 } });
    world.refused(world.checkingOut(bo), 'NO_SEAT');
    expect(world.ok(removeEntitlement('cancel'))).toMatchObject({ cancelled: true });
    world.checkout(bo);
    giveBack(anna, leases);
    expect(world.state.tables.entitlement.get('ent-1')).toMatchObject({ state: 'active' });
  });

  test('stays removed when its own end comes in the same moment as that of the borrow, after a long stop', () => {
    world.ok(world.borrowing(anna, HOUR));
    world.ok(removeEntitlement());
    world.pass(200 * 86_400_000);
    expect(world.state.tables.entitlement.get('ent-1')).toMatchObject({ state: 'removed' });
    expect(world.usage()).toMatchObject({ owned: 0, used: 0 });
  });

  test('with another one of the product, the checkout comes from that', () => {
    world.ok(world.borrowing(anna, HOUR));
    world.ok(removeEntitlement());
    world.import({ jti: 'ent-2', seats: 1 });
    expect(world.checkout(bo).leases).toMatchObject([{ ent: 'ent-2' }]);
  });
});

describe('any history', () => {
  const who = fc.constantFrom('anna', 'bo');
  const when = fc.constantFrom('now' as const, 'pending' as const, 'pending' as const, 'cancel' as const);
  const step = fc.oneof(
    fc.record({ do: fc.constant('borrow' as const), who, seconds: fc.integer({ min: 1, max: 7200 }) }),
    fc.record({ do: fc.constant('return' as const), who }),
    fc.record({ do: fc.constant('assign' as const), who, seats: fc.integer({ min: 1, max: 2 }) }),
    fc.record({ do: fc.constant('revoke' as const), who, when, seats: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ do: fc.constant('removeUser' as const), who, when }),
    fc.record({ do: fc.constant('removeEntitlement' as const), when }),
    fc.record({ do: fc.constant('checkout' as const), who }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1_500_000 }) }),
    fc.record({ do: fc.constant('restart' as const) }),
  );

  test('never takes a borrow, and never leaves anything pending once no borrow is left', {
    timeout: 60_000,
  }, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const here = new World();
        here.import({ seats: 3, borrow: { maxSeconds: 86_400, seats: 3 } });
        const devices = { anna: here.user('anna'), bo: here.user('bo') };
        const borrows = () =>
          [...here.state.tables.lease.values()].filter(({ claims }) => claims.kind === 'borrow');
        const run = (one: (typeof steps)[number]): void => {
          const email = 'who' in one ? `${one.who}@studio.example` : '';
          const device = 'who' in one ? devices[one.who as 'anna'] : '';
          if (one.do === 'pass') here.pass(one.ms);
          else if (one.do === 'restart') here.restart();
          else if (one.do === 'borrow') here.send(here.borrowing(device, one.seconds));
          else if (one.do === 'checkout') here.send(here.checkingOut(device));
          else if (one.do === 'assign')
            here.send({
              type: 'assign',
              ...here.admin(),
              email,
              product: 'render',
              quantity: one.seats,
              endMs: null,
            });
          else if (one.do === 'return') {
            const mine = borrows().filter((lease) => lease.device === device);
            here.send({ type: 'return', ...here.by(device), leases: mine.map(({ claims }) => claims.jti) });
          } else {
            const before = borrows().map(({ claims }) => claims.jti);
            if (one.do === 'revoke')
              here.send({
                type: 'revoke',
                ...here.admin(),
                email,
                product: 'render',
                quantity: one.seats,
                endMs: null,
                when: one.when,
              });
            else if (one.do === 'removeUser')
              here.send({ type: 'removeUser', ...here.admin(), email, when: one.when });
            else here.send({ type: 'removeEntitlement', ...here.admin(), id: 'ent-1', when: one.when });
            expect(borrows().map(({ claims }) => claims.jti)).toEqual(before);
          }
        };
        for (const one of steps) run(one);
        here.pass(86_400_000);
        expect(borrows()).toEqual([]);
        expect(here.state.derived.pending.size).toBe(0);
        expect(here.usage().used).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
