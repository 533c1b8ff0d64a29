import { formatDay, lastDay, limits } from '@berth/protocol';
import { type Command, type Denial, deny } from '../commands.js';
import { borrowedSeats, borrowsEndMs } from '../pending.js';
import type { Entitlement, Now, State } from '../state.js';
import { revokePending } from './pending.js';
import { shellWord } from './shell-word.js';
import { isMeant, type Which } from './which.js';

// Why no seat of a product can be set aside: each reason with what is there instead.

/** Nothing of the product can be assigned now: it is not known, or what there is of it is somebody's own, has not begun, or is over. */
export function nothingToAssign(state: State, product: string, now: Now): Denial {
  if (!state.tables.product.has(product)) return deny('PRODUCT_UNKNOWN', undefined, { product });
  const all = [...state.derived.entitlementsByProduct.get(product)]
    .map((id) => state.tables.entitlement.get(id)!)
    .filter((one) => one.state !== 'removed' && now.wallMs < one.claims.exp * 1000);
  const open = all.filter(({ claims }) => claims.holder === undefined);
  if (all.length > 0 && open.length === 0)
    return deny(
      'PERSONAL',
      `Every seat of ${product} is personal: it belongs to the holder that the vendor named, and cannot be assigned.`,
      { product },
    );
  const [next] = open
    .filter(({ claims, removing }) => removing === undefined && claims.nbf * 1000 > now.wallMs)
    .sort((a, b) => a.claims.nbf - b.claims.nbf);
  if (next !== undefined) return notBegun(product, formatDay(next.claims.nbf * 1000));
  const leaving = open.find(({ removing }) => removing !== undefined);
  if (leaving !== undefined) return removalUnderway(state, leaving, now);
  return deny(
    'ENTITLEMENT_UNKNOWN',
    `No entitlement of ${product} is left: every one has ended or was removed.`,
    { product },
  );
}

function removalUnderway(state: State, { claims }: Entitlement, now: Now): Denial {
  const seats = borrowedSeats(state, state.derived.seatsByEntitlement.get(claims.jti));
  const message = `The removal of ${claims.jti}, the seats of ${claims.product}, is pending.`;
  return {
    ...revokePending(message, borrowsEndMs(state, seats, now)),
    next: `Cancel it first: berth entitlement remove ${claims.jti} --cancel`,
  };
}

function notBegun(product: string, from: string): Denial {
  return deny(
    'ENTITLEMENT_NOT_BEGUN',
    `The seats of ${product} begin on ${from}.`,
    { product, from },
    `Assign them from ${from} on.`,
  );
}

/** None of the entitlements of a product is the one that was named. */
export function notMeant(entitlements: readonly Entitlement[], which: Which): Denial {
  const { product, subscription } = which;
  const ends = [...new Set(entitlements.map(({ claims }) => formatDay(claims.exp * 1000 - 1)))];
  if (subscription === undefined)
    return deny(
      'ENTITLEMENT_UNKNOWN',
      `No entitlement of ${product} ends that day.`,
      { ends },
      `Use one of: ${ends.join(', ')}.`,
    );
  const named = entitlements.filter(({ claims }) => isMeant(claims, { ...which, endMs: null }));
  if (named.length > 0) return otherDay(subscription, named);
  const subscriptions = entitlements.map(({ claims }) => claims.display.number ?? claims.jti);
  return deny(
    'ENTITLEMENT_UNKNOWN',
    `No subscription ${subscription} of ${product} can be assigned from.`,
    { subscriptions, ends },
    `Use one of: ${subscriptions.join(', ')}.`,
  );
}

/** The subscription is there, and ends another day than was said. */
function otherDay(subscription: string, named: readonly Entitlement[]): Denial {
  const ends = [...new Set(named.map(({ claims }) => lastDay(claims.exp * 1000)))];
  const days = ends.join(', ');
  const message = `Subscription ${subscription} does not end that day, but on ${days}.`;
  return deny('ENTITLEMENT_UNKNOWN', message, { ends }, `Use one of: ${days}; or leave the day out.`);
}

/**
 * The day that is meant has too few seats left. Says how many it has, which other days have some, and whom a seat could come from: those who do
 * not use theirs first, and not the one who is to get it (PRODUCT.md, assign).
 * @param meant the entitlements of that day
 * @param assignable every one of the product
 */
export function allAllocated(
  state: State,
  meant: readonly Entitlement[],
  assignable: readonly Entitlement[],
  command: Command<'assign'>,
): Denial {
  const { product, email, quantity } = command;
  const [first, ...equal] = meant.map((one) => leftOf(state, one));
  const { expires } = first!;
  const left = Math.max(first!.left, ...equal.map((one) => one.left));
  const others = otherDays(
    assignable.map((one) => leftOf(state, one)).filter((one) => one.expires !== expires),
  );
  const { allocatedTo, more } = holdersOf(state, meant, email);
  const until = assignable.every(({ claims }) => lastDay(claims.exp * 1000) === expires)
    ? ''
    : ` until ${expires}`;
  const elsewhere = others.map((one) => `${one.left} until ${one.expires}`).join(', ');
  return deny(
    'ALL_ALLOCATED',
    [
      `${leftWords(left, `${product}${until}`)}${equal.length > 0 && left > 0 ? ', from one entitlement' : ''}`,
      elsewhere === '' ? '' : `; of other entitlements there are ${elsewhere}`,
      '.',
    ].join(''),
    { product, expires, left, others, allocatedTo, more },
    nextStep({ email, product, quantity, days: [{ expires, left }, ...others], holder: allocatedTo[0] }),
  );
}

interface DayLeft {
  readonly expires: string;
  readonly left: number;
}

/** Below zero it is none: a revision may have fewer seats than are allocated. */
function leftOf(state: State, { claims }: Entitlement): DayLeft {
  const left = Math.max(0, claims.seats - state.derived.allocated.get(claims.jti));
  return { expires: lastDay(claims.exp * 1000), left };
}

/** Days that have seats left, the latest first; an assignment takes from one entitlement, so the most that one of a day has. */
function otherDays(all: readonly DayLeft[]): DayLeft[] {
  const most = new Map<string, number>();
  for (const { expires, left } of all) if (left > (most.get(expires) ?? 0)) most.set(expires, left);
  const days = [...most].map(([expires, left]) => ({ expires, left }));
  return days.sort((a, b) => (a.expires < b.expires ? 1 : -1)).slice(0, limits.holdersNamed);
}

interface Source {
  readonly email: string;
  readonly quantity: number;
  readonly idle: number;
}

function holdersOf(
  state: State,
  meant: readonly Entitlement[],
  target: string,
): { allocatedTo: Source[]; more: number } {
  const found = new Map<string, Source>();
  let [examined, all] = [0, 0];
  for (const { claims } of meant) {
    const ids = state.derived.allocationsByEntitlement.get(claims.jti);
    all += ids.size;
    for (const id of ids) {
      if (examined === HOLDERS_EXAMINED) break;
      examined++;
      const { email, quantity } = state.tables.allocation.get(id)!;
      if (email === target) continue;
      const idle = Math.max(0, quantity - state.derived.usedByAllocation.get(id));
      const before = found.get(email) ?? { quantity: 0, idle: 0 };
      found.set(email, { email, quantity: before.quantity + quantity, idle: before.idle + idle });
    }
  }
  const sorted = [...found.values()].sort((a, b) => b.idle - a.idle || (a.email < b.email ? -1 : 1));
  const allocatedTo = sorted.slice(0, limits.holdersNamed);
  return { allocatedTo, more: sorted.length - allocatedTo.length + all - examined };
}

function leftWords(left: number, product: string): string {
  if (left === 0) return `No seat of ${product} is left to allocate`;
  return `Only ${left === 1 ? '1 seat' : `${left} seats`} of ${product} ${left === 1 ? 'is' : 'are'} left to allocate`;
}

/** Moving a seat that is in use would end somebody's work: that is not recommended. */
function nextStep(asked: {
  readonly email: string;
  readonly product: string;
  readonly quantity: number;
  readonly days: readonly DayLeft[];
  readonly holder: Source | undefined;
}): string {
  const { email, product, quantity, days, holder } = asked;
  const command = `berth license assign ${shellWord(email)} ${product}`;
  const enough = days.find(({ left }) => left >= quantity);
  if (enough !== undefined)
    return `Take the other day: ${command} --quantity ${quantity} --expires ${enough.expires}`;
  const parts: string[] = [];
  let missing = quantity;
  for (const { expires, left } of days) {
    const count = Math.min(left, missing);
    if (count > 0) parts.push(`${command} --quantity ${count} --expires ${expires}`);
    missing -= count;
  }
  if (missing === 0) return `Take one assign for each day: ${parts.join(' and ')}`;
  if (holder === undefined) return `Assign fewer, or get more seats: ${seatsLeft(days)}.`;
  return holder.idle > 0
    ? `Move one from somebody, as from ${holder.email}: berth license move ${shellWord(holder.email)} ${product} --to ${shellWord(email)}`
    : 'Those named use all of theirs: ask one of them, or get more seats. See `berth license list`.';
}

const seatsLeft = (days: readonly DayLeft[]): string => {
  const all = days.reduce((sum, { left }) => sum + left, 0);
  return `${all} ${all === 1 ? 'is' : 'are'} left in all`;
};

/** How many allocations are looked at for one that is idle: a refusal must not cost more in a larger organisation. */
const HOLDERS_EXAMINED = 256;
