import { errors, lastDay, limits, type ResultOf, type WhySource } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Context, type Decision, type Denial, deny } from '../commands.js';
import { borrowedSeats, borrowsEndMs, borrowsOnAllocation } from '../pending.js';
import { poolOf } from '../pools.js';
import type { Device, Now, State } from '../state.js';
import { adviceOn } from './advice.js';
import { checkout } from './checkout.js';
import { choose } from './choose.js';
import { explain, userUnknown } from './denial.js';
import { closed } from './grant.js';
import { leaving } from './pending.js';
import { shellWord } from './shell-word.js';

type Why = ResultOf<'user.why'>;

export interface Question {
  readonly email: string;
  readonly product: string;
  readonly seats: number;
}

/**
 * Decides a checkout without carrying it out: what a plugin of this user would be answered now. With several devices the one that would get
 * a seat counts, since what a device has in use it may share.
 */
export function why(state: State, asked: Question, context: Context): Why | Denial {
  const { email, product } = asked;
  if (!state.tables.user.has(email)) return userUnknown(state, email);
  if (!state.tables.product.has(product)) return deny('PRODUCT_UNKNOWN', undefined, { product });
  const devices = [...state.derived.devicesByUser.get(email)].map((id) => state.tables.device.get(id)!);
  const told = firstGranted(state, devices, asked, context);
  const verdict = told === undefined ? withoutDevice(state, asked, context) : verdictOf(state, told.decision);
  const own = ownOf(state, asked, context.now);
  return {
    ...asked,
    device: told?.device.name ?? null,
    ...verdict,
    ...adviceFor(state, asked, { rule: verdict.refusal?.rule, own }, context),
    own,
    ...borrowsOf(state, asked, context.now),
    pool: poolOf(state, product, context.now),
    awaited: context.awaited.get(product) ?? 0,
  };
}

/** What the first device that would get a seat is told, or else the first of all. */
function firstGranted(
  state: State,
  devices: readonly Device[],
  asked: Question,
  context: Context,
): { device: Device; decision: Decision<'checkout'> } | undefined {
  let told: { device: Device; decision: Decision<'checkout'> } | undefined;
  for (const device of devices) {
    const decision = decideFor(state, device, asked, context);
    if (decision.ok) return { device, decision };
    told ??= { device, decision };
  }
  return told;
}

function decideFor(
  state: State,
  { id: device }: Device,
  { email, product, seats }: Question,
  context: Context,
): Decision<'checkout'> {
  const command = {
    type: 'checkout',
    by: { device, email },
    request: { device, key: '', hash: '' },
    wants: [{ products: [product], seats }],
    nonce: '',
    places: limits.leasesPerSession,
  } as const;
  return checkout(state, command, context);
}

type Verdict = Pick<Why, 'granted' | 'from' | 'refusal'>;

function verdictOf(state: State, decision: Decision<'checkout'>): Verdict {
  if (!decision.ok) return { granted: false, from: [], refusal: refusalOf(decision) };
  return { granted: true, from: sourcesOf(state, decision.changes) };
}

/** Nobody can use a seat before a device has joined; whether one is there is said all the same. */
function withoutDevice(state: State, { email, product, seats }: Question, context: Context): Verdict {
  const { now, leaseSeconds } = context;
  const refused = closed(state, context) ?? leaving(state, email, now);
  if (refused !== null) return { granted: false, from: [], refusal: refusalOf(refused) };
  const sharedKept = context.awaited.get(product) ?? 0;
  const wish = { kind: 'online', seconds: leaseSeconds, now, product, email, seats, sharedKept } as const;
  const choice = choose(state, wish);
  if (!choice.ok)
    return { granted: false, from: [], refusal: refusalOf(explain(state, product, choice.rule, now, wish)) };
  const from = choice.picks.map(
    ({ entitlement, allocation, count }): WhySource => ({
      entitlement: entitlement.claims.jti,
      expires: lastDay(entitlement.claims.exp * 1000),
      seats: count,
      allocated: allocation !== null,
      how: 'taken',
    }),
  );
  const missing = deny(
    'NOT_JOINED',
    `${email} has no device yet. With one a checkout would succeed.`,
    undefined,
    `Send a link: berth user invite ${shellWord(email)}${state.tables.user.get(email)!.state === 'active' ? ' --device' : ' --resend'}`,
  );
  return { granted: false, from, refusal: refusalOf(missing) };
}

function adviceFor(
  state: State,
  asked: Question,
  { rule, own }: { readonly rule: string | undefined; readonly own: Why['own'] },
  context: Context,
): Pick<Why, 'advice' | 'allocatedTo'> {
  const unused = own.quantity - own.inUse - own.borrowed;
  const { advice, allocatedTo } = adviceOn(state, asked, { rule, unused }, context);
  return {
    ...(advice.length === 0 ? {} : { advice }),
    ...(allocatedTo.length === 0 ? {} : { allocatedTo }),
  };
}

function refusalOf({ code, message, next, detail = {} }: Denial): NonNullable<Why['refusal']> {
  const { rule, holders, nextFreeAtMs, untilMs } = detail;
  return {
    code,
    ...(typeof rule === 'string' ? { rule } : {}),
    message: message ?? errors[code].text,
    next: next ?? errors[code].next,
    holders: Array.isArray(holders) ? holders : [],
    nextFreeAtMs: typeof nextFreeAtMs === 'number' ? nextFreeAtMs : null,
    ...(typeof untilMs === 'number' ? { untilMs } : {}),
  };
}

/** Whence each lease of the decision comes: a seat that it takes, one in use, or one that lingers. */
function sourcesOf(state: State, changes: readonly Change[]): WhySource[] {
  const taken = new Map(
    changes.flatMap((change) => (change.type === 'seat.taken' ? [[change.seat.id, change.seat]] : [])),
  );
  const resumed = new Set(changes.flatMap((change) => (change.type === 'seat.resumed' ? [change.id] : [])));
  return changes.flatMap((change): WhySource[] => {
    if (change.type !== 'lease.granted') return [];
    const { seat: id, n: seats } = change.lease.claims;
    const { entitlement, allocation } = taken.get(id) ?? state.tables.seat.get(id)!;
    const { claims } = state.tables.entitlement.get(entitlement)!;
    const how = taken.has(id) ? 'taken' : resumed.has(id) ? 'kept' : 'joined';
    return [{ entitlement, expires: lastDay(claims.exp * 1000), seats, allocated: allocation !== null, how }];
  });
}

function ownOf(state: State, { email, product }: Question, now: Now): Why['own'] {
  let [quantity, used, borrowed, leaving, untilMs] = [0, 0, 0, 0, 0];
  for (const id of state.derived.allocationsByUser.get(email)) {
    const row = state.tables.allocation.get(id)!;
    if (state.tables.entitlement.get(row.entitlement)!.claims.product !== product) continue;
    quantity += row.quantity;
    used += state.derived.usedByAllocation.get(id);
    borrowed += state.derived.borrowedByAllocation.get(id);
    if (row.revoking === undefined) continue;
    leaving += row.revoking.seats;
    untilMs = Math.max(untilMs, borrowsEndMs(state, borrowsOnAllocation(state, email, row.entitlement), now));
  }
  const own = { quantity, inUse: used - borrowed, borrowed };
  return leaving === 0 ? own : { ...own, revoking: { seats: leaving, untilMs } };
}

/** The borrows of the product that the user's devices have and may use: they need no checkout. */
function borrowsOf(state: State, { email, product }: Question, now: Now): Pick<Why, 'borrows'> {
  const borrows = [];
  for (const seat of borrowedSeats(state, state.derived.seatsByUser.get(email))) {
    if (state.tables.entitlement.get(seat.entitlement)!.claims.product !== product) continue;
    for (const id of state.derived.leasesBySeat.get(seat.id)) {
      const { claims, device } = state.tables.lease.get(id)!;
      const untilMs = claims.exp * 1000;
      if (claims.kind !== 'borrow' || untilMs <= now.wallMs) continue;
      borrows.push({ device: state.tables.device.get(device)!.name, seats: seat.count, untilMs });
      break;
    }
  }
  return borrows.length === 0 ? {} : { borrows: borrows.slice(0, limits.holdersNamed) };
}
