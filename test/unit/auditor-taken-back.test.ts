import { expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

/** The beginning of a world, seconds. */
const WALL_S = Date.UTC(2026, 10, 22) / 1000;

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

test.each<[string, number, number, string[]]>([
  ['as many seats as are in use', 2, 0, []],
  ['fewer', 1, 0, ['ENTITLEMENT']],
  ['an end after that of what is lent', 2, 1_002, []],
  ['an end before that', 2, 900, ['I8']],
])('an entitlement that replaces another has %s', (_, seats, endsAfter, rules) => {
  const world = new World(2);
  const exp = WALL_S + endsAfter;
  const more = { replaces: 'e1', ...(endsAfter > 0 ? { exp } : {}) };
  world.take(1_000, { seat: 'a' });
  world.take(1_000, { seat: 'b', kind: endsAfter > 0 ? 'borrow' : 'online', durSeconds: 1_000 });
  world.import(2_000, 'e2', seats, more);
  expect(broken(world)).toEqual(rules);
});

test('so has a revision, but for its seats', () => {
  const world = new World(2);
  world.take(1_000, { seat: 'a' });
  world.take(1_000, { seat: 'b', kind: 'borrow', durSeconds: 1_000 });
  world.import(2_000, 'e1', 1, { rev: 2 });
  expect(broken(world)).toEqual([]);
  world.import(2_000, 'e1', 1, { rev: 3, exp: WALL_S + 900 });
  expect(broken(world)).toEqual(['I8']);
});

test.each<[string, boolean, string[]]>([
  ['is revoked', true, []],
  ['goes on', false, ['REMOVAL']],
])('what is in use of an entitlement that is removed %s', (_, isRevoked, rules) => {
  const world = new World();
  world.take(1_000, { lease: 'l' });
  const revoked = { type: 'lease.revoked', id: 'l', by: 'admin', reason: '' };
  const removed = { type: 'entitlement.state', id: 'e1', state: 'removed' };
  world.journal(...(isRevoked ? [revoked] : []), removed);
  expect(broken(world)).toEqual(rules);
});

test.each<[string, number, string[]]>([
  ['six days ago', 6, []],
  ['eight days ago', 8, ['I3']],
])('a borrow is granted to who asked in a file %s', (_, days, rules) => {
  const world = new World();
  const asked = { event: 'request', method: 'borrow.grant', key: 'k', nonce: 'n' } as const;
  world.write(900, 'plugin', { ...asked, signedAtMs: WALL_S * 1000 - days * 86_400_000 });
  world.take(1_000, { kind: 'borrow', key: 'k', nonce: 'n' });
  expect(broken(world)).toEqual(rules);
});

const removing = { by: 'admin', sinceMs: 0 };
const user = { email: 'plugin@x', role: 'user', state: 'active', removing };
test.each<[string, Change[], string[]]>([
  ['that somebody else may want', [], []],
  ['of an entitlement that is to go', [{ type: 'entitlement.removing', id: 'e1', removing }], ['LINGER']],
  ['of somebody who is to go', [{ type: 'user.put', user }], ['LINGER']],
])('a seat lingers %s', (_, changes, rules) => {
  const world = new World();
  world.journal({
    type: 'allocation.set',
    allocation: { email: 'plugin@x', entitlement: 'e1', quantity: 2 },
  });
  const of = { allocation: 'plugin@x e1' };
  world.take(1000, { kind: 'borrow', lease: 'b', seat: 'lent', of });
  world.take(1000, { lease: 'l', seat: 's', of });
  world.journal(...changes, {
    type: 'lease.ended',
    id: 'l',
    reason: 'released',
    linger: { seconds: 60 },
  });
  expect(broken(world)).toEqual(rules);
});

test.each<[number, string[]]>([
  [2, []],
  [1, ['LINGER']],
])('a seat lingers while two are taken, of %i', (seats, rules) => {
  const world = new World();
  world.take(1000, { lease: 'l', seat: 's' });
  world.take(1000, { seat: 'other' });
  world.import(1500, 'e1', seats, { rev: 2 });
  world.journal({ type: 'lease.ended', id: 'l', reason: 'released', linger: { seconds: 60 } });
  expect(broken(world)).toEqual(rules);
});
