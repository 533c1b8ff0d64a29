export interface JournalEntry {
  readonly seq: number;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly changes: readonly Change[];
  /** Which of its changes one command led to; left out: it was written by hand. */
  readonly acts?: readonly Act[];
}

/** While one record is synced the next fills: what is decided then may have seen both, and names the one before them. */
export const DECIDED_AHEAD = 2;

/** A run of changes that one command led to. */
export interface Act {
  readonly first: number;
  readonly count: number;
  /** The command. */
  readonly did: string;
  /** Who asked; left out: nobody, the server itself. */
  readonly by?: string;
  /** With which device. */
  readonly device?: string;
  /** What the clock on the server's wall said as it was decided. */
  readonly atMs?: number;
}

/** One change as JSON; the auditor looks into those it knows. */
export interface Change {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** What a record says; null: it is not JSON. */
export function readPayload(text: string): Pick<JournalEntry, 'changes' | 'acts'> | null {
  try {
    const { changes, acts } = JSON.parse(text) as { changes: Change[]; acts?: Act[] };
    return { changes, ...(acts === undefined ? {} : { acts }) };
  } catch {
    return null;
  }
}
