import { listUsage } from '@berth/server/admin/credit-lists';
import { type CreditUse, creditUseId } from '@berth/server/domain/credit-rows';
import { trackCreditUse } from '@berth/server/domain/derive-credits';
import { emptyState } from '@berth/server/domain/state';
import fc from 'fast-check';
import { expect, test } from 'vitest';

type Asked = { from?: string; until?: string; by?: 'day' | 'month' | 'year'; limit?: number };
interface Item {
  readonly email: string;
  readonly period?: string;
  readonly credits: number;
}

/** What was spent, by e-mail and day. */
function site(spent: ReadonlyMap<string, ReadonlyMap<string, number>>) {
  const state = emptyState();
  for (const [email, days] of spent)
    for (const [day, credits] of days) {
      const id = creditUseId(email, day);
      const before = state.tables.creditUse.get(id);
      const after: CreditUse = {
        ...{ email, month: day.slice(0, 7), credits: (before?.credits ?? 0) + credits },
        days: { ...before?.days, [day.slice(8)]: credits },
      };
      trackCreditUse(state, before, after);
      state.tables.creditUse.set(id, after);
    }
  const wallMs = Date.UTC(2026, 10, 28);
  const now = { monoMs: 0, wallMs, steadyWallMs: wallMs };
  const engine = { read: async (view: (of: typeof state, at: typeof now) => unknown) => view(state, now) };
  const deps = { state, clock: { now: () => now }, engine } as unknown as Parameters<typeof listUsage>[0];
  return async (asked: Asked, email: string | null): Promise<Item[]> => {
    const items: Item[] = [];
    let [cursor, credits]: [string | undefined, number] = [undefined, 0];
    do {
      const answer = await listUsage(deps, { ...asked, ...(cursor === undefined ? {} : { cursor }) }, email);
      if (!answer.ok) throw new Error(answer.code);
      expect(answer.result.items.length).toBeLessThanOrEqual(asked.limit ?? 100);
      items.push(...answer.result.items);
      // Each page is behind the one before.
      expect(new Set(items.map(({ email: whose, period }) => `${whose} ${period}`)).size).toBe(items.length);
      cursor = answer.result.next ?? undefined;
      ({ credits } = answer.result);
    } while (cursor !== undefined);
    expect(credits).toBe(items.reduce((sum, item) => sum + item.credits, 0));
    return items.map(({ email: whose, period, credits: count }) => ({
      ...{ email: whose, credits: count },
      ...(period === undefined ? {} : { period }),
    }));
  };
}

/** Day by day, in one go. */
function addedUp(
  spent: ReadonlyMap<string, ReadonlyMap<string, number>>,
  { from = '2026-11-01', until = '2026-11-28', by }: Asked,
): Item[] {
  const chars = by === undefined ? 0 : { day: 10, month: 7, year: 4 }[by];
  const sums = new Map<string, Item>();
  for (const [email, days] of spent)
    for (const [day, count] of days) {
      if (day < from || day > until) continue;
      const period = day.slice(0, chars);
      const id = `${email} ${period}`;
      const credits = (sums.get(id)?.credits ?? 0) + count;
      sums.set(id, { email, credits, ...(by === undefined ? {} : { period }) });
    }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

test('pages of any size say what was spent by day, month, year and in all, of everybody and of one', async () => {
  const day = fc
    .integer({ min: 0, max: 730 })
    .map((at) => new Date(Date.UTC(2024, 10, 29) + at * 86_400_000));
  const days = fc.dictionary(
    day.map((each) => each.toISOString().slice(0, 10)),
    fc.integer({ min: 1, max: 9 }),
    { maxKeys: 12 },
  );
  const email = fc.constantFrom(
    'a@b.example',
    'a@b.example.org',
    'ab@b.example',
    'b@b.example',
    'Ø@b.example',
  );
  const date = fc.option(
    day.map((each) => each.toISOString().slice(0, 10)),
    { nil: undefined },
  );
  const asked = fc.record({
    ...{ from: date, until: date },
    ...{
      by: fc.constantFrom('day', 'month', 'year', undefined),
      limit: fc.constantFrom(1, 2, 3, 7, undefined),
    },
  });
  await fc.assert(
    fc.asyncProperty(fc.dictionary(email, days), asked, email, async (spent, given, one) => {
      const all = new Map(Object.entries(spent).map(([who, each]) => [who, new Map(Object.entries(each))]));
      const wish = Object.fromEntries(
        Object.entries(given).filter(([, value]) => value !== undefined),
      ) as Asked;
      const list = site(all);
      expect(await list(wish, null)).toEqual(addedUp(all, wish));
      const theirs = new Map([...all].filter(([who]) => who === one));
      expect(await list(wish, one)).toEqual(addedUp(theirs, wish));
    }),
    { numRuns: 400 },
  );
});

test('of many users it takes its turns with everybody else', async () => {
  const spent = new Map(
    Array.from({ length: 1000 }, (_, at) => [`u${at}@b.example`, new Map([['2026-11-02', 1]])]),
  );
  let turns = 0;
  let isOver = false;
  const others = async (): Promise<void> => {
    for (; !isOver; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const list = site(spent)({ by: 'day', limit: 1000 }, null).finally(() => {
    isOver = true;
  });
  await Promise.all([list, others()]);
  expect(turns).toBeGreaterThanOrEqual(9);
});
