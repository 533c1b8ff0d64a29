import { type CreditAccess, type CreditSourceInfo, canonicalText, lastDay, limits } from '@berth/protocol';
import { type Denial, deny } from '../domain/commands.js';
import type { CreditGrant } from '../domain/credit-rows.js';
import {
  areCreditsHeld,
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
import { listRequests, listUsage } from './credit-lists.js';
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
      return listUsage(deps, params, email);
    },
    'credit.requests': (params) => listRequests(deps, params),
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
