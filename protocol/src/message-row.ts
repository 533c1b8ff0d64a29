import type { ErrorCode } from './errors.js';
import type { LeastRole, PathName } from './messages.js';
import type { TSchema } from './typebox.js';

/** One request: where it may be sent, by whom, its shapes, whether it changes anything, and how it can fail. */
export interface RequestRow<P extends TSchema, R extends TSchema> {
  readonly paths: readonly PathName[];
  readonly least: LeastRole;
  /** A changing request carries an idempotency `key`; a retry with the same key gets the same result (I7). */
  readonly changes: boolean;
  readonly params: P;
  readonly result: R;
  /** Beyond those any request can get (PROTOCOL 3.3). */
  readonly errors: readonly ErrorCode[];
  readonly text: string;
}

export const request = <P extends TSchema, R extends TSchema>(row: RequestRow<P, R>): RequestRow<P, R> => row;

/** One message the server sends without being asked. */
export interface PushRow<P extends TSchema> {
  readonly paths: readonly PathName[];
  readonly params: P;
  readonly text: string;
}

export const push = <P extends TSchema>(row: PushRow<P>): PushRow<P> => row;
