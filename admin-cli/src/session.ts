import type { AdminConnection, IdentityOptions, LeaseConnection } from '@berth/client';
import { advised, productAdvised } from './advice.js';
import type { Context } from './context.js';
import { Failure, toFailure } from './fail.js';
import { remarkJoinFile } from './join-file.js';
import { version } from './version.js';

/** Opens the admin channel of the chosen context, does the work, and closes it however the work ends. */
export async function withAdmin<T>(
  context: Context,
  work: (admin: AdminConnection) => Promise<T>,
): Promise<T> {
  await remarkJoinFile(context);
  return await withChannel(context, context.sdk.openAdmin(identity(context)), advising(context, work));
}

/** The same for work of several steps that sees to Ctrl-C itself, to say what it has done until then. */
export async function withAdminForSteps<T>(
  context: Context,
  work: (admin: AdminConnection) => Promise<T>,
): Promise<T> {
  await remarkJoinFile(context);
  return await withChannel(
    context,
    context.sdk.openAdmin(identity(context)),
    advising(context, work),
    'steps',
  );
}

/** What was refused says what helps (advice.ts). */
function advising<T>(
  context: Context,
  work: (admin: AdminConnection) => Promise<T>,
): (admin: AdminConnection) => Promise<T> {
  return async (admin) => {
    try {
      return await work(admin);
    } catch (error) {
      throw await advised(context, admin, error);
    }
  };
}

/** The same for the lease channel, which every enrolled device may open. */
export async function withLease<T>(
  context: Context,
  work: (lease: LeaseConnection) => Promise<T>,
): Promise<T> {
  await remarkJoinFile(context);
  return await withChannel(context, context.sdk.openLease(identity(context)), async (lease) => {
    try {
      return await work(lease);
    } catch (error) {
      throw await productAdvised(lease, error);
    }
  });
}

/** What a plugin does. Where there is no such product, one that is like it is named. */
export async function asPlugin<T>(context: Context, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (toFailure(error).code !== 'NO_PRODUCT') throw error;
    throw await withLease(context, (lease) => productAdvised(lease, error)).catch(() => error);
  }
}

/**
 * By the admin channel where this device has a key of it and its user may use it; else by the lease channel. Somebody who is no admin any
 * more keeps the key.
 */
export async function withEither<T>(
  context: Context,
  byAdmin: (admin: AdminConnection) => Promise<T>,
  byLease: (lease: LeaseConnection) => Promise<T>,
): Promise<T> {
  if (!(await hasAdminScope(context))) return await withLease(context, byLease);
  let opened = false;
  try {
    return await withAdmin(context, (admin) => {
      opened = true;
      return byAdmin(admin);
    });
  } catch (error) {
    if (opened || toFailure(error).code !== 'NOT_ALLOWED') throw error;
    return await withLease(context, byLease);
  }
}

async function withChannel<C extends { close(): Promise<void> }, T>(
  context: Context,
  opening: Promise<C>,
  work: (channel: C) => Promise<T>,
  kind: 'one' | 'steps' = 'one',
): Promise<T> {
  context.progress.say('connecting to the server');
  const channel = await cancellable(context, opening);
  context.progress.say('waiting for the server');
  try {
    return await (kind === 'one' ? cancellable(context, work(channel)) : work(channel));
  } finally {
    await channel.close();
  }
}

/** Which identity to use, and who is asking, as the SDK wants it. */
export function identity(context: Context): IdentityOptions {
  const { contextName, home } = context.settings;
  return { context: contextName, home, signal: context.signal, client: { name: 'berth', version } };
}

/** True when this device was enrolled with an admin key. @throws BerthError NOT_JOINED */
export async function hasAdminScope(context: Context): Promise<boolean> {
  const { contextName, home } = context.settings;
  const joined = await context.sdk.identities(home).read(contextName);
  return joined.scopes.includes('admin');
}

/** The work, or CANCELLED at once when Ctrl-C comes first. */
export async function cancellable<T>(context: Pick<Context, 'signal'>, work: Promise<T>): Promise<T> {
  const { signal } = context;
  const abort: { call?: () => void } = {};
  const cancelled = new Promise<never>((_, reject) => {
    abort.call = () => reject(cancelledFailure());
    if (signal.aborted) abort.call();
    else signal.addEventListener('abort', abort.call, { once: true });
  });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    if (abort.call !== undefined) signal.removeEventListener('abort', abort.call);
  }
}

export function cancelledFailure(): Failure {
  return new Failure('CANCELLED', {
    message: 'Cancelled.',
    next: 'A request that was already on its way may still take effect; look before you repeat it.',
  });
}
