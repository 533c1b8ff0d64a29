import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { newKeys } from '../system/device-keys.js';
import { signed, World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

const kept = (key: string, method: string, leases: string[] = []): Change => ({
  type: 'request.kept',
  request: { id: `admin ${key}`, method, leases },
});
const invited: Change = { type: 'invitation.made', invitation: { id: 'i' } };

/** Asked at `t`, answered a moment later. */
function asked(world: World, t: number, method: string, key: string, result: object = {}): void {
  world.write(t, 'admin', { event: 'request', method, key });
  world.write(t + 10, 'admin', { event: 'result', method, key, text: JSON.stringify(result) });
}

describe('I6: whatever was acknowledged is in the journal', () => {
  test('an invitation that is there is fine', () => {
    const world = new World();
    world.journal(invited, kept('k', 'invite'));
    asked(world, 100, 'user.invite', 'k');
    expect(broken(world)).toEqual([]);
  });

  test.each([
    ['user.invite', {}],
    ['allocation.assign', {}],
    ['pool.set', { changed: true }],
    ['entitlement.import', { changed: true }],
  ])('a %s that is not there is found', (method, result) => {
    const world = new World();
    asked(world, 100, method, 'k', result);
    expect(broken(world)).toEqual(['I6']);
  });

  test('an answer that was kept without what it is about is found', () => {
    const world = new World();
    world.journal(kept('k', 'invite'));
    asked(world, 100, 'user.invite', 'k');
    expect(broken(world)).toEqual(['I6']);
  });

  test('what was asked later and comes earlier is found', () => {
    const world = new World();
    world.journal(invited, kept('late', 'invite'));
    world.journal(invited, kept('early', 'invite'));
    asked(world, 100, 'user.invite', 'early');
    asked(world, 200, 'user.invite', 'late');
    expect(broken(world)).toEqual(['I6']);
  });

  test('what was under way at the same time may come in any order', () => {
    const world = new World();
    world.journal(invited, kept('late', 'invite'));
    world.journal(invited, kept('early', 'invite'));
    asked(world, 100, 'user.invite', 'early');
    asked(world, 105, 'user.invite', 'late');
    expect(broken(world)).toEqual([]);
  });
});

describe('I7: the same key, the same result', () => {
  test('also when it is about no lease, and a restart lies between', () => {
    const world = new World();
    world.journal(invited, kept('k', 'invite'));
    asked(world, 100, 'user.invite', 'k', { link: 'a' });
    asked(world, 900, 'user.invite', 'k', { link: 'b' });
    expect(broken(world)).toEqual(['I7']);
  });

  test('a lease that is granted to a request which takes no seat is found', () => {
    const world = new World();
    world.take(1000);
    for (const entry of world.entries)
      if (entry.event === 'request') Object.assign(entry, { method: 'session.resume' });
    expect(broken(world)).toEqual(['I7']);
  });
});

describe('what was asked for', () => {
  const wanting = (wants: { products: string[]; seats: number }[]): World => {
    const world = new World();
    world.take(1000);
    for (const entry of world.entries) if (entry.event === 'request') Object.assign(entry, { wants });
    return world;
  };

  test.each([
    ['one of several', [{ products: ['comp', 'render'], seats: 1 }], []],
    [
      'half a bundle',
      [
        { products: ['render'], seats: 1 },
        { products: ['comp'], seats: 1 },
      ],
      ['GRANT'],
    ],
    ['too few', [{ products: ['render'], seats: 2 }], ['GRANT']],
  ])('%s', (_, wants, rules) => expect(broken(wanting(wants))).toEqual(rules));
});

describe('I2: what a plugin says of its seat', () => {
  test.each([
    ['held inside D', 3900, []],
    ['held after D', 4100, ['I2']],
  ])('%s', (_, t, rules) => {
    const world = new World();
    const lease = world.take(1000);
    world.write(t, 'plugin', { event: 'state', state: 'held', leases: [lease] });
    expect(broken(world)).toEqual(rules);
  });

  test('a renewal counts from its request, not from its answer', () => {
    const world = new World();
    const lease = world.take(1000);
    world.renew(2000, lease);
    Object.assign(world.entries.at(-1)!, { t: 2900 });
    world.write(5400, 'plugin', { event: 'state', state: 'grace', leases: [lease] });
    expect(broken(world)).toEqual(['I2']);
  });

  test('what another process gave back is held no more', () => {
    const world = new World();
    const lease = world.take(1000);
    world.release(1500, lease);
    world.write(2000, 'plugin', { event: 'state', state: 'held', leases: [lease] });
    expect(broken(world)).toEqual(['I2']);
  });

  test('a borrow for a computer whose clock is far off is found (I3)', () => {
    const world = new World();
    world.take(1000, { kind: 'borrow' });
    for (const entry of world.entries)
      if (entry.event === 'request') Object.assign(entry, { wallMs: entry.wallMs + 10 * 60_000 });
    expect(broken(world)).toEqual(['I3']);
  });
});

describe('a vendor that changed its key', () => {
  const renewed = (by: 'vendor' | 'stranger', products?: string[]): World => {
    const world = new World();
    const [next, stranger] = [newKeys(), newKeys()];
    const claims = { iss: world.vendor.text, sub: next.text, ...(products ? { products } : {}), iat: 1 };
    const endorsement = signed('endorsement', claims, by === 'vendor' ? world.vendor : stranger);
    world.write(50, 'admin', { event: 'endorsed', endorsement });
    world.put({ vendor: next.text });
    world.import(100, 'e2', 1, { iss: next.text }, next);
    return world;
  };

  test('is believed by its endorsement', () => {
    expect(broken(renewed('vendor'))).toEqual([]);
    expect(broken(renewed('vendor', ['render']))).toEqual([]);
  });
  test('and by nobody else’s, nor for another product', () => {
    expect(broken(renewed('stranger'))).toEqual(['CHAIN']);
    expect(broken(renewed('vendor', ['comp']))).toEqual(['CHAIN']);
  });
});

describe('I7: how long a key is known', () => {
  /** A lease of 3 s, so of a window of some 13 s, that is given back at 2 s. */
  const given = (ends: boolean): World => {
    const world = new World(2);
    const lease = world.take(1000, { lease: 'l1' });
    world.journal(kept('k', 'checkout', [lease]));
    if (!ends) return world;
    world.write(2000, 'plugin', { event: 'request', method: 'lease.release', key: 'r' });
    world.write(2000, 'plugin', { event: 'released', leases: [lease], stopped: false });
    world.journal({ type: 'lease.ended', id: lease, reason: 'released' }, kept('r', 'release'));
    return world;
  };

  test.each<[string, boolean, number, string[]]>([
    ['until its lease has ended and W more', true, 20_000, []],
    ['for less', true, 14_000, ['I7']],
    ['for less than its lease lasts', false, 20_000, ['I7']],
  ])('%s', (_, ends, seenT, rules) => {
    const world = given(ends);
    world.journal({ type: 'request.dropped', id: 'admin k' });
    world.take(seenT);
    expect(broken(world)).toEqual(rules);
  });
});

test.each<[string, boolean, string[]]>([
  ['is in the journal', true, []],
  ['is not is found (I6)', false, ['I6']],
])('a push of a revoke that %s', (_, isThere, rules) => {
  const world = new World();
  const lease = world.take(1000);
  if (isThere) world.journal({ type: 'lease.revoked', id: lease, by: '', reason: '' });
  world.write(1500, 'plugin', { event: 'pushed', method: 'lease.revoked', lease });
  expect(broken(world)).toEqual(rules);
});
