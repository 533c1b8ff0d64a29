import { usage } from './fail.js';
import { momentWords, untilWords } from './words.js';

/** What a revoke or removal does while a borrow forbids it (I8). */
export const pendingOptions = {
  pending: {
    type: 'boolean',
    default: false,
    describe: 'while a seat is borrowed, leave it pending: it takes effect by itself when the borrow ends',
  },
  cancel: { type: 'boolean', default: false, describe: 'take back what is pending' },
} as const;

/** As the wire wants it: only what was asked for. */
export function whenOf(args: { readonly pending: boolean; readonly cancel: boolean }): {
  pending?: true;
  cancel?: true;
} {
  if (args.pending && args.cancel)
    throw usage('--pending and --cancel exclude each other.', 'Give one of them.');
  return { ...(args.pending ? { pending: true } : {}), ...(args.cancel ? { cancel: true } : {}) };
}

/** What became of a removal, for people. @param what it is removed, named */
export function removalNote(
  what: string,
  { pending, cancelled }: { readonly pending?: { readonly untilMs: number }; readonly cancelled?: boolean },
  asked: { readonly cancel: boolean },
  nowMs: number,
): string {
  if (asked.cancel)
    return cancelled
      ? `${what} stays: the pending removal is cancelled.`
      : `No removal of ${what} was pending.`;
  if (pending === undefined) return `Removed ${what}.`;
  return `The removal of ${what} is pending: it takes effect by itself when the borrow ends, at the latest ${momentWords(pending.untilMs, nowMs)}.`;
}

/** What would become of a removal that is taken back. @param what it is removed, named */
export function wouldStayNote(what: string, { cancelled }: { readonly cancelled?: boolean }): string {
  return cancelled
    ? `${what} would stay: the pending removal would be cancelled.`
    : `No removal of ${what} is pending.`;
}

/** A cell of a table: empty when nothing is pending. */
export function pendingCell(
  pending: { readonly untilMs: number; readonly seats?: number } | undefined,
  nowMs: number,
): string {
  if (pending === undefined) return '';
  return `${pending.seats === undefined ? '' : `${pending.seats} `}until ${untilWords(pending.untilMs, nowMs)}`;
}
