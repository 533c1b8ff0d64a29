import type { AuditKind } from '@berth/protocol';
import { type Before, productFacts, userFacts } from '../domain/acts.js';
import type { Change, ChangeType } from '../domain/changes.js';
import { accessOf } from '../domain/credits.js';
import type { Mail } from '../domain/mail.js';
import type { Allocation, Lease, Seat } from '../domain/state.js';

/** What the audit shows of one change: names and plain values, none of them a secret, a key or a token. */
export type Facts = Before;

/**
 * What a change says to an auditor; `null`: nothing, it is the server's own bookkeeping. `user` and `product`, where a change has them, are what
 * `berth audit list` looks for.
 */
export function factsOf(change: Change): Facts | null {
  return (facts[change.type] as (change: Change) => Facts | null)(change);
}

/**
 * A new kind of change does not compile without its row: whoever adds one says what of it may be seen, and then it is one of `auditKinds`, by which
 * it is looked for.
 */
const facts: {
  readonly [T in ChangeType | AuditKind]: T extends AuditKind
    ? (change: Extract<Change, { type: T }>) => Facts
    : () => null;
} = {
  'organisation.founded': ({ organisation: { name, serverId, epoch } }) => ({
    name,
    server: serverId,
    epoch,
  }),
  'organisation.renamed': ({ name }) => ({ name }),
  'clock.seen': () => null,
  'clock.accepted': ({ wallMs, highWaterMs, steadyWallMs }) => ({ wallMs, highWaterMs, steadyWallMs }),
  'user.put': ({ user }) => ({ user: user.email, ...userFacts(user) }),
  'user.removed': ({ email }) => ({ user: email }),
  // What they were is said of `user.removed` already, by the act.
  'former.kept': () => null,
  'former.dropped': () => null,
  'invitation.made': ({ invitation: { id, email, scopes, expiresAtMs } }) => ({
    ...{ user: email, invitation: id, scopes: scopes.join(' '), expiresAtMs },
  }),
  'invitation.dropped': ({ id }) => ({ invitation: id }),
  'machineToken.put': ({ token: { id, name, group, maxUses, uses, expiresAtMs, revoked } }) => ({
    ...{ token: id, name, group, maxUses, uses, expiresAtMs, revoked },
  }),
  'device.enrolled': ({ device: { id, email, name, adminKey, invitation } }) => ({
    ...{ user: email, device: id, name, scopes: adminKey === null ? 'lease' : 'lease admin', invitation },
  }),
  'device.removed': ({ id }) => ({ device: id }),
  'product.put': ({ product }) => ({ product: product.product, ...productFacts(product) }),
  'endorsement.put': ({ endorsement: { claims } }) => ({ vendor: claims.iss, successor: claims.sub }),
  'entitlement.put': ({ entitlement: { claims, state } }) => ({
    ...{ product: claims.product, entitlement: claims.jti, rev: claims.rev, seats: claims.seats, state },
    ...{ fromMs: claims.nbf * 1000, untilMs: claims.exp * 1000, number: claims.display.number ?? null },
    ...(claims.holder === undefined ? {} : { user: claims.holder }),
  }),
  'entitlement.state': ({ id, state }) => ({ entitlement: id, state }),
  'entitlement.warned': ({ id, days }) => ({ entitlement: id, days }),
  'entitlement.removing': ({ id, removing }) => ({ entitlement: id, pending: removing !== null }),
  'allocation.set': ({ allocation }) => allocationFacts(allocation),
  'seat.taken': ({ seat }) => seatFacts(seat),
  'seat.charged': ({ id, entitlement, allocation }) => ({ seat: id, entitlement, allocation }),
  'seat.resumed': ({ id, device }) => ({ seat: id, device }),
  'seat.freed': ({ id, reason }) => ({ seat: id, reason }),
  'lease.granted': ({ lease }) => leaseFacts(lease),
  'lease.revoked': ({ id, reason, cause }) => ({ lease: id, reason, ...(cause ? { cause } : {}) }),
  'lease.warned': ({ id, release: { atMs, reason } }) => ({ lease: id, atMs, reason }),
  'lease.kept': ({ id }) => ({ lease: id }),
  'lease.messaged': ({ id, text }) => ({ lease: id, text }),
  'lease.ended': ({ id, reason, linger }) => ({ lease: id, reason, lingers: linger !== undefined }),
  'session.superseded': ({ device, email, from, by }) => ({ user: email, device, from, by }),
  'request.kept': () => null,
  'request.dropped': () => null,
  'mail.queued': ({ mail }) => mailFacts(mail),
  'mail.tried': () => null,
  'mail.sent': ({ id, answer }) => ({ mail: id, answer }),
  'mail.deferred': () => null,
  'mail.failed': ({ id, error }) => ({ mail: id, error }),
  'mail.cancelled': ({ id }) => ({ mail: id }),
  'mail.retried': ({ id }) => ({ mail: id }),
  'mail.gathered': ({ id, fact }) => ({ mail: id, tells: fact.kind }),
  'mail.dropped': () => null,
  'job.made': ({ job: { id, kind, by, rows } }) => ({ user: by, job: id, bulk: kind, rows }),
  'job.row': ({ job, index }) => ({ job, row: index }),
  'job.ended': ({ id }) => ({ job: id }),
  'job.dropped': () => null,
  'credit.access': ({ email, grant }) => ({ user: email, ...accessOf(grant) }),
  'credit.spent': ({ spend: { id, email, product, credits, day, device } }) => ({
    ...{ user: email, product, credits, day, spend: id, device },
  }),
  'credit.moved': ({ from, to, credits }) => ({ from, to, credits }),
  'credit.asked': ({ request: { id, email, credits, note } }) => ({
    user: email,
    request: id,
    credits,
    note,
  }),
  'credit.answered': ({ email, answer: { approved, note } }) => ({ user: email, approved, note }),
  'credit.forgotten': ({ email }) => ({ user: email }),
  'organisation.restored': ({ epoch, restore: { cause, known, backupAtMs, device } }) => ({
    ...{ epoch, cause, knownEpoch: known.epoch, knownSeq: known.seq },
    ...(backupAtMs === undefined ? {} : { backupAtMs }),
    ...(device === undefined ? {} : { device }),
  }),
  'window.noted': ({ leaseSeconds }) => ({ leaseSeconds }),
  'restore.begun': ({ windowMs }) => ({ windowMs }),
  'restore.windowOver': () => ({}),
  'restore.incomplete': ({ entitlement, product }) => ({ entitlement, product }),
  'restore.accepted': ({ reason }) => ({ reason }),
  'reserve.ended': ({ id }) => ({ entitlement: id }),
  'seat.shown': ({ id }) => ({ seat: id }),
  'seat.seen': ({ id }) => ({ seat: id }),
  'seat.grown': ({ id, count }) => ({ seat: id, seats: count }),
  'backup.begun': () => ({}),
  'backup.made': ({ backup: { seq, bytes } }) => ({ seq, bytes }),
  'journal.checkpoint': () => ({}),
  'journal.pruned': ({ pruned: { seq, from, bytes, hash, renewedAtMs } }) =>
    // Of a base that took the place of a damaged one: nothing went with it.
    renewedAtMs === undefined
      ? { from, until: seq, bytes, hash }
      : { until: seq, hash, renewed: 'the base was damaged and was made anew' },
  'lease.renewed': () => null,
};

function allocationFacts({ email, entitlement, quantity, revoking }: Allocation): Facts {
  const pending = revoking === undefined ? {} : { revoking: revoking.seats };
  return { user: email, entitlement, quantity, ...pending };
}

/** What it tells, in one word each: the rest is in the changes of the same act. */
function mailFacts({ id, to, facts: told }: Mail): Facts {
  return { user: to, mail: id, tells: told.map(({ kind }) => kind).join(' ') };
}

function seatFacts({ id, product, entitlement, count, allocation, email, device }: Seat): Facts {
  return {
    user: email,
    product,
    seat: id,
    seats: count,
    entitlement,
    allocated: allocation !== null,
    device,
  };
}

function leaseFacts({ claims: { jti, product, seat, n, kind, ent, exp }, email, device }: Lease): Facts {
  return {
    user: email,
    product,
    lease: jti,
    seat,
    seats: n,
    kind,
    entitlement: ent,
    device,
    untilMs: exp * 1000,
  };
}
