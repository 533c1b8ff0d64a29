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
  const groups: BorrowEntry[][] = [];
  for (const entry of [...entries].sort(byTaking)) {
    const akin = groups.filter((group) => group.some((other) => belongTogether(entry, other)));
    const merged = [...akin.flat(), entry].sort(byTaking);
    for (const group of akin) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups;
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

function belongTogether(a: BorrowEntry, b: BorrowEntry): boolean {
  return a.claims.seat === b.claims.seat || (a.file.take !== null && a.file.take === b.file.take);
}

function byTaking(a: BorrowEntry, b: BorrowEntry): number {
  return a.file.takenAtMs - b.file.takenAtMs || a.claims.iat - b.claims.iat;
}
