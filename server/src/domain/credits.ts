import {
  type CreditAccess,
  type CreditInfo,
  type CreditPer,
  dayEndMs,
  dayStartMs,
  formatDay,
} from '@berth/protocol';
import { type CreditGrant, creditUseId } from './credit-rows.js';
import { isActive } from './pools.js';
import { restoreOf } from './restore.js';
import type { Entitlement, Now, State } from './state.js';

/** Credits that can be spent now, of one entitlement. */
export interface CreditSource {
  readonly entitlement: string;
  readonly left: number;
}

/**
 * Where somebody's credits for a product of this vendor would come from, in this order: first what is theirs alone, then what ends soonest.
 * @param email `null`: what the organisation has, without what is personal
 * @param vendor `null`: of any vendor. One vendor's credits are not for another one's products
 */
export function creditSources(
  state: State,
  { email, vendor }: { email: string | null; vendor: string | null },
  now: Now,
): CreditSource[] {
  const found: Entitlement[] = [];
  for (const id of state.derived.creditEntitlements) {
    const row = state.tables.entitlement.get(id)!;
    const { holder } = row.claims;
    const isTheirs = holder === undefined || holder === email;
    const isFor = vendor === null || vendorOf(state, row) === vendor;
    // What is to be removed gives nothing new (I8).
    if (isTheirs && isFor && row.removing === undefined && isActive(row, now)) found.push(row);
  }
  return found
    .sort((a, b) => inOrder(a, b))
    .map((row) => ({ entitlement: row.claims.jti, left: creditsLeft(state, row) }));
}

function inOrder({ claims: a }: Entitlement, { claims: b }: Entitlement): number {
  const personal = Number(a.holder === undefined) - Number(b.holder === undefined);
  return personal || a.exp - b.exp || (a.jti < b.jti ? -1 : 1);
}

/** Its product may have gone over to another key of the vendor. */
export function vendorOf(state: State, { claims }: Entitlement): string {
  return state.tables.product.get(claims.product)?.vendor ?? claims.iss;
}

/** A revision may have brought fewer than were spent. */
export function creditsLeft(state: State, { claims }: Entitlement): number {
  return Math.max(0, (claims.credits ?? 0) - spentOf(state, claims.jti));
}

export function spentOf(state: State, entitlement: string): number {
  return state.tables.creditAccount.get(entitlement)?.spent ?? 0;
}

/** A vendor may write any number into any number of entitlements: the sum stays one that can be told. */
export function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum = Math.min(Number.MAX_SAFE_INTEGER, sum + count);
  return sum;
}

/**
 * True while nobody knows what was spent between a backup and the restore of it (I9). Unlike a seat a credit does not come back by itself: it ends by
 * the word of an admin alone.
 */
export function areCreditsHeld(state: State): boolean {
  const restore = restoreOf(state);
  return restore !== undefined && restore.accepted === undefined;
}

export function creditsFor(state: State, who: Parameters<typeof creditSources>[1], now: Now): number {
  if (areCreditsHeld(state)) return 0;
  return sumOf(creditSources(state, who, now).map(({ left }) => left));
}

export function grantOf(state: State, email: string): CreditGrant {
  return state.tables.creditAccess.get(email)?.grant ?? { access: 'disabled' };
}

/** What somebody spent in the period that this day is in. */
export function usedIn(state: State, email: string, per: CreditPer, day: string): number {
  const row = (month: string) => state.tables.creditUse.get(creditUseId(email, month));
  if (per === 'total') return state.derived.creditsSpent.get(email);
  if (per === 'day') return row(day)?.days[day.slice(8)] ?? 0;
  if (per === 'month') return row(day)?.credits ?? 0;
  return sumOf(months.map((month) => row(`${day.slice(0, 4)}-${month}`)?.credits ?? 0));
}

const months = Array.from({ length: 12 }, (_, at) => String(at + 1).padStart(2, '0'));

/** When the period that this day is in is over; `null`: never. */
export function periodEndMs(per: CreditPer, day: string): number | null {
  if (per === 'total') return null;
  if (per === 'day') return dayEndMs(day);
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))];
  const next = per === 'month' && month < 12 ? `${year}-${months[month]}` : `${year + 1}-01`;
  return dayStartMs(`${next}-01`);
}

/** What a grant leaves of its limit; `null`: there is none. */
export function leftOf(state: State, email: string, grant: CreditGrant, day: string): number | null {
  if (grant.access === 'unlimited') return null;
  if (grant.access === 'disabled') return 0;
  return Math.max(0, grant.limit - usedIn(state, email, grant.per, day));
}

/** @param grant what an admin lets them spend, where it is not what the state says */
export function creditInfo(state: State, email: string, now: Now, grant = grantOf(state, email)): CreditInfo {
  const day = creditDay(now);
  const spent = state.derived.creditsSpent.get(email);
  const used = grant.access === 'limited' ? usedIn(state, email, grant.per, day) : spent;
  const left = leftOf(state, email, grant, day) ?? Number.MAX_SAFE_INTEGER;
  return {
    ...accessOf(grant),
    used,
    spent,
    left: left === 0 ? 0 : Math.min(left, creditsFor(state, { email, vendor: null }, now)),
  };
}

export function accessOf(grant: CreditGrant): CreditAccess {
  return grant.access === 'limited'
    ? { access: 'limited', limit: grant.limit, per: grant.per }
    : { access: grant.access };
}

/** By the clock that a jump does not move: no new month begins because somebody sets it forward (I5). */
export function creditDay({ steadyWallMs }: Now): string {
  return formatDay(steadyWallMs);
}

/** Everything somebody spent up to the end of this day; `null`: ever. */
export function spentUntil(state: State, email: string, day: string | null): number {
  if (day === null) return state.derived.creditsSpent.get(email);
  let sum = 0;
  for (const id of state.derived.creditUses.get(email)) {
    const { month, credits, days } = state.tables.creditUse.get(id)!;
    if (month < day.slice(0, 7)) sum += credits;
    else if (month === day.slice(0, 7))
      for (const [each, count] of Object.entries(days)) if (each <= day.slice(8)) sum += count;
  }
  return sum;
}
