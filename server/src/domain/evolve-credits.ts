import type { Change } from './changes.js';
import type { CreditAccount, CreditUse } from './credit-rows.js';
import { creditUseId } from './credit-rows.js';
import { trackCreditAccess, trackCreditRequest, trackCreditUse } from './derive-credits.js';
import type { State } from './state.js';

type CreditChange = Extract<Change, { type: `credit.${string}` }>;

/** What becomes of credits (evolve.ts). */
export const creditEvolvers: {
  readonly [T in CreditChange['type']]: (state: State, change: Extract<CreditChange, { type: T }>) => void;
} = {
  'credit.access': (state, { email, grant, by, atMs }) => {
    const { creditAccess } = state.tables;
    const before = creditAccess.get(email);
    if (grant.access === 'disabled') {
      trackCreditAccess(state, before, undefined);
      creditAccess.delete(email);
    } else {
      const after = { email, grant, changed: { by, atMs } };
      trackCreditAccess(state, before, after);
      creditAccess.set(email, after);
    }
  },
  'credit.spent': (state, { spend: { email, day, credits, charges } }) => {
    for (const each of charges) charge(state, each.entitlement, each.credits);
    const id = creditUseId(email, day);
    const before = state.tables.creditUse.get(id);
    const after = withDay(before ?? { email, month: day.slice(0, 7), credits: 0, days: {} }, day, credits);
    trackCreditUse(state, before, after);
    state.tables.creditUse.set(id, after);
  },
  'credit.moved': (state, { from, to, credits }) => {
    charge(state, from, -credits);
    charge(state, to, credits);
  },
  'credit.asked': (state, { request }) => {
    trackCreditRequest(state, request);
    state.tables.creditRequest.set(request.email, request);
  },
  'credit.answered': (state, { email, answer }) => {
    const request = state.tables.creditRequest.get(email);
    if (request === undefined)
      throw new Error(`invariant: a change names what ${email} asked for, which does not exist`);
    const after = { ...request, answer };
    trackCreditRequest(state, after);
    state.tables.creditRequest.set(email, after);
  },
  'credit.forgotten': (state, { email }) => {
    trackCreditAccess(state, state.tables.creditAccess.get(email), undefined);
    state.tables.creditAccess.delete(email);
    state.derived.creditsAsked.delete(email);
    state.tables.creditRequest.delete(email);
  },
};

function charge(state: State, entitlement: string, credits: number): void {
  const spent = (state.tables.creditAccount.get(entitlement)?.spent ?? 0) + credits;
  const row: CreditAccount = { entitlement, spent };
  if (spent === 0) state.tables.creditAccount.delete(entitlement);
  else state.tables.creditAccount.set(entitlement, row);
}

function withDay(use: CreditUse, day: string, credits: number): CreditUse {
  const name = day.slice(8);
  const days = { ...use.days, [name]: (use.days[name] ?? 0) + credits };
  return { ...use, credits: use.credits + credits, days };
}
