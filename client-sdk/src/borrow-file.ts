import { type LeaseClaims, parseToken } from '@berth/protocol';
import type { TokenPair } from './api.js';
import { listOf, object, oneOf, orNull, parseJson, type ShapeOf, text, whole } from './shape.js';

/** How a borrow is extended by itself: for how long each time, and how long before its end. */
export const extensionShape = object({ seconds: whole, beforeSeconds: whole });
export type Extension = ShapeOf<typeof extensionShape>;

const borrowFileShape = object({
  lease: text,
  entitlement: text,
  /** Missing in files that older versions wrote. */
  endorsements: orNull(listOf(text)),
  takenAtMs: whole,
  earlyReturn: oneOf('at-once', 'at-expiry'),
  freeAtMs: whole,
  /** The idempotency key it was taken with: leases taken together are one borrow. */
  take: orNull(text),
  /** `null`: it just ends. */
  extend: orNull(extensionShape),
});

/** One borrowed lease as it lies in `state/<context>/borrows/<jti>.json`. */
export type BorrowFile = ShapeOf<typeof borrowFileShape>;

/** A borrowed lease read back. Its claims are not verified yet. */
export interface BorrowEntry {
  readonly id: string;
  readonly file: BorrowFile;
  readonly claims: LeaseClaims;
}

export function pairOf({ lease, entitlement, endorsements }: BorrowFile): TokenPair {
  return endorsements === null ? { lease, entitlement } : { lease, entitlement, endorsements };
}

/** `null` when the file is not what this SDK wrote. */
export function readBorrowFile(json: string): BorrowEntry | null {
  const file = parseJson(json, borrowFileShape);
  const parsed = file === undefined ? undefined : parseToken('lease', file.lease);
  if (file === undefined || parsed?.ok !== true) return null;
  return { id: parsed.token.claims.jti, file, claims: parsed.token.claims };
}

/** The name of a file for an id of the protocol: the colon is the one character of an id that Windows forbids. */
export function fileNameOf(id: string): string {
  return id.replaceAll(':', '%3A');
}

/**
 * Entries that are one borrow for its user: leases taken together, and those that extended them on the same seats. Each group is in
 * the order of taking.
 */
export function groupBorrows(entries: readonly BorrowEntry[]): BorrowEntry[][] {
  const groups = new Set<BorrowEntry[]>();
  const bySeat = new Map<string, BorrowEntry[]>();
  const byTake = new Map<string, BorrowEntry[]>();
  const join = (group: BorrowEntry[], entry: BorrowEntry): void => {
    group.push(entry);
    bySeat.set(entry.claims.seat, group);
    if (entry.file.take !== null) byTake.set(entry.file.take, group);
  };
  for (const entry of [...entries].sort(byTaking)) {
    const ofSeat = bySeat.get(entry.claims.seat);
    const ofTake = byTake.get(entry.file.take ?? '');
    const group = ofSeat ?? ofTake ?? [];
    if (ofTake !== undefined && ofTake !== group) {
      groups.delete(ofTake);
      for (const other of ofTake) join(group, other);
    }
    join(group, entry);
    groups.add(group);
  }
  return [...groups].map((group) => group.sort(byTaking));
}

/** The lease that counts for each seat: the one that lasts longest. */
export function newestPerSeat(group: readonly BorrowEntry[]): BorrowEntry[] {
  const bySeat = new Map<string, BorrowEntry>();
  for (const entry of group) {
    const known = bySeat.get(entry.claims.seat);
    if (known === undefined || known.claims.exp <= entry.claims.exp) bySeat.set(entry.claims.seat, entry);
  }
  return [...bySeat.values()];
}

function byTaking(a: BorrowEntry, b: BorrowEntry): number {
  return a.file.takenAtMs - b.file.takenAtMs || a.claims.iat - b.claims.iat;
}
