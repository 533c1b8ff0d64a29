// How long the SDK waits for what, each with its reason (STYLE 9). All in milliseconds.

export const timing = {
  /** How often a process looks whether another one has joined for it. */
  joinLookMs: 100,
  /** How long it waits for a process that it cannot tell alive from dead. */
  joinLockMs: 60_000,
  /** Opening one socket, TLS and upgrade included. A server on the LAN needs 20 ms; the next one in the list is waiting. */
  openMs: 5_000,
  /** A server that has not spoken by then is slow: the next in the list is tried as well. A busy one on the LAN needs 100 ms. */
  staggerMs: 1_000,
  /** One answer while a session opens. */
  handshakeMs: 5_000,
  /** An answer that takes longer comes from a dead connection: the request is sent again on a new one. */
  requestMs: 10_000,
  /** A request that was sent is repeated for this long: over a restart of the server (SIGKILL, journal replay). */
  answerMs: 30_000,
  /** A request that was never sent waits this long for a connection: a blip, not a server that is down. */
  unsentMs: 5_000,
  /** First and longest pause between attempts to connect, before jitter. */
  backoffMinMs: 250,
  backoffMaxMs: 10_000,
  /** The longest while somebody waits for a connection: a request that waits for `unsentMs` sees several attempts. */
  backoffWaitedMs: 2_000,
  /** Superseded twice within this time: not a change of network but one key in two places. */
  supersededMs: 10 * 60_000,
  /** Pause before a request that the server was too busy for is sent again. */
  busyMinMs: 250,
  busyMaxMs: 1_000,
  /** First and longest pause before a checkout that may wait is asked anew, before jitter: after a state of the server that passes, such as DISK_LOW. */
  askAgainMinMs: 1_000,
  askAgainMaxMs: 10_000,
  /** A client that waits in line and has no seat to renew asks this often whether the connection lives. */
  waitProbeMs: 30_000,
  /** How long an unanswered renewal may take, within which the part of D (`RENEW_ANSWER_FRACTION`) lies. */
  renewAnswerMinMs: 1_000,
  renewAnswerMaxMs: 10_000,
  /** With a valid borrow at hand, `connect` waits no longer than this for a server. */
  offlinePatienceMs: 2_000,
  /** `close` waits this long for the answers to its releases; the windows of the seats cover the rest. */
  closeMs: 2_000,
  /** The witness is written at most this often: losing the last one costs nothing but a weaker witness. */
  witnessMs: 30_000,
  /** A request kept on disk by another process is left to it for this long, if that process seems alive. */
  pendingOwnerMs: 10 * 60_000,
  /** A checkout waits no longer than this until the leases of a crashed process are given back: their windows do it anyhow. */
  ghostsMs: 2_000,
  /** The record of a process that cannot be judged, of another computer, is kept this long: no lease lasts as long. */
  ghostRecordMs: 7 * 86_400_000,
  /** A checkout whose answer nobody heard is asked again by the next start for so long: two windows of the longest usual lease. */
  askedMs: 900_000,
  /** A borrowed seat in use is marked as such this often, and looked up: it may have been extended. */
  useRefreshMs: 60_000,
  /** A mark of another computer that is older counts no more: three refreshes missed. */
  useMarkMs: 180_000,
  /** Two that begin to use a borrowed seat at once give way to each other, wait so long and look again, at most so often. */
  useAgainMinMs: 5,
  useAgainMaxMs: 100,
  useTries: 8,
  /** Pauses after an automatic extension was refused, before jitter; an eighth of what is left when that is less, but never below the floor. */
  extendAgainMinMs: 60_000,
  extendAgainMaxMs: 3_600_000,
  extendAgainFloorMs: 1_000,
  /** Timers stand still while the computer sleeps: whoever waits for a moment looks at the clocks this often. */
  lookMs: 5_000,
} as const;

/** Renewal is overdue after this part of D: D/3 + 10 % is when it was due, the rest is margin for one reconnect (I2). */
export const GRACE_FRACTION = 1 / 2;

/** A renewal unanswered for this part of D means a half-open connection. */
export const RENEW_ANSWER_FRACTION = 1 / 6;

/** While seats run out, attempts to connect are at most this part of their time apart: several fit before the end. */
export const RECONNECT_FRACTION = 1 / 8;

/** A seat granted later than this part of D after it was asked for is renewed before it counts: it has waited in line (I2). */
export const RENEW_FIRST_FRACTION = 1 / 10;
