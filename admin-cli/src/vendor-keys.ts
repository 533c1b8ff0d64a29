import type { VendorKeys } from '@berth/client';
import type { Context } from './context.js';
import { readPublicKey } from './keys.js';

export const vendorKeyOption = {
  'vendor-key': {
    type: 'string',
    array: true,
    describe:
      'accept only seats that lead back to this vendor key (text or file); may be given several times',
  },
} as const;

/** Without a key any vendor is accepted: a wrapper does not know whose product it runs (api.ts, VendorKeys). */
export async function vendorKeysOf(
  context: Context,
  given: readonly string[] | undefined,
): Promise<VendorKeys> {
  if (given === undefined || given.length === 0) return 'unpinned';
  return await Promise.all(given.map((key) => readPublicKey(context, key, '--vendor-key')));
}
