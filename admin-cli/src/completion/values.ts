import { type ResultOf, roleAtLeast } from '@berth/protocol';
import type { Context } from '../context.js';
import { hasAdminScope, withAdmin, withEither } from '../session.js';
import type { ValueKind } from './wanted.js';

/** More than anybody reads of a list below the prompt. */
const mostValues = 100;

/** Values of a kind that begin with what was typed. Throws whatever a command would throw: the caller says nothing then. */
export async function valuesOf(context: Context, kind: ValueKind, typed: string): Promise<string[]> {
  const all = await sources[kind](context, typed);
  return all.filter((value) => value.startsWith(typed) && isPlain(value)).slice(0, mostValues);
}

/** A value goes into a command line as it is: what a shell would read as more than a word is not offered, whoever chose it. */
const isPlain = (value: string): boolean => /^[\p{L}\p{N}@._+:-]+$/u.test(value);

const sources: Record<ValueKind, (context: Context, typed: string) => Promise<string[]>> = {
  context: async ({ sdk, settings }) => {
    const { contexts } = await sdk.identities(settings.home).listReadable();
    return contexts.map(({ name }) => name);
  },
  product: async (context) => {
    const { pools } = await withEither(
      context,
      (admin) => admin.call('pool.status', {}),
      (lease) => lease.call('pool.status', {}),
    );
    return pools.map(({ product }) => product);
  },
  job: (context) => listed(context, 'bulk.list', ({ id }) => id),
  mail: (context) => listed(context, 'mail.list', ({ id }) => id),
  entitlement: (context) => listed(context, 'entitlement.list', ({ id }) => id),
  subscription: (context) => listed(context, 'entitlement.list', ({ display, id }) => display.number ?? id),
  lease: (context) => listed(context, 'lease.list', ({ id }) => id),
  token: (context) => listed(context, 'machine.token.list', ({ id }) => id),
  email: async (context, typed) => {
    if (!(await hasAdminScope(context))) return [];
    return await withAdmin(context, async (admin) => {
      if (!roleAtLeast(admin.me.user.role, 'viewer')) return [];
      const search = typed === '' ? {} : { search: typed };
      const { items } = await admin.call('user.list', { ...search, limit: mostValues });
      return items.map(({ email }) => email);
    });
  },
};

type Lists = 'bulk.list' | 'mail.list' | 'entitlement.list' | 'lease.list' | 'machine.token.list';

/** Of what an admin may list: the first page, which of jobs and mails has the newest. */
async function listed<M extends Lists>(
  context: Context,
  method: M,
  nameOf: (row: ResultOf<M>['items'][number]) => string,
): Promise<string[]> {
  if (!(await hasAdminScope(context))) return [];
  return await withAdmin(context, async (admin) => {
    const { items } = (await admin.call(method, { limit: mostValues } as never)) as ResultOf<M>;
    return (items as ResultOf<M>['items'][number][]).map(nameOf);
  });
}
