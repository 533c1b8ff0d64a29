import { dayStartMs, limits, type ParamsOf } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import type { CreditRequest, CreditUse } from '../domain/credit-rows.js';
import { creditDay, creditInfo } from '../domain/credits.js';
import type { State } from '../domain/state.js';
import type { Answer } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { cut, inOrder, keyIn, type Made, madeFirst, madeIn, madeKey } from './pages.js';
import { growingInTurns, inTurns, Selection } from './selection.js';

/** How much of `2026-11-28` names a period. */
const periodChars = { day: 10, month: 7, year: 4 } as const;

interface Spent {
  readonly email: string;
  readonly period?: string;
  credits: number;
}

/** Months of somebody that are added up between two looks at the sockets: 0.5 ms of CPU time if each of their days is meant (1,000 took 5). */
const MONTHS_AT_ONCE = 200;

/** @param email `null`: what everybody spent */
export async function listUsage(
  { state, engine, clock }: Pick<HandlerDeps, 'state' | 'engine' | 'clock'>,
  params: ParamsOf<'credit.usage'>,
  email: string | null,
): Promise<Answer<'credit.usage'>> {
  const today = creditDay(clock.now());
  const { from = `${today.slice(0, 7)}-01`, until = today, by, cursor, limit = limits.pageRows } = params;
  const wrong = [from, until].find((day) => dayStartMs(day) === null);
  if (wrong !== undefined) return deny('DATE_INVALID', `"${wrong}" is not a day: write it as 2027-05-09.`);
  const spent = new Map<string, Spent>();
  // A row of a month stays for good.
  await growingInTurns(usesOf(state, email), (use) => addUp(spent, use, { from, until, by }), MONTHS_AT_ONCE);
  const [behind, found] = [keyIn(cursor), new Selection<string>(limit + 1, inOrder)];
  let credits = 0;
  await growingInTurns(spent, ([id, row]) => {
    credits += row.credits;
    if (behind === null || id > behind) found.add(id);
  });
  return engine.read((): Answer<'credit.usage'> => {
    const { items, next } = cut(
      found.sorted(),
      (id) => id,
      limit,
      (id) => {
        const row = spent.get(id)!;
        return { ...row, member: state.tables.user.has(row.email) };
      },
    );
    return { ok: true, result: { from, until, credits, items, next } };
  });
}

function usesOf(state: State, email: string | null): Iterable<CreditUse> {
  if (email === null) return state.tables.creditUse.values();
  return [...state.derived.creditUses.get(email)].map((id) => state.tables.creditUse.get(id)!);
}

function addUp(
  spent: Map<string, Spent>,
  { email, month, days }: CreditUse,
  { from, until, by }: { from: string; until: string; by: keyof typeof periodChars | undefined },
): void {
  if (month < from.slice(0, 7) || month > until.slice(0, 7)) return;
  for (const [at, count] of Object.entries(days)) {
    const day = `${month}-${at}`;
    if (day < from || day > until) continue;
    const period = by === undefined ? {} : { period: day.slice(0, periodChars[by]) };
    const id = `${email} ${period.period ?? ''}`;
    const row = spent.get(id) ?? { email, ...period, credits: 0 };
    row.credits += count;
    spent.set(id, row);
  }
}

/** Those that wait for an answer, or all, by when they were made. */
export async function listRequests(
  { state: current, engine }: Pick<HandlerDeps, 'state' | 'engine'>,
  { cursor, limit = limits.pageRows, all = false }: ParamsOf<'credit.requests'>,
): Promise<Answer<'credit.requests'>> {
  const isMeant = ({ answer }: CreditRequest): boolean => all || answer === undefined;
  const behind = madeIn(cursor);
  const found = new Selection<Made & { readonly email: string }>(limit + 1, madeFirst);
  await inTurns(current.tables.creditRequest.values(), (row) => {
    if (isMeant(row) && (behind === null || madeFirst(row, behind) > 0)) found.add(row);
  });
  return engine.read((state, now): Answer<'credit.requests'> => {
    const result = cut(found.sorted(), madeKey, limit, ({ email, id }) => {
      const row = state.tables.creditRequest.get(email);
      // Of somebody only the last request is kept.
      if (row === undefined || row.id !== id || !isMeant(row)) return null;
      return { ...row, now: creditInfo(state, email, now) };
    });
    return { ok: true, result };
  });
}
