import { describe, expect, test } from 'vitest';
import { World } from './world.js';

function studio(share: 'process' | 'device' = 'process') {
  const world = new World();
  world.import({ seats: 3, share });
  return { world, anna: world.user('anna'), bo: world.user('bo') };
}

function turn(world: World, on: boolean, running: 'drain' | 'cut' = 'drain', product: string | null = null) {
  return world.ok({ type: 'setSharing', ...world.admin(), on, product, running }).products;
}

function assign(world: World, email = 'anna@studio.example', quantity = 1) {
  world.ok({ type: 'assign', ...world.admin(), email, product: 'render', quantity, endMs: null });
}

describe('floating sharing off', () => {
  test('shared seats are for nobody, allocated ones for their users', () => {
    const { world, anna, bo } = studio();
    assign(world);
    turn(world, false);
    world.checkout(anna);
    const denial = world.refused(world.checkingOut(bo), 'NO_SEAT');
    expect(denial.detail).toMatchObject({ rule: 'SHARING_OFF' });
    turn(world, true);
    world.checkout(bo);
  });

  test('who has enough allocated is told to wait for it, who has not is told why waiting is vain', () => {
    const { world, anna } = studio();
    assign(world);
    turn(world, false);
    world.checkout(anna);
    expect(world.refused(world.checkingOut(anna), 'NO_SEAT').detail).toMatchObject({ rule: 'ALL_IN_USE' });
    expect(world.refused(world.checkingOut(anna, 2), 'NO_SEAT').detail).toMatchObject({
      rule: 'SHARING_OFF',
    });
  });

  test('two admins: the second is told what the first has made of it, and by whom; who undoes it knowingly is told too', () => {
    const { world } = studio();
    const seen = [{ product: 'render', floatingSharing: true }];
    turn(world, false);
    const late = { type: 'setSharing', ...world.admin(), on: true, product: null, running: 'drain' } as const;
    const denial = world.refused({ ...late, was: seen }, 'CHANGED_MEANWHILE');
    const changed = { by: 'owner@studio.example', atMs: world.now.wallMs };
    expect(denial.detail).toEqual({ now: [{ product: 'render', floatingSharing: false, changed }] });
    const was = [{ product: 'render', floatingSharing: false }];
    expect(world.ok({ ...late, ...world.admin(), was }).products).toMatchObject([
      { changed: true, before: changed },
    ]);
  });

  test('drain: what runs is renewed, also onto another entitlement, until it is released', () => {
    const { world, anna } = studio();
    const lease = world.checkout(anna).leases[0]!.jti;
    expect(turn(world, false)).toEqual([
      { product: 'render', floatingSharing: false, changed: true, leasesRevoked: 0, seatsRunning: 1 },
    ]);
    world.import({ jti: 'ent-2', seats: 3 });
    world.pass(60_000);
    world.ok({ type: 'removeEntitlement', ...world.admin(), id: 'ent-2' });
    expect(world.renew(anna, [lease]).leases).toMatchObject([{ claims: {} }]);
    world.release(anna, [lease]);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
  });

  test('drain: a seat whose entitlement ends moves to another one', () => {
    const { world, anna } = studio();
    const lease = world.checkout(anna).leases[0]!.jti;
    world.import({ jti: 'ent-2', seats: 1 });
    turn(world, false);
    world.import({ rev: 2, seats: 3, exp: Math.floor(world.now.wallMs / 1000) + 60 });
    expect(world.renew(anna, [lease]).leases).toMatchObject([{ claims: { ent: 'ent-2' } }]);
  });

  test('cut: leases on shared seats are revoked, those on allocations are not; held until the stop (I1)', () => {
    const { world, anna, bo } = studio();
    assign(world);
    const kept = world.checkout(anna).leases[0]!.jti;
    const cut = world.checkout(bo).leases[0]!.jti;
    expect(turn(world, false, 'cut')).toMatchObject([{ leasesRevoked: 1, seatsRunning: 0 }]);
    expect(world.usage()).toMatchObject({ inUse: 1, held: 1 });
    expect(world.renew(anna, [kept]).leases).toMatchObject([{ claims: {} }]);
    expect(world.renew(bo, [cut]).leases).toMatchObject([{ code: 'LEASE_REVOKED' }]);
    world.release(bo, [cut], [cut]);
    expect(world.usage()).toMatchObject({ inUse: 1, held: 0 });
  });

  test('cut after drain cuts what was draining; said again, nothing changes', () => {
    const { world, anna } = studio();
    world.checkout(anna);
    turn(world, false);
    expect(turn(world, false)).toMatchObject([{ changed: false, seatsRunning: 1 }]);
    expect(turn(world, false, 'cut')).toMatchObject([{ changed: false, leasesRevoked: 1 }]);
    expect(turn(world, false, 'cut')).toMatchObject([{ changed: false, leasesRevoked: 0 }]);
    const again = world.send({
      type: 'setSharing',
      ...world.admin(),
      on: false,
      product: null,
      running: 'cut',
    });
    expect(again).toMatchObject({ ok: true, changes: [] });
  });

  test('a borrow is never cut, and not lent for longer (I8)', () => {
    const { world, anna } = studio();
    const [lease] = world.checkout(anna).leases;
    world.ok(world.borrowing(anna, 3600));
    expect(turn(world, false, 'cut')).toMatchObject([{ leasesRevoked: 0 }]);
    expect(world.usage()).toMatchObject({ borrowed: 1, held: 0 });
    expect(world.renew(anna, [lease!.jti]).leases).toMatchObject([{ claims: {} }]);
    world.refused(world.borrowing(anna, 7200), 'NO_SEAT');
  });

  test('a running seat is neither joined nor lent', () => {
    const { world, anna } = studio('device');
    world.checkout(anna);
    turn(world, false);
    world.refused(world.checkingOut(anna), 'NO_SEAT');
    world.refused(world.borrowing(anna, 3600), 'NO_SEAT');
  });

  test('what lingers on the shared seats ends, and nothing shared lingers any more', () => {
    const { world, anna, bo } = studio();
    world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings: { lingerSeconds: 60 } });
    world.release(anna, [world.checkout(anna).leases[0]!.jti]);
    const running = world.checkout(bo).leases[0]!.jti;
    expect(world.usage()).toMatchObject({ held: 1 });
    turn(world, false);
    world.release(bo, [running]);
    expect(world.usage()).toMatchObject({ held: 0, free: 3 });
  });

  test('of one product leaves the others alone; an unknown one is refused', () => {
    const { world } = studio();
    world.import({ jti: 'ent-s', product: 'sim' });
    expect(turn(world, false, 'drain', 'sim')).toMatchObject([{ product: 'sim', changed: true }]);
    expect(turn(world, false)).toMatchObject([
      { product: 'render', changed: true },
      { product: 'sim', changed: false },
    ]);
    const unknown = { type: 'setSharing', ...world.admin(), on: true, running: 'drain' } as const;
    world.refused({ ...unknown, product: 'comp' }, 'PRODUCT_UNKNOWN');
  });

  test('survives a restart, a new revision and settings of the pool', () => {
    const { world, anna } = studio();
    turn(world, false);
    world.import({ rev: 2, seats: 5 });
    world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings: { idleSeconds: 60 } });
    world.restart();
    expect(world.refused(world.checkingOut(anna), 'NO_SEAT').detail).toMatchObject({ rule: 'SHARING_OFF' });
  });
});
