import type {
  AllocationInfo,
  DeviceInfo,
  EndorsementClaims,
  EntitlementClaims,
  EntitlementInfo,
  ErrorCode,
  LeaseClaims,
  LeaseWarning,
  MachineInfo,
  MachineTokenInfo,
  MemberInfo,
  PathName,
  PendingInfo,
  PoolSettings,
  Role,
  SharingChange,
  Witness,
} from '@berth/protocol';
import type { BulkKind, BulkTable } from './bulk.js';
import type { Change } from './changes.js';
import type { ClockReading } from './clock.js';
import type { CreditCommands, CreditOutcomes } from './credit-commands.js';
import type { Due } from './expiry-queue.js';
import type { MailResult, MailTold } from './mail.js';
import type { RestoreCommands, RestoreOutcomes } from './restore-commands.js';
import type { Invited, Now, State } from './state.js';

/** What a changing request is known by (I7): the device and its key, and the hash of what it asked. */
export interface RequestKey {
  readonly device: string;
  readonly key: string;
  readonly hash: string;
}

/** Who asks. The device belongs to a user; both are looked up again when the command is decided. */
export interface By {
  readonly device: string;
  readonly email: string;
  /** The address it came from: for the audit. Nothing is decided by it. */
  readonly from?: string;
}

/** Seats of one product: the first of `products`, in order of preference, that has them. */
export interface Want {
  readonly products: readonly string[];
  readonly seats: number;
}

/**
 * Whether a revoke or removal that a borrow forbids is refused (`now`) or left pending (I8); `cancel`: what is pending is not to
 * happen after all.
 */
export type When = 'now' | 'pending' | 'cancel';

/** What every changing request brings: who asks, and by what it is known (I7). */
export interface Asked {
  readonly by: By;
  readonly request: RequestKey;
}

export interface Commands extends RestoreCommands, CreditCommands {
  found: {
    readonly name: string;
    readonly serverId: string;
    readonly serverKey: string;
    readonly epoch: string;
    readonly owner: string;
    readonly invitationMs: number;
  };
  /** What `takeDue` found to be over. */
  expire: { readonly due: readonly Due[] };
  /** Carries out pending revokes and removals whose borrows have ended (I8). */
  settlePending: Record<never, never>;
  /** By the server itself every hour, or because somebody asks. */
  checkpoint: { readonly token: string } & Partial<Asked>;
  enrol: {
    readonly invitation: string;
    readonly leaseKey: string;
    readonly adminKey: string | null;
    readonly name: string;
    readonly from?: string;
  };
  /** All wants or none (a bundle). */
  checkout: Asked & {
    readonly wants: readonly Want[];
    readonly nonce: string;
    /** The most leases the session has place for. */
    readonly places: number;
  };
  renew: {
    readonly by: By;
    readonly leases: readonly string[];
    readonly nonce: string;
    /** Leases whose plugin is idle, and for how long; the others are in use. */
    readonly idle?: readonly { readonly lease: string; readonly seconds: number }[];
  };
  release: Asked & {
    readonly leases: readonly string[] /** Leases whose signed stop was verified. */;
    readonly stopped: readonly string[];
  };
  borrow: Asked & {
    readonly product: string;
    readonly seats: number;
    readonly seconds: number;
    readonly clientWallMs: number;
    readonly nonce: string;
  };
  /** A request that came in a file; its signature was verified. */
  grantBorrow: Asked & {
    readonly leaseKey: string;
    readonly name: string;
    /** Whose machine it is; `null`: whose it is already. */
    readonly email: string | null;
    /** The server it was made for, if the machine knows one. */
    readonly server: string | null;
    readonly product: string;
    readonly seats: number;
    readonly seconds: number;
    readonly nonce: string;
    readonly requestedAtMs: number;
  };
  return: Asked & { /** Leases whose signed stop was verified. */ readonly leases: readonly string[] };
  import: Asked & { readonly claims: EntitlementClaims; readonly token: string };
  importEndorsement: Asked & { readonly claims: EndorsementClaims; readonly token: string };
  removeEntitlement: Asked & { readonly id: string; readonly when?: When };
  invite: Asked & {
    readonly email: string;
    readonly name: string | null;
    readonly role: Role | null;
    /** A further device for somebody who is a member already. */
    readonly device: boolean;
    /** Somebody who is invited already: the role stays. */
    readonly resend?: boolean;
    readonly invitationMs: number;
  };
  /** @param was what the caller saw; `null`: whatever it is */
  setOrganisation: Asked & { readonly name: string; readonly was: string | null };
  cancelInvitation: Asked & { readonly email: string };
  /** @param was what the caller saw before it decided */
  setUser: Asked & {
    readonly email: string;
    readonly name: string | null;
    readonly role: Role | null;
    readonly addAliases: readonly string[];
    readonly removeAliases: readonly string[];
    readonly was: { readonly name?: string; readonly role?: Role };
  };
  /** @param device its id, or its name */
  unenrol: Asked & { readonly email: string; readonly device: string };
  removeUser: Asked & { readonly email: string; readonly when?: When };
  assign: Asked & {
    readonly email: string;
    readonly product: string;
    readonly quantity: number;
    readonly endMs: number | null;
    /** Number of the subscription, or id of the entitlement, to take from. */
    readonly subscription?: string;
  };
  /** Seats of one user become another's. */
  move: Asked & {
    readonly email: string;
    readonly to: string;
    readonly product: string;
    readonly quantity: number | 'all';
    readonly endMs: number | null;
    readonly subscription?: string;
  };
  revoke: Asked & {
    readonly email: string;
    readonly product: string;
    readonly quantity: number | 'all';
    readonly endMs: number | null;
    readonly when?: When;
  };
  /** `afterMs`: not at once but then. */
  revokeLease: Asked & { readonly lease: string; readonly reason: string; readonly afterMs?: number };
  keepLease: Asked & { readonly lease: string };
  /** A session of a device was closed, since its key opened one at another address (DESIGN 4). */
  noteSuperseded: { readonly device: string; readonly from: string; readonly address: string };
  /** `connected`: a plugin with this lease will get it. */
  messageLease: Asked & { readonly lease: string; readonly text: string; readonly connected: boolean };
  createMachineToken: Asked & {
    readonly name: string;
    readonly group: string | null;
    readonly maxUses: number;
    readonly expiresAtMs: number | null;
  };
  revokeMachineToken: Asked & { readonly id: string };
  enrolMachine: {
    readonly token: string;
    readonly leaseKey: string;
    readonly name: string;
    readonly from?: string;
  };
  /** @param machine its id, or its name */
  removeMachine: Asked & { readonly machine: string };
  /** @param product `null`: every product there is */
  setSharing: Asked & {
    readonly on: boolean;
    readonly product: string | null;
    readonly running: 'drain' | 'cut';
    /** What whoever asks saw before. */
    readonly was?: readonly { readonly product: string; readonly floatingSharing: boolean }[];
  };
  /** Settings that are left out stay as they are. */
  setPool: Asked & {
    readonly product: string;
    readonly settings: Partial<PoolSettings>;
    /** What whoever asks saw before. */
    readonly was?: Partial<PoolSettings>;
  };
  acceptClock: Asked;
  /**
   * @param messageId for the first attempt; later ones keep it
   * @param told kept as well where an earlier attempt may have been taken
   */
  tryMail: { readonly id: string; readonly messageId: string; readonly told: MailTold };
  settleMail: { readonly id: string; readonly result: MailResult };
  /** @param id `null`: all that wait or were given up */
  retryMail: Asked & { readonly id: string | null };
  testMail: Asked & { readonly to: string };
  makeJob: Asked & {
    readonly kind: BulkKind;
    /** What was uploaded, or why it cannot be used: looked at only by whoever asks for the first time (I7). */
    readonly table: BulkTable | Denial;
    readonly pending: boolean;
    readonly again: boolean;
    readonly invitationMs: number;
  };
  /** `by`: whoever asked for the job, for the audit. */
  decideRow: { readonly job: string; readonly index: number; readonly by: By };
}

export type CommandType = keyof Commands;
export type Command<T extends CommandType = CommandType> = {
  [K in T]: { readonly type: K } & Commands[K];
}[T];

/** What a command led to: plain JSON, kept for a retry. Leases are claims here; they are signed when the answer leaves. */
export interface Outcomes extends RestoreOutcomes, CreditOutcomes {
  found: { readonly invitation: string };
  expire: { readonly ended: number };
  settlePending: { readonly settled: number };
  checkpoint: { readonly token: string };
  enrol: { readonly device: string; readonly email: string; readonly scopes: readonly PathName[] };
  checkout: { readonly leases: readonly LeaseClaims[]; readonly joined: boolean };
  renew: { readonly leases: readonly RenewedLease[]; readonly moved: boolean };
  release: { readonly released: readonly string[] };
  borrow: {
    readonly leases: readonly LeaseClaims[];
    readonly freeAtMs: number;
    readonly earlyReturn: 'at-once' | 'at-expiry';
  };
  grantBorrow: Outcomes['borrow'] & { readonly device: string; readonly email: string };
  return: { readonly returned: readonly { readonly lease: string; readonly freeAtMs: number }[] };
  import: { readonly entitlement: EntitlementInfo; readonly changed: boolean };
  importEndorsement: { readonly moved: readonly string[]; readonly changed: boolean };
  removeEntitlement: {
    readonly id: string;
    /** Left out while it is pending, or of a cancellation. */
    readonly leasesRevoked?: number;
    readonly moved?: number;
  } & PendingOutcome;
  invite: Invited;
  setOrganisation: { readonly name: string; readonly changed: boolean };
  cancelInvitation: { readonly email: string; readonly cancelled: number };
  setUser: { readonly user: MemberInfo; readonly changed: boolean; readonly linksEnded?: number };
  unenrol: { readonly email: string; readonly device: DeviceInfo; readonly leasesRevoked: number };
  removeUser: { readonly email: string } & PendingOutcome;
  assign: { readonly allocation: AllocationInfo };
  move: {
    /** From whom and to whom; left out in outcomes that older versions kept. */
    readonly email?: string;
    readonly to?: string;
    readonly moved: number;
    readonly left: number;
    readonly leasesRevoked: number;
    readonly allocations: AllocationInfo[];
  };
  revoke: {
    /** Left out in outcomes that older versions kept. */
    readonly email?: string;
    readonly revoked: number;
    readonly left: number;
    readonly leasesRevoked: number;
    /** Seats of `left` whose revoke is pending, and when the last borrow that it waits for ends; left out: none. */
    readonly pending?: number;
    readonly pendingUntilMs?: number;
    /** Only of a cancellation. */
    readonly cancelled?: number;
  };
  revokeLease: { readonly lease: string; readonly freeAtMs: number; readonly releaseAtMs: number | null };
  keepLease: { readonly lease: string; readonly kept: boolean };
  noteSuperseded: Record<never, never>;
  messageLease: { readonly lease: string; readonly delivered: boolean };
  createMachineToken: { readonly token: MachineTokenInfo };
  revokeMachineToken: { readonly token: MachineTokenInfo };
  enrolMachine: { readonly device: string; readonly email: string; readonly scopes: readonly PathName[] };
  removeMachine: { readonly machine: MachineInfo; readonly leasesRevoked: number };
  setSharing: { readonly products: readonly SharingChange[] };
  setPool: {
    readonly product: string;
    readonly settings: PoolSettings;
    readonly changed: boolean;
    /** Seats that are free by it; left out: none. */
    readonly lingersEnded?: number;
  };
  acceptClock: { readonly changed: boolean; readonly before: ClockReading };
  tryMail: { readonly messageId: string; readonly told: MailTold };
  settleMail: Record<never, never>;
  retryMail: { readonly retried: number };
  testMail: { readonly id: string };
  makeJob: { readonly id: string; readonly existing: boolean; readonly ignored: readonly string[] };
  decideRow: Record<never, never>;
}

/** What became of a removal that may be left pending. */
export interface PendingOutcome {
  /** Left out: it has taken effect, or was taken back. */
  readonly pending?: PendingInfo;
  /** Only of a cancellation: whether there was something to take back. */
  readonly cancelled?: boolean;
}

export type { SharingChange };

export type RenewedLease =
  | { readonly lease: string; readonly claims: LeaseClaims; readonly warning?: LeaseWarning }
  | {
      readonly lease: string;
      readonly code: 'LEASE_UNKNOWN' | 'LEASE_REVOKED' | 'IDLE_RELEASED' | 'ENTITLEMENT_EXPIRED';
    };

/** A refusal: nothing changed. `detail` explains it (`rule`, `holders`, `nextFreeAtMs`, `untilMs`, …). */
export interface Denial {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message?: string;
  readonly next?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export type Decision<T extends CommandType> =
  | {
      readonly ok: true;
      readonly changes: readonly Change[];
      readonly outcome: Outcomes[T];
      /** All rows that it rests on, by id, as `touched` names them; absent: whatever there is (decision 0004). */
      readonly saw?: readonly string[];
    }
  | Denial;

/** What decide is given besides the state and the command. It reads nothing else. */
export interface Context {
  readonly now: Now;
  /** The last durable position of the journal: what a new lease bears witness to (I10). */
  readonly witness: Witness;
  /** Fresh ids: random, starting with the given letter. */
  newId(letter: string): string;
  /** D for new online leases, seconds. */
  readonly leaseSeconds: number;
  /** True while the disk is low: nothing new is granted (DESIGN 2). */
  readonly diskLow: boolean;
  /** Product -> seats that others have been waiting for longer: so many shared ones are not for whoever asks now. */
  readonly awaited: ReadonlyMap<string, number>;
}

/** How a command ended, once it is durable. */
export type Settled<T extends CommandType> = { readonly ok: true; readonly outcome: Outcomes[T] } | Denial;

export type Decider<T extends CommandType> = (
  state: State,
  command: Command<T>,
  context: Context,
) => Decision<T>;

export function deny(
  code: ErrorCode,
  message?: string,
  detail?: Readonly<Record<string, unknown>>,
  next?: string,
): Denial {
  return {
    ok: false,
    code,
    ...(message === undefined ? {} : { message }),
    ...(detail === undefined ? {} : { detail }),
    ...(next === undefined ? {} : { next }),
  };
}
