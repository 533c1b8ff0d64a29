import {
  type CreditAccess,
  type CreditSourceInfo,
  canonicalText,
  dayStartMs,
  lastDay,
  limits,
} from '@berth/protocol';
import { type Denial, deny } from '../domain/commands.js';
import type { CreditGrant, CreditRequest } from '../domain/credit-rows.js';
import {
  areCreditsHeld,
  creditDay,
  creditInfo,
  creditSources,
  creditsFor,
  creditsLeft,
  spentOf,
  sumOf,
  vendorOf,
} from '../domain/credits.js';
import type { Entitlement, Now, State } from '../domain/state.js';
import { entitlementInfo } from '../domain/views.js';
import type { Answer, Caller, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { userCalled, userMeant } from './people.js';
import { asked } from './request.js';

type CreditHandlers = Pick<Handlers, `credit.${string}` & keyof Handlers>;

export function creditHandlers(deps: HandlerDeps): CreditHandlers {
  const { engine } = deps;
  return {
    'credit.consume': async (params, caller) => {
      const { product, credits } = params;
      const key = asked('credit.consume', params, caller);
      const settled = await engine.submit({ type: 'consumeCredits', ...key, product, credits });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'credit.request': async (params, caller) => {
      const note = noteOf(params.note);
      if (typeof note !== 'string') return note;
      const key = asked('credit.request', params, caller);
      const settled = await engine.submit({ type: 'askCredits', ...key, credits: params.credits, note });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'credit.show': (params) => engine.read((state, now) => show(state, params, now)),
    'credit.limit': (params, caller) => limit(deps, params, caller),
    'credit.usage': async (params) => {
      const email = params.email === undefined ? null : userCalled(deps, params.email);
      if (typeof email === 'object' && email !== null) return email;
      return engine.read((state, now) => usage(state, params, email, now));
    },
    'credit.requests': ({ cursor, limit: rows, all = false }) =>
      engine.read((state, now): Answer<'credit.requests'> => {
        const wanted = [...state.tables.creditRequest.values()].filter(
          ({ answer }) => all || answer === undefined,
        );
        const shown = page(wanted, orderOf, { cursor, limit: rows }, (row) => ({
          ...row,
          now: creditInfo(state, row.email, now),
        }));
        return { ok: true, result: shown };
      }),
    'credit.decide': (params, caller) => decide(deps, params, caller),
  };
}

async function limit(
  deps: HandlerDeps,
  params: Parameters<Handlers['credit.limit']>[0],
  caller: Caller,
): Promise<Answer<'credit.limit'>> {
  const email = userMeant(deps, params.email);
  if (typeof email !== 'string') return email;
  const grant = grantIn(params);
  if ('ok' in grant) return grant;
  const was = params.was === undefined ? null : grantIn(params.was);
  if (was !== null && 'ok' in was) return was;
  const key = asked('credit.limit', params, caller);
  const settled = await deps.engine.submit({ type: 'setCreditAccess', ...key, email, grant, was });
  return settled.ok ? { ok: true, result: settled.outcome } : settled;
}

async function decide(
  deps: HandlerDeps,
  params: Parameters<Handlers['credit.decide']>[0],
  caller: Caller,
): Promise<Answer<'credit.decide'>> {
  const email = userMeant(deps, params.email);
  if (typeof email !== 'string') return email;
  const grant = params.grant === undefined ? null : grantIn(params.grant);
  if (grant !== null && 'ok' in grant) return grant;
  const note = noteOf(params.note);
  if (typeof note !== 'string') return note;
  const { id = null, approve } = params;
  const key = asked('credit.decide', params, caller);
  const settled = await deps.engine.submit({
    type: 'answerCredits',
    ...key,
    ...{ email, id, approve, grant, note },
  });
  return settled.ok ? { ok: true, result: settled.outcome } : settled;
}

/** A limit says how many; without one there is no number to say. */
function grantIn({ access, limit: most, per = 'total' }: CreditAccess): CreditGrant | Denial {
  if (access === 'limited') {
    return most === undefined
      ? deny('CREDIT_LIMIT_INVALID', 'A limit says how many.', { field: 'limit' })
      : { access, limit: most, per };
  }
  return most === undefined
    ? { access }
    : deny('CREDIT_LIMIT_INVALID', `What is ${access} has no limit.`, { field: 'limit' });
}

/** An empty note is none. */
function noteOf(text = ''): string | Denial {
  if (text.trim() === '') return '';
  return canonicalText(text, limits.creditNoteChars) ?? deny('MESSAGE_INVALID', undefined, { field: 'note' });
}

function show(
  state: State,
  { cursor, limit: rows }: { cursor?: string; limit?: number },
  now: Now,
): Answer<'credit.show'> {
  const who = { email: null, vendor: null };
  const active = creditSources(state, who, now).map(({ entitlement }) => entitlement);
  const all = [...state.tables.entitlement.values()].filter(
    (row) => row.state !== 'replaced' && (row.claims.credits ?? 0) > 0,
  );
  const spendable = new Set(active);
  const { items, next } = page(all, endOf, { cursor, limit: rows, descending: true }, (row) =>
    sourceInfo(state, row, spendable, now),
  );
  return {
    ok: true,
    result: {
      bought: sumOf(active.map((id) => state.tables.entitlement.get(id)?.claims.credits ?? 0)),
      spent: sumOf(active.map((id) => spentOf(state, id))),
      left: creditsFor(state, who, now),
      waiting: state.derived.creditsAsked.size,
      items,
      next,
    },
  };
}

/** What ends last comes first. */
function endOf({ claims: { exp, jti } }: Entitlement): string {
  return `${String(exp).padStart(16, '0')} ${jti}`;
}

function sourceInfo(
  state: State,
  row: Entitlement,
  spendable: ReadonlySet<string>,
  now: Now,
): CreditSourceInfo {
  const { jti, product, holder, exp, credits = 0, display } = row.claims;
  const { state: is } = entitlementInfo(state, row, now);
  const isTheirs = holder !== undefined && is === 'active' && row.removing === undefined;
  return {
    entitlement: jti,
    ...(display.number === undefined ? {} : { number: display.number }),
    product,
    vendor: vendorOf(state, row),
    holder: holder ?? null,
    state: is,
    until: lastDay(exp * 1000),
    bought: credits,
    spent: spentOf(state, jti),
    left: !areCreditsHeld(state) && (spendable.has(jti) || isTheirs) ? creditsLeft(state, row) : 0,
  };
}

/** How much of `2026-11-28` names a period. */
const periodChars = { day: 10, month: 7, year: 4 } as const;

interface Spent {
  readonly email: string;
  readonly period?: string;
  credits: number;
}

function usage(
  state: State,
  params: Parameters<Handlers['credit.usage']>[0],
  email: string | null,
  now: Now,
): Answer<'credit.usage'> {
  const today = creditDay(now);
  const { from = `${today.slice(0, 7)}-01`, until = today, by, cursor, limit: rows } = params;
  const wrong = [from, until].find((day) => dayStartMs(day) === null);
  if (wrong !== undefined) return deny('DATE_INVALID', `"${wrong}" is not a day: write it as 2027-05-09.`);
  const found = new Map<string, Spent>();
  let credits = 0;
  for (const use of usesOf(state, email)) {
    if (use.month < from.slice(0, 7) || use.month > until.slice(0, 7)) continue;
    for (const [at, count] of Object.entries(use.days)) {
      const day = `${use.month}-${at}`;
      if (day < from || day > until) continue;
      const period = by === undefined ? {} : { period: day.slice(0, periodChars[by]) };
      const id = `${use.email} ${period.period ?? ''}`;
      const row = found.get(id) ?? { email: use.email, ...period, credits: 0 };
      row.credits += count;
      credits += count;
      found.set(id, row);
    }
  }
  const { items, next } = page(
    found,
    ([id]) => id,
    { cursor, limit: rows },
    ([, row]) => ({
      ...row,
      member: state.tables.user.has(row.email),
    }),
  );
  return { ok: true, result: { from, until, credits, items, next } };
}

function usesOf(state: State, email: string | null) {
  if (email === null) return state.tables.creditUse.values();
  return [...state.derived.creditUses.get(email)].map((id) => state.tables.creditUse.get(id)!);
}

function orderOf({ madeAtMs, id }: CreditRequest): string {
  return `${String(madeAtMs).padStart(16, '0')} ${id}`;
}
