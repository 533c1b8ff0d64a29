import { formatDay } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import type { CreditCharge, CreditGrant } from '../credit-rows.js';
import {
  accessOf,
  areCreditsHeld,
  type CreditSource,
  creditDay,
  creditInfo,
  creditSources,
  grantOf,
  leftOf,
  periodEndMs,
  sumOf,
  usedIn,
} from '../credits.js';
import { machineBehind } from '../machines.js';
import type { State } from '../state.js';
import { userUnknown } from './denial.js';
import { closed, deviceOf } from './grant.js';
import { leaving } from './pending.js';

/**
 * Spends credits, once: the change is in the commit of the kept request, and a retry of it decides nothing (I7). Never more than was bought, nor
 * than an admin lets the user spend.
 */
export function consumeCredits(
  state: State,
  command: Command<'consumeCredits'>,
  context: Context,
): Decision<'consumeCredits'> {
  const { by, product: id, credits } = command;
  const device = deviceOf(state, by);
  if ('ok' in device) return device;
  const shut = closed(state, context) ?? leaving(state, device.email, context.now);
  if (shut !== null) return shut;
  if (areCreditsHeld(state)) return deny('CREDIT_HELD');
  const product = state.tables.product.get(id);
  if (product === undefined) return deny('PRODUCT_UNKNOWN', undefined, { product: id });
  const day = creditDay(context.now);
  const grant = grantOf(state, device.email);
  const sources = creditSources(state, { email: device.email, vendor: product.vendor }, context.now);
  const balance = sumOf(sources.map(({ left }) => left));
  const refused = beyondGrant(state, device.email, { grant, credits, day }) ?? tooFew(credits, balance);
  if (refused !== null) return refused;
  const spend = {
    ...{ id: context.newId('c'), email: device.email, device: device.id, product: id, credits, day },
    charges: chargesOf(sources, credits),
  };
  const left = leftOf(state, device.email, grant, day) ?? Number.MAX_SAFE_INTEGER;
  return {
    ok: true,
    changes: [{ type: 'credit.spent', spend }],
    outcome: { id: spend.id, credits, left: Math.min(left, balance) - credits },
  };
}

function beyondGrant(
  state: State,
  email: string,
  { grant, credits, day }: { grant: CreditGrant; credits: number; day: string },
): Denial | null {
  if (grant.access === 'disabled') {
    const isMachine = machineBehind(state, email) !== undefined;
    return deny(
      'CREDIT_DISABLED',
      isMachine ? 'A machine belongs to nobody, and spends no credits.' : undefined,
      { access: 'disabled' },
      isMachine ? 'Let the person whose work it is spend them, from a computer of their own.' : undefined,
    );
  }
  if (grant.access === 'unlimited') return null;
  const { limit, per } = grant;
  const used = usedIn(state, email, per, day);
  if (used + credits <= limit) return null;
  const untilMs = periodEndMs(per, day);
  const left = Math.max(0, limit - used);
  const again = untilMs === null ? '' : `; the next period begins on ${formatDay(untilMs)}`;
  return deny(
    'CREDIT_LIMIT',
    `You asked for ${credits}; of ${limit} ${perText[per]} you have spent ${used}, so ${left} are left${again}.`,
    { asked: credits, limit, per, used, left, untilMs },
    untilMs === null ? 'Spend fewer, or ask an admin for more: `berth credit request N`.' : undefined,
  );
}

const perText = { day: 'a day', month: 'a month', year: 'a year', total: 'in all' } as const;

function tooFew(credits: number, balance: number): Denial | null {
  return balance >= credits
    ? null
    : deny('CREDIT_LOW', `You asked for ${credits}; ${balance} are left.`, { asked: credits, left: balance });
}

/** From one after the other, until it is enough. */
function chargesOf(sources: readonly CreditSource[], credits: number): CreditCharge[] {
  const charges: CreditCharge[] = [];
  let owed = credits;
  for (const { entitlement, left } of sources) {
    const part = Math.min(owed, left);
    if (part > 0) charges.push({ entitlement, credits: part });
    owed -= part;
  }
  return charges;
}

/** Says what a user may spend from now on. What they have spent in the period counts. */
export function setCreditAccess(
  state: State,
  { email, grant, was, by }: Command<'setCreditAccess'>,
  { now }: Context,
): Decision<'setCreditAccess'> {
  if (!state.tables.user.has(email)) return userUnknown(state, email);
  const before = grantOf(state, email);
  if (was !== null && !isSame(was, before)) return changedMeanwhile(state, email, { before, was });
  const changed = !isSame(grant, before);
  const changes: Change[] = changed ? [granted(email, grant, by.email, now.wallMs)] : [];
  return { ok: true, changes, outcome: { email, credits: creditInfo(state, email, now, grant), changed } };
}

export function granted(email: string, grant: CreditGrant, by: string, atMs: number): Change {
  return { type: 'credit.access', email, grant, by, atMs };
}

/** Two admins who change the same: the second is told what the first has made of it. */
function changedMeanwhile(
  state: State,
  email: string,
  { before, was }: { readonly before: CreditGrant; readonly was: CreditGrant },
): Denial {
  const changed = state.tables.creditAccess.get(email)?.changed;
  const by = changed === undefined ? '' : ` by ${changed.by}`;
  const said = `What ${email} may spend was changed meanwhile${by}: it is ${grantWords(before)}, was ${grantWords(was)}.`;
  return deny('CHANGED_MEANWHILE', said, {
    email,
    now: accessOf(before),
    ...(changed === undefined ? {} : { changed }),
  });
}

function grantWords(grant: CreditGrant): string {
  return grant.access === 'limited' ? `${grant.limit} ${perText[grant.per]}` : grant.access;
}

export function isSame(a: CreditGrant, b: CreditGrant): boolean {
  if (a.access !== 'limited' || b.access !== 'limited') return a.access === b.access;
  return a.limit === b.limit && a.per === b.per;
}

/** What a member may spend goes with them, and what they asked for; what they spent stays, for the accounts. */
export function creditsGone(state: State, email: string): Change[] {
  const { creditAccess, creditRequest } = state.tables;
  const has = creditAccess.has(email) || creditRequest.has(email);
  return has ? [{ type: 'credit.forgotten', email }] : [];
}
