import { decide } from '@berth/server/domain/decide/decide';
import { type MailTold, nextAttemptMs } from '@berth/server/domain/mail';
import { describe, expect, test } from 'vitest';
import { DAY_MS, keyOf, World } from './world.js';

// What is put into the outbox, with what it tells, and what becomes of it.

const a = 'a@studio.example';
const render = { product: 'render', endMs: null };

const mails = (world: World) => [...world.state.tables.mail.values()].sort((a, b) => a.madeAtMs - b.madeAtMs);
const told = (world: World) => mails(world).map(({ to, facts }) => `${to.split('@')[0]} ${facts[0]!.kind}`);

describe('who is told what', () => {
  test('an invitation; not the first owner, whose link berthd prints', () => {
    const world = new World();
    expect(told(world)).toEqual([]);
    const invite = { name: null, role: null, device: false, invitationMs: DAY_MS, email: a } as const;
    const { invitation } = world.ok({ type: 'invite', ...world.admin(), ...invite });
    expect(mails(world)).toMatchObject([
      { to: a, state: 'queued', attempts: 0, facts: [{ kind: 'invited', role: 'user', device: false }] },
    ]);
    // Whoever has joined by the link is not sent a mail that has none any more.
    world.ok({ type: 'enrol', invitation, leaseKey: keyOf('a'), adminKey: null, name: 'a-pc' });
    expect(mails(world)).toMatchObject([{ to: a, state: 'cancelled' }]);
  });

  test('a link that was replaced or taken back is not sent; a changed role makes no mail', () => {
    const world = new World();
    const invite = { name: null, role: null, device: false, invitationMs: DAY_MS, email: a } as const;
    world.ok({ type: 'invite', ...world.admin(), ...invite });
    world.ok({ type: 'invite', ...world.admin(), ...invite });
    expect(mails(world).map(({ state }) => state)).toEqual(['cancelled', 'queued']);
    const set = { addAliases: [], removeAliases: [], was: {}, name: null, role: 'admin' } as const;
    world.ok({ type: 'setUser', ...world.admin(), email: a, ...set });
    expect(mails(world)).toHaveLength(2);
    world.ok({ type: 'cancelInvitation', ...world.admin(), email: a });
    expect(mails(world).map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  });

  test('seats given, moved, taken; by whom, how many, how many are left', () => {
    const world = new World();
    world.import({ seats: 5 });
    world.user('a');
    world.user('b');
    world.ok({ type: 'assign', ...world.admin(), email: a, ...render, quantity: 2 });
    world.ok({ type: 'assign', ...world.admin(), email: a, ...render, quantity: 1 });
    world.ok({ type: 'move', ...world.admin(), email: a, to: 'b@studio.example', ...render, quantity: 1 });
    world.ok({ type: 'revoke', ...world.admin(), email: a, ...render, quantity: 'all' });
    expect(mails(world).slice(2)).toMatchObject([
      { to: a, facts: [{ kind: 'assigned', quantity: 2, total: 2, by: 'owner@studio.example' }] },
      { to: a, facts: [{ kind: 'assigned', quantity: 1, total: 3 }] },
      { to: a, facts: [{ kind: 'revoked', quantity: 1, left: 2 }] },
      { to: 'b@studio.example', facts: [{ kind: 'assigned', quantity: 1, total: 1 }] },
      { to: a, facts: [{ kind: 'revoked', quantity: 2, left: 0 }] },
    ]);
  });

  test('a removal', () => {
    const world = new World();
    world.user('a');
    world.ok({ type: 'removeUser', ...world.admin(), email: a });
    expect(told(world)).toEqual(['a invited', 'a removed']);
  });

  test('a retry tells nobody again, nor does a refusal', () => {
    const world = new World();
    world.import({ seats: 1 });
    world.user('a');
    const assign = { type: 'assign', ...world.admin(), email: a, ...render, quantity: 1 } as const;
    world.ok(assign);
    world.ok(assign);
    world.refused({ ...assign, ...world.admin() }, 'ALL_ALLOCATED');
    expect(told(world)).toEqual(['a invited', 'a assigned']);
  });
});

describe('the end of a subscription', () => {
  const ending = (world: World) =>
    mails(world).flatMap(({ to, facts: [fact] }) =>
      fact?.kind === 'ending' ? [`${to.split('@')[0]} ${fact.daysLeft}`] : [],
    );

  test('60, 30, 7 and 1 days before, once each, to those who run the organisation; across restarts', () => {
    const world = new World();
    world.user('a');
    world.import({ seats: 1 });
    const { exp } = [...world.state.tables.entitlement.values()][0]!.claims;
    const total = Math.floor((exp * 1000 - world.now.wallMs) / DAY_MS);
    for (let day = 0; day < total; day++) {
      world.pass(DAY_MS);
      if (day % 10 === 0) world.restart();
    }
    const days = [60, 30, 7, 1].filter((each) => each < total);
    expect(ending(world)).toEqual(days.map((each) => `owner ${each}`));
  });

  test('whoever imports one that ends soon knows; a server that was away says the last that is due', () => {
    const world = new World();
    const startMs = world.now.wallMs;
    const exp = Math.floor(startMs / 1000) + 40 * 86_400;
    world.import({ seats: 1, exp });
    world.pass(1000);
    expect(ending(world)).toEqual([]);
    world.pass(36 * DAY_MS);
    expect(ending(world)).toEqual(['owner 4']);
    world.pass(5 * DAY_MS);
    expect(ending(world)).toEqual(['owner 4']);
  });
});

describe('an attempt', () => {
  const invited = (world: World, email: string): string => {
    const invite = { name: null, role: null, device: false, invitationMs: DAY_MS, email } as const;
    return world.ok({ type: 'invite', ...world.admin(), ...invite }).invitation;
  };
  const one = (): { world: World; id: string; invitation: string } => {
    const world = new World();
    const invitation = invited(world, a);
    return { world, invitation, id: mails(world)[0]!.id };
  };
  const studio = { organisation: 'Studio', name: 'Anna' };
  const tried = (world: World, id: string, told: MailTold = studio) =>
    world.ok({ type: 'tryMail', id, messageId: `<${id}@x>`, told });
  const busy = { state: 'deferred', error: '451 later', unsure: false } as const;

  test('is on record before it begins; its Message-ID stays', () => {
    const { world, id } = one();
    tried(world, id);
    expect(mails(world)).toMatchObject([{ state: 'sending', attempts: 1, messageId: `<${id}@x>` }]);
    const again = { type: 'tryMail', id, messageId: '<other@x>', told: studio } as const;
    world.refused(again, 'MAIL_UNKNOWN');
    world.ok({ type: 'settleMail', id, result: busy });
    expect(world.ok(again)).toMatchObject({ messageId: `<${id}@x>` });
    world.ok({ type: 'settleMail', id, result: { state: 'sent', answer: '250' } });
    expect(mails(world)).toMatchObject([{ state: 'sent', attempts: 2, messageId: `<${id}@x>` }]);
  });

  test('that may have been taken is repeated in the same words; one that was not says what is so now', () => {
    const { world, id } = one();
    const [now, later] = [
      { organisation: 'Ærø', name: 'A 6', address: { host: 'b.example', port: 1 } },
      { organisation: 'Third', name: '' },
    ];
    const kept = () => mails(world)[0]!.told;
    expect(tried(world, id).told).toEqual(studio);
    expect(kept()).toEqual(studio);
    world.ok({ type: 'settleMail', id, result: busy });
    expect(kept()).toBeUndefined();
    expect(tried(world, id, now).told).toEqual(now);
    world.ok({ type: 'settleMail', id, result: { ...busy, unsure: true } });
    for (const result of [busy, { state: 'refused', error: '550 no' }] as const) {
      expect(tried(world, id, later).told).toEqual(now);
      world.ok({ type: 'settleMail', id, result });
      world.restart();
      expect(kept()).toEqual(now);
    }
    world.ok({ type: 'retryMail', ...world.admin(), id });
    expect(tried(world, id, later).told).toEqual(now);
    world.ok({ type: 'settleMail', id, result: { state: 'sent', answer: '250' } });
    expect(kept()).toEqual(now);
  });

  test('that was not taken is repeated after longer and longer pauses, for five days', () => {
    const { world, id } = one();
    const pauses: number[] = [];
    while (mails(world)[0]!.state === 'queued') {
      tried(world, id);
      world.ok({ type: 'settleMail', id, result: busy });
      const mail = mails(world)[0]!;
      if (mail.state !== 'queued') break;
      pauses.push(mail.nextAtMs - world.now.wallMs);
      world.pass(mail.nextAtMs - world.now.wallMs);
    }
    expect(pauses.slice(0, 4)).toEqual([5000, 10_000, 20_000, 40_000]);
    expect(Math.max(...pauses)).toBe(3_600_000);
    const total = pauses.reduce((sum, each) => sum + each, 0);
    expect(total).toBeGreaterThanOrEqual(5 * DAY_MS);
    expect(total).toBeLessThan(5 * DAY_MS + 3_600_000);
    expect(mails(world)[0]).toMatchObject({ state: 'failed', error: '451 later' });
    world.ok({ type: 'retryMail', ...world.admin(), id });
    expect(nextAttemptMs(mails(world)[0]!, world.now.wallMs)).not.toBeNull();
  });

  test('that was not taken is the last one, once its invitation was used meanwhile', () => {
    const { world, id, invitation } = one();
    tried(world, id);
    world.ok({ type: 'enrol', invitation, leaseKey: keyOf('a'), adminKey: null, name: 'a-pc' });
    expect(mails(world)).toMatchObject([{ state: 'sending' }]);
    world.ok({ type: 'settleMail', id, result: busy });
    expect(mails(world)).toMatchObject([{ state: 'cancelled' }]);
  });

  test('that was refused ends it; retry is for those that wait or were given up', () => {
    const { world, id } = one();
    tried(world, id);
    world.ok({ type: 'settleMail', id, result: { state: 'refused', error: '550 no' } });
    expect(mails(world)).toMatchObject([{ state: 'failed' }]);
    expect(world.ok({ type: 'retryMail', ...world.admin(), id: null })).toEqual({ retried: 1 });
    tried(world, id);
    world.refused({ type: 'retryMail', ...world.admin(), id }, 'MAIL_ENDED');
    world.refused({ type: 'retryMail', ...world.admin(), id: 'm-none' }, 'MAIL_UNKNOWN');
  });

  test.each([
    ['without', false],
    ['with', true],
  ])('goes 30 days after its end, or 90 days old and unsent, %s a restart in between', (_, restarts) => {
    const { world, id } = one();
    invited(world, 'b@studio.example');
    tried(world, id);
    world.ok({ type: 'settleMail', id, result: { state: 'sent', answer: '250' } });
    world.pass(29 * DAY_MS);
    if (restarts) world.restart();
    expect(mails(world)).toHaveLength(2);
    world.pass(2 * DAY_MS);
    expect(told(world)).toEqual(['b invited']);
    world.pass(60 * DAY_MS);
    expect(mails(world)).toEqual([]);
  });

  test('is not made sooner for what a job still gathers, nor at all while the disk is low', () => {
    const { world, id } = one();
    const mail = world.state.tables.mail.get(id)!;
    world.state.tables.mail.set(id, { ...mail, state: 'gathering', job: 'j1' });
    expect(decide(world.state, { type: 'retryMail', ...world.admin(), id }, world.context)).toMatchObject({
      ok: false,
      code: 'MAIL_ENDED',
    });
    world.state.tables.mail.set(id, mail);
    world.diskLow = true;
    world.refused({ type: 'testMail', ...world.admin(), to: a }, 'DISK_LOW');
  });
});
