import { dayStartMs, limits, type ParamsOf } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import type { CreditRequest } from '../domain/credit-rows.js';
import { creditDay, creditInfo } from '../domain/credits.js';
import type { State } from '../domain/state.js';
import type { Answer } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { cut, inOrder, keyIn, type Made, madeFirst, madeIn, madeKey } from './pages.js';
import { growingInTurns, inTurns, Selection } from './selection.js';

/** How much of `2026-11-28` names a period. */
const periodChars = { day: 10, month: 7, year: 4 } as const;

type Range = { readonly from: string; readonly until: string };

/** Users whose months are added up between two looks at the sockets: 1 ms of CPU time for two years of each. */
const USERS_AT_ONCE = 100;

/**
 * What was spent in all is added up by months. By period it is only for the few users of whom a page is: of a thousand, each with two years of days,
 * those are half a million rows.
 * @param email `null`: what everybody spent
 */
export async function listUsage(
  { state, engine, clock }: Pick<HandlerDeps, 'state' | 'engine' | 'clock'>,
  params: ParamsOf<'credit.usage'>,
  email: string | null,
): Promise<Answer<'credit.usage'>> {
  const today = creditDay(clock.now());
  const { from = `${today.slice(0, 7)}-01`, until = today, by, cursor, limit = limits.pageRows } = params;
  const wrong = [from, until].find((day) => dayStartMs(day) === null);
  if (wrong !== undefined) return deny('DATE_INVALID', `"${wrong}" is not a day: write it as 2027-05-09.`);
  const behind = keyIn(cursor) ?? '';
  const [whose = ''] = behind.split(' ');
  // Whoever the page before ended with may have nothing more.
  const found = new Selection<string>(limit + 2, inOrder);
  let credits = 0;
  // Whoever has spent something stays there for good.
  const everybody = email === null ? state.derived.creditUses.keys() : [email];
  await growingInTurns(
    everybody,
    (each) => {
      const spent = spentIn(state, each, { from, until });
      credits += spent;
      if (spent > 0 && each >= whose) found.add(each);
    },
    USERS_AT_ONCE,
  );
  return engine.read((): Answer<'credit.usage'> => {
    const rows: Spent[] = [];
    for (const each of found.sorted()) {
      if (rows.length > limit) break;
      rows.push(...periodsOf(state, each, { from, until, by }).filter((row) => idOf(row) > behind));
    }
    const { items, next } = cut(rows, idOf, limit, (row) => ({
      ...row,
      member: state.tables.user.has(row.email),
    }));
    return { ok: true, result: { from, until, credits, items, next } };
  });
}

function spentIn(state: State, email: string, range: Range): number {
  let sum = 0;
  eachPart(state, email, { ...range, by: undefined }, (_, credits) => {
    sum += credits;
  });
  return sum;
}

interface Spent {
  readonly email: string;
  readonly period?: string;
  readonly credits: number;
}

/** No e-mail address has a space: in this order are first the users and then their periods. */
const idOf = ({ email, period = '' }: Spent): string => `${email} ${period}`;

type By = keyof typeof periodChars | undefined;

function periodsOf(state: State, email: string, asked: Range & { readonly by: By }): Spent[] {
  const chars = asked.by === undefined ? 0 : periodChars[asked.by];
  const spent = new Map<string, number>();
  eachPart(state, email, asked, (part, credits) => {
    const period = part.slice(0, chars);
    spent.set(period, (spent.get(period) ?? 0) + credits);
  });
  return [...spent]
    .sort(([a], [b]) => inOrder(a, b))
    .map(([period, credits]) => ({ email, ...(chars === 0 ? {} : { period }), credits }));
}

/** Months that are meant as a whole, unless days are asked for; of the others the days. */
function eachPart(
  state: State,
  email: string,
  { from, until, by }: Range & { readonly by: By },
  look: (part: string, credits: number) => void,
): void {
  const [first, last] = [from.slice(0, 7), until.slice(0, 7)];
  state.derived.creditUses.each(email, (id) => {
    const { month, credits, days } = state.tables.creditUse.get(id)!;
    if (month < first || month > last) return;
    if (by !== 'day' && month > first && month < last) {
      look(month, credits);
      return;
    }
    for (const [at, count] of Object.entries(days)) {
      const day = `${month}-${at}`;
      if (day >= from && day <= until) look(day, count);
    }
  });
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
