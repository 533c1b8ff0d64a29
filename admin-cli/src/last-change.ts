import type { AdminConnection } from '@berth/client';
import type { AuditChange } from '@berth/protocol';
import type { Context } from './context.js';
import { momentWords } from './words.js';

/** So many acts are looked through: those by the same person about somebody else are found by its name too. */
const LOOKED_AT = 100;

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
  // A courtesy: what it cannot be told does not keep the change from being made.
  const { items } = await admin
    .call('audit.list', { ...change, limit: LOOKED_AT })
    .catch(() => ({ items: [] }));
  const last = items.find(({ changes }) => changes.some((one) => isOf(one, change)));
  if (last === undefined) return `Before: ${was}.`;
  const when = last.atMs === null ? '' : ` ${momentWords(last.atMs, context.nowMs())}`;
  return `Before: ${was}; last changed${when} by ${last.by ?? 'the server'}.`;
}

function isOf(
  { kind, facts }: AuditChange,
  wanted: { readonly kind: string; readonly user?: string },
): boolean {
  if (kind !== wanted.kind) return false;
  return (
    wanted.user === undefined || facts.some(({ name, value }) => name === 'user' && value === wanted.user)
  );
}
