import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { signed, World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

const allocation = (quantity: number, more: object = {}): Change => ({
  type: 'allocation.set',
  allocation: { email: 'plugin@x', entitlement: 'e1', quantity, ...more },
});
const pending = { revoking: { by: 'admin', sinceMs: 0, seats: 1 } };

describe('the journal is a valid history', () => {
  test.each<[string, Change]>([
    ['seat.charged', { type: 'seat.charged', id: 'none', entitlement: 'e1', allocation: null }],
    ['lease.ended', { type: 'lease.ended', id: 'none', reason: 'expired' }],
    ['entitlement.state', { type: 'entitlement.state', id: 'none', state: 'expired' }],
  ])('a %s of what does not exist is found', (_, change) => {
    const world = new World();
    world.journal(change);
    expect(broken(world)).toEqual(['JOURNAL']);
  });

  test('a seat that is taken from an ended entitlement is found', () => {
    const world = new World();
    world.journal({ type: 'entitlement.state', id: 'e1', state: 'expired' });
    world.take(1000);
    expect(broken(world)).toEqual(['ENTITLEMENT', 'I1']);
  });

  test('seats of several entitlements are no more than are owned', () => {
    const world = new World(1);
    world.import(10, 'e2', 1);
    world.journal(world.seat('a'));
    world.journal({ type: 'entitlement.state', id: 'e1', state: 'expired' });
    world.journal(world.seat('b', { entitlement: 'e2' }));
    expect(broken(world)).toEqual(['I1']);
  });

  test.each([
    ['another entitlement is found', {}, ['I1']],
    ['the heir of theirs is right: what is in use stays, nothing is granted', { replaces: 'e1' }, []],
  ])('more seats than it has that move to %s', (_, more, rules) => {
    const world = new World(2);
    world.take(1000, { seat: 'a' });
    world.take(1100, { seat: 'b' });
    // One that still counts is replaced by one that has room.
    world.journal({ type: 'entitlement.state', id: 'e1', state: 'expired' });
    world.import(2000, 'e2', 1, more);
    for (const id of ['a', 'b'])
      world.journal({ type: 'seat.charged', id, entitlement: 'e2', allocation: null });
    world.journal({ type: 'entitlement.state', id: 'e1', state: 'replaced' });
    expect(broken(world)).toEqual(rules);
  });

  test('a seat that moves counts with those that are held on ended entitlements', () => {
    const world = new World(1);
    world.import(10, 'e2', 1);
    world.import(20, 'e3', 1);
    world.take(1000, { seat: 'a' });
    world.take(1100, { seat: 'b', by: 'other', of: { entitlement: 'e2' }, lie: { ent: 'e2' } });
    world.journal({ type: 'entitlement.state', id: 'e1', state: 'expired' });
    const moved = { type: 'seat.charged', id: 'b', entitlement: 'e3', allocation: null };
    const sound = audit(world.case()).findings.length;
    world.journal(moved);
    expect(audit(world.case()).findings.length).toBe(sound + 1);
  });

  test('a seat that is freed under its lease is found', () => {
    const world = new World();
    world.take(1000, { seat: 's' });
    world.journal({ type: 'seat.freed', id: 's', reason: 'expired' });
    expect(broken(world)).toEqual(['I1']);
  });

  test('a lease on the seat of another device is found', () => {
    const world = new World();
    world.take(1000, { seat: 's' });
    world.take(1100, { seat: 's', by: 'other' });
    expect(broken(world)).toEqual(['SHARE']);
  });

  test('a revoked lease that ends without a signed stop is found', () => {
    const world = new World();
    world.take(1000, { lease: 'l' });
    world.journal({ type: 'lease.revoked', id: 'l', by: 'admin', reason: '' });
    world.journal({ type: 'lease.ended', id: 'l', reason: 'released' });
    expect(broken(world)).toEqual(['I1']);
  });

  test('a grant while the clock is behind is found (I5)', () => {
    const world = new World();
    world.journal({ type: 'clock.seen', wallMs: Date.UTC(2026, 10, 22, 1) });
    world.take(1000);
    expect(broken(world)).toEqual(['I5']);
  });

  test.each<[string, number | undefined, string[]]>([
    ['of a machine that can be looked at', undefined, []],
    ['of one that asked in a file just now', 0, []],
    ['of one whose clock may be ten minutes behind: its hold is longer by that', 600_000, ['I3']],
  ])('a borrow that ends with its hold, %s', (_, ageMs, rules) => {
    const world = new World();
    const takenMs = Date.UTC(2026, 10, 22) + 1_000;
    const lease = world.take(1_000, { kind: 'borrow', durSeconds: 600, nonce: 'carried' });
    const request = { event: 'request', method: 'borrow.grant', nonce: 'carried' } as const;
    world.write(900, 'plugin', {
      ...request,
      ...(ageMs === undefined ? {} : { signedAtMs: takenMs - ageMs }),
    });
    world.journal(
      { type: 'clock.seen', wallMs: takenMs + 600_000 + 15 * 60_000 + 1_200 },
      { type: 'lease.ended', id: lease, reason: 'expired' },
    );
    // Somebody is still there then.
    world.write(1_600_000, 'admin', { event: 'denied', method: 'pool.status', code: 'BUSY' });
    expect(broken(world)).toEqual(rules);
  });

  test('a request that was carried out twice is found', () => {
    const world = new World();
    const kept = { type: 'request.kept', request: { id: 'plugin k', method: 'release', leases: [] } };
    world.journal(kept);
    world.journal(kept);
    expect(broken(world)).toEqual(['I7']);
  });
});

describe('lingering', () => {
  const linger = (world: World, device: string): void => {
    world.take(1000, { lease: 'l', seat: 's' });
    world.device('other');
    world.journal({ type: 'lease.ended', id: 'l', reason: 'released', linger: { seconds: 60 } });
    world.journal({ type: 'seat.resumed', id: 's', device, takenAtMs: 1000 });
  };

  test.each([
    ['plugin', []],
    ['other', ['LINGER']],
  ])('a seat that lingers is resumed by %s', (device, rules) => {
    const world = new World();
    linger(world, device);
    expect(broken(world)).toEqual(rules);
  });

  test('one that does not linger is not', () => {
    const world = new World();
    world.take(1000, { seat: 's' });
    world.journal({ type: 'seat.resumed', id: 's', device: 'plugin', takenAtMs: 1000 });
    expect(broken(world)).toEqual(['LINGER']);
  });
});

describe('allocations', () => {
  test('what is set aside is not shared', () => {
    const world = new World(1);
    world.journal(allocation(1));
    world.take(1000, { by: 'other' });
    expect(broken(world)).toEqual(['ALLOCATION']);
  });

  test('nobody takes from the allocation of somebody else', () => {
    const world = new World();
    world.journal(allocation(1));
    world.take(1000, { by: 'other', of: { allocation: 'plugin@x e1' } });
    expect(broken(world)).toEqual(['ALLOCATION']);
  });

  test('nobody takes more than is set aside', () => {
    const world = new World(2);
    world.journal(allocation(1));
    for (const t of [1000, 1100]) world.take(t, { of: { allocation: 'plugin@x e1' } });
    expect(broken(world)).toEqual(['ALLOCATION']);
  });

  test('no more is set aside than there is', () => {
    const world = new World(1);
    world.journal(allocation(2));
    expect(broken(world)).toEqual(['ALLOCATION']);
  });

  test('with sharing off only allocations are used', () => {
    const world = new World();
    world.put({ sharing: false });
    world.take(1000);
    expect(broken(world)).toEqual(['SHARING']);
  });
});

describe('I8: pending, and what borrows keep', () => {
  /** A borrow of an allocated seat, of which a revoke is left pending. */
  const pendingRevoke = (): World => {
    const world = new World();
    world.journal(allocation(1));
    world.take(1000, { kind: 'borrow', lease: 'b', seat: 's', of: { allocation: 'plugin@x e1' } });
    world.journal(allocation(1, pending));
    return world;
  };

  test('a pending revoke that waits is fine', () => expect(broken(pendingRevoke())).toEqual([]));

  test('one that is not carried out when the borrow ends is found', () => {
    const world = pendingRevoke();
    world.giveBack(2000, 'b');
    expect(broken(world)).toEqual(['I8']);
  });

  test('one that is carried out in the same record is fine', () => {
    const world = pendingRevoke();
    world.giveBack(2000, 'b');
    const { seq, hash, changes } = world.records.pop()!;
    world.records.push({ seq, hash, changes: [...changes, allocation(0)] });
    expect(broken(world)).toEqual([]);
  });

  test('an extension while it is pending is found', () => {
    const world = pendingRevoke();
    world.take(2000, { kind: 'borrow', seat: 's' });
    expect(broken(world)).toEqual(['I8']);
  });

  test('an allocation that is revoked under a borrow is found', () => {
    const world = pendingRevoke();
    world.journal(allocation(0));
    expect(broken(world)).toEqual(['I8']);
  });

  test('a user who is removed with a borrow is found', () => {
    const world = new World();
    world.take(1000, { kind: 'borrow' });
    world.journal({ type: 'device.removed', id: 'plugin' }, { type: 'user.removed', email: 'plugin@x' });
    expect(broken(world)).toEqual(['I8']);
  });

  test('a user who is removed with an allocation is found', () => {
    const world = new World();
    world.journal(allocation(1), { type: 'user.removed', email: 'plugin@x' });
    expect(broken(world)).toEqual(['REMOVAL']);
  });

  test('an entitlement that is removed with a borrow is found', () => {
    const world = new World();
    world.take(1000, { kind: 'borrow' });
    world.journal({ type: 'entitlement.state', id: 'e1', state: 'removed' });
    expect(broken(world)).toEqual(['I8']);
  });

  test('an early return where the vendor allows none is found', () => {
    const world = new World(0);
    world.import(10, 'e1', 1, { rev: 2, earlyReturn: 'at-expiry' });
    world.take(1000, { kind: 'borrow', lease: 'b' });
    world.giveBack(2000, 'b');
    expect(broken(world)).toEqual(['I8']);
  });

  test('a return that its device did not sign is found', () => {
    const world = new World();
    world.take(1000, { kind: 'borrow', lease: 'b' });
    world.giveBack(2000, 'b');
    const returned = world.entries.find(({ event }) => event === 'returned')!;
    if (returned.event !== 'returned') throw new Error('not a return');
    const stop = { jti: 'b', dev: world.device('plugin').text, iat: 1 };
    Object.assign(returned, { stops: [signed('stop', stop, world.device('other'))] });
    expect(broken(world)).toEqual(['I8']);
  });
});

describe('limits of borrows', () => {
  test.each([
    ['the product', { borrowSeatsMax: 1 }],
    ['a user', { borrowSeatsPerUserMax: 1 }],
  ])('a borrow beyond the cap of %s is found', (_, settings) => {
    const world = new World(2);
    world.put({ settings });
    for (const t of [1000, 1100]) world.take(t, { kind: 'borrow' });
    expect(broken(world)).toEqual(['BORROW']);
  });

  test('a borrow beyond the limit of its entitlement is found', () => {
    const world = new World(0);
    world.import(10, 'e1', 2, { rev: 2, borrow: { maxSeconds: 86_400, seats: 1 } });
    for (const t of [1000, 1100]) world.take(t, { kind: 'borrow' });
    expect(broken(world)).toEqual(['BORROW']);
  });
});

describe('entitlements', () => {
  const empty = { product: 'render', allocated: 0, inUse: 0, borrowed: 0, held: 0, over: 0 };

  test('an older revision that takes the place of a newer one is found', () => {
    const world = new World(1);
    world.import(10, 'e1', 2, { rev: 3 });
    world.import(20, 'e1', 2, { rev: 2 });
    expect(broken(world)).toEqual(['ENTITLEMENT']);
  });

  test('one that was replaced and comes back is found, and counts nothing', () => {
    const world = new World(1);
    world.import(10, 'e2', 1, { replaces: 'e1' });
    world.journal({ type: 'entitlement.state', id: 'e1', state: 'replaced' });
    world.import(20, 'e1', 1, { rev: 2 });
    world.status(100, { owned: 2, shared: 2, free: 2 });
    expect(broken(world)).toEqual(['ENTITLEMENT', 'STATUS']);
  });

  test('while one is replaced either of the two counts, and never both', () => {
    const told = (t: number, owned: number): World => {
      const world = new World(2);
      world.import(1000, 'e2', 3, { replaces: 'e1' });
      world.write(t, 'admin', {
        ...{ event: 'status', sentAt: t - 1 },
        pools: [{ ...empty, owned, shared: owned, free: owned }],
      });
      return world;
    };
    for (const owned of [2, 3]) expect(broken(told(1005, owned))).toEqual([]);
    for (const t of [1005, 1020]) expect(broken(told(t, 5))).toEqual(['STATUS']);
  });

  test('an import that is answered while a removal is under way may be the later of the two', () => {
    const told = (importAt: number): World => {
      const world = new World(2);
      world.write(100, 'admin', { event: 'removing', id: 'e1' });
      world.import(importAt, 'e1', 2, { rev: 2 });
      world.write(150, 'admin', { event: 'removed', id: 'e1' });
      world.status(200, { owned: 2, shared: 2, free: 2 });
      world.entries.sort((a, b) => a.t - b.t);
      return world;
    };
    expect(broken(told(110))).toEqual([]);
    expect(broken(told(80))).toEqual(['STATUS']);
  });

  test('while a removal is pending either number may be told, after it was taken back only one', () => {
    for (const owned of [2, 0]) {
      const world = new World(2);
      world.write(100, 'admin', { event: 'removing', id: 'e1' });
      world.status(200, { owned, shared: owned, free: owned });
      expect(broken(world)).toEqual([]);
    }
    const world = new World(2);
    world.write(100, 'admin', { event: 'removing', id: 'e1' });
    world.write(150, 'admin', { event: 'kept', id: 'e1' });
    world.status(200, { owned: 0, shared: 0, free: 0 });
    expect(broken(world)).toEqual(['STATUS']);
  });

  test('a removal that was pending when a backup was made is pending where that is restored, though it was taken back since', () => {
    const told = (...asked: readonly ('removing' | 'kept')[]): World => {
      const world = new World();
      const entitlements = [world.import(20, 'e1', 2)];
      asked.forEach((event, at) => {
        world.write(100 + at, 'admin', { event, id: 'e1' });
      });
      world.write(200, 'nobody', { event: 'restored', entitlements });
      world.status(300, { owned: 0, shared: 0, free: 0 });
      return world;
    };
    expect(broken(told('removing', 'kept'))).toEqual([]);
    expect(broken(told())).toEqual(['STATUS']);
  });

  test('who asks once more with the key of a removal that was answered removes nothing that came since', () => {
    const told = (again: string): World => {
      const world = new World(2);
      const remove = (t: number, key: string): void => {
        world.write(t, 'admin', { event: 'request', method: 'entitlement.remove', key });
        world.write(t, 'admin', { event: 'removing', id: 'e1' });
        world.write(t + 5, 'admin', { event: 'result', method: 'entitlement.remove', key, text: '{}' });
        world.write(t + 5, 'admin', { event: 'removed', id: 'e1' });
      };
      remove(100, 'first');
      world.import(150, 'e1', 2, { rev: 2 });
      remove(200, again);
      world.status(300, { owned: 2, shared: 2, free: 2 });
      return world;
    };
    expect(broken(told('first'))).not.toContain('STATUS');
    expect(broken(told('second'))).toContain('STATUS');
  });
});
