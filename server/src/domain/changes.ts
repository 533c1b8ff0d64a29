import type { BackupMade } from './backup.js';
import type { BulkCells, BulkJob, BulkVerdict } from './bulk.js';
import type { CreditAnswer, CreditGrant, CreditRequest, CreditSpend } from './credit-rows.js';
import type { Mail, MailFact, MailTold } from './mail.js';
import type { Pruned } from './pruned.js';
import type { Restore } from './restore.js';
import type {
  Allocation,
  Device,
  Endorsement,
  Entitlement,
  FormerUser,
  Invitation,
  KeptRequest,
  Lease,
  Linger,
  MachineToken,
  Organisation,
  Pending,
  Product,
  ScheduledRelease,
  Seat,
  User,
} from './state.js';

/**
 * What can happen to the state: facts, in the past tense, as the journal keeps them. `evolve` applies them and cannot fail. A
 * change says everything needed to apply it: replaying the journal asks nobody.
 */
export type Change =
  | { readonly type: 'organisation.founded'; readonly organisation: Organisation }
  | { readonly type: 'organisation.renamed'; readonly name: string; readonly by: string }
  | { readonly type: 'clock.seen'; readonly wallMs: number }
  /** Somebody vouched for the wall clock as it was (I5): the high-water mark is that moment, be it earlier or later. */
  | {
      readonly type: 'clock.accepted';
      readonly wallMs: number;
      readonly by: string;
      readonly device: string;
      readonly highWaterMs: number;
      readonly steadyWallMs: number;
    }
  | { readonly type: 'user.put'; readonly user: User }
  | { readonly type: 'user.removed'; readonly email: string }
  /** What is kept of who was removed by the same commit. */
  | { readonly type: 'former.kept'; readonly former: FormerUser }
  /** So many were removed since that there is no place for this one. */
  | { readonly type: 'former.dropped'; readonly email: string }
  | { readonly type: 'invitation.made'; readonly invitation: Invitation }
  | { readonly type: 'invitation.dropped'; readonly id: string }
  | { readonly type: 'machineToken.put'; readonly token: MachineToken }
  /** One that is a machine takes a use of its token. */
  | { readonly type: 'device.enrolled'; readonly device: Device }
  | { readonly type: 'device.removed'; readonly id: string }
  | { readonly type: 'product.put'; readonly product: Product }
  /** What it moves are `product.put` of the same commit. */
  | { readonly type: 'endorsement.put'; readonly id: string; readonly endorsement: Endorsement }
  | { readonly type: 'entitlement.put'; readonly entitlement: Entitlement }
  | { readonly type: 'entitlement.state'; readonly id: string; readonly state: Entitlement['state'] }
  /** Its removal is pending (I8), or no more (`null`). */
  | { readonly type: 'entitlement.removing'; readonly id: string; readonly removing: Pending | null }
  /** A warning of its end was given: the last one that is due, in days before it. */
  | { readonly type: 'entitlement.warned'; readonly id: string; readonly days: number }
  /** `quantity` 0: the allocation is gone. */
  | { readonly type: 'allocation.set'; readonly allocation: Allocation }
  | { readonly type: 'seat.taken'; readonly seat: Seat }
  /** The seat is charged elsewhere: another entitlement, or another allocation (`null`: the shared seats). */
  | {
      readonly type: 'seat.charged';
      readonly id: string;
      readonly entitlement: string;
      readonly allocation: string | null;
    }
  | { readonly type: 'lease.granted'; readonly lease: Lease }
  | {
      readonly type: 'lease.revoked';
      readonly id: string;
      readonly by: string;
      readonly reason: string;
      /** `idle`: nobody had used it for longer than the pool allows. Absent: somebody's doing. */
      readonly cause?: 'idle';
    }
  /** A forced release was set for `release.atMs`; an earlier one is replaced. */
  | { readonly type: 'lease.warned'; readonly id: string; readonly release: ScheduledRelease }
  /** It was called off. */
  | { readonly type: 'lease.kept'; readonly id: string; readonly by: string }
  /** What an admin wrote to whoever holds it; changes nothing in the state. */
  | { readonly type: 'lease.messaged'; readonly id: string; readonly by: string; readonly text: string }
  | {
      readonly type: 'lease.ended';
      readonly id: string;
      /** `extended`: by servers until 2026, which took a newer borrow of the device for the end of the one before. */
      readonly reason: 'released' | 'stopped' | 'returned' | 'extended' | 'expired';
      /** It was the last one of its seat, which is kept for a while. */
      readonly linger?: Linger;
    }
  /** A lingering seat goes back to whoever had it: a lease of it follows. */
  | {
      readonly type: 'seat.resumed';
      readonly id: string;
      readonly device: string;
      readonly takenAtMs: number;
    }
  /** A seat lingers no more and is free. */
  | {
      readonly type: 'seat.freed';
      readonly id: string;
      readonly reason: 'expired' | 'forced' | 'given up' | 'pool changed' | 'user removed' | 'device removed';
    }
  /** Its key opened a session at the address `by`, while it had one at `from` that was closed: it may have been copied. Changes nothing in the state. */
  | {
      readonly type: 'session.superseded';
      readonly device: string;
      readonly email: string;
      readonly from: string;
      readonly by: string;
    }
  | { readonly type: 'request.kept'; readonly request: KeptRequest }
  | { readonly type: 'request.dropped'; readonly id: string }
  | { readonly type: 'mail.queued'; readonly mail: Mail }
  /** A hand-over begins. Servers of folder format 8 leave `told` out. */
  | {
      readonly type: 'mail.tried';
      readonly id: string;
      readonly atMs: number;
      readonly messageId: string;
      readonly told?: MailTold;
    }
  | { readonly type: 'mail.sent'; readonly id: string; readonly atMs: number; readonly answer: string }
  /** It was not taken, and is tried again; `unsure`: nobody knows whether it was. */
  | {
      readonly type: 'mail.deferred';
      readonly id: string;
      readonly nextAtMs: number;
      readonly error: string;
      readonly unsure?: boolean;
    }
  | { readonly type: 'mail.failed'; readonly id: string; readonly atMs: number; readonly error: string }
  /** What it tells is no longer so. */
  | { readonly type: 'mail.cancelled'; readonly id: string; readonly atMs: number }
  | { readonly type: 'mail.retried'; readonly id: string; readonly by: string; readonly atMs: number }
  /** A row of the same job told the same person more. */
  | { readonly type: 'mail.gathered'; readonly id: string; readonly fact: MailFact }
  /** It was kept long enough. */
  | { readonly type: 'mail.dropped'; readonly id: string }
  /** A bulk job, with its rows in order. */
  | { readonly type: 'job.made'; readonly job: BulkJob; readonly cells: readonly BulkCells[] }
  /** A row was decided: what it did is in the same commit. */
  | {
      readonly type: 'job.row';
      readonly job: string;
      readonly index: number;
      readonly verdict: BulkVerdict;
    }
  | { readonly type: 'job.ended'; readonly id: string; readonly atMs: number }
  | { readonly type: 'job.dropped'; readonly id: string }
  /** What somebody may spend from now on. */
  | {
      readonly type: 'credit.access';
      readonly email: string;
      readonly grant: CreditGrant;
      readonly by: string;
      readonly atMs: number;
    }
  | { readonly type: 'credit.spent'; readonly spend: CreditSpend }
  /** An entitlement was replaced: what was spent of it counts to its heir. */
  | {
      readonly type: 'credit.moved';
      readonly from: string;
      readonly to: string;
      readonly credits: number;
    }
  /** An earlier request of the same user, which was answered, is replaced. */
  | { readonly type: 'credit.asked'; readonly request: CreditRequest }
  | { readonly type: 'credit.answered'; readonly email: string; readonly answer: CreditAnswer }
  /** No member any more: spends none, and asks for none. */
  | { readonly type: 'credit.forgotten'; readonly email: string }
  /** A new epoch begins: what the one before granted after `restore.known` is not here (I9). */
  | { readonly type: 'organisation.restored'; readonly epoch: string; readonly restore: Restore }
  /** D of the leases that are granted from then on, seconds. */
  | { readonly type: 'window.noted'; readonly leaseSeconds: number }
  /** A server runs on it from now on: seats that may be borrowed are kept back, and borrows that are known are to be shown. */
  | { readonly type: 'restore.begun'; readonly atMs: number; readonly windowMs: number }
  /** Online leases of before have ended. */
  | { readonly type: 'restore.windowOver' }
  /** A lease was shown that what is here could not have granted: an import is missing. */
  | { readonly type: 'restore.incomplete'; readonly entitlement: string; readonly product: string }
  /** Somebody answers for it that nothing is out any more. */
  | {
      readonly type: 'restore.accepted';
      readonly by: string;
      readonly device: string;
      readonly atMs: number;
      readonly reason: string;
    }
  /** No borrow of before can last any more. */
  | { readonly type: 'reserve.ended'; readonly id: string }
  /** Its device showed a borrow of it that is from before a restore. */
  | { readonly type: 'seat.shown'; readonly id: string }
  /** What a backup knew as borrowed is in use: whatever became of that borrow, it is not one of those that may be out. */
  | { readonly type: 'seat.seen'; readonly id: string }
  /** A lease that was shown is of more seats. */
  | { readonly type: 'seat.grown'; readonly id: string; readonly count: number }
  /** Somebody reads all of the data folder, the server's key too. */
  | { readonly type: 'backup.begun'; readonly by: string; readonly device: string }
  | { readonly type: 'backup.made'; readonly backup: BackupMade }
  /** Records were exported and are given up: from now on the journal begins behind them. */
  | { readonly type: 'journal.pruned'; readonly pruned: Pruned }
  /** A signed checkpoint of the journal (I10); changes nothing in the state. */
  | { readonly type: 'journal.checkpoint'; readonly token: string }
  /** A renewal. Never journaled (I4): it only moves the end of the window in memory. */
  | {
      readonly type: 'lease.renewed';
      readonly id: string;
      /** How long its plugin had been idle then, ms; absent: it is in use. */
      readonly idleMs?: number;
    };

export type ChangeType = Change['type'];

/** Changes that are not written: losing them is safe because a restart holds every lease for a full window (I4). */
export function isVolatile(change: Change): boolean {
  return change.type === 'lease.renewed';
}
