import type { Change, ChangeType } from './changes.js';
import type { Command, CommandType } from './commands.js';
import { accessOf, grantOf } from './credits.js';
import { allocationId, type Now, type Product, type State, type User } from './state.js';

/**
 * Who did what a run of changes of one commit says, when, from where and with which device. The journal keeps it beside the changes, for
 * the audit: no decision and no replay looks at it. Like a change it is a file format: nothing of it is ever given another meaning.
 */
export interface Act {
  /** The first of its changes in the commit, and how many they are. */
  readonly first: number;
  readonly count: number;
  /** The wall clock when it was decided. */
  readonly atMs: number;
  /** The command. */
  readonly did: CommandType;
  /** Left out: nobody, the server itself. */
  readonly by?: string;
  readonly device?: string;
  /** The address it was asked from. */
  readonly from?: string;
  /** Of a change, by its place among those of this act: what it was about, where it only says an id, and what it replaced. */
  readonly before?: { readonly [place: string]: Before };
}

/** Names of facts and what they were; `null`: there was none. */
export type Before = { readonly [name: string]: string | number | boolean | null };

/** Who does it, and what is not there any more once its changes are applied. @param state before them */
export function actOf<T extends CommandType>(
  state: State,
  command: Command<T>,
  changes: readonly Change[],
  now: Now,
): Omit<Act, 'first'> {
  const before: { [place: string]: Before } = {};
  changes.forEach((change, place) => {
    const known = beforeOf(state, change);
    if (known !== null && Object.keys(known).length > 0) before[place] = known;
  });
  return {
    count: changes.length,
    atMs: now.wallMs,
    did: command.type,
    ...actorOf(command as unknown as Command, changes),
    ...(Object.keys(before).length === 0 ? {} : { before }),
  };
}

function actorOf(command: Command, changes: readonly Change[]): Pick<Act, 'by' | 'device' | 'from'> {
  if ('by' in command && command.by !== undefined) {
    const { email, device, from } = command.by;
    return { by: email, device, ...(from === undefined ? {} : { from }) };
  }
  // Who enrols is nobody before, and somebody by it.
  const enrolled = changes.find((change) => change.type === 'device.enrolled');
  if (enrolled === undefined) return {};
  const { email, id } = enrolled.device;
  const from = 'from' in command ? command.from : undefined;
  return { by: email, device: id, ...(from === undefined ? {} : { from }) };
}

/** What the rows that a change names were about before it; `null`: the change says it all. */
function beforeOf(state: State, change: Change): Before | null {
  const of = befores[change.type] as BeforeOf<ChangeType> | undefined;
  return of?.(state, change) ?? null;
}

type BeforeOf<T extends ChangeType> = (state: State, change: Extract<Change, { type: T }>) => Before | null;

const befores: { readonly [T in ChangeType]?: BeforeOf<T> } = {
  'organisation.renamed': ({ tables }) => ({ name: tables.organisation.get('self')?.name ?? null }),
  'user.put': ({ tables }, { user }) => {
    const was = tables.user.get(user.email);
    return was === undefined ? null : differing(userFacts(was), userFacts(user));
  },
  'user.removed': ({ tables }, { email }) => {
    const was = tables.user.get(email);
    return was === undefined ? null : userFacts(was);
  },
  'product.put': ({ tables }, { product }) => {
    const was = tables.product.get(product.product);
    return was === undefined ? null : differing(productFacts(was), productFacts(product));
  },
  'allocation.set': (state, { allocation: { email, entitlement, quantity } }) => {
    const was = state.tables.allocation.get(allocationId(email, entitlement))?.quantity ?? 0;
    return { product: productOf(state, entitlement), ...(was === quantity ? {} : { quantity: was }) };
  },
  'entitlement.state': (state, { id }) => ({ product: productOf(state, id) }),
  'entitlement.removing': (state, { id }) => ({ product: productOf(state, id) }),
  'entitlement.warned': (state, { id }) => ({ product: productOf(state, id) }),
  'mail.sent': (state, { id }) => mailFacts(state, id),
  'mail.failed': (state, { id }) => mailFacts(state, id),
  'mail.cancelled': (state, { id }) => mailFacts(state, id),
  'mail.gathered': (state, { id }) => mailFacts(state, id),
  'mail.retried': (state, { id }) => mailFacts(state, id),
  'invitation.dropped': ({ tables }, { id }) => ({ user: tables.invitation.get(id)?.email ?? null }),
  'device.removed': ({ tables }, { id }) => {
    const device = tables.device.get(id);
    return { user: device?.email ?? null, name: device?.name ?? null };
  },
  'seat.charged': (state, { id }) => seatFacts(state, id),
  'seat.resumed': (state, { id }) => seatFacts(state, id),
  'seat.freed': (state, { id }) => seatFacts(state, id),
  'lease.revoked': (state, { id }) => leaseFacts(state, id),
  'lease.warned': (state, { id }) => leaseFacts(state, id),
  'lease.kept': (state, { id }) => leaseFacts(state, id),
  'lease.messaged': (state, { id }) => leaseFacts(state, id),
  'lease.ended': (state, { id }) => leaseFacts(state, id),
  'credit.access': (state, { email }) => ({ ...accessOf(grantOf(state, email)) }),
};

function differing(was: Before, is: Before): Before {
  return Object.fromEntries(Object.entries(was).filter(([name, value]) => is[name] !== value));
}

/** As the audit shows a user; what it was is said in the same words. */
export function userFacts({ name, role, state, aliases, removing }: User): Before {
  return { name, role, state, aliases: (aliases ?? []).join(' '), removing: removing?.by ?? null };
}

export function productFacts({ vendor, share, sharing, settings }: Product): Before {
  return { vendor, share, sharing, ...settings };
}

function productOf(state: State, entitlement: string): string | null {
  return state.tables.entitlement.get(entitlement)?.claims.product ?? null;
}

function mailFacts({ tables }: State, id: string): Before {
  return { user: tables.mail.get(id)?.to ?? null };
}

function seatFacts({ tables }: State, id: string): Before {
  const seat = tables.seat.get(id);
  return { user: seat?.email ?? null, product: seat?.product ?? null };
}

/** A lease that was granted by the same act is not there yet: its own change says whose it is. */
function leaseFacts({ tables }: State, id: string): Before {
  const lease = tables.lease.get(id);
  return { user: lease?.email ?? null, product: lease?.claims.product ?? null };
}
