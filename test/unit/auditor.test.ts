import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import { newKeys } from '../system/device-keys.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

describe('a history in which nothing is wrong', () => {
  test('passes: seats taken, renewed, released, taken by the next', () => {
    const world = new World(2);
    const first = world.take(1000);
    world.take(1100, { by: 'other' });
    world.renew(2000, first);
    world.renew(3000, first);
    world.release(3500, first);
    world.take(3520, { by: 'third' });
    world.status(3700, { inUse: 2, free: 0 });
    expect(audit(world.case()).findings).toEqual([]);
  });

  test('passes: a retry that gets the same answer', () => {
    const world = new World(1);
    world.take(1000, { key: 'k' });
    const [request, answer] = world.entries.slice(-2);
    world.entries.push({ ...request!, t: 1500 }, { ...answer!, t: 1510 });
    const verdict = audit(world.case());
    expect(verdict.findings).toEqual([]);
    expect(verdict.judged.retries).toBe(1);
  });

  test('passes: two leases that share a seat count once', () => {
    const world = new World(1);
    world.take(1000, { seat: 's' });
    world.take(1100, { seat: 's' });
    world.status(1200, { owned: 1, shared: 1, inUse: 1, free: 0 });
    expect(audit(world.case()).findings).toEqual([]);
  });

  test('passes: a borrow that is returned frees its seat', () => {
    const world = new World(1);
    const borrow = world.take(1000, { kind: 'borrow' });
    world.status(5000, { owned: 1, shared: 1, borrowed: 1, free: 0 });
    world.giveBack(60_000, borrow);
    world.take(60_100, { by: 'other' });
    expect(audit(world.case()).findings).toEqual([]);
  });

  test('passes: what a newer revision took away is not granted, what was granted before stays', () => {
    const world = new World(2);
    const first = world.take(1000);
    world.take(1100, { by: 'other' });
    world.import(1500, 'e1', 1, { rev: 2 });
    world.renew(2000, first);
    world.status(2500, { owned: 1, shared: 1, inUse: 2, free: 0, over: 1 });
    expect(audit(world.case()).findings).toEqual([]);
  });
});

describe('I1, I2, I3: never more seats open than owned', () => {
  /** Tokens for a third seat of two: the journal may lie about it too, the tokens are enough. */
  test('a seat that nobody had to give is found', () => {
    const world = new World(2);
    world.take(1000);
    world.take(1100, { by: 'second' });
    world.take(1200, { by: 'third', unjournaled: true });
    expect(broken(world)).toEqual(['I1', 'I2', 'I6']);
  });

  test('one seat too many inside one lease is found', () => {
    const world = new World(2);
    world.take(1000);
    world.take(1100, { by: 'other', n: 2 });
    expect(broken(world)).toEqual(['I1', 'I2']);
  });

  test('a seat that goes to the next while its holder renews is found', () => {
    const world = new World(1);
    const lease = world.take(1000);
    world.renew(3000, lease);
    world.journal({ type: 'lease.ended', id: lease, reason: 'expired' });
    world.take(5000, { by: 'other' });
    expect(broken(world)).toEqual(['I1', 'I2']);
  });

  test('a seat that goes to the next after D, but inside the hold, is found', () => {
    const world = new World(1);
    const lease = world.take(1000);
    world.journal({ type: 'lease.ended', id: lease, reason: 'expired' });
    world.take(1000 + 3000 + 9000, { by: 'other' });
    expect(broken(world)).toEqual(['I2']);
  });

  test('after the hold it is fine', () => {
    const world = new World(1);
    const lease = world.take(1000);
    world.journal({ type: 'lease.ended', id: lease, reason: 'expired' });
    world.take(1000 + 3007 + 10_000, { by: 'other' });
    expect(broken(world)).toEqual([]);
  });

  test('a retry does not move the moment from which a lease counts', () => {
    const world = new World(1);
    const lease = world.take(1000);
    const [request, answer] = world.entries.slice(-2);
    world.entries.push({ ...request!, t: 3000 }, { ...answer!, t: 3010 });
    world.journal({ type: 'lease.ended', id: lease, reason: 'expired' });
    world.take(14_100, { by: 'other' });
    expect(broken(world)).toEqual([]);
  });

  test('a token that comes after its release opens nothing again', () => {
    const world = new World(1);
    const lease = world.take(1000);
    world.renew(1995, lease);
    world.release(2000, lease);
    world.take(2001, { by: 'other' });
    expect(broken(world)).toEqual([]);
  });

  test('a borrowed seat that goes to the next inside its hold is found', () => {
    const world = new World(1);
    const lease = world.take(1000, { kind: 'borrow', durSeconds: 60 });
    world.journal({ type: 'lease.ended', id: lease, reason: 'expired' });
    world.take(120_000, { by: 'other' });
    expect(broken(world)).toEqual(['I2', 'I3']);
  });

  test('seats granted after capacity shrank are found', () => {
    const world = new World(2);
    world.take(1000);
    world.import(1500, 'e1', 1, { rev: 2 });
    world.take(2000, { by: 'other' });
    expect(broken(world)).toEqual(['I1', 'I2']);
  });

  test('an entitlement that was replaced counts no more', () => {
    const world = new World(1);
    world.import(500, 'e2', 1, { replaces: 'e1' });
    world.take(1000);
    world.take(1100, { by: 'other' });
    expect(broken(world)).toContain('I1');
  });

  test('a removed entitlement counts no more', () => {
    const world = new World(1);
    world.write(900, 'admin', { event: 'removed', id: 'e1' });
    world.take(1000);
    expect(broken(world)).toContain('I1');
  });
});

describe('I6: acknowledged means durable', () => {
  test('a token of a lease the journal never granted is found', () => {
    const world = new World();
    world.take(1000, { unjournaled: true });
    expect(broken(world)).toEqual(['I6']);
  });

  test('a grant that says something else than its token is found', () => {
    const world = new World();
    world.take(1000, { lie: { n: 2 } });
    expect(broken(world)).toEqual(['I6']);
  });

  test('a renewal that turns into another seat is found', () => {
    const world = new World();
    const lease = world.take(1000);
    world.renew(2000, lease, 'plugin', { seat: 'another' });
    expect(broken(world)).toEqual(['I6']);
  });

  test('a release that was confirmed and is not there is found', () => {
    const world = new World();
    const lease = world.take(1000);
    world.release(2000, lease, 'plugin', true);
    expect(broken(world)).toEqual(['I6']);
  });

  test('a token that names a record the journal does not have is found', () => {
    const world = new World();
    world.take(1000, { lie: { seq: 99 } });
    expect(broken(world)).toEqual(['I6']);
  });

  test('a token that names another record than the journal has is found (I10)', () => {
    const world = new World();
    const lease = world.take(1000);
    world.renew(2000, lease, 'plugin', { head: 'A'.repeat(43) });
    expect(broken(world)).toEqual(['JOURNAL']);
  });

  test('a journal that takes more seats than there are is found without any token', () => {
    const world = new World(1);
    for (const id of ['a', 'b']) world.journal(world.seat(id));
    expect(broken(world)).toEqual(['I1']);
  });
});

describe('I7: exactly once', () => {
  test('a key that gets another lease the second time is found', () => {
    const world = new World(2);
    world.take(1000, { key: 'k' });
    world.take(1500, { key: 'k' });
    expect(broken(world)).toEqual(['I7']);
  });

  test('a key that is asked with again after its lease and W is a new one', () => {
    const world = new World(2);
    const lease = world.take(1000, { key: 'k' });
    world.release(1200, lease);
    world.take(1200 + 120_000 * 1.002 + 10_000, { key: 'k' });
    expect(broken(world)).toEqual([]);
  });

  test('a key that gets the same lease in other bytes is found', () => {
    const world = new World(2);
    const lease = world.take(1000, { key: 'k' });
    world.renew(1500, lease);
    Object.assign(world.entries.at(-1)!, { key: 'k' });
    expect(broken(world)).toEqual(['I7']);
  });

  test('a request that also led to a lease its client never saw is found', () => {
    const world = new World(2);
    const lease = world.take(1000);
    const claims = (world.records.at(-1)!.changes.at(-1)!.lease as { claims: object }).claims;
    world.journal(world.seat('ghost'), {
      type: 'lease.granted',
      lease: { claims: { ...claims, jti: 'ghost', seat: 'ghost' }, device: 'plugin' },
    });
    expect(lease).toBe('l1');
    expect(broken(world)).toEqual(['I7']);
  });
});

describe('I8: no borrow is taken away', () => {
  test.each([
    ['revoked', { type: 'lease.revoked', id: 'b', by: 'admin', reason: '' }],
    ['ended as released', { type: 'lease.ended', id: 'b', reason: 'released' }],
    ['ended as returned by nobody', { type: 'lease.ended', id: 'b', reason: 'returned' }],
    ['ended as expired before its time', { type: 'lease.ended', id: 'b', reason: 'expired' }],
  ])('a borrow that was %s is found', (_, change) => {
    const world = new World();
    world.take(1000, { kind: 'borrow', lease: 'b' });
    world.journal(change);
    expect(broken(world)).toContain('I8');
  });

  test('a borrow that was ended because a longer one of its device came is found: its token is still good', () => {
    const world = new World();
    world.take(1000, { kind: 'borrow', lease: 'b', seat: 's' });
    world.take(5000, { kind: 'borrow', lease: 'c', seat: 's' });
    expect(broken(world)).toEqual([]);
    world.journal({ type: 'lease.ended', id: 'b', reason: 'extended' });
    expect(broken(world)).toContain('I8');
  });

  test('a status that does not know of a borrow is found', () => {
    const world = new World();
    world.take(1000, { kind: 'borrow' });
    world.status(2000, { inUse: 1, free: 1 });
    expect(broken(world)).toEqual(['I8']);
  });
});

describe('statuses', () => {
  test.each([
    ['owned is not allocated + shared', { allocated: 1 }, 'EQUATION'],
    ['the second equation does not hold', { inUse: 1 }, 'EQUATION'],
    ['a number is negative', { borrowed: 1, held: -1 }, 'EQUATION'],
    ['a number is no integer', { inUse: 0.5, free: 1.5 }, 'EQUATION'],
    ['seats are free and over at once', { free: 3, over: 1 }, 'EQUATION'],
    ['more is owned than the vendor granted', { owned: 3, shared: 3, free: 3 }, 'STATUS'],
  ])('it is found that %s', (_, pool, rule) => {
    const world = new World();
    world.status(1000, pool);
    expect(broken(world)).toEqual([rule]);
  });

  test('a seat in use that is not counted is found', () => {
    const world = new World();
    world.take(1000);
    world.status(1100, {});
    expect(broken(world)).toEqual(['STATUS']);
  });
});

describe('the chain of signatures', () => {
  test('a lease that the server did not sign is found', () => {
    const world = new World();
    world.take(1000, { signer: newKeys() });
    expect(broken(world)).toEqual(['CHAIN']);
  });

  test('an entitlement that the vendor did not sign is found', () => {
    const world = new World();
    world.import(100, 'e2', 1, {}, newKeys());
    expect(broken(world)).toEqual(['CHAIN']);
  });

  test('an entitlement of another server is found', () => {
    const world = new World();
    world.import(100, 'e2', 1, { sub: newKeys().text });
    expect(broken(world)).toEqual(['CHAIN']);
  });

  test.each([
    ['names an entitlement nobody has seen', { ent: 'e9' }],
    ['does not last as long as it says', { dur: 4 }],
    ['begins before its entitlement', { iat: 1, exp: 4 }],
  ])('a lease that %s is found', (_, lie) => {
    const world = new World();
    world.take(1000, { lie });
    expect(broken(world)).toContain('CHAIN');
  });

  test('a lease that outlives its entitlement, hold included, is found', () => {
    const world = new World();
    const exp = Date.UTC(2026, 10, 22) / 1000 + 10;
    world.import(100, 'e1', 2, { rev: 2, exp });
    world.entries.splice(0, 1);
    world.take(1000);
    expect(broken(world)).toEqual(['CHAIN']);
  });

  test('a borrow for longer than the entitlement allows is found', () => {
    const world = new World();
    world.take(1000, { kind: 'borrow', durSeconds: 8 * 86_400 });
    expect(broken(world)).toEqual(['CHAIN']);
  });

  test('a lease for another device is found', () => {
    const world = new World();
    const dev = world.device('stranger').text;
    world.take(1000, { lie: { dev } });
    expect(broken(world)).toContain('CHAIN');
  });

  test('an answer to a question nobody asked is found', () => {
    const world = new World();
    const lease = world.take(1000);
    world.renew(2000, lease, 'plugin', { nonce: 'stale' });
    expect(broken(world)).toEqual(['CHAIN']);
  });

  test('a token with a spelling of its own is found', () => {
    const world = new World();
    world.take(1000);
    const answer = world.entries.at(-1)!;
    if (answer.event !== 'answer') throw new Error('not an answer');
    Object.assign(answer, { leases: [answer.leases[0]!.replace(/^./, ' $&')] });
    expect(broken(world)).toEqual(['CHAIN']);
  });
});
