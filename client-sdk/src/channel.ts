import type { AdminMethod, LeaseMethod, ParamsOf, ResultOf } from '@berth/protocol';
import type {
  AdminConnection,
  Channel,
  IdentityOptions,
  LeaseConnection,
  Me,
  ReturnBorrowsOptions,
  ReturnedBorrow,
} from './api.js';
import type { BorrowDesk } from './borrow-desk.js';
import { BorrowRecovery } from './borrow-recovery.js';
import { returnStored } from './borrow-return.js';
import { BorrowShelf } from './borrow-shelf.js';
import { BorrowUses } from './borrow-use.js';
import type { PushHandlers } from './connection.js';
import type { Context } from './context.js';
import { asBerthError } from './errors.js';
import type { Host } from './host.js';
import { type LoadedIdentity, loadIdentity, planOf } from './identity.js';
import { IdentityStore } from './identity-store.js';
import { joinUnattended } from './join-unattended.js';
import { Link } from './link.js';
import { PendingRequests } from './pending.js';
import { TokenCheck } from './token-check.js';
import { holding, unlessAborted } from './waiting.js';

/** A session without seats. */
class LinkChannel<Allowed extends AdminMethod | LeaseMethod> implements Channel<Allowed> {
  readonly context: Context;
  readonly #link: Link;
  readonly #me: Me;

  constructor(link: Link, me: Me, context: Context) {
    this.#link = link;
    this.#me = me;
    this.context = context;
  }

  get me(): Me {
    return this.#link.me ?? this.#me;
  }

  call<M extends Allowed>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    return this.#link.request(method, params);
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens the admin channel with the admin key of a context.
 * @throws BerthError NOT_JOINED, NOT_ALLOWED, UNREACHABLE (servers), DEVICE_UNKNOWN, SERVER_MISMATCH, CANCELLED, …
 */
export async function openAdminWith(host: Host, options: IdentityOptions): Promise<AdminConnection> {
  const identity = await loadIdentity(host, options, 'admin');
  const { link, me } = await openLink(host, options, identity, 'admin').catch(async (thrown: unknown) => {
    const error = asBerthError(thrown);
    const moved = error.code === 'ADMIN_ELSEWHERE' ? await findAdmin(host, options, identity) : null;
    if (moved === null) throw error;
    return openLink(host, options, moved, 'admin');
  });
  return new LinkChannel(link, me, identity.context);
}

/** Asks on the lease path where administration is now, and keeps the answer. */
async function findAdmin(
  host: Host,
  options: IdentityOptions,
  { context, files, key }: LoadedIdentity,
): Promise<LoadedIdentity | null> {
  const lease = await openLeaseWith(host, options);
  await lease.close();
  const { adminAddress } = lease.me;
  if (adminAddress === undefined) return null;
  const found: Context = { ...context, adminServers: [adminAddress] };
  // A folder that cannot be written costs the same question the next time.
  await new IdentityStore(files).save(found).catch(() => undefined);
  return { context: found, files, key };
}

/** The same on the lease channel, which every enrolled device may open. */
export async function openLeaseWith(host: Host, options: IdentityOptions): Promise<LeaseConnection> {
  await joinUnattended(host, options);
  const identity = await loadIdentity(host, options, 'lease');
  const { link, me } = await openLink(host, options, identity, 'lease');
  return new LinkChannel(link, me, identity.context);
}

/** Returns borrows of any product of the context. @throws BerthError */
export function returnBorrowsWith(host: Host, options: ReturnBorrowsOptions): Promise<ReturnedBorrow[]> {
  return holding(host, () => returnAll(host, options));
}

async function returnAll(host: Host, options: ReturnBorrowsOptions): Promise<ReturnedBorrow[]> {
  const identity = await loadIdentity(host, options, 'lease');
  const { link } = await openLink(host, options, identity, 'lease');
  const { context, files, key } = identity;
  // Nothing is used here, only given back: any vendor's borrow may be.
  const check = new TokenCheck(host, key.publicKey, 'unpinned');
  const pending = new PendingRequests(host, files, context.name);
  const desk: BorrowDesk = {
    session: { host, link, key, check },
    shelf: new BorrowShelf(host, files, context.name, check, pending),
    uses: new BorrowUses(host, files, context.name),
    pending,
    product: null,
    seats: null,
  };
  try {
    await new BorrowRecovery(desk).run();
    return await returnStored(desk, options.id === undefined ? undefined : [options.id], options.product);
  } finally {
    link.close();
  }
}

const deaf: Omit<PushHandlers, 'server.draining'> = {
  'lease.revoked': () => {},
  'lease.warned': () => {},
  'admin.message': () => {},
  'lease.queued': () => {},
};

async function openLink(
  host: Host,
  options: IdentityOptions,
  identity: LoadedIdentity,
  path: 'lease' | 'admin',
): Promise<{ link: Link; me: Me }> {
  const { plan } = await planOf(host, options, identity, path);
  const link = new Link(plan, {
    pushes: deaf,
    onOpen: async () => {},
    onTrouble: () => {},
    affordablePauseMs: () => Number.POSITIVE_INFINITY,
  });
  try {
    const failure = await holding(host, () => unlessAborted(link.start(), options.signal));
    if (failure !== null || link.me === null) throw failure;
    return { link, me: link.me };
  } catch (thrown) {
    link.close();
    throw thrown;
  }
}
