import type { AdminConnection } from '@berth/client';
import type { Context } from './context.js';
import { momentWords } from './words.js';

/**
 * For whoever comes a moment after another admin and undoes what that one did: what it was, and who said so. Asked of the audit before the change; what
 * one search does not reach is too long ago to be undone unseen.
 * @param was in words @param change which acts set it
 */
export async function beforeNote(
  context: Pick<Context, 'nowMs'>,
  admin: AdminConnection,
  was: string,
  change: { readonly kind: string; readonly user?: string },
): Promise<string> {
  const { items } = await admin.call('audit.list', { ...change, limit: 1 });
  const [last] = items;
  if (last === undefined) return `Before: ${was}.`;
  const when = last.atMs === null ? '' : ` ${momentWords(last.atMs, context.nowMs())}`;
  return `Before: ${was}; last changed${when} by ${last.by ?? 'the server'}.`;
}
