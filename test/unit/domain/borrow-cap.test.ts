import { beforeEach, expect, test } from 'vitest';
import { World } from './world.js';

// What an admin allows to be borrowed, on top of what the entitlements say.

let world: World;
let anna: string;
let bo: string;

beforeEach(() => {
  world = new World();
  world.import({ seats: 6, borrow: { maxSeconds: 30 * 86_400, seats: 6 } });
  [anna, bo] = [world.user('anna'), world.user('bo')];
});

const cap = (settings: { borrowSeatsMax?: number | null; borrowSeatsPerUserMax?: number | null }): void => {
  world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings });
};

test('of a product: up to the cap and no further, whoever asks', () => {
  cap({ borrowSeatsMax: 2 });
  world.ok(world.borrowing(anna, 3600));
  expect(world.refused(world.borrowing(bo, 3600, 2), 'BORROW_LIMIT').detail).toMatchObject({
    rule: 'BORROW_CAP_PRODUCT',
    borrowed: 1,
    cap: 2,
    holders: [{ user: 'anna@studio.example', kind: 'borrow' }],
  });
  world.ok(world.borrowing(bo, 3600));
  // Online the seats are for everybody.
  world.checkout(bo);
});

test('of a user: others are not concerned', () => {
  cap({ borrowSeatsPerUserMax: 1 });
  const { leases } = world.ok(world.borrowing(anna, 3600));
  expect(world.refused(world.borrowing(anna, 3600, 2), 'BORROW_LIMIT').detail).toMatchObject({
    rule: 'BORROW_CAP_USER',
    borrowed: 1,
    cap: 1,
  });
  world.ok(world.borrowing(bo, 3600));
  world.ok({ type: 'return', ...world.by(anna), leases: leases.map(({ jti }) => jti) });
  world.ok(world.borrowing(anna, 3600));
});

test('a seat that is in use online counts when it is converted', () => {
  cap({ borrowSeatsMax: 0 });
  world.checkout(anna);
  expect(world.refused(world.borrowing(anna, 3600), 'BORROW_LIMIT').detail).toMatchObject({ cap: 0 });
});

test('at the cap an extension is no further seat; beyond a lowered one it is refused, and nothing is taken away', () => {
  cap({ borrowSeatsMax: 2 });
  world.ok(world.borrowing(anna, 3600));
  world.ok(world.borrowing(bo, 3600));
  world.ok(world.borrowing(anna, 7200));
  cap({ borrowSeatsMax: 1 });
  expect(world.usage()).toMatchObject({ borrowed: 2 });
  const { leases } = { leases: [...world.state.tables.lease.values()].filter((row) => row.device === bo) };
  world.refused(world.borrowing(anna, 9000), 'BORROW_LIMIT');
  world.ok({ type: 'return', ...world.by(bo), leases: leases.map(({ claims }) => claims.jti) });
  world.ok(world.borrowing(anna, 9000));
  cap({ borrowSeatsMax: null });
  world.ok(world.borrowing(bo, 3600, 3));
});

test('a cap survives a restart, and the import of a new revision', () => {
  cap({ borrowSeatsPerUserMax: 0 });
  world.restart();
  world.import({ rev: 2, seats: 6, borrow: { maxSeconds: 30 * 86_400, seats: 6 } });
  expect(world.refused(world.borrowing(anna, 3600), 'BORROW_LIMIT').detail).toMatchObject({
    rule: 'BORROW_CAP_USER',
  });
});
