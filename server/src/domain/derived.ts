import { SortedIndex, SortedKeys } from './sorted-keys.js';
import { Index, Tally } from './table.js';

/** What has a revoke or removal pending. */
export type PendingKind = 'allocation' | 'user' | 'entitlement';

export type SeatStatus = 'inUse' | 'borrowed' | 'held';

/** What is derived from the tables, kept up to date by evolve; `invariants.ts` recomputes it and compares. */
export interface Derived {
  /** `<path> <key text>` -> device id. */
  readonly deviceByKey: Map<string, string>;
  readonly devicesByUser: Index;
  /** E-mails of all users, in order. */
  readonly userNames: SortedKeys;
  /** E-mails of those who were removed, in order. */
  readonly formerNames: SortedKeys;
  /** Role -> e-mails, in order. */
  readonly usersByRole: SortedIndex;
  /** `invited` or `active` -> e-mails, in order. */
  readonly usersByState: SortedIndex;
  /** Login name -> e-mail. */
  readonly userByAlias: Map<string, string>;
  /** E-mail -> invitations, used ones too. */
  readonly invitationsByUser: Index;
  /** Product -> entitlements that are future or active. */
  readonly entitlementsByProduct: Index;
  readonly allocationsByUser: Index;
  /** E-mails of those who have seats allocated, in order. */
  readonly holders: SortedKeys;
  readonly allocationsByEntitlement: Index;
  /** Entitlement -> seats allocated. */
  readonly allocated: Tally;
  readonly seatsByProduct: Index;
  readonly seatsByUser: Index;
  readonly seatsByEntitlement: Index;
  readonly seatsByShareKey: Index;
  readonly leasesBySeat: Index;
  /** Product -> leases, in order. */
  readonly leasesByProduct: SortedIndex;
  readonly lingeringByProduct: Index;
  /** Last lease of a lingering seat -> the seat. */
  readonly lingerByLease: Map<string, string>;
  readonly requestsByLease: Map<string, string>;
  readonly statusBySeat: Map<string, SeatStatus>;
  /** `<entitlement>` -> seats taken, from anywhere. */
  readonly usedByEntitlement: Tally;
  /** `<entitlement>` -> seats taken from the shared ones. */
  readonly sharedUsed: Tally;
  /** `<entitlement>` -> seats borrowed. */
  readonly borrowedByEntitlement: Tally;
  /** Allocation id -> seats taken. */
  readonly usedByAllocation: Tally;
  /** Allocation id -> seats borrowed. */
  readonly borrowedByAllocation: Tally;
  /** `<product> <status>` -> seats. */
  readonly byStatus: Tally;
  /** `PendingKind` -> ids of the rows that have a revoke or removal pending. */
  readonly pending: Index;
  /** `MailState` -> mails, in the order in which they got there. */
  readonly mailsByState: Index;
  /** `MailLane` -> mails that are queued, as `dueKey` writes them, so the one due first comes first. */
  readonly mailsDue: SortedIndex;
  /** E-mail address -> mails of bulk jobs that are queued for it. */
  readonly digestsQueued: Index;
  /** Jobs of which a row is still to be decided. */
  readonly jobsRunning: Set<string>;
  /** What was asked -> the latest job of it. */
  readonly jobByHash: Map<string, string>;
  /** `<job> <e-mail>` -> the mail that gathers what its rows tell somebody. */
  readonly digestByJob: Map<string, string>;
  /** Invitation -> the mail with its link. */
  readonly mailByInvitation: Map<string, string>;
  /** Entitlements that are future or active and came with credits. */
  readonly creditEntitlements: Set<string>;
  /** `limited` or `unlimited` -> e-mails. */
  readonly creditsByAccess: Index;
  /** E-mail -> credits spent, ever. */
  readonly creditsSpent: Tally;
  /** E-mail -> its rows of `creditUse`. */
  readonly creditUses: Index;
  /** E-mails of those who asked for credits and wait for an answer. */
  readonly creditsAsked: Set<string>;
  /** Product -> entitlements of which seats may be out that nobody here knows of (I9). */
  readonly reservesByProduct: Index;
  /** Seats borrowed as a backup knew them, that nobody has shown. */
  readonly unseen: Set<string>;
  /** `<entitlement>` -> seats borrowed since before a restore. */
  readonly earlierByEntitlement: Tally;
}

export function emptyDerived(): Derived {
  return {
    deviceByKey: new Map(),
    devicesByUser: new Index(),
    userNames: new SortedKeys(),
    formerNames: new SortedKeys(),
    usersByRole: new SortedIndex(),
    usersByState: new SortedIndex(),
    userByAlias: new Map(),
    invitationsByUser: new Index(),
    entitlementsByProduct: new Index(),
    allocationsByUser: new Index(),
    holders: new SortedKeys(),
    allocationsByEntitlement: new Index(),
    allocated: new Tally(),
    seatsByProduct: new Index(),
    seatsByUser: new Index(),
    seatsByEntitlement: new Index(),
    seatsByShareKey: new Index(),
    leasesBySeat: new Index(),
    leasesByProduct: new SortedIndex(),
    lingeringByProduct: new Index(),
    lingerByLease: new Map(),
    requestsByLease: new Map(),
    statusBySeat: new Map(),
    usedByEntitlement: new Tally(),
    sharedUsed: new Tally(),
    borrowedByEntitlement: new Tally(),
    usedByAllocation: new Tally(),
    borrowedByAllocation: new Tally(),
    byStatus: new Tally(),
    pending: new Index(),
    mailsByState: new Index(),
    mailsDue: new SortedIndex(),
    digestsQueued: new Index(),
    jobsRunning: new Set(),
    jobByHash: new Map(),
    digestByJob: new Map(),
    mailByInvitation: new Map(),
    creditEntitlements: new Set(),
    creditsByAccess: new Index(),
    creditsSpent: new Tally(),
    creditUses: new Index(),
    creditsAsked: new Set(),
    reservesByProduct: new Index(),
    unseen: new Set(),
    earlierByEntitlement: new Tally(),
  };
}
