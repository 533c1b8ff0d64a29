import { endNoticeOf } from '@berth/protocol';
import { entitlementInfo } from '@berth/server/domain/views';
import { expect, test } from 'vitest';
import { DAY_MS, World } from './world.js';

// The organisation and the ends of its subscriptions (issue 5, parts 1 and 3).

test('renamed by two at once: one wins, the other is told what it is called now; a restart keeps it', () => {
  const world = new World();
  const rename = (name: string, was: string | null) =>
    ({ type: 'setOrganisation', ...world.admin(), name, was }) as const;
  expect(world.ok(rename('North', 'Studio'))).toEqual({ name: 'North', changed: true });
  expect(world.refused(rename('South', 'Studio'), 'CHANGED_MEANWHILE').detail).toEqual({
    now: { name: 'North' },
  });
  expect(world.ok(rename('North', null))).toEqual({ name: 'North', changed: false });
  world.restart();
  expect(world.state.tables.organisation.get('self')).toMatchObject({ name: 'North', serverId: 'srv' });
});

test.each([
  [61, null],
  [60, 60],
  [31, 60],
  [30, 30],
  [8, 30],
  [7, 7],
  [2, 7],
  [1, 1],
])('%i days left: the warning of %s days', (days, notice) => expect(endNoticeOf(days)).toBe(notice));

test('a subscription is warned of while it is active, and no longer', () => {
  const world = new World();
  world.import();
  const notice = () => {
    const row = world.state.tables.entitlement.get('ent-1')!;
    const { notice: due, daysLeft, state } = entitlementInfo(world.state, row, world.now);
    return [due, daysLeft, state];
  };
  expect(notice()).toEqual([undefined, 100, 'active']);
  world.pass(40 * DAY_MS);
  expect(notice()).toEqual([60, 60, 'active']);
  world.pass(59 * DAY_MS);
  expect(notice()).toEqual([1, 1, 'active']);
  world.pass(DAY_MS);
  expect(notice()).toEqual([undefined, 0, 'expired']);
});
