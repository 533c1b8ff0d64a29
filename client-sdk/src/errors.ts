import { type ErrorCode, errors, type Holder } from '@berth/protocol';

/** One server that was tried, and why it was of no use. */
export interface ServerAttempt {
  /** `host:port` as configured. */
  readonly address: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What an error says beyond its code. Everything left out comes from the catalogue, or is empty. */
export interface BerthErrorFacts {
  readonly message?: string | undefined;
  readonly hint?: string | undefined;
  readonly rule?: string | null | undefined;
  readonly holders?: readonly Holder[] | undefined;
  readonly nextFreeAtMs?: number | null | undefined;
  readonly servers?: readonly ServerAttempt[] | undefined;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/**
 * Every failure this package raises on purpose. Match on `code`: it is stable; the texts are for people
 * (PROTOCOL 9, the error catalogue).
 */
export class BerthError extends Error {
  readonly code: ErrorCode;
  /** What an administrator should do next. */
  readonly hint: string;
  /** Why seats were refused (`rules` of the protocol), or `null`. */
  readonly rule: string | null;
  /** Who holds the seats, for a refused checkout. */
  readonly holders: readonly Holder[];
  /** When a seat can be free at the earliest, ms since 1970 on the server's clock, or `null` when unknown. */
  readonly nextFreeAtMs: number | null;
  /** Every server tried, in order, when none was of use. */
  readonly servers: readonly ServerAttempt[];
  /** Further members of the server's answer, as they came. */
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, facts: BerthErrorFacts = {}) {
    super(facts.message ?? errors[code].text, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'BerthError';
    this.code = code;
    this.hint = facts.hint ?? errors[code].next;
    this.rule = facts.rule ?? null;
    this.holders = facts.holders ?? [];
    this.nextFreeAtMs = facts.nextFreeAtMs ?? null;
    this.servers = facts.servers ?? [];
    this.detail = facts.detail ?? {};
  }

  /** True when the same request may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return errors[this.code].retryable;
  }

  /** The exit code `berth` ends with for this error. */
  get exitCode(): number {
    return errors[this.code].exit;
  }
}

/** What was thrown, as a BerthError: one that is none is a fault of ours or of the host, and says so. */
export function asBerthError(thrown: unknown): BerthError {
  if (thrown instanceof BerthError) return thrown;
  return new BerthError('INTERNAL', { message: describe(thrown), hint: 'Report this.', cause: thrown });
}

/** The text of anything thrown. */
export function describe(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
