import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

const allocated = (email: string, quantity: number, more: object = {}): Change => ({
  type: 'allocation.set',
  allocation: { email, entitlement: 'e1', quantity, ...more },
});
const product = (more: object): Change => ({
  type: 'product.put',
  product: { product: 'render', share: 'device', ...more },
});
const limit = (grant: object, email = 'a@x'): Change => ({ type: 'credit.access', email, grant });
const taken = (id: string): Change => ({ type: 'lease.revoked', id, by: '', reason: '' });
const ten = { access: 'limited', limit: 10, per: 'day' };
const assign = { email: 'a@x', product: 'render', quantity: 2 };
const revoke = { email: 'r@x', product: 'render', quantity: 2 };

/** A record of what one command led to. */
function act(world: World, ...changes: Change[]): void {
  world.journal(...changes);
  const record = world.records.at(-1)!;
  const acts = [{ first: 0, count: changes.length, did: 'x' }];
  world.records[world.records.length - 1] = { ...record, acts };
}

/** What an admin asked for, and what became of it; before that r had 3 seats, and a could spend 10 a day and had asked for 5 more. */
function asked(method: string, params: object, changes: readonly Change[]): World {
  const world = new World(9);
  world.take(1000, { lease: 'l1' });
  world.take(1000, { lease: 'l2' });
  act(world, { type: 'entitlement.put', entitlement: world.records[1]!.changes[0]!.entitlement });
  act(world, limit(ten), { type: 'credit.asked', request: { email: 'a@x', credits: 5 } });
  act(world, allocated('r@x', 3));
  act(world, { type: 'user.put', user: { email: 'r@x', role: 'user', state: 'active', aliases: ['ruth'] } });
  world.write(2000, 'admin', { event: 'request', method, key: 'k', office: { key: 'k', ...params } });
  act(world, ...changes, { type: 'request.kept', request: { id: 'd k', leases: [] } });
  return world;
}

describe('what an admin asked for is what became of it', () => {
  test.each<[string, object, Change[]]>([
    ['allocation.assign', assign, [allocated('a@x', 2)]],
    ['allocation.assign', { ...assign, email: 'STUDIO\\a' }, [allocated('a@x', 2)]],
    ['allocation.revoke', revoke, [allocated('r@x', 1)]],
    ['allocation.revoke', { ...revoke, email: 'STUDIO\\Ruth' }, [allocated('r@x', 1)]],
    ['allocation.revoke', { ...revoke, quantity: 'all' }, [allocated('r@x', 0)]],
    ['allocation.move', { ...revoke, to: 'b@x' }, [allocated('r@x', 1), allocated('b@x', 2)]],
    ['sharing.set', { product: 'render', on: false }, [product({ sharing: false })]],
    ['pool.set', { product: 'render', lingerSeconds: 60 }, [product({ settings: { lingerSeconds: 60 } })]],
    ['lease.revoke', { lease: 'l1' }, [taken('l1')]],
    ['lease.keep', { lease: 'l1' }, [{ type: 'lease.kept', id: 'l1' }]],
    ['credit.limit', { email: 'a@x', access: 'unlimited' }, [limit({ access: 'unlimited' })]],
    ['credit.limit', { email: 'a@x', ...ten, limit: 3 }, [limit({ ...ten, limit: 3 })]],
    ['credit.decide', { email: 'a@x', approve: true }, [limit({ ...ten, limit: 15 })]],
    ['credit.decide', { email: 'a@x', approve: true, grant: ten }, [limit(ten)]],
    ['credit.decide', { email: 'a@x', approve: false }, []],
  ])('%s %j', (method, params, changes) => {
    expect(broken(asked(method, params, changes))).not.toContain('ASKED');
  });

  test.each<[string, object, Change[]]>([
    ['allocation.assign', assign, [allocated('a@x', 3)]],
    ['allocation.assign', assign, [allocated('b@x', 2)]],
    ['allocation.assign', { ...assign, product: 'comp' }, [allocated('a@x', 2)]],
    ['allocation.revoke', { ...revoke, cancel: true }, [allocated('r@x', 2)]],
    ['allocation.revoke', revoke, [allocated('r@x', 0)]],
    ['allocation.assign', { ...assign, email: 'STUDIO\\Ruth' }, [allocated('a@x', 2)]],
    ['allocation.revoke', { ...revoke, email: 'ruth' }, [allocated('b@x', 0)]],
    ['allocation.move', { ...assign, to: 'ruth', quantity: 2 }, [allocated('c@x', 2)]],
    ['allocation.move', { ...revoke, to: 'b@x' }, [allocated('r@x', 2), allocated('b@x', 1)]],
    ['allocation.move', { ...revoke, to: 'b@x' }, [allocated('r@x', 1), allocated('c@x', 2)]],
    ['sharing.set', { product: 'render', on: false }, [product({ sharing: true })]],
    ['sharing.set', { product: 'comp', on: true }, [product({ sharing: true })]],
    ['pool.set', { product: 'render', lingerSeconds: 60 }, [product({ settings: { lingerSeconds: 6 } })]],
    ['lease.revoke', { lease: 'l1' }, [taken('l2')]],
    ['lease.revoke', { lease: 'l1', inSeconds: 9 }, [taken('l1')]],
    ['lease.keep', { lease: 'l1' }, [{ type: 'lease.kept', id: 'l2' }]],
    ['credit.limit', { email: 'a@x', ...ten, per: 'month' }, [limit(ten)]],
    ['credit.limit', { email: 'a@x', ...ten }, [limit(ten, 'b@x')]],
    ['credit.decide', { email: 'a@x', approve: true }, [limit({ ...ten, limit: 20 })]],
    ['credit.decide', { email: 'a@x', approve: true, grant: ten }, [limit({ ...ten, limit: 15 })]],
    ['credit.decide', { email: 'a@x', approve: false }, [limit({ ...ten, limit: 15 })]],
  ])('%s %j is found when it was not', (method, params, changes) => {
    expect(broken(asked(method, params, changes))).toContain('ASKED');
  });
});

test.each<[string, string[], number, Change[]]>([
  ['runs on, as was said', [], 1, []],
  ['runs on, though nothing was said to', ['SHARING'], 0, []],
  ['is cut', [], 0, [taken('l1')]],
])('a shared seat %s when sharing is switched off', (_, rules, seatsRunning, changes) => {
  const world = new World(2);
  world.take(1000, { lease: 'l1' });
  const outcome = { products: [{ product: 'render', floatingSharing: false, seatsRunning }] };
  world.put({ sharing: false });
  world.journal(...changes, {
    type: 'request.kept',
    request: { id: 'd k', method: 'setSharing', leases: [], outcome },
  });
  expect(broken(world)).toEqual(rules);
});

test('a limit below what was spent leaves nothing: a yes counts from there', () => {
  const spend = { id: 'c1', email: 'a@x', device: 'a', product: 'render', credits: 12, day: '2026-11-22' };
  const world = new World(1);
  act(world, { type: 'credit.spent', spend: { ...spend, charges: [] } });
  act(world, limit(ten), { type: 'credit.asked', request: { email: 'a@x', credits: 5 } });
  const office = { key: 'k', email: 'a@x', approve: true };
  world.write(2000, 'admin', { event: 'request', method: 'credit.decide', key: 'k', office });
  act(world, limit({ ...ten, limit: 17 }), { type: 'request.kept', request: { id: 'd k', leases: [] } });
  expect(broken(world)).not.toContain('ASKED');
});

describe('what is taken back, and what goes over to an heir', () => {
  const charged: Change = { type: 'seat.charged', id: 's', entitlement: 'e1', allocation: null };

  test.each<[string, string[], Change[]]>([
    ['goes on', ['ALLOCATION'], [allocated('plugin@x', 0), charged]],
    ['is revoked', [], [allocated('plugin@x', 0), taken('l1'), charged]],
    [
      'runs out with its entitlement',
      [],
      [allocated('plugin@x', 0), charged, { type: 'entitlement.state', id: 'e1', state: 'expired' }],
    ],
  ])('the lease of a seat whose allocation is taken back %s', (_, rules, changes) => {
    const world = new World(2);
    world.journal(allocated('plugin@x', 1));
    world.take(1000, { lease: 'l1', seat: 's', of: { allocation: 'plugin@x e1' } });
    world.journal(...changes);
    expect(broken(world)).toEqual(rules);
  });

  const spent = { id: 'c1', email: 'a@x', device: 'a', product: 'render', credits: 3, day: '2026-11-22' };
  const pending = { revoking: { seats: 1 } };
  const heir = (more: object): Change => ({
    type: 'allocation.set',
    allocation: { email: 'a@x', entitlement: 'e2', quantity: 1, ...more },
  });
  test.each<[string, boolean, Change[]]>([
    ['3 spent credits', true, []],
    ['3 spent credits', false, [{ type: 'credit.moved', from: 'e1', to: 'e2', credits: 3 }]],
    ['of 1 seats', true, [allocated('a@x', 0), heir({})]],
    ['of 1 seats', false, [allocated('a@x', 0), heir(pending)]],
  ])('%s of what is replaced, forgotten: %s', (words, isForgotten, changes) => {
    const world = new World(2);
    world.journal(
      { type: 'credit.spent', spend: { ...spent, charges: [{ entitlement: 'e1', credits: 3 }] } },
      allocated('a@x', 1, pending),
    );
    world.import(2000, 'e2', 2, { replaces: 'e1' });
    world.journal(...changes, { type: 'entitlement.state', id: 'e1', state: 'replaced' });
    const told = audit(world.case()).findings.filter(({ text }) => text.includes(words));
    expect(told).toHaveLength(isForgotten ? 1 : 0);
  });

  test('a revision that undoes a pending removal is found', () => {
    const world = new World(2);
    world.take(1000, { kind: 'borrow' });
    world.journal({ type: 'entitlement.removing', id: 'e1', removing: { by: 'a' } });
    world.import(2000, 'e1', 2, { rev: 2 });
    expect(broken(world)).toEqual(['I8']);
  });
});
