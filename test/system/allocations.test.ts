import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, type Person, Site } from './site.js';

// PRODUCT.md, rows "assign", "revoke" and "offline block", through `berth` against `berthd` (issue 5, part 4).

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({
    seats: 2,
    borrow: { max: '1d', seats: 2 },
    id: 'ent-render',
    more: ['--number', 'S-42'],
  });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
}, 120_000);

afterAll(() => site?.close());

const license = (...words: string[]): Promise<Json> =>
  site.berth(site.owner, ['license', ...words, '--json']);

describe('assign', () => {
  test('--dry-run: of which entitlement, or why not, and nothing is assigned', async () => {
    const would = await license('assign', bo.email, 'render', '--quantity', '2', '--dry-run');
    expect([would.code, would.json]).toMatchObject([
      0,
      {
        ...{ dryRun: true, refused: null },
        would: { allocation: { email: bo.email, quantity: 2, entitlement: 'ent-render' } },
      },
    ]);
    const full = await license('assign', bo.email, 'render', '--quantity', '3', '--dry-run');
    expect([full.code, full.json.refused.code]).toEqual([8, 'ALL_ALLOCATED']);
    const none = await license('assign', anna.email, 'render', '--from', bo.email, '--dry-run');
    expect([none.code, none.json.refused.code]).toEqual([6, 'ALLOCATION_UNKNOWN']);
    expect((await license('list')).json.items).toEqual([]);
  });

  test('of a subscription, until its last day', async () => {
    const { code, json } = await license('assign', bo.email, 'render', '--subscription', 'S-42');
    expect([code, json.allocation.quantity, json.allocation.entitlement]).toEqual([0, 1, 'ent-render']);
    const wrong = await license('assign', bo.email, 'render', '--subscription', 'S-43');
    expect([wrong.code, wrong.json.error.code]).toEqual([6, 'ENTITLEMENT_UNKNOWN']);
    expect(wrong.json.error.subscriptions).toEqual(['S-42']);
  });

  test('a full product names whom a seat could come from', async () => {
    await license('assign', bo.email, 'render');
    const full = await site.berth(site.owner, ['license', 'assign', anna.email, 'render']);
    expect(full.code).toBe(8);
    expect(full.stderr).toContain('berth: ALL_ALLOCATED');
    expect(full.stderr).toContain(`${bo.email}: 2 seats, 2 of them idle`);
    expect(full.stderr).toContain(`berth license move ${bo.email} render --to`);
  });

  test('--from re-allocates in one step', async () => {
    const { code, json } = await license('assign', anna.email, 'render', '--from', bo.email);
    expect([code, json.moved, json.left]).toEqual([0, 1, 1]);
    const { items } = (await license('list')).json;
    expect(items).toMatchObject([
      { email: anna.email, quantity: 1 },
      { email: bo.email, quantity: 1 },
    ]);
  });
});

describe('offline block', () => {
  test('on re-allocate, move, revoke, remove and entitlement removal: text, code, exit, and the moment', async () => {
    await site.berthOk(bo, ['borrow', 'take', '--product', 'render', '--for', '1h']);
    const text =
      'The source user bo@studio.example has borrowed licenses for offline use. To reallocate them, the borrowing period should first expire or the user should release them for offline use.';
    const [device] = (await site.berthOk(site.owner, ['user', 'devices', bo.email, '--json'])).json.items;
    const attempts = [
      ['license', 'assign', anna.email, 'render', '--from', bo.email],
      ['license', 'move', bo.email, 'render', '--to', anna.email],
      ['license', 'move', bo.email, 'render', '--to', anna.email, '--all', '--yes'],
      ['license', 'revoke', bo.email, 'render'],
      ['user', 'remove', bo.email, '--yes'],
      ['user', 'unenrol', bo.email, device.id, '--yes'],
      ['entitlement', 'remove', 'ent-render', '--yes'],
    ];
    const ends = new Set<number>();
    for (const words of attempts) {
      const { code, json } = await site.berth(site.owner, [...words, '--json']);
      expect([words, code, json.error.code, json.error.message]).toEqual([words, 8, 'BORROWED', text]);
      ends.add(json.error.untilMs);
    }
    const dryRun = async (words: readonly string[]) => {
      const { code, json } = await site.berth(site.owner, [...words, '--dry-run', '--json']);
      return [code, json.refused.code, json.refused.untilMs];
    };
    for (const words of [attempts[2]!, attempts[3]!, attempts[5]!, attempts[6]!])
      expect([words, ...(await dryRun(words))]).toEqual([words, 8, 'BORROWED', ...ends]);
    const [code, refused] = await dryRun([...attempts[1]!, '--quantity', '99']);
    expect([code, refused]).toEqual([6, 'ALLOCATION_UNKNOWN']);
    expect(ends.size).toBe(1);
    expect([...ends][0]! - Date.now()).toBeGreaterThan(3_000_000);
    const told = await site.berth(site.owner, attempts[1]!);
    expect(told.stderr).toContain(`berth: BORROWED ${text}\nIt ends `);
  });

  test('a returned borrow lifts it', async () => {
    await site.berthOk(bo, ['borrow', 'return']);
    const { code, json } = await license('move', bo.email, 'render', '--to', anna.email, '--all', '--yes');
    expect([code, json.moved, json.left]).toEqual([0, 1, 0]);
  });
});

test('nothing was ever over-issued', () => expect(site.audit().findings).toEqual([]));
