import { canonicalAlias } from '@berth/protocol';
import { decide } from '@berth/server/domain/decide/decide';
import { brokenInvariants } from '@berth/server/domain/invariants';
import { SortedKeys } from '@berth/server/domain/sorted-keys';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { DAY_MS, keyOf, World } from './world.js';

// Members (issue 5, parts 1 and 2): who may change whom, login names, devices, invitations.

const OWNER = 'owner@studio.example';
const ANNA = 'anna@studio.example';
let world: World;
let anna: string;

beforeEach(() => {
  world = new World();
  world.import({ seats: 3, share: 'user', borrow: { maxSeconds: 86_400, seats: 2 } });
  anna = world.user('anna');
});

type Was = { readonly name?: string; readonly role?: 'owner' | 'admin' | 'viewer' | 'user' };
type Set = { role?: Was['role']; name?: string; add?: string[]; drop?: string[]; was?: Was };

const setting = (email: string, { role, name, add = [], drop = [], was = {} }: Set, by = world.admin()) =>
  ({
    type: 'setUser',
    ...by,
    email,
    name: name ?? null,
    role: role ?? null,
    addAliases: add,
    removeAliases: drop,
    was,
  }) as const;
const invite = (email: string, more: object = {}) =>
  ({
    type: 'invite',
    ...world.admin(),
    ...{ email, name: null, role: null, device: false, invitationMs: DAY_MS },
    ...more,
  }) as const;
const unenrol = (email: string, device: string, by = world.admin()) =>
  ({ type: 'unenrol', ...by, email, device }) as const;

/** A member of that role who has joined with an admin key. */
function hire(name: string, role: Was['role']): string {
  const email = `${name}@studio.example`;
  const { invitation } = world.ok(invite(email, { role }));
  const keys = { leaseKey: keyOf(name), adminKey: keyOf(`${name}-admin`) };
  return world.ok({ type: 'enrol', invitation, ...keys, name: `${name}-pc` }).device;
}

describe('roles', () => {
  test('nobody grants one above their own, nor changes who has one', () => {
    const admin = hire('adam', 'admin');
    world.refused(setting(ANNA, { role: 'owner' }, world.by(admin)), 'NOT_ALLOWED');
    world.refused(setting(OWNER, { name: 'Hidden' }, world.by(admin)), 'NOT_ALLOWED');
    world.refused(unenrol(OWNER, 'owner-pc', world.by(admin)), 'NOT_ALLOWED');
    world.ok(setting(ANNA, { role: 'admin' }, world.by(admin)));
    const cancel = { type: 'cancelInvitation', ...world.by(admin), email: OWNER } as const;
    world.refused(cancel, 'NOT_ALLOWED');
  });

  test('the last owner stays one; with a second one the first may step down', () => {
    world.refused(setting(OWNER, { role: 'admin' }), 'LAST_OWNER');
    world.ok(setting(ANNA, { role: 'owner' }));
    // Anna cannot administer: her device joined without a key for it.
    world.refused(setting(OWNER, { role: 'admin' }), 'LAST_OWNER');
    hire('olga', 'owner');
    world.ok(setting(OWNER, { role: 'admin' }));
  });

  test('the last device with which an owner can administer stays', () => {
    world.refused(unenrol(OWNER, 'owner-pc'), 'LAST_OWNER');
    hire('olga', 'owner');
    world.ok(unenrol(OWNER, 'owner-pc', world.by(hire('olaf', 'owner'))));
  });

  test('an open invitation goes on with what a lower role may', () => {
    const email = 'new@studio.example';
    const { invitation } = world.ok(invite(email, { role: 'admin' }));
    expect(world.ok(setting(email, { role: 'user' })).linksEnded).toBeUndefined();
    const joined = world.ok({
      type: 'enrol',
      invitation,
      leaseKey: keyOf('new'),
      adminKey: null,
      name: 'pc',
    });
    expect(joined.scopes).toEqual(['lease']);
  });

  test('a role that is raised ends the links of before: whoever sent or read them may be below the new one', () => {
    const email = 'new@studio.example';
    const { invitation } = world.ok(invite(email));
    expect(world.ok(setting(email, { role: 'owner' })).linksEnded).toBe(1);
    const keys = { leaseKey: keyOf('new'), adminKey: keyOf('new-admin') };
    world.refused({ type: 'enrol', invitation, ...keys, name: 'pc' }, 'INVITATION_INVALID');
    const again = world.ok(invite(email, { resend: true }));
    expect(world.ok({ type: 'enrol', invitation: again.invitation, ...keys, name: 'pc' }).scopes).toEqual([
      'lease',
      'admin',
    ]);
  });
});

describe('two admins who change the same member', () => {
  test('one wins, the other is told what changed and by whom', () => {
    const adam = hire('adam', 'admin');
    const seen = { role: 'user' } as const;
    world.ok(setting(ANNA, { role: 'viewer', was: seen }, world.by(adam)));
    const denial = world.refused(setting(ANNA, { role: 'admin', was: seen }), 'CHANGED_MEANWHILE');
    expect(denial.message).toBe(
      'anna@studio.example was changed meanwhile by adam@studio.example: role is viewer, was user.',
    );
    expect(denial.detail).toMatchObject({ now: { role: 'viewer' }, changed: { by: 'adam@studio.example' } });
    expect(world.state.tables.user.get(ANNA)!.role).toBe('viewer');
    world.ok(setting(ANNA, { role: 'admin', was: { role: 'viewer' } }));
  });

  test('what does not touch is not in the way', () => {
    world.ok(setting(ANNA, { name: 'Anna Ek', was: { name: '' } }));
    expect(world.ok(setting(ANNA, { role: 'viewer', was: { role: 'user' } })).user).toMatchObject({
      name: 'Anna Ek',
      role: 'viewer',
    });
    expect(world.ok(setting(ANNA, { role: 'viewer' })).changed).toBe(false);
  });
});

describe('invitations', () => {
  test('one that brings another role or name is a change of the user, by whom and when; the same again is none', () => {
    const email = 'new@studio.example';
    const shown = () => world.state.tables.user.get(email)!.changed;
    world.ok(invite(email, { role: 'user' }));
    world.ok(invite(email, { role: 'user' }));
    expect(shown()).toBeUndefined();
    world.pass(1000);
    world.ok(invite(email, { role: 'admin' }));
    const first = { by: OWNER, atMs: world.now.wallMs };
    expect(shown()).toEqual(first);
    world.pass(1000);
    world.ok(invite(email, { resend: true, name: 'Nobody' }));
    expect(shown()).toEqual(first);
    world.ok(invite(email, { name: 'New' }));
    expect(shown()).toEqual({ by: OWNER, atMs: first.atMs + 1000 });
  });

  test('a further device is for a member: a typing error makes nobody one', () => {
    const denial = world.refused(invite('ana@studio.example', { device: true }), 'USER_UNKNOWN');
    expect(denial.next).toContain('--device');
    expect(world.state.tables.user.has('ana@studio.example')).toBe(false);
  });
});

describe('login names', () => {
  test.each(['STUDIO\\lgt07', 'lgt07', 'LGT07', ' lgt07 ', 'other\\LGT07'])('%s is lgt07', (text) => {
    expect(canonicalAlias(text)).toBe('lgt07');
  });
  test.each(['', 'STUDIO\\', 'a@b', 'a/b', 'a\\b\\c', '=cmd', 'a\nb', 'x'.repeat(121)])(
    '%j is none',
    (text) => expect(canonicalAlias(text)).toBeNull(),
  );

  test('lead to one user, and stay over a new invitation and a restart', () => {
    world.ok(setting(ANNA, { add: ['lgt07', 'anna'] }));
    world.refused(setting(OWNER, { add: ['lgt07'] }), 'ALIAS_TAKEN');
    world.ok(invite(ANNA, { device: true }));
    world.restart();
    expect(world.state.derived.userByAlias.get('lgt07')).toBe(ANNA);
    world.ok(setting(ANNA, { drop: ['lgt07'] }));
    world.ok(setting(OWNER, { add: ['lgt07'] }));
    world.ok({ type: 'removeUser', ...world.admin(), email: ANNA });
    expect([...world.state.derived.userByAlias.entries()]).toEqual([['lgt07', OWNER]]);
  });

  test('twenty are the most', () => {
    const add = Array.from({ length: 21 }, (_, at) => `login${at}`);
    world.refused(setting(ANNA, { add }), 'ALIAS_INVALID');
  });

  test('one that two users have is a broken invariant', () => {
    world.ok(setting(ANNA, { add: ['lgt07'] }));
    const owner = world.state.tables.user.get(OWNER)!;
    world.state.tables.user.set(OWNER, { ...owner, aliases: ['lgt07'] });
    expect(brokenInvariants(world.state, world.now).join()).toContain('lgt07');
  });
});

describe('a device', () => {
  test('is not locked out while it has a borrow, with the text and the moment; then its leases end', () => {
    const { freeAtMs } = world.ok(world.borrowing(anna, 3600));
    const denial = world.refused(unenrol(ANNA, 'anna-pc'), 'BORROWED');
    expect(denial).toMatchObject({ detail: { email: ANNA, untilMs: freeAtMs } });
    expect(denial.message).toContain(`The source user ${ANNA} has borrowed licenses for offline use.`);
    world.pass(freeAtMs - world.now.wallMs);
    world.checkout(anna);
    expect(world.ok(unenrol(ANNA, anna))).toMatchObject({ device: { name: 'anna-pc' }, leasesRevoked: 1 });
    expect(world.state.tables.device.has(anna)).toBe(false);
    expect(world.usage()).toMatchObject({ held: 1 });
  });

  test('leaves a seat that another device shares, and its lease, alone', () => {
    world.checkout(anna);
    const { invitation } = world.ok(invite(ANNA, { device: true }));
    const keys = { leaseKey: keyOf('laptop'), adminKey: null };
    const laptop = world.ok({ type: 'enrol', invitation, ...keys, name: 'laptop' }).device;
    const [lease] = world.checkout(laptop).leases;
    world.ok(unenrol(ANNA, 'anna-pc'));
    expect(world.usage()).toMatchObject({ inUse: 1, held: 0 });
    expect(world.renew(laptop, [lease!.jti]).leases).toMatchObject([{ claims: { jti: lease!.jti } }]);
  });

  test('that is not there, or whose name is not clear', () => {
    world.refused(unenrol(ANNA, 'nothing'), 'USER_DEVICE_UNKNOWN');
    world.refused(unenrol(ANNA, world.admin().by.device), 'USER_DEVICE_UNKNOWN');
    const { invitation } = world.ok(invite(ANNA, { device: true }));
    world.ok({ type: 'enrol', invitation, leaseKey: keyOf('two'), adminKey: null, name: 'anna-pc' });
    world.refused(unenrol(ANNA, 'anna-pc'), 'USER_DEVICE_AMBIGUOUS');
  });

  test('that lingered gives its seat back at once', () => {
    const settings = { lingerSeconds: 600 };
    world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings });
    const { leases } = world.checkout(anna);
    world.release(anna, [leases[0]!.jti]);
    expect(world.usage()).toMatchObject({ held: 1 });
    const decision = decide(world.state, unenrol(ANNA, anna), world.context);
    // The user stays.
    const freed = expect.objectContaining({ type: 'seat.freed', reason: 'device removed' });
    expect(decision).toMatchObject({ ok: true, changes: expect.arrayContaining([freed]) });
    world.ok(unenrol(ANNA, anna));
    expect(world.usage()).toMatchObject({ held: 0, free: 3 });
  });
});

describe('an invitation', () => {
  const email = 'new@studio.example';

  test('sent again: a new link, the old one ends, role and name stay', () => {
    const first = world.ok(invite(email, { role: 'viewer', name: 'New' }));
    const second = world.ok(invite(email, { resend: true, name: 'Somebody else', role: 'admin' }));
    expect(second.user).toMatchObject({ role: 'viewer', name: 'New' });
    const keys = { leaseKey: keyOf('new'), adminKey: null, name: 'pc' };
    world.refused({ type: 'enrol', invitation: first.invitation, ...keys }, 'INVITATION_INVALID');
    world.ok({ type: 'enrol', invitation: second.invitation, ...keys });
    world.refused(invite(email, { resend: true }), 'USER_EXISTS');
    world.refused(invite('nobody@studio.example', { resend: true }), 'USER_UNKNOWN');
  });

  test('cancelled: the link ends, the member and what is allocated stay', () => {
    const { invitation } = world.ok(invite(email));
    const assigned = { email, product: 'render', quantity: 1, endMs: null };
    world.ok({ type: 'assign', ...world.admin(), ...assigned });
    const cancel = { type: 'cancelInvitation', email } as const;
    expect(world.ok({ ...cancel, ...world.admin() })).toEqual({ email, cancelled: 1 });
    expect(world.ok({ ...cancel, ...world.admin() })).toEqual({ email, cancelled: 0 });
    const keys = { leaseKey: keyOf('new'), adminKey: null, name: 'pc' };
    world.refused({ type: 'enrol', invitation, ...keys }, 'INVITATION_INVALID');
    expect(world.state.tables.user.get(email)).toMatchObject({ state: 'invited' });
    expect(world.usage()).toMatchObject({ allocated: 1 });
  });
});

test('keys in order, whatever comes and goes', () => {
  const step = fc.record({
    add: fc.boolean(),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    look: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step), fc.constantFrom('', 'b', 'bb', 'e'), (steps, from) => {
      const [keys, model] = [new SortedKeys(), new Set<string>()];
      for (const { add, key, look } of steps) {
        keys[add ? 'add' : 'remove'](key);
        model[add ? 'add' : 'delete'](key);
        if (look) expect([...keys.after('')]).toEqual([...model].sort());
      }
      expect([...keys.after(from)]).toEqual([...model].sort().filter((key) => key > from));
      expect(keys.size).toBe(model.size);
    }),
  );
});
