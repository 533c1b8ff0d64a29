import type { Role } from '@berth/protocol';
import type { BulkKind } from './bulk.js';
import type { CreditGrant } from './credit-rows.js';

// PRODUCT.md, "notifications": what people are told by mail. A mail is a row like any other: it is written in the commit of what it
// tells, and is kept until it was sent. It holds facts; the words are made when it is sent or shown, so no link is ever stored. What they say besides the
// facts is kept from the hand-over on (`told`).

/** What one mail tells. Its shape is a file format, as that of a change is. */
export type MailFact =
  /** `device`: a link for a further device. */
  | {
      readonly kind: 'invited';
      readonly invitation: string;
      readonly by: string;
      readonly role: Role;
      readonly device: boolean;
      readonly expiresAtMs: number;
    }
  /** `total`: with what the user had of that entitlement. `expires`: its last day. */
  | {
      readonly kind: 'assigned';
      readonly by: string;
      readonly product: string;
      readonly quantity: number;
      readonly total: number;
      readonly expires: string;
    }
  /** `left`: what the user still has of that entitlement. */
  | {
      readonly kind: 'revoked';
      readonly by: string;
      readonly product: string;
      readonly quantity: number;
      readonly left: number;
      readonly expires: string;
    }
  | { readonly kind: 'removed'; readonly by: string }
  /** To those who run the organisation: a subscription ends. */
  | {
      readonly kind: 'ending';
      readonly product: string;
      readonly subscription: string;
      readonly seats: number;
      readonly until: string;
      readonly daysLeft: number;
    }
  /** To who asked for a bulk job: it is done. */
  | {
      readonly kind: 'bulk';
      readonly job: string;
      readonly bulk: BulkKind;
      readonly rows: number;
      readonly done: number;
      readonly unchanged: number;
      readonly failed: number;
    }
  /** To those who run the organisation: somebody wants to spend more than they may. */
  | {
      readonly kind: 'creditAsked';
      readonly by: string;
      readonly credits: number;
      readonly note: string;
      readonly grant: CreditGrant;
    }
  /** To who asked: `grant` is what they may spend now. */
  | {
      readonly kind: 'creditAnswered';
      readonly by: string;
      readonly approved: boolean;
      readonly note: string;
      readonly grant: CreditGrant;
    }
  | { readonly kind: 'test'; readonly by: string };

export type MailKind = MailFact['kind'];

/**
 * `gathering`: a bulk job goes on adding to it; `queued`: it waits for its time, or for a mail server; `sending`: it is being handed over, or the server died while it was; `failed`: given
 * up, until an admin says otherwise; `cancelled`: what it told is no longer so.
 */
export type MailState = 'gathering' | 'queued' | 'sending' | 'sent' | 'failed' | 'cancelled';

export interface Mail {
  readonly id: string;
  /** E-mail address. */
  readonly to: string;
  /** At least one. */
  readonly facts: readonly MailFact[];
  readonly state: MailState;
  /** The bulk job whose rows it tells of. */
  readonly job?: string;
  /** Facts that had no place in it. */
  readonly more?: number;
  readonly madeAtMs: number;
  /** Hand-overs that were begun. */
  readonly attempts: number;
  /** When it may be handed over next, by the wall clock. */
  readonly nextAtMs: number;
  /** Since when it has been tried without success. */
  readonly triedFromMs?: number;
  /** Set before the first hand-over and never changed: a repetition can be known by it. */
  readonly messageId?: string;
  /** Of the hand-over by which it was, or may have been, taken; left out: there was none, or a server of folder format 8 made it. */
  readonly told?: MailTold;
  /** When it was sent, given up or cancelled. */
  readonly endedAtMs?: number;
  /** What the mail server, or the network, said last. */
  readonly error?: string;
  /** A hand-over broke off, and nobody knows whether it was taken: it was or will be handed over again. */
  readonly unsure?: boolean;
}

/** What the words of a mail say besides its facts, as it was when they were made: names and addresses change afterwards. */
export interface MailTold {
  readonly organisation: string;
  /** Of whom it is for; may be empty. */
  readonly name: string;
  /** Where its join link leads; left out: it has no link in it. */
  readonly address?: { readonly host: string; readonly port: number };
}

/** What somebody was told by itself goes ahead of what is one of thousands. */
export type MailLane = 'single' | 'bulk';

export function laneOf({ job }: Mail): MailLane {
  return job === undefined ? 'single' : 'bulk';
}

/** Sorts as the mails are due; of those due at one moment, as they were made: what was given is told before what was taken back. */
export function dueKey({ nextAtMs, madeAtMs, id }: Mail): string {
  return `${digits(nextAtMs)} ${digits(madeAtMs)} ${id}`;
}

function digits(ms: number): string {
  return String(ms).padStart(DUE_DIGITS, '0');
}

/** Digits of the largest safe integer. */
const DUE_DIGITS = 16;

/** The mail that such a key stands for. */
export function mailOfKey(key: string): string {
  return key.slice(2 * (DUE_DIGITS + 1));
}

/** What one mail tells at most: the rest is a number. */
export const MAIL_FACTS = 50;

/** How an attempt ended. */
export type MailResult =
  | { readonly state: 'sent'; readonly answer: string }
  /** Not now: again after a pause. `unsure`: it may have been taken. */
  | { readonly state: 'deferred'; readonly error: string; readonly unsure: boolean }
  /** The mail server will never take it. */
  | { readonly state: 'refused'; readonly error: string };

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The first pause after an attempt that failed, ms; each further one is twice as long. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60 * MINUTE_MS;
/** RFC 5321 4.5.4.1: whoever sends gives up after four to five days. */
const GIVE_UP_MS = 5 * DAY_MS;
/** How long a mail that was sent, given up or cancelled can still be read. */
const ENDED_KEPT_MS = 30 * DAY_MS;
/** How long one that nobody could send is kept: what it links to has long ended. */
const UNSENT_KEPT_MS = 90 * DAY_MS;

/** When it may be tried again after so many attempts; `null`: it is given up. */
export function nextAttemptMs({ attempts, triedFromMs }: Mail, nowMs: number): number | null {
  if (nowMs - (triedFromMs ?? nowMs) >= GIVE_UP_MS) return null;
  // 2^12 times five seconds is more than the longest pause.
  return nowMs + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(12, Math.max(0, attempts - 1)));
}

/** When the row goes, by the wall clock. */
export function mailGoneAtMs({ endedAtMs, madeAtMs }: Mail): number {
  return endedAtMs === undefined ? madeAtMs + UNSENT_KEPT_MS : endedAtMs + ENDED_KEPT_MS;
}

/** True while it is still to be sent and nobody is about to. */
export function isWaiting({ state }: Mail): boolean {
  return state === 'gathering' || state === 'queued' || state === 'failed';
}
