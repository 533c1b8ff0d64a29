import { canonicalEmail, type ErrorCode } from '@berth/protocol';

// PRODUCT.md, "Bulk": many rows of one kind, each of which succeeds or fails alone. A job is made in one commit with all its rows. Each row is
// decided in a commit together with the note that it was, so that a job that is killed anywhere goes on where it was, and no row counts twice.

export type BulkKind = 'invite' | 'remove' | 'assign' | 'revoke' | 'credit';

/** A row as it was typed: the cells that its kind knows. A cell that is empty is not there; one that is missing makes the row short. */
export interface BulkCells {
  /** Line of the file, from 1. */
  readonly line: number;
  readonly email: string;
  readonly name?: string;
  readonly role?: string;
  readonly product?: string;
  readonly quantity?: string;
  readonly expires?: string;
  readonly limit?: string;
  readonly per?: string;
  /** It ended before the last column of the header. */
  readonly short?: boolean;
  /** It goes on behind the last column of the header. */
  readonly long?: boolean;
  /**
   * Quotes that leave open which cells it has: one within the text of that cell, from 1, or one that nothing closes. Such a row is also `long`,
   * for servers of the same format that do not know of it.
   */
  readonly quote?: { readonly is: 'stray' | 'open'; readonly cell: number };
  /** An earlier line about the same user, where one is enough. */
  readonly duplicateOf?: number;
}

/** A file as its kind reads it. */
export interface BulkTable {
  readonly cells: readonly BulkCells[];
  /** What the rows say, whatever file they stand in: the same rows have the same. */
  readonly hash: string;
  /** Columns that nobody reads. */
  readonly ignored: readonly string[];
}

/** What a row of `revoke` or `remove` took, and what of it waits for the end of a borrow. Verdicts of servers until November 2026 do not say it. */
export interface BulkTaken {
  /** Seats that were taken back. */
  readonly seats?: number;
  /** Seats that wait. */
  readonly pending?: number;
  /** When what waits takes effect; absent: nothing does. */
  readonly pendingUntilMs?: number;
}

export type BulkVerdict =
  /** It changed something. */
  | ({ readonly is: 'done' } & BulkTaken)
  /** It was so already. */
  | ({ readonly is: 'unchanged' } & BulkTaken)
  | { readonly is: 'failed'; readonly code: ErrorCode; readonly message: string };

/** True when something of it takes effect later, by itself. */
export function isWaiting(verdict: BulkVerdict | undefined): boolean {
  return verdict !== undefined && verdict.is !== 'failed' && verdict.pendingUntilMs !== undefined;
}

export interface BulkRow {
  readonly job: string;
  /** From 0. */
  readonly index: number;
  readonly cells: BulkCells;
  /** Absent: its turn has not come. */
  readonly verdict?: BulkVerdict;
}

export interface BulkJob {
  readonly id: string;
  readonly kind: BulkKind;
  /** Who asked: a row may do what they may when its turn comes. */
  readonly by: string;
  readonly device: string;
  /** The address it was asked from, for the audit of its rows; jobs of servers until November 2026 have none. */
  readonly from?: string;
  readonly madeAtMs: number;
  readonly rows: number;
  /** The rows before this one have been decided. */
  readonly next: number;
  readonly done: number;
  readonly unchanged: number;
  readonly failed: number;
  /** Rows of which something waits for the end of a borrow; absent: none. */
  readonly waits?: number;
  /** Of kind and rows: the same ones again are the same job. */
  readonly hash: string;
  /** What a revoke or removal does while a borrow forbids it. */
  readonly pending: boolean;
  readonly invitationMs: number;
  readonly endedAtMs?: number;
}

/** It was cut or shifted: what its cells are is not known. */
export function unreadable({ short, long, quote }: BulkCells): boolean {
  return short === true || long === true || quote !== undefined;
}

/** Jobs and their rows can be read for so long after they ended, ms. */
const KEPT_MS = 90 * 86_400_000;

export function jobGoneAtMs({ endedAtMs, madeAtMs }: BulkJob): number {
  return (endedAtMs ?? madeAtMs) + KEPT_MS;
}

/** By index, in order as text too. */
export function bulkRowId(job: string, index: number): string {
  return `${job} ${String(index).padStart(6, '0')}`;
}

/**
 * Marks what was said before. Nobody can be invited or removed twice, or have two limits; rows about seats may say the same twice: the second finds it done, or takes
 * one more back. A row that nobody can read has said nothing.
 */
export function withDuplicates(kind: BulkKind, cells: readonly BulkCells[]): BulkCells[] {
  if (kind === 'assign' || kind === 'revoke') return [...cells];
  const first = new Map<string, number>();
  return cells.map((row) => {
    if (unreadable(row)) return row;
    const who = canonicalEmail(row.email) ?? row.email.toLowerCase();
    const line = first.get(who);
    if (line === undefined) first.set(who, row.line);
    return line === undefined || who === '' ? row : { ...row, duplicateOf: line };
  });
}
