import { formatDay } from '@berth/protocol';
import { judge } from '@berth/server/domain/decide/bulk-row';
import { beforeEach, describe, expect, test } from 'vitest';
import { DAY_MS, START_MS, World } from './world.js';

// Why no seat can be set aside, and what can be done instead (PRODUCT.md, assign).

const [ANNA, BO] = ['anna@studio.example', 'bo@studio.example'];
const MIDNIGHT = START_MS - (START_MS % DAY_MS);
const [SOON, LATE] = [MIDNIGHT + 8 * DAY_MS, MIDNIGHT + 100 * DAY_MS];
const day = (endMs: number) => formatDay(endMs - 1);
let world: World;

beforeEach(() => {
  world = new World();
  for (const name of ['anna', 'bo']) world.user(name);
});

const assign = (email: string, quantity = 1, endMs: number | null = null, product = 'render') =>
  ({ type: 'assign', ...world.admin(), email, product, quantity, endMs }) as const;

describe('a product of which nothing can be assigned', () => {
  test('is unknown only when it is', () => {
    world.refused(assign(ANNA, 1, null, 'nothing'), 'PRODUCT_UNKNOWN');
  });

  test('is personal', () => {
    world.import({ jti: 'ent-p', product: 'pers', seats: 1, holder: BO });
    expect(world.refused(assign(ANNA, 1, null, 'pers'), 'PERSONAL').message).toContain('pers is personal');
  });

  test('has not begun: the day is said', () => {
    world.import({ seats: 1, nbf: SOON / 1000, exp: LATE / 1000 });
    const denial = world.refused(assign(ANNA), 'ENTITLEMENT_NOT_BEGUN');
    expect([denial.message, denial.detail]).toEqual([
      expect.stringContaining(formatDay(SOON)),
      { product: 'render', from: formatDay(SOON) },
    ]);
  });

  test('is over', () => {
    world.import({ seats: 1, exp: SOON / 1000 });
    world.pass(9 * DAY_MS);
    world.refused(assign(ANNA), 'ENTITLEMENT_UNKNOWN');
  });
});

describe('two entitlements that end on different days', () => {
  beforeEach(() => {
    world.import({ jti: 'ent-late', seats: 2, exp: LATE / 1000 });
    world.import({ jti: 'ent-soon', seats: 7, exp: SOON / 1000 });
  });

  test('without a day only the last one is meant; the other one is said', () => {
    expect(world.ok(assign(ANNA)).allocation.entitlement).toBe('ent-late');
    const denial = world.refused(assign(ANNA, 4), 'ALL_ALLOCATED');
    expect(denial.detail).toMatchObject({
      expires: day(LATE),
      left: 1,
      others: [{ expires: day(SOON), left: 7 }],
    });
    expect(denial.message).toContain(`7 until ${day(SOON)}`);
    expect(denial.next).toContain(`berth license assign ${ANNA} render --quantity 4 --expires ${day(SOON)}`);
    expect(world.ok(assign(ANNA, 4, SOON)).allocation.entitlement).toBe('ent-soon');
  });

  test('more than one of them has is one assign for each day', () => {
    expect(world.refused(assign(ANNA, 9), 'ALL_ALLOCATED').next).toMatch(
      new RegExp(`--quantity 2 --expires ${day(LATE)} and .* --quantity 7 --expires ${day(SOON)}$`),
    );
    const none = world.refused(assign(ANNA, 10), 'ALL_ALLOCATED');
    expect(none.next).toContain('9 are left in all');
    expect(none.next).not.toContain('berth license move');
  });

  test('of a named day it is the same', () => {
    world.ok(assign(ANNA, 7, SOON));
    const denial = world.refused(assign(BO, 1, SOON), 'ALL_ALLOCATED');
    expect(denial.detail).toMatchObject({
      expires: day(SOON),
      left: 0,
      others: [{ expires: day(LATE), left: 2 }],
    });
  });

  test('so it is in a bulk job, whose rows say it in their reason', () => {
    const cells = { line: 2, email: ANNA!, product: 'render', quantity: '4' };
    const job = { kind: 'assign', by: 'owner@studio.example', device: 'd', pending: false } as never;
    expect(judge(world.state, job, cells, world.context).verdict).toMatchObject({
      is: 'failed',
      code: 'ALL_ALLOCATED',
      message: expect.stringContaining(`7 until ${day(SOON)}`),
    });
  });
});

test('holders are named once each, the others counted, and the move goes to whom the seats were for', () => {
  world.import({ jti: 'ent-1', seats: 8, exp: LATE / 1000 });
  world.import({ jti: 'ent-2', seats: 8, exp: LATE / 1000 });
  for (const letter of 'cdefghijklmn') {
    world.user(`u${letter}`);
    world.ok(assign(`u${letter}@studio.example`));
  }
  world.ok(assign(BO, 4));
  const { detail, next } = world.refused(assign(ANNA), 'ALL_ALLOCATED');
  const named = ((detail?.allocatedTo ?? []) as { email: string }[]).map(({ email }) => email);
  expect([named.length, new Set(named).size, detail?.more]).toEqual([10, 10, 3]);
  expect(named[0]).toBe(BO);
  expect(next).toContain(`berth license move ${BO} render --to ${ANNA}`);
});
