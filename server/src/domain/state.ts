import type {
  EndorsementClaims,
  EntitlementClaims,
  LeaseClaims,
  PathName,
  PoolSettings,
  Role,
  Share,
  UserInfo,
} from '@berth/protocol';
import type { BackupMade } from './backup.js';
import type { BulkJob, BulkRow } from './bulk.js';
import type { CreditAccessRow, CreditAccount, CreditRequest, CreditUse } from './credit-rows.js';
import { type Derived, emptyDerived } from './derived.js';
import { ExpiryQueue } from './expiry-queue.js';
import type { Mail } from './mail.js';
import type { Pruned } from './pruned.js';
import type { Reserve, Restore } from './restore.js';
import { Table } from './table.js';

/** Both clocks as the engine read them once for one command: integer milliseconds. The domain reads no clock itself. */
export interface Now {
  /** Monotonic, from an arbitrary start of this process. */
  readonly monoMs: number;
  /** Since 1970, as the system believes. */
  readonly wallMs: number;
  /** The wall clock, but gaining on the monotonic one no faster than drift allows: a forward jump frees no borrow (I5). */
  readonly steadyWallMs: number;
}

export interface Organisation {
  readonly name: string;
  readonly serverId: string;
  readonly serverKey: string;
  /** Random, new at founding and at every restore (I9). */
  readonly epoch: string;
  readonly foundedAtMs: number;
  /** The latest wall clock seen by a commit (I5). */
  readonly highWaterMs: number;
  readonly restore?: Restore;
  /** D of online leases, seconds: as it is configured, and as it was before that. What was granted after a backup has one of these (I9). */
  readonly leaseSeconds?: { readonly now: number; readonly before?: number };
  /** The last backup that is whole and on a disk. */
  readonly backup?: BackupMade;
  /** What the journal does not hold any more. */
  readonly pruned?: Pruned;
}

/** A revoke or a removal that was asked for while a borrow forbids it (I8): it takes effect by itself when the borrow ends. */
export interface Pending {
  /** E-mail of the admin. */
  readonly by: string;
  readonly sinceMs: number;
}

export interface User {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly state: 'invited' | 'active';
  /** Login names of workstations, canonical and sorted; absent: none. */
  readonly aliases?: readonly string[];
  /** Who last changed role, name or aliases. */
  readonly changed?: Last;
  /** The removal is pending: nothing new for this user. */
  readonly removing?: Pending;
}

/** Who was a member once, as they were when they were removed; with an invitation they are a member again, and this ends. */
export interface FormerUser {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly state: 'removed';
  /** By whom, or who had asked for it while a borrow forbade it (I8). */
  readonly removed: { readonly by: string; readonly atMs: number };
}

export interface Device {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly leaseKey: string;
  readonly adminKey: string | null;
  readonly enrolledAtMs: number;
  /** The invitation or machine token it enrolled with: a repeated enrolment with the same keys gets the same answer (I7). */
  readonly invitation: string;
  /** It belongs to nobody (machines.ts), and `email` is `machinePrincipal(id)`. */
  readonly machine?: { readonly group: string | null };
}

/** What stands for a machine where the e-mail of a user stands. No e-mail address has a colon, and each has an @. */
export function machinePrincipal(device: string): string {
  return `machine:${device}`;
}

/** With it so many machines may enrol themselves. */
export interface MachineToken {
  readonly id: string;
  readonly name: string;
  readonly group: string | null;
  readonly maxUses: number;
  readonly uses: number;
  readonly expiresAtMs: number | null;
  readonly revoked: boolean;
  readonly madeAtMs: number;
  readonly by: string;
}

export interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly scopes: readonly PathName[];
  readonly expiresAtMs: number;
  readonly usedBy: string | null;
}

/** What came of an invitation. @param replaced an open link of theirs ended by it */
export interface Invited {
  readonly user: UserInfo;
  readonly invitation: string;
  readonly expiresAtMs: number;
  readonly replaced?: boolean;
}

/** A product belongs to the first vendor key that brought it (DESIGN 4). */
export interface Product {
  readonly product: string;
  readonly vendor: string;
  readonly share: Share;
  readonly sharing: boolean;
  /** What an admin has set, and nothing else; read it through `settingsOf`. */
  readonly settings?: Partial<PoolSettings>;
  /** Who last changed a setting. */
  readonly settingsChanged?: Last;
  /** Who last switched floating sharing. */
  readonly sharingChanged?: Last;
}

export interface Last {
  /** E-mail of the admin. */
  readonly by: string;
  readonly atMs: number;
}

/** A vendor key endorsed another one (PROTOCOL 4.8). Kept for clients that pin the older key. */
export interface Endorsement {
  readonly claims: EndorsementClaims;
  readonly token: string;
  readonly importedAtMs: number;
  readonly by: string;
}

export interface Entitlement {
  readonly claims: EntitlementClaims;
  readonly token: string;
  readonly state: 'future' | 'active' | 'expired' | 'replaced' | 'removed';
  /** The removal is pending: nothing new from it. */
  readonly removing?: Pending;
  /** The last warning of its end that was given, in days before it (END_NOTICE_DAYS); absent: none. */
  readonly warned?: number;
}

/** Seats of one entitlement set aside for one user. Its id is `allocationId(email, entitlement)`. */
export interface Allocation {
  readonly email: string;
  readonly entitlement: string;
  readonly quantity: number;
  /** Seats of `quantity` to be revoked as borrows of it end: until then nothing new from it. */
  readonly revoking?: Pending & { readonly seats: number };
}

/** `count` seats of one entitlement in somebody's hands. Leases that share it carry its id and count once (I1). */
export interface Seat {
  readonly id: string;
  /** Seats taken by one checkout are one group: joined together, all or nothing. */
  readonly group: string;
  readonly product: string;
  readonly entitlement: string;
  readonly count: number;
  /** The id of the allocation it is charged to; `null`: the shared seats. */
  readonly allocation: string | null;
  readonly email: string;
  readonly device: string;
  /** Who may join it (DESIGN 5): `shareKey()`; `null`: nobody. */
  readonly shareKey: string | null;
  readonly takenAtMs: number;
  /** Nobody has a lease of it any more, and it is kept for whoever had it (linger.ts). */
  readonly linger?: Linger;
  /**
   * Borrowed since before a restore (I9). `unseen`: as the backup knew it, and nobody has shown that borrow since, so it may have been
   * returned before.
   */
  readonly earlier?: 'unseen' | 'shown';
}

/** How a seat is kept after its release. */
export interface Linger {
  /** For so long from the release, by the monotonic clock; after a restart once more from there. */
  readonly seconds: number;
  /** Who may have it again: `lingerKey()`. */
  readonly key: string;
  /** Its last lease: what an admin calls it by. */
  readonly lease: string;
}

export interface Lease {
  /** As signed at the grant; a renewal signs them again with new times. */
  readonly claims: LeaseClaims;
  readonly device: string;
  readonly email: string;
  /** `revoked`: its right ended early but its token may still be valid. */
  readonly state: 'open' | 'revoked';
  /** Why it was revoked, where nobody did it. */
  readonly cause?: 'idle';
  readonly grantedAtMs: number;
  /** Of a borrow whose device has a clock nobody could look at: how much longer than I3 says the seat is held. */
  readonly holdMs?: number;
  /** An admin takes it back at this moment, by the wall clock. */
  readonly release?: ScheduledRelease;
  /** Who revoked it and why; absent in rows that older servers wrote. */
  readonly revoked?: { readonly by: string; readonly reason: string };
}

export interface ScheduledRelease {
  readonly atMs: number;
  readonly by: string;
  readonly reason: string;
}

/** The stored answer to a changing request (I7): a retry gets the same. */
export interface KeptRequest {
  readonly id: string;
  readonly method: string;
  /** SHA-256 of the parameters: the same key with another body is an error. */
  readonly hash: string;
  readonly outcome: unknown;
  /** Kept until all of these have ended and W more; an empty list: for `keptMs`. */
  readonly leases: readonly string[];
  readonly keptMs: number;
}

export interface Rows {
  organisation: Organisation;
  user: User;
  /** By e-mail; the one removed first comes first. */
  formerUser: FormerUser;
  device: Device;
  invitation: Invitation;
  machineToken: MachineToken;
  product: Product;
  endorsement: Endorsement;
  entitlement: Entitlement;
  allocation: Allocation;
  seat: Seat;
  lease: Lease;
  request: KeptRequest;
  mail: Mail;
  job: BulkJob;
  jobRow: BulkRow;
  /** By e-mail. */
  creditAccess: CreditAccessRow;
  /** By entitlement. */
  creditAccount: CreditAccount;
  creditUse: CreditUse;
  /** By e-mail: the last one of each. */
  creditRequest: CreditRequest;
  reserve: Reserve;
}
export type TableName = keyof Rows;
export type Tables = { readonly [K in TableName]: Table<Rows[K]> };

export interface State {
  readonly tables: Tables;
  readonly derived: Derived;
  /**
   * Lease -> when its window ends, ms on the monotonic clock. Not journaled: after a restart every online lease is held
   * for one full W from then (I4).
   */
  readonly windowEndsMs: Map<string, number>;
  /**
   * Lease -> since when its plugin has been idle, ms on the monotonic clock, as its last renewal said; none when it is in use. Not
   * journaled: after a restart everybody counts as in use until a renewal says otherwise.
   */
  readonly idleSinceMs: Map<string, number>;
  /** Lingering seat -> when it is free, ms on the monotonic clock. */
  readonly lingerEndsMs: Map<string, number>;
  /** `self` -> when online leases of before a restore have ended, ms on the monotonic clock (I9). */
  readonly restoreEndsMs: Map<'self', number>;
  readonly monoQueue: ExpiryQueue;
  readonly wallQueue: ExpiryQueue;
}

export function emptyState(): State {
  return {
    tables: {
      organisation: new Table(),
      user: new Table(),
      formerUser: new Table(),
      device: new Table(),
      invitation: new Table(),
      machineToken: new Table(),
      product: new Table(),
      endorsement: new Table(),
      entitlement: new Table(),
      allocation: new Table(),
      seat: new Table(),
      lease: new Table(),
      request: new Table(),
      mail: new Table(),
      job: new Table(),
      jobRow: new Table(),
      creditAccess: new Table(),
      creditAccount: new Table(),
      creditUse: new Table(),
      creditRequest: new Table(),
      reserve: new Table(),
    },
    derived: emptyDerived(),
    windowEndsMs: new Map(),
    idleSinceMs: new Map(),
    lingerEndsMs: new Map(),
    restoreEndsMs: new Map(),
    monoQueue: new ExpiryQueue(),
    wallQueue: new ExpiryQueue(),
  };
}

export function allocationId(email: string, entitlement: string): string {
  return `${email} ${entitlement}`;
}

/** Whose it is: no e-mail address has a space. */
export function holderOf(allocation: string): string {
  return allocation.slice(0, allocation.indexOf(' '));
}

export function requestId(device: string, key: string): string {
  return `${device} ${key}`;
}

/** Who shares a seat of a product: `null` nobody, else the device or the user (DESIGN 5, "What shares a seat"). */
export function shareKey(share: Share, product: string, device: string, email: string): string | null {
  if (share === 'process') return null;
  return share === 'device' ? `${product} device ${device}` : `${product} user ${email}`;
}

export function organisationOf(state: State): Organisation {
  const organisation = state.tables.organisation.get('self');
  if (organisation === undefined) throw new Error('invariant: a state without an organisation was used');
  return organisation;
}
