import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Act, Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

/** A record of what one command led to. */
function act(world: World, said: Omit<Act, 'first' | 'count'>, ...changes: Change[]): void {
  world.journal(...changes);
  const record = world.records.at(-1)!;
  world.records[world.records.length - 1] = {
    ...record,
    acts: [{ first: 0, count: changes.length, ...said }],
  };
}

const user = (email: string, role: string): Change => ({
  type: 'user.put',
  user: { email, role, state: 'active' },
});
const invitation = (id: string, email = 'plugin@x'): Change => ({
  type: 'invitation.made',
  invitation: { id, email, usedBy: null },
});
const gone: Change = { type: 'user.removed', email: 'plugin@x' };
const maySpend: Change = { type: 'credit.access', email: 'plugin@x', grant: { access: 'unlimited' } };
const disabled: Change = { ...maySpend, grant: { access: 'disabled' } };
const forgotten: Change = { type: 'credit.forgotten', email: 'plugin@x' };
const locked: Change = { type: 'device.removed', id: 'plugin' };

describe('what goes with a member and with a device', () => {
  test.each<[string, string[], Change[]]>([
    ['a device and its member', [], [locked, gone]],
    ['a member, whose device stays', ['REMOVAL'], [gone]],
    ['a member who may spend credits', ['REMOVAL'], [maySpend, locked, gone]],
    ['a member who may spend none any more', [], [maySpend, forgotten, locked, gone]],
    ['a member who never was to spend any', [], [maySpend, disabled, locked, gone]],
    ['a member who can join again', ['REMOVAL'], [invitation('i1'), locked, gone]],
    [
      'a member whose link was taken back',
      [],
      [invitation('i1'), { type: 'invitation.dropped', id: 'i1' }, locked, gone],
    ],
    ['a second link beside the first', ['REMOVAL'], [invitation('i1'), invitation('i2')]],
    ['the same link for another role', [], [invitation('i1'), invitation('i1')]],
  ])('%s', (_, rules, changes) => {
    const world = new World();
    world.device('plugin');
    world.journal(...changes);
    expect(broken(world)).toEqual(rules);
  });

  test.each<[string, string[], 'online' | 'borrow', Change[]]>([
    ['whose lease goes on', ['REMOVAL'], 'online', []],
    ['whose lease is revoked', [], 'online', [{ type: 'lease.revoked', id: 'l1', by: '', reason: '' }]],
    ['with a borrow', ['I8'], 'borrow', []],
  ])('a device %s', (_, rules, kind, before) => {
    const world = new World();
    world.take(1000, { lease: 'l1', kind });
    world.journal(...before, locked);
    expect(broken(world)).toEqual(rules);
  });
});

describe('with what somebody joins', () => {
  const joins = (id: string, invitation: string, more: object = {}): Change => ({
    type: 'device.enrolled',
    device: { id, email: 'a@x', leaseKey: id, invitation, ...more },
  });
  const token = (more: object): Change => ({
    type: 'machineToken.put',
    token: { id: 'm1', uses: 0, maxUses: 1, revoked: false, ...more },
  });
  const machine = (id: string): Change => joins(id, 'm1', { machine: {} });

  test.each<[string, string[], Change[]]>([
    ['a link', [], [invitation('i1'), joins('d1', 'i1')]],
    ['a link for the second time', ['ENROL'], [invitation('i1'), joins('d1', 'i1'), joins('d2', 'i1')]],
    [
      'a link that was taken back',
      ['ENROL'],
      [invitation('i1'), { type: 'invitation.dropped', id: 'i1' }, joins('d1', 'i1')],
    ],
    ['a token', [], [token({}), machine('d1')]],
    ['a token that is used up', ['ENROL'], [token({}), machine('d1'), machine('d2')]],
    ['a token that was taken back', ['ENROL'], [token({}), token({ revoked: true }), machine('d1')]],
  ])('%s', (_, rules, changes) => {
    const world = new World();
    world.journal(...changes);
    expect(broken(world)).toEqual(rules);
  });
});

test.each<[string, string[], string, string, Change[]]>([
  ['an owner prunes', [], 'owner', 'prune', []],
  ['an admin prunes', ['ROLE'], 'admin', 'prune', []],
  ['an admin assigns', [], 'admin', 'assign', []],
  ['a viewer assigns', ['ROLE'], 'viewer', 'assign', []],
  ['somebody who is no member assigns', ['ROLE'], 'nobody', 'assign', []],
  ['an admin makes somebody admin', [], 'admin', 'setUser', [user('b@x', 'admin')]],
  ['an admin makes somebody owner', ['ROLE'], 'admin', 'setUser', [user('b@x', 'owner')]],
  ['an admin renames an owner, who stays one', [], 'admin', 'setUser', [user('o@x', 'owner')]],
])('%s', (_, rules, role, did, changes) => {
  const world = new World();
  act(world, { did: 'found' }, user('o@x', 'owner'), user('b@x', 'user'));
  if (role !== 'nobody') act(world, { did: 'found' }, user('a@x', role));
  act(world, { did, by: 'a@x' }, ...changes, { type: 'lease.messaged', id: 'none' });
  expect(broken(world)).toEqual(rules);
});

describe('a forced release that is set for later', () => {
  const warned: Change = { type: 'lease.warned', id: 'l1', release: { atMs: 9000 } };
  const revoked: Change = { type: 'lease.revoked', id: 'l1', by: '', reason: '' };
  const kept: Change = { type: 'lease.kept', id: 'l1', by: '' };
  const seen = (wallMs: number): Change => ({ type: 'clock.seen', wallMs });

  test.each<[string, string[], (world: World) => void]>([
    ['comes then', [], (world) => act(world, { did: 'expire', atMs: 9000 }, revoked, seen(9001))],
    ['comes before', ['RELEASE'], (world) => act(world, { did: 'expire', atMs: 8999 }, revoked)],
    ['never comes', ['RELEASE'], (world) => world.journal(seen(9001))],
    ['is not due yet', [], (world) => world.journal(seen(9000))],
    [
      'comes sooner, as an admin says',
      [],
      (world) => act(world, { did: 'revokeLease', atMs: 5000 }, revoked),
    ],
    [
      'comes although it was called off',
      ['RELEASE'],
      (world) => {
        world.journal(kept);
        act(world, { did: 'expire', atMs: 9000 }, revoked);
      },
    ],
    ['was called off', [], (world) => world.journal(kept, seen(9001))],
  ])('%s', (_, rules, then) => {
    const world = new World();
    world.take(1000, { lease: 'l1' });
    world.journal(warned);
    then(world);
    expect(broken(world)).toEqual(rules);
  });
});

test.each<[string, string[], Change[], number]>([
  ['before whoever asked for it had said', ['RELEASE'], [], 10],
  ['after a start of the server, which may have another clock', [], [{ type: 'journal.checkpoint' }], 10],
  ['after one that left no record: nobody’s session goes back to before', [], [], 5000],
])('a forced release that comes %s', (_, rules, between, openedT) => {
  const world = new World();
  world.write(openedT, 'witness', { event: 'request', method: 'session.open' });
  const witness = world.take(openedT + 10, { by: 'witness', durSeconds: 60 });
  world.take(1000, { lease: 'l1' });
  const office = { key: 'k', lease: 'l1', inSeconds: 60 };
  world.write(2000, 'admin', { event: 'request', method: 'lease.revoke', key: 'k', office });
  act(
    world,
    { did: 'revokeLease' },
    { type: 'lease.warned', id: 'l1', release: { atMs: 8000 } },
    { type: 'request.kept', request: { id: 'd k', leases: [] } },
  );
  for (const change of between) world.journal({ type: 'lease.messaged', id: 'none' }, change);
  act(world, { did: 'expire', atMs: 8000 }, { type: 'lease.revoked', id: 'l1', by: '', reason: '' });
  world.renew(9000, witness, 'witness');
  world.renew(9100, witness, 'witness');
  expect(broken(world).filter((rule) => rule === 'RELEASE')).toEqual(rules);
});

test.each<[string, string[], string]>([
  ['its own device', [], 'plugin'],
  ['another device', ['I1'], 'other'],
])('a lease is given back by %s', (_, rules, device) => {
  const world = new World();
  world.take(1000, { lease: 'l1' });
  world.write(1500, 'plugin', { event: 'released', leases: ['l1'], stopped: false });
  act(world, { did: 'release', device }, { type: 'lease.ended', id: 'l1', reason: 'released' });
  expect(broken(world)).toEqual(rules);
});

test('what another device says of a lease does not end it', () => {
  const world = new World(1);
  world.take(1000, { lease: 'l1' });
  world.device('other');
  world.write(1500, 'other', { event: 'released', leases: ['l1'], stopped: false });
  world.journal({ type: 'lease.ended', id: 'l1', reason: 'stopped' });
  world.take(2000, { by: 'other' });
  expect(broken(world)).toContain('I1');
});
