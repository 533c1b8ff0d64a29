import type { AdminConnection } from '@berth/client';
import { type AuditChange, limits, type ResultOf } from '@berth/protocol';
import { nearest } from '@berth/protocol/nearest';
import type { Context } from './context.js';
import { Failure, toFailure } from './fail.js';
import { momentWords, seatWords } from './words.js';

// What the server is asked once more when it refused: who else is meant, and who was quicker. Only words are added; code and exit code stay.

/** Either channel. */
interface KnowsPools {
  call(method: 'pool.status', params: Record<never, never>): Promise<ResultOf<'pool.status'>>;
}

/** Letters that a mistyped address may be away from the one that is meant: more would be somebody else. */
const ADDRESS_LETTERS = 2;
/** Whoever lost a race lost it just now; an older change is for `berth audit list`. */
const RACE_MS = 600_000;

/** The failure with what helps whoever reads it; whatever goes wrong meanwhile, the failure itself. */
export async function advised(
  context: Pick<Context, 'nowMs'>,
  admin: AdminConnection,
  thrown: unknown,
): Promise<unknown> {
  try {
    const failure = toFailure(thrown);
    const { email, product, removed } = failure.detail.more ?? {};
    if (failure.code === 'PRODUCT_UNKNOWN') return await productAdvised(admin, thrown);
    if (failure.code === 'USER_UNKNOWN' && typeof email === 'string' && removed === undefined)
      return meant(failure, await addressNear(admin, email));
    if (failure.code === 'ALLOCATION_UNKNOWN' && typeof email === 'string' && typeof product === 'string')
      return after(failure, await lastChange(context, admin, { user: email, product }));
    return thrown;
  } catch {
    return thrown;
  }
}

/** The same of a product alone, which everybody may ask about. */
export async function productAdvised(channel: KnowsPools, thrown: unknown): Promise<unknown> {
  try {
    const failure = toFailure(thrown);
    const { product } = failure.detail.more ?? {};
    if (!['PRODUCT_UNKNOWN', 'NO_PRODUCT'].includes(failure.code) || typeof product !== 'string')
      return thrown;
    return meant(failure, await productNear(channel, product));
  } catch {
    return thrown;
  }
}

function meant(failure: Failure, near: string | undefined): Failure {
  if (near === undefined) return failure;
  const { code, message, next, exitCode, detail } = failure;
  const more = { ...detail.more, didYouMean: near };
  return new Failure(code, {
    message,
    next: `Did you mean ${near}? ${next}`,
    exitCode,
    detail: { ...detail, more },
  });
}

async function productNear(channel: KnowsPools, typed: string): Promise<string | undefined> {
  const { pools } = await channel.call('pool.status', {});
  const products = pools.map(({ product }) => product).filter((product) => product !== typed);
  return nearest(typed, products);
}

async function addressNear(admin: AdminConnection, typed: string): Promise<string | undefined> {
  const [local = '', domain = ''] = typed.split('@');
  // One letter is wrong somewhere: in the beginning of the name, in its end, or behind the @.
  for (const search of [local, local.slice(0, 3), `${local.slice(-3)}@${domain}`]) {
    const { items } = await admin.call('user.list', { search, limit: limits.pageRows });
    const near = nearest(
      typed,
      items.map(({ email }) => email),
      () => ADDRESS_LETTERS,
    );
    if (near !== undefined) return near;
  }
  return undefined;
}

async function lastChange(
  context: Pick<Context, 'nowMs'>,
  admin: AdminConnection,
  whose: { readonly user: string; readonly product: string },
): Promise<string | undefined> {
  const sinceMs = Math.max(0, context.nowMs() - RACE_MS);
  const { items } = await admin.call('audit.list', { ...whose, kind: 'allocation', sinceMs, limit: 1 });
  const [entry] = items;
  if (entry === undefined) return undefined;
  const when = entry.atMs === null ? '' : ` ${momentWords(entry.atMs, context.nowMs())}`;
  const seats = entry.changes.flatMap((change) => seatsText(change, whose.user)).join('; ');
  return `Last changed${when} by ${entry.by ?? 'the server'}${seats === '' ? '' : `: ${seats}`}.`;
}

/** `0 seats of entitlement ent-1, 2 before`. */
function seatsText({ kind, facts }: AuditChange, user: string): string[] {
  const fact = (called: string) => facts.find(({ name }) => name === called);
  const quantity = fact('quantity');
  if (kind !== 'allocation.set' || quantity === undefined || fact('user')?.value !== user) return [];
  const before = quantity.was === undefined ? '' : `, ${quantity.was} before`;
  return [`${seatWords(Number(quantity.value))} of entitlement ${fact('entitlement')?.value}${before}`];
}

function after(failure: Failure, changed: string | undefined): Failure {
  if (changed === undefined) return failure;
  const { code, message, next, exitCode, detail } = failure;
  return new Failure(code, { message: `${message} ${changed}`, next, exitCode, detail });
}
