import type { CreditInfo } from '@berth/protocol';

/** What to spend them for, and how to know the request again. */
export interface ConsumeOptions {
  /** Default: the preferred product of the client. Its vendor's credits are spent, no other's. */
  readonly product?: string | undefined;
  /**
   * The request is known by it: sent again with the same key it spends nothing more, and has the same receipt, for a week. Default: a random one for
   * each call, with which the call repeats what was not answered. Give one of your own, kept with the job, where the process may die before it
   * has heard the answer: 16 to 64 of `A-Z a-z 0-9 _ -`, of no other job.
   */
  readonly key?: string | undefined;
}

/** Credits that were spent. */
export interface SpentCredits {
  /** The receipt: one for each key. */
  readonly id: string;
  readonly credits: number;
  /** What the user could spend on just after it. */
  readonly left: number;
}

/** The credits that the user of this device may spend. */
export interface ClientCredits {
  /**
   * Spends credits, exactly once, whatever the network does meanwhile. Whole numbers from 1 to 1,000,000.
   *
   * @example
   * ```ts
   * const { id, left } = await client.credits.consume(12, { key: `render-${job.id}` });
   * ```
   * @throws BerthError CREDIT_DISABLED, CREDIT_LIMIT (`detail`: limit, used, left, untilMs), CREDIT_LOW (`detail.left`), KEY_REUSED,
   *   PARAMS_INVALID: nothing was spent. UNREACHABLE, TIMEOUT, CONNECTION_LOST: nobody knows; ask again with `detail.key`
   */
  consume(credits: number, options?: ConsumeOptions): Promise<SpentCredits>;
  /** What the user may spend and has spent; `null` for a machine, which spends none. @throws BerthError UNREACHABLE */
  show(): Promise<CreditInfo | null>;
  /**
   * Asks the admins for so many more; the answer comes by mail. @param note what for, at most 400 characters
   * @throws BerthError CREDIT_REQUEST_OPEN, MESSAGE_INVALID, NOT_ALLOWED (a machine), UNREACHABLE
   */
  request(credits: number, note?: string): Promise<void>;
}
