import { roleAtLeast } from '@berth/protocol';
import type { Context } from '../context.js';
import { hasAdminScope, withAdmin, withLease } from '../session.js';
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
    const pools = (await hasAdminScope(context))
      ? await withAdmin(context, (admin) => admin.call('pool.status', {}))
      : await withLease(context, (lease) => lease.call('pool.status', {}));
    return pools.pools.map(({ product }) => product);
  },
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
