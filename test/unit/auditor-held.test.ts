import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

describe('I2: a seat that is lost is given back when its plugin has had its time to stop', () => {
  /** Taken at 1 s, lost at 4 s. */
  const lost = (releasedT: number, stoppedT?: number): World => {
    const world = new World();
    const lease = world.take(1000);
    const say = (t: number, state: string) =>
      world.write(t, 'plugin', { event: 'state', state, leases: [lease] });
    say(2000, 'held');
    say(4000, 'lost');
    say(9000, 'lost');
    if (stoppedT !== undefined) world.write(stoppedT, 'plugin', { event: 'stopped', leases: [lease] });
    // Of another seat, so that it is known that somebody watches.
    world.write(500, 'other', { event: 'stopped', leases: ['l9'] });
    world.release(releasedT, lease);
    return world;
  };

  test('ten seconds later', () => expect(broken(lost(14_000))).toEqual([]));
  test('sooner is found', () => expect(broken(lost(13_000))).toEqual(['I2']));
  test('at once, when the plugin says that it has stopped', () =>
    expect(broken(lost(5100, 5000))).toEqual([]));
  test('before it has said so is found', () => expect(broken(lost(5100, 5200))).toEqual(['I2']));

  test.each([
    ['which its plugin uses is found', false, ['I2']],
    ['which is lent to its device is right: the plugin goes on with the borrow', true, []],
  ])('one %s', (_, isLent, rules) => {
    const world = new World();
    const lease = world.take(1000, { seat: 's' });
    world.write(1500, 'plugin', { event: 'state', state: 'held', leases: [lease] });
    if (isLent) world.take(1600, { seat: 's', kind: 'borrow' });
    world.write(500, 'other', { event: 'stopped', leases: ['l9'] });
    world.release(2000, lease);
    expect(broken(world)).toEqual(rules);
  });

  test.each([
    ['while a borrow of its device stands', 'plugin', undefined, 'held', []],
    ['once that was returned is found', 'plugin', 2500, 'held', ['I2']],
    ['which its plugin has stopped to use, once that was returned', 'plugin', 2500, 'stopped', []],
    ['while another device has borrowed the seat is found', 'other', undefined, 'held', ['I2']],
  ] as const)('one beside a borrow is given back %s', (_, by, returnedT, last, rules) => {
    const world = new World();
    const borrow = world.take(1000, { seat: 's', kind: 'borrow', by });
    const lease = world.take(1500, { seat: 's' });
    world.write(1600, 'plugin', { event: 'state', state: 'held', leases: [lease] });
    world.write(500, 'other', { event: 'stopped', leases: ['l9'] });
    if (returnedT !== undefined) world.giveBack(returnedT, borrow, by);
    if (last === 'stopped') world.write(3000, 'plugin', { event: 'stopped', leases: [lease] });
    world.release(3500, lease);
    expect(broken(world).filter((rule) => rule === 'I2')).toEqual(rules);
  });

  test('also with a borrow of before the server was made anew of a backup', () => {
    const world = new World();
    world.journal({ type: 'organisation.founded', organisation: { epoch: 'epoch', highWaterMs: 0 } });
    const lease = world.take(1000, { seat: 's' });
    world.write(1500, 'plugin', { event: 'state', state: 'held', leases: [lease] });
    world.take(1600, { seat: 's', kind: 'borrow' });
    world.journal({ type: 'organisation.restored', epoch: 'next' });
    world.write(2100, 'other', { event: 'stopped', leases: ['l9'] });
    world.write(2500, 'plugin', { event: 'state', state: 'held', leases: [lease] });
    world.release(3000, lease);
    const { findings } = audit({ ...world.case(), restoredAtT: 2000 });
    expect(findings.map(({ text }) => text).filter((text) => text.includes('which its plugin uses'))).toEqual(
      [],
    );
  });

  test('one that became a borrow may go after that was returned, but not if its plugin has said since that it uses it', () => {
    const converted = (usedT: number): World => {
      const world = new World();
      const lease = world.take(1000, { seat: 's' });
      const borrow = world.take(1500, { seat: 's', kind: 'borrow' });
      world.write(usedT, 'plugin', { event: 'state', state: 'held', leases: [lease] });
      world.write(500, 'other', { event: 'stopped', leases: ['l9'] });
      world.giveBack(2500, borrow);
      world.release(3500, lease);
      return world;
    };
    expect(broken(converted(1400))).toEqual([]);
    expect(broken(converted(3000))).toEqual(['I2']);
  });
});

describe('a seat that was taken back is nobody’s until it is free', () => {
  const joined = (...before: Change[]): World => {
    const world = new World();
    world.take(1000, { lease: 'l', seat: 's' });
    world.journal(...before);
    world.take(1100, { seat: 's' });
    return world;
  };
  const revoked: Change = { type: 'lease.revoked', id: 'l', by: 'admin', reason: '' };

  test('it is joined while it is in use', () => expect(broken(joined())).toEqual([]));
  test('it is found when it is joined then', () => expect(broken(joined(revoked))).toEqual(['SHARE']));
});

test.each([
  ['online', []],
  ['borrow', ['I8']],
] as const)(
  'I8: what is lent stays where its token says (a seat with a lease of kind %s moves)',
  (kind, rules) => {
    const world = new World(2);
    world.import(10, 'e2', 2);
    world.take(1000, { seat: 's', kind });
    world.journal({ type: 'seat.charged', id: 's', entitlement: 'e2', allocation: null });
    expect(broken(world)).toEqual(rules);
  },
);

describe('I8: a revoke that waits for a borrow', () => {
  const allocated = (quantity: number, seats: number, email = 'plugin@x'): Change => ({
    type: 'allocation.set',
    allocation: {
      ...{ email, entitlement: 'e1', quantity },
      ...(seats === 0 ? {} : { revoking: { by: 'admin', sinceMs: 0, seats } }),
    },
  });
  const pending = (did: string, ...changes: Change[]): World => {
    const world = new World(4);
    world.device('plugin');
    world.journal(allocated(2, 0));
    world.take(1000, { kind: 'borrow', n: 2, of: { allocation: 'plugin@x e1' } });
    world.journal(allocated(2, 2));
    world.journal(...changes);
    const record = world.records.at(-1)!;
    world.records[world.records.length - 1] = {
      ...record,
      acts: [{ first: 0, count: changes.length, did }],
    };
    return world;
  };
  const forgotten = (world: World): number =>
    audit(world.case()).findings.filter(({ text }) => text.includes('forgotten')).length;

  test.each([
    ['is forgotten by a move that gives more', 'move', allocated(3, 0), 1],
    ['is forgotten in part', 'assign', allocated(3, 1), 1],
    ['stays when more is given', 'move', allocated(3, 2), 0],
    ['is carried out in part', 'settlePending', allocated(1, 1), 0],
    ['is taken back by who asks for that', 'revoke', allocated(2, 0), 0],
    ['goes with the whole allocation', 'remove', allocated(0, 0), 0],
  ])('%s', (_, did, change, findings) => expect(forgotten(pending(did, change))).toBe(findings));

  test('is found forgotten when somebody else’s is taken back', () =>
    expect(forgotten(pending('revoke', allocated(1, 0, 'other@x'), allocated(2, 0)))).toBe(1));
});
