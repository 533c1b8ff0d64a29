import type { LeaseClaims } from '@berth/protocol';
import { nextFreeAtMs } from '@berth/server/domain/decide/denial';
import { describe, expect, test } from 'vitest';
import { DAY_MS, LEASE_SECONDS, START_MS, WINDOW_MS, World } from './world.js';

const HOUR = 3600;
/** What is kept back of an entitlement that lends for an hour: an hour, sigma, drift, and a week for requests in files (I3). */
const KEPT_MS = 3_600_000 + 15 * 60_000 + 7_200 + 7 * DAY_MS;

function show(world: World, device: string, leases: readonly LeaseClaims[]) {
  return world.ok({ type: 'readmit', by: world.by(device).by, leases });
}

function studio(share: 'process' | 'device' | 'user' = 'device', borrow = 2) {
  const world = new World();
  world.import({ seats: 3, share, borrow: { maxSeconds: HOUR, seats: borrow } });
  return { world, anna: world.user('anna'), ben: world.user('ben'), cleo: world.user('cleo') };
}

describe('I9: after a restore', () => {
  test('nothing new is granted for W, then what cannot be borrowed, then everything', () => {
    const { world, anna, ben } = studio();
    world.restore(world.rows());
    expect(world.refused(world.checkingOut(anna), 'NO_SEAT').detail).toMatchObject({
      rule: 'RESTORED',
      untilMs: world.now.wallMs + WINDOW_MS,
      nextFreeAtMs: world.now.wallMs + WINDOW_MS,
    });
    // What somebody in line is told.
    expect(nextFreeAtMs(world.state, 'render', world.now)).toBe(world.now.wallMs + WINDOW_MS);
    expect(world.usage()).toMatchObject({ owned: 3, held: 3, free: 0, over: 0 });
    world.pass(WINDOW_MS - 1);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.pass(1);
    world.checkout(anna);
    expect(world.usage()).toMatchObject({ inUse: 1, held: 2, free: 0 });
    expect(world.refused(world.checkingOut(ben), 'NO_SEAT').detail).toMatchObject({
      rule: 'RESTORED',
      untilMs: world.now.wallMs + KEPT_MS - WINDOW_MS,
      // Hers comes first.
      nextFreeAtMs: world.now.wallMs + WINDOW_MS,
    });
    world.pass(KEPT_MS);
    world.checkout(ben, 3);
  });

  test('the end of W is what is told of seats that nobody can have borrowed, too', () => {
    const world = new World();
    world.import({ seats: 1, borrow: undefined as never });
    const anna = world.user('anna');
    world.restore(world.rows());
    const moment = world.now.wallMs + WINDOW_MS;
    expect(nextFreeAtMs(world.state, 'render', world.now)).toBe(moment);
    const { detail } = world.refused(world.checkingOut(anna), 'NO_SEAT');
    expect(detail).toMatchObject({ nextFreeAtMs: moment, untilMs: moment });
  });

  test('a restart in between begins W anew, and W that is over stays over', () => {
    const { world, anna, ben } = studio();
    world.restore(world.rows());
    world.pass(WINDOW_MS - 1);
    world.restart();
    world.ok({ type: 'beginRestore' });
    world.pass(WINDOW_MS - 1);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.pass(1);
    world.restart();
    world.checkout(anna);
    world.refused(world.checkingOut(ben), 'NO_SEAT');
  });

  test('time counts from the first start, not from the restore: a folder may be kept ready', () => {
    const { world, anna } = studio();
    world.restart(world.rows());
    world.ok({ type: 'restore', epoch: 'second', known: { epoch: 'epoch', seq: 7 }, backupAtMs: START_MS });
    world.pass(20 * DAY_MS);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.ok({ type: 'beginRestore' });
    world.pass(WINDOW_MS);
    expect(world.usage()).toMatchObject({ held: 2, free: 1 });
  });

  test('W is that of the longest lease there can have been', () => {
    const { world, anna, ben } = studio();
    world.leaseSeconds = 600;
    world.checkout(ben);
    const backup = world.rows();
    world.leaseSeconds = LEASE_SECONDS;
    world.restore(backup);
    world.pass(600_000);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.pass(20_000);
    world.checkout(anna);
  });

  test('W is that of the configuration of before, though no lease of it is in the backup, and the next start has another', () => {
    const { world, anna } = studio();
    world.leaseSeconds = 3600;
    expect(world.ok({ type: 'noteWindow' })).toEqual({ noted: true });
    expect(world.ok({ type: 'noteWindow' })).toEqual({ noted: false });
    const backup = world.rows();
    world.leaseSeconds = LEASE_SECONDS;
    world.restore(backup);
    world.ok({ type: 'noteWindow' });
    world.pass(3_600_000);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.pass(60_000);
    world.checkout(anna);
  });

  test('a folder that was put back under a shorter D waits for the D of before', () => {
    const { world, anna } = studio();
    world.leaseSeconds = 3600;
    world.ok({ type: 'noteWindow' });
    const old = world.rows();
    world.leaseSeconds = LEASE_SECONDS;
    world.restart(old);
    world.ok({ type: 'noteWindow' });
    const shown = { epoch: 'unseen', seq: 99, iat: Math.floor(START_MS / 1000) };
    const known = { epoch: world.epoch, seq: 7 };
    world.ok({ type: 'rollBack', epoch: 'third', known, shown, device: anna });
    world.pass(3_600_000);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
  });

  test('what was replaced before is not kept back: its heir is', () => {
    const { world, anna } = studio();
    world.import({
      jti: 'heir',
      replaces: 'ent-1',
      share: 'device',
      seats: 6,
      borrow: { maxSeconds: HOUR, seats: 2 },
    });
    world.restore(world.rows());
    world.pass(WINDOW_MS);
    expect(world.usage()).toMatchObject({ owned: 6, held: 2, free: 4 });
    world.checkout(anna, 4);
  });

  test('a lease of an entitlement that is not here stops its product until that is imported again', () => {
    const { world, anna, ben } = studio();
    const backup = world.rows();
    world.import({ jti: 'ent-2', share: 'device', seats: 2, borrow: { maxSeconds: HOUR, seats: 2 } });
    world.checkout(ben, 3);
    const { leases } = world.ok(world.borrowing(anna, 1800, 1));
    expect(leases[0]!.ent).toBe('ent-2');
    world.restore(backup);
    expect(show(world, anna, leases).refused).toEqual([leases[0]!.jti]);
    world.pass(WINDOW_MS);
    const denial = world.refused(world.checkingOut(ben), 'NO_SEAT');
    expect(denial.detail).toMatchObject({ rule: 'RESTORED', nextFreeAtMs: null });
    expect(denial.next).toContain('import');
    world.import({ jti: 'ent-2', share: 'device', seats: 2, borrow: { maxSeconds: HOUR, seats: 2 } });
    expect(show(world, anna, leases).admitted).toEqual([leases[0]!.jti]);
    world.checkout(ben);
  });

  test('so does a borrow that is longer than the revision here allows', () => {
    const { world, anna, ben } = studio();
    const backup = world.rows();
    world.import({ rev: 2, share: 'device', seats: 3, borrow: { maxSeconds: 3 * HOUR, seats: 3 } });
    const { leases } = world.ok(world.borrowing(anna, 3 * HOUR, 1));
    world.restore(backup);
    expect(show(world, anna, leases).admitted).toHaveLength(1);
    world.pass(WINDOW_MS);
    expect(world.refused(world.checkingOut(ben), 'NO_SEAT').detail).toMatchObject({ rule: 'RESTORED' });
    world.import({ rev: 2, share: 'device', seats: 3, borrow: { maxSeconds: 3 * HOUR, seats: 3 } });
    // Three may be lent by that revision, and all of them may be out.
    world.refused(world.checkingOut(ben), 'NO_SEAT');
    expect(world.usage()).toMatchObject({ owned: 3, borrowed: 1, held: 2 });
  });

  test('a borrow since the backup is a borrow again once its device shows it, and blocks as one (I8)', () => {
    const { world, anna, ben } = studio();
    const backup = world.rows();
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    world.restore(backup);
    expect(show(world, anna, leases)).toEqual({ admitted: [leases[0]!.jti], refused: [] });
    expect(show(world, anna, leases)).toEqual({ admitted: [leases[0]!.jti], refused: [] });
    expect(world.usage()).toMatchObject({ borrowed: 1, held: 2, free: 0 });
    world.pass(WINDOW_MS);
    expect(world.usage()).toMatchObject({ borrowed: 1, held: 1, free: 1 });
    world.refused({ type: 'removeUser', ...world.admin(), email: 'anna@studio.example' }, 'BORROWED');
    world.refused({ type: 'removeEntitlement', ...world.admin(), id: 'ent-1' }, 'BORROWED');
    // Another process of the device may still have a token of it: the seat stays kept back.
    world.ok({ type: 'return', ...world.by(anna), leases: [leases[0]!.jti] });
    expect(world.usage()).toMatchObject({ borrowed: 0, held: 2, free: 1 });
    world.checkout(ben);
    world.refused(world.checkingOut(ben, 2), 'NO_SEAT');
  });

  test('a borrow that nobody shows is never doubled', () => {
    const { world, anna, ben, cleo } = studio('process');
    const backup = world.rows();
    world.ok(world.borrowing(anna, HOUR, 2));
    world.restore(backup);
    world.pass(WINDOW_MS);
    world.checkout(ben);
    world.refused(world.checkingOut(cleo), 'NO_SEAT');
    world.refused(world.borrowing(cleo, 60), 'NO_SEAT');
    // Nor lent on, which would be more than the entitlement lets borrow.
    expect(world.refused(world.borrowing(ben, 60), 'NO_SEAT').detail).toMatchObject({ rule: 'RESTORED' });
    world.pass(3_600_000 + 15 * 60_000);
    expect(world.usage()).toMatchObject({ inUse: 0, held: 2, free: 1 });
  });

  test('a seat that the backup knew as borrowed is neither joined nor lent for longer before it is shown', () => {
    const { world, anna, ben, cleo } = studio('device', 1);
    const { leases } = world.ok(world.borrowing(anna, HOUR));
    const backup = world.rows();
    world.ok({ type: 'return', ...world.by(anna), leases: [leases[0]!.jti] });
    world.ok(world.borrowing(ben, HOUR));
    world.restore(backup);
    world.pass(WINDOW_MS);
    world.checkout(cleo, 2);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.refused(world.borrowing(anna, HOUR), 'BORROW_LIMIT');
    show(world, anna, leases);
    world.checkout(anna);
    world.ok(world.borrowing(anna, HOUR));
  });

  test('nobody joins, resumes or is lent what may have been given back since the backup', () => {
    const { world, anna, ben } = studio();
    world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings: { lingerSeconds: 3600 } });
    const { leases } = world.checkout(anna, 3);
    const backup = world.rows();
    world.restore(backup);
    world.refused(world.checkingOut(anna, 3), 'NO_SEAT');
    world.release(anna, [leases[0]!.jti]);
    world.refused(world.checkingOut(anna, 3), 'NO_SEAT');
    expect(world.usage()).toMatchObject({ inUse: 0, held: 3 });
    world.pass(WINDOW_MS);
    world.checkout(ben);
  });

  test('what lingered when the backup was made lingers no more: somebody else may have had it since', () => {
    const { world, anna, ben } = studio('device', 3);
    world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings: { lingerSeconds: 3600 } });
    const { leases } = world.checkout(anna, 3);
    world.release(anna, [leases[0]!.jti]);
    const backup = world.rows();
    world.ok({ type: 'revokeLease', ...world.admin(), lease: leases[0]!.jti, reason: 'needed' });
    world.ok(world.borrowing(ben, HOUR, 3));
    world.restore(backup);
    world.pass(WINDOW_MS);
    expect(world.refused(world.checkingOut(anna, 3), 'NO_SEAT').detail).toMatchObject({ rule: 'RESTORED' });
  });

  test('the seats of no single entitlement are doubled either, whatever the product has left', () => {
    const { world, anna } = studio('process', 3);
    world.import({ jti: 'ent-2', seats: 2, share: 'process', borrow: undefined as never });
    world.ok({
      ...{ type: 'assign', ...world.admin(), email: 'anna@studio.example', product: 'render', quantity: 3 },
      ...{ endMs: null, subscription: 'ent-1' },
    });
    const backup = world.rows();
    expect(world.ok(world.borrowing(anna, HOUR, 3)).leases).toMatchObject([{ ent: 'ent-1' }]);
    world.restore(backup);
    world.pass(WINDOW_MS);
    expect(world.checkout(anna).leases).toMatchObject([{ ent: 'ent-2' }]);
  });

  test('online leases since the backup go on when they are shown, never beyond what is owned', () => {
    const { world, anna, ben, cleo } = studio();
    world.checkout(cleo, 3);
    const backup = world.rows();
    world.release(cleo, [...world.state.tables.lease.keys()]);
    const [first, second] = [world.checkout(anna, 2).leases, world.checkout(ben, 1).leases];
    world.restore(backup);
    // The state knows Cleo's three: there is no room beside them.
    expect(show(world, anna, first).refused).toHaveLength(1);
    world.release(cleo, [...world.state.tables.lease.keys()]);
    expect(show(world, anna, first).admitted).toHaveLength(1);
    expect(show(world, ben, second).admitted).toHaveLength(1);
    expect(world.renew(anna, [first[0]!.jti]).leases[0]).toMatchObject({ claims: { n: 2, epoch: "epoch'" } });
    expect(world.usage()).toMatchObject({ inUse: 3, held: 0, free: 0, over: 0 });
    world.pass(WINDOW_MS);
    expect(world.usage()).toMatchObject({ inUse: 0, held: 2, free: 1 });
  });

  test("neither another device's lease, nor one that has run out, nor one of this epoch", () => {
    const { world, anna, ben } = studio();
    const backup = world.rows();
    const { leases } = world.checkout(anna);
    world.pass(LEASE_SECONDS * 1000);
    const late = world.ok(world.borrowing(anna, 600)).leases;
    world.restore(backup);
    world.now = { ...world.now, wallMs: START_MS + LEASE_SECONDS * 1000 };
    expect(show(world, anna, leases).refused).toHaveLength(1);
    expect(show(world, ben, late).refused).toHaveLength(1);
    const own = { ...late[0]!, epoch: world.epoch };
    expect(show(world, anna, [own]).refused).toHaveLength(1);
  });

  test('several leases of one seat are one seat, of as many as the largest of them', () => {
    const { world, anna } = studio('user');
    const { invitation } = world.ok({
      ...{ type: 'invite', ...world.admin(), email: 'anna@studio.example', name: null, role: null },
      ...{ device: true, invitationMs: DAY_MS },
    });
    const leaseKey = `ed25519:${'anna-laptop'.padEnd(43, '0')}`;
    const { device: laptop } = world.ok({
      type: 'enrol',
      invitation,
      leaseKey,
      adminKey: null,
      name: 'laptop',
    });
    const backup = world.rows();
    const large = world.checkout(anna, 3).leases;
    const small = world.checkout(laptop, 1).leases;
    world.restore(backup);
    expect(show(world, laptop, small).admitted).toHaveLength(1);
    expect(world.usage()).toMatchObject({ inUse: 1, held: 2 });
    expect(show(world, anna, large).admitted).toHaveLength(1);
    expect(world.usage()).toMatchObject({ inUse: 3, held: 0 });
  });

  test('an entitlement that is imported again may have lent as well', () => {
    const { world, anna } = studio();
    const backup = world.rows();
    world.restore(backup);
    world.pass(DAY_MS);
    world.import({ jti: 'ent-2', seats: 5, share: 'device', borrow: { maxSeconds: 20 * 86_400, seats: 4 } });
    expect(world.usage()).toMatchObject({ owned: 8, held: 6, free: 2 });
    // A revision that lends less takes nothing back of what the one before may have lent.
    world.import({ jti: 'ent-2', rev: 2, seats: 5, share: 'device' });
    world.import({ jti: 'ent-2', rev: 3, seats: 5, share: 'device', borrow: { maxSeconds: 60, seats: 1 } });
    expect(world.usage()).toMatchObject({ owned: 8, held: 6, free: 2 });
    world.pass(KEPT_MS);
    expect(world.usage()).toMatchObject({ owned: 8, held: 4, free: 4 });
    world.checkout(anna, 4);
  });

  test('an admin who answers for it ends the care, and is in the journal with the reason', () => {
    const { world, anna } = studio();
    world.restore(world.rows());
    const accept = {
      type: 'acceptRestore',
      ...world.admin(),
      reason: 'all laptops are here',
      statement: 's',
    } as const;
    expect(world.ok(accept)).toMatchObject({ changed: true, before: { holding: true, cause: 'restored' } });
    expect(world.ok({ ...accept, ...world.admin() })).toMatchObject({ changed: false });
    world.checkout(anna, 3);
    expect(world.state.tables.organisation.get('self')?.restore).toMatchObject({
      accepted: { by: 'owner@studio.example', reason: 'all laptops are here' },
    });
  });
});

describe('I9: a folder that was rolled back', () => {
  const shown = (epoch: string, iat: number) => ({ epoch, seq: 9, iat });
  const rollBack = (world: World, epoch: string, iat: number) =>
    world.ok({
      type: 'rollBack',
      epoch: `${world.epoch}+`,
      known: { epoch: world.epoch, seq: 5 },
      shown: shown(epoch, iat),
      device: 'd1',
    });

  test('granting stops as after a restore, once for all that was signed before', () => {
    const { world, anna, ben } = studio();
    const backup = world.rows();
    const { leases } = world.checkout(ben);
    world.branch = 'r';
    world.restart(backup);
    world.checkout(anna);
    const iat = leases[0]!.iat;
    expect(rollBack(world, 'epoch', iat)).toEqual({ entered: true });
    expect(world.epoch).toBe('epoch+');
    expect(world.refused(world.checkingOut(anna), 'NO_SEAT').detail).toMatchObject({ rule: 'RESTORED' });
    expect(rollBack(world, 'epoch', iat)).toEqual({ entered: false });
    expect(show(world, ben, leases).admitted).toHaveLength(1);
    // What runs goes on.
    expect(world.usage()).toMatchObject({ inUse: 2, held: 1 });
    // A server that runs on the other folder at the same time shows when the time of this one is over.
    const later = Math.ceil((world.now.wallMs + WINDOW_MS) / 1000) + 1;
    expect(rollBack(world, 'epoch', later)).toEqual({ entered: true });
  });
});
