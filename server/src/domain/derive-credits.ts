import { type CreditAccessRow, type CreditRequest, type CreditUse, creditUseId } from './credit-rows.js';
import type { State } from './state.js';

// Keeps what is derived from the tables of credits in step with them (derive.ts).

export function trackCreditAccess(
  state: State,
  before: CreditAccessRow | undefined,
  after: CreditAccessRow | undefined,
): void {
  const { creditsByAccess } = state.derived;
  if (before !== undefined) creditsByAccess.remove(before.grant.access, before.email);
  if (after !== undefined) creditsByAccess.add(after.grant.access, after.email);
}

export function trackCreditUse(state: State, before: CreditUse | undefined, after: CreditUse): void {
  const { creditsSpent, creditUses } = state.derived;
  creditsSpent.add(after.email, after.credits - (before?.credits ?? 0));
  creditUses.add(after.email, creditUseId(after.email, after.month));
}

export function trackCreditRequest(state: State, { email, answer }: CreditRequest): void {
  if (answer === undefined) state.derived.creditsAsked.add(email);
  else state.derived.creditsAsked.delete(email);
}
