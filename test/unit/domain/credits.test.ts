import type { CreditGrant } from '@berth/server/domain/credit-rows';
import { creditInfo, creditsFor, periodEndMs, spentUntil } from '@berth/server/domain/credits';
import { evolve } from '@berth/server/domain/evolve';
import { brokenInvariants } from '@berth/server/domain/invariants';
import { entitlementInfo } from '@berth/server/domain/views';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, VENDOR_KEY, World } from './world.js';

// PRODUCT.md, "credits": bought with entitlements, spent once, by whoever an admin lets.

const a = 'a@studio.example';
const unlimited: CreditGrant = { access: 'unlimited' };

function limited(limit: number, per: 'day' | 'month' | 'year' | 'total' = 'total'): CreditGrant {
  return { access: 'limited', limit, per };
}

const spending = (world: World, device: string, credits: number, key?: string, product = 'render') =>
  ({ type: 'consumeCredits', ...world.by(device, key), product, credits }) as const;

function allow(world: World, grant: CreditGrant, email = a, was: CreditGrant | null = null) {
  return world.ok({ type: 'setCreditAccess', ...world.admin(), email, grant, was });
}

const balance = (world: World) => creditsFor(world.state, { email: null, vendor: null }, world.now);
const infoOf = (world: World, email = a) => creditInfo(world.state, email, world.now);

/** A studio with so many credits, and somebody who may spend as the grant says. */
function studio(credits: number, grant: CreditGrant | null = unlimited): { world: World; device: string } {
  const world = new World();
  world.import({ jti: 'ent-1', credits });
  const device = world.user('a');
  if (grant !== null) allow(world, grant);
  return { world, device };
}

describe('spending', () => {
  test('a subscription shows what came with it and what of it was spent', () => {
    const { world, device } = studio(100);
    world.import({ jti: 'ent-2', product: 'comp' });
    world.ok(spending(world, device, 30));
    const shown = (id: string) =>
      entitlementInfo(world.state, world.state.tables.entitlement.get(id)!, world.now);
    expect(shown('ent-1').credits).toEqual({ bought: 100, spent: 30 });
    expect('credits' in shown('ent-2')).toBe(false);
  });

  test('nobody may until an admin says so', () => {
    const { world, device } = studio(100, null);
    const denial = world.refused(spending(world, device, 1), 'CREDIT_DISABLED');
    expect(denial.detail).toEqual({ access: 'disabled' });
    allow(world, limited(5));
    expect(world.ok(spending(world, device, 5))).toMatchObject({ credits: 5, left: 0 });
    expect(balance(world)).toBe(95);
  });

  test('I7: the same key spends once and gets the same answer, a restart and a week later too; another body is an error', () => {
    const { world, device } = studio(100);
    const first = world.ok(spending(world, device, 30, 'job-1'));
    expect(world.ok(spending(world, device, 30, 'job-1'))).toEqual(first);
    world.restart();
    world.pass(7 * DAY_MS - 1);
    expect(world.ok(spending(world, device, 30, 'job-1'))).toEqual(first);
    expect(balance(world)).toBe(70);
    world.refused(
      { ...spending(world, device, 31, 'job-1'), request: { device, key: 'job-1', hash: 'other' } },
      'KEY_REUSED',
    );
    world.pass(2);
    expect(world.ok(spending(world, device, 30, 'job-1')).id).not.toBe(first.id);
  });

  test('never more than was bought; what is refused spends nothing', () => {
    const { world, device } = studio(100);
    world.ok(spending(world, device, 99));
    expect(world.refused(spending(world, device, 2), 'CREDIT_LOW').detail).toEqual({ asked: 2, left: 1 });
    world.ok(spending(world, device, 1));
    world.refused(spending(world, device, 1), 'CREDIT_LOW');
    expect(infoOf(world)).toEqual({ access: 'unlimited', used: 100, spent: 100, left: 0 });
  });

  test('who has a limit in all is not sent to wait for it to begin anew', () => {
    const { world, device } = studio(1000, limited(1));
    const { next } = world.refused(spending(world, device, 2), 'CREDIT_LIMIT');
    expect(next).toMatch(/^Spend fewer, or ask an admin/);
  });

  test('the limit of a period begins anew; the refusal says when', () => {
    const { world, device } = studio(1000, limited(10, 'day'));
    world.ok(spending(world, device, 10));
    const { detail, next } = world.refused(spending(world, device, 1), 'CREDIT_LIMIT');
    expect(next).toBeUndefined();
    expect(detail).toEqual({
      asked: 1,
      limit: 10,
      per: 'day',
      used: 10,
      left: 0,
      untilMs: Date.UTC(2026, 10, 23),
    });
    world.pass(DAY_MS / 2);
    world.ok(spending(world, device, 10));
    allow(world, limited(25, 'month'));
    world.ok(spending(world, device, 5));
    world.refused(spending(world, device, 1), 'CREDIT_LIMIT');
    world.pass(10 * DAY_MS);
    world.ok(spending(world, device, 25));
    allow(world, limited(50, 'year'));
    expect(infoOf(world)).toMatchObject({ used: 50, spent: 50, left: 0 });
    world.refused(spending(world, device, 1), 'CREDIT_LIMIT');
    world.pass(30 * DAY_MS);
    world.ok(spending(world, device, 50));
  });

  test('from what ends soonest, over several if need be; an expired one takes its rest with it', () => {
    const { world, device } = studio(100);
    const soon = world.now.wallMs / 1000 + 86_400;
    world.import({ jti: 'ent-soon', credits: 10, exp: soon });
    world.ok(spending(world, device, 4));
    expect(world.state.tables.creditAccount.get('ent-soon')?.spent).toBe(4);
    world.ok(spending(world, device, 8));
    expect(world.state.tables.creditAccount.get('ent-soon')?.spent).toBe(10);
    expect(world.state.tables.creditAccount.get('ent-1')?.spent).toBe(2);
    world.pass(2 * DAY_MS);
    expect(balance(world)).toBe(98);
  });

  test('a new revision is not full again, nor one that is removed and comes back; a replaced one leaves what was spent to its heir', () => {
    const { world, device } = studio(100);
    world.ok(spending(world, device, 60));
    world.import({ jti: 'ent-1', rev: 2, credits: 100 });
    expect(balance(world)).toBe(40);
    world.ok({ type: 'removeEntitlement', ...world.admin(), id: 'ent-1' });
    expect(balance(world)).toBe(0);
    world.import({ jti: 'ent-1', rev: 3, credits: 50 });
    expect(balance(world)).toBe(0);
    world.import({ jti: 'ent-2', replaces: 'ent-1', credits: 200 });
    expect(balance(world)).toBe(140);
    world.restart();
    expect(balance(world)).toBe(140);
  });

  test('one vendor’s credits are not for the products of another', () => {
    const { world, device } = studio(100);
    world.import({ jti: 'other', product: 'sim', iss: `ed25519:${'W'.repeat(42)}U`, credits: 7 });
    world.refused(spending(world, device, 8, undefined, 'sim'), 'CREDIT_LOW');
    world.ok(spending(world, device, 7, undefined, 'sim'));
    expect(balance(world)).toBe(100);
    world.refused(spending(world, device, 1, undefined, 'none'), 'PRODUCT_UNKNOWN');
    expect(VENDOR_KEY).not.toContain('W');
  });

  test('what is personal is its holder’s alone, and comes first', () => {
    const { world, device } = studio(5);
    const b = world.user('b');
    allow(world, unlimited, 'b@studio.example');
    world.import({ jti: 'own', holder: a, credits: 10 });
    expect(balance(world)).toBe(5);
    world.refused(spending(world, b, 6), 'CREDIT_LOW');
    world.ok(spending(world, device, 12));
    expect(world.state.tables.creditAccount.get('own')?.spent).toBe(10);
    expect(balance(world)).toBe(3);
  });

  test('a machine spends none; nobody does while the clock is behind, the disk is low, or their removal is pending', () => {
    const { world, device } = studio(100);
    const { id } = world.ok({
      type: 'createMachineToken',
      ...world.admin(),
      name: 'farm',
      group: null,
      maxUses: 1,
      expiresAtMs: null,
    }).token;
    const machine = world.ok({
      type: 'enrolMachine',
      token: id,
      leaseKey: `ed25519:${'M'.repeat(42)}Q`,
      name: 'node',
    }).device;
    world.refused(spending(world, machine, 1), 'CREDIT_DISABLED');
    world.diskLow = true;
    world.refused(spending(world, device, 1), 'DISK_LOW');
    world.diskLow = false;
    const { now } = world;
    world.now = { ...now, wallMs: now.wallMs - DAY_MS, steadyWallMs: now.steadyWallMs - DAY_MS };
    world.refused(spending(world, device, 1), 'CLOCK_BEHIND');
  });

  test('I9: a restored server does not know what was spent since the backup, and spends none until an admin answers for it', () => {
    const { world, device } = studio(100);
    const backup = world.rows();
    world.ok(spending(world, device, 90, 'job-1'));
    world.restart(backup);
    const known = { epoch: world.epoch, seq: 7 };
    world.ok({ type: 'restore', epoch: 'epoch-2', known, backupAtMs: world.now.wallMs });
    world.ok({ type: 'beginRestore' });
    world.pass(60 * DAY_MS);
    world.refused(spending(world, device, 90, 'job-1'), 'CREDIT_HELD');
    expect([balance(world), infoOf(world).left]).toEqual([0, 0]);
    world.ok({ type: 'acceptRestore', ...world.admin(), reason: 'the vendor knows' });
    world.ok(spending(world, device, 90, 'job-1'));
  });

  test('I5: a clock that jumps forward begins no new period', () => {
    const { world, device } = studio(100, limited(10, 'day'));
    world.ok(spending(world, device, 10));
    world.now = { ...world.now, wallMs: world.now.wallMs + DAY_MS };
    world.refused(spending(world, device, 1), 'CREDIT_LIMIT');
  });
});

describe('what users may spend', () => {
  test('two admins who change the same: the second is told', () => {
    const { world } = studio(100, limited(10));
    allow(world, limited(20), a, limited(10));
    const change = {
      type: 'setCreditAccess',
      ...world.admin(),
      email: a,
      grant: unlimited,
      was: limited(10),
    } as const;
    const { detail, message } = world.refused(change, 'CHANGED_MEANWHILE');
    expect(message).toMatch(/by owner@studio.example: it is 20 .*, was 10 /);
    expect(detail).toMatchObject({
      now: { access: 'limited', limit: 20 },
      changed: { by: 'owner@studio.example' },
    });
    expect(allow(world, limited(20)).changed).toBe(false);
  });

  test('credits never block a removal; what was spent stays, what may be spent goes', () => {
    const { world, device } = studio(100, limited(50));
    world.ok(spending(world, device, 10));
    world.ok({ type: 'askCredits', ...world.by(device), credits: 5, note: '' });
    world.ok({ type: 'removeUser', ...world.admin(), email: a });
    expect(balance(world)).toBe(90);
    expect(spentUntil(world.state, a, null)).toBe(10);
    world.user('a2');
    const again = world.ok({
      type: 'invite',
      ...world.admin(),
      email: a,
      name: null,
      role: null,
      device: false,
      invitationMs: DAY_MS,
    });
    expect(again.user.email).toBe(a);
    expect(infoOf(world)).toEqual({ access: 'disabled', used: 10, spent: 10, left: 0 });
  });
});

describe('asking for more', () => {
  const asking = (world: World, device: string) =>
    ({ type: 'askCredits', ...world.by(device), credits: 30, note: 'the trailer' }) as const;
  const answering = (world: World, approve: boolean, grant: CreditGrant | null = null) =>
    ({ type: 'answerCredits', ...world.admin(), email: a, id: null, approve, grant, note: '' }) as const;
  const told = (world: World) =>
    [...world.state.tables.mail.values()].flatMap(({ to, facts }) =>
      facts[0]!.kind.startsWith('credit') ? [`${to.split('@')[0]} ${facts[0]!.kind}`] : [],
    );

  test('admins are told in the same commit, once; a second question waits for the answer to the first', () => {
    const { world, device } = studio(100, limited(10));
    const asked = asking(world, device);
    world.ok(asked);
    world.ok(asked);
    expect(told(world)).toEqual(['owner creditAsked']);
    world.refused(asking(world, device), 'CREDIT_REQUEST_OPEN');
    world.ok(spending(world, device, 10));
    expect(world.ok(answering(world, true)).credits).toEqual({
      access: 'limited',
      limit: 40,
      per: 'total',
      used: 10,
      spent: 10,
      left: 30,
    });
    expect(told(world)).toEqual(['owner creditAsked', 'a creditAnswered']);
    world.refused(answering(world, true), 'CREDIT_REQUEST_UNKNOWN');
    world.ok(asking(world, device));
  });

  test('whoever had none gets what they asked for; an admin may give something else, or nothing', () => {
    const { world, device } = studio(100, null);
    world.refused(answering(world, true), 'CREDIT_REQUEST_UNKNOWN');
    world.ok(asking(world, device));
    expect(world.ok(answering(world, false)).credits.access).toBe('disabled');
    world.ok(asking(world, device));
    expect(world.ok(answering(world, true)).credits).toMatchObject({
      access: 'limited',
      limit: 30,
      per: 'total',
    });
    world.ok(asking(world, device));
    expect(world.ok(answering(world, true, limited(7, 'month'))).credits).toMatchObject({
      limit: 7,
      per: 'month',
    });
    world.ok(asking(world, device));
    world.refused({ ...answering(world, true), id: 'q-other' }, 'CREDIT_REQUEST_UNKNOWN');
    world.restart();
    expect(world.state.derived.creditsAsked.size).toBe(1);
  });
});

test('usage up to a day, and when periods end', () => {
  const { world, device } = studio(1000);
  world.ok(spending(world, device, 1));
  world.pass(DAY_MS);
  world.ok(spending(world, device, 2));
  world.pass(40 * DAY_MS);
  world.ok(spending(world, device, 4));
  expect(
    ['2026-11-21', '2026-11-22', '2026-11-23', '2026-12-31', '2027-01-02', null].map((day) =>
      spentUntil(world.state, a, day),
    ),
  ).toEqual([0, 1, 3, 3, 7, 7]);
  const ends = (['day', 'month', 'year', 'total'] as const).map((per) => periodEndMs(per, '2026-12-31'));
  const newYear = Date.UTC(2027, 0, 1);
  expect(ends).toEqual([newYear, newYear, newYear, null]);
  expect(periodEndMs('month', '2026-11-22')).toBe(Date.UTC(2026, 11, 1));
});

test('`berthd check` sees a credit that was charged twice, or to nobody', () => {
  const { world, device } = studio(100);
  world.ok(spending(world, device, 10));
  const move = { type: 'credit.moved', from: 'ent-1', to: 'ent-x', credits: 3 } as const;
  evolve(world.state, move, world.now.monoMs);
  expect(brokenInvariants(world.state, world.now)).toEqual([]);
  world.state.tables.creditAccount.set('ent-1', { entitlement: 'ent-1', spent: 17 });
  expect(brokenInvariants(world.state, world.now)).toEqual(['10 credits were spent, 20 are charged']);
});

test('whatever happens, no more is spent than was bought, and nobody more than they may', () => {
  const step = fc.record({
    do: fc.constantFrom('spend', 'again', 'allow', 'import', 'shrink', 'pass', 'restart', 'replace'),
    who: fc.constantFrom('a', 'b'),
    credits: fc.integer({ min: 1, max: 40 }),
    per: fc.constantFrom('day', 'month', 'year', 'total'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      world.import({ jti: 'e0', credits: 60 });
      const devices = { a: world.user('a'), b: world.user('b') };
      let [bought, acknowledged, entitlements, last] = [60, 0, 1, 'e0'];
      const ids = new Set<string>();
      const known: ReturnType<typeof spending>[] = [];
      for (const { do: what, who, credits, per } of steps) {
        const email = `${who}@studio.example`;
        if (what === 'spend' || what === 'again') {
          const ask =
            what === 'again'
              ? known.at(credits % (known.length || 1))
              : spending(world, devices[who], credits);
          if (ask === undefined) continue;
          const done = world.send(ask);
          if (!done.ok) continue;
          known.push(ask);
          if (!ids.has(done.outcome.id)) acknowledged += done.outcome.credits;
          ids.add(done.outcome.id);
        } else if (what === 'allow') allow(world, credits > 30 ? unlimited : limited(credits, per), email);
        else if (what === 'import') {
          last = `e${entitlements++}`;
          world.import({ jti: last, credits });
          bought += credits;
        } else if (what === 'replace') {
          const heir = `e${entitlements++}`;
          world.import({ jti: heir, replaces: last, credits: 60 });
          bought += 60;
          last = heir;
        } else if (what === 'shrink')
          world.import({ jti: last, rev: 2 + steps.length + entitlements++, credits: 1 });
        else if (what === 'restart') world.restart();
        else world.pass(credits * (DAY_MS / 8));
        const spent =
          spentUntil(world.state, 'a@studio.example', null) +
          spentUntil(world.state, 'b@studio.example', null);
        expect(spent).toBe(acknowledged);
        expect(spent).toBeLessThanOrEqual(bought);
      }
    }),
    { numRuns: 150 },
  );
});
