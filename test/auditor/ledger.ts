import { CreditBook } from './credit-book.js';
import type { Change } from './journal-entry.js';
import { RestoreBook } from './restore-book.js';
import type { LeaseClaims } from './token.js';

// What the journal says there is, written down here a second time: only what the rules (replay-rules.ts) look at.

export interface ProductRow {
  readonly product: string;
  readonly vendor: string;
  readonly share: 'process' | 'device' | 'user';
  readonly sharing: boolean;
  readonly settings?: {
    readonly borrowSeatsMax?: number | null;
    readonly borrowSeatsPerUserMax?: number | null;
    readonly idleSeconds?: number | null;
  };
}

export interface EntitlementRow {
  readonly claims: {
    readonly jti: string;
    readonly rev: number;
    readonly replaces?: string;
    readonly iss: string;
    readonly product: string;
    readonly seats: number;
    readonly exp: number;
    readonly share: string;
    readonly borrow?: { readonly maxSeconds: number; readonly seats: number };
    readonly earlyReturn?: string;
    readonly holder?: string;
    readonly credits?: number;
  };
  readonly state: 'future' | 'active' | 'expired' | 'replaced' | 'removed';
  readonly removing?: object;
}

export interface AllocationRow {
  readonly email: string;
  readonly entitlement: string;
  readonly quantity: number;
  readonly revoking?: { readonly seats: number };
}

export interface SeatRow {
  readonly id: string;
  readonly product: string;
  readonly count: number;
  readonly email: string;
  /** A seat that lingered is as old as the checkout that resumed it. */
  takenAtMs: number;
  entitlement: string;
  /** `<email> <entitlement>`; null: the shared seats. */
  allocation: string | null;
  device: string;
  lingers: boolean;
  readonly leases: Set<string>;
}

export interface LeaseRow {
  readonly claims: LeaseClaims;
  readonly device: string;
  readonly email: string;
  revoked: boolean;
}

export interface DeviceRow {
  readonly id: string;
  readonly email: string;
  readonly leaseKey: string;
  /** The link that it joined with, or the token of a machine. */
  readonly invitation: string;
  readonly machine?: object;
}

export interface MachineTokenRow {
  readonly id: string;
  readonly uses: number;
  readonly maxUses: number;
  readonly revoked: boolean;
}

export interface InvitationRow {
  readonly id: string;
  readonly email: string;
  readonly usedBy: string | null;
}

export interface KeptRow {
  readonly id: string;
  readonly method: string;
  readonly outcome: unknown;
  readonly leases: readonly string[];
}

export class Ledger {
  readonly products = new Map<string, ProductRow>();
  readonly entitlements = new Map<string, EntitlementRow>();
  readonly allocations = new Map<string, AllocationRow>();
  readonly users = new Map<
    string,
    { readonly email: string; readonly removing?: object; readonly aliases?: readonly string[] }
  >();
  /** Links that nobody has used, by id: whose. */
  readonly invitations = new Map<string, string>();
  /** For machines that enrol themselves. */
  readonly machineTokens = new Map<string, MachineTokenRow>();
  readonly devices = new Map<string, DeviceRow>();
  readonly seats = new Map<string, SeatRow>();
  readonly leases = new Map<string, LeaseRow>();
  readonly kept = new Map<string, KeptRow>();
  readonly credits = new CreditBook();
  highWaterMs = 0;
  /** Of the server as it is now, and all that it ever had. */
  epoch: string | null = null;
  readonly epochs = new Set<string>();
  /** What may be out that the journal does not know of (I9). */
  readonly restore = new RestoreBook();
  /** Seats that left an allocation for the shared ones, and revokes that went with their allocation, since somebody looked. */
  readonly lostSeats: string[] = [];
  readonly droppedPending: {
    readonly email: string;
    readonly entitlement: string;
    readonly seats: number;
  }[] = [];
  /** Borrows that ended by the clock since somebody looked. */
  readonly expiredBorrows: LeaseClaims[] = [];
  /** Nonce -> when a machine that nobody can look at signed its request, by its own clock. */
  readonly signedAtMs: ReadonlyMap<string, number>;
  /** What any client was given, as `wordsOf` has it. */
  readonly given: ReadonlySet<string>;

  constructor(
    signedAtMs: ReadonlyMap<string, number> = new Map(),
    given: ReadonlySet<string> = new Set<string>(),
  ) {
    this.signedAtMs = signedAtMs;
    this.given = given;
  }

  /** Applies a change that the rules have seen. */
  apply(change: Change): void {
    this.restore.apply(change, this);
    this.#steps[change.type]?.(change);
    this.credits.apply(change);
  }

  seatOf(lease: string): SeatRow | undefined {
    return this.seats.get(this.leases.get(lease)?.claims.seat ?? '');
  }

  isBorrowed(seat: SeatRow): boolean {
    for (const id of seat.leases) if (this.leases.get(id)?.claims.kind === 'borrow') return true;
    return false;
  }

  /** How many seats there are of this kind. */
  count(which: (seat: SeatRow) => boolean): number {
    let sum = 0;
    for (const seat of this.seats.values()) if (which(seat)) sum += seat.count;
    return sum;
  }

  allocated(entitlement: string): number {
    let sum = 0;
    for (const row of this.allocations.values()) if (row.entitlement === entitlement) sum += row.quantity;
    return sum;
  }

  /** What the product owns at the most, but for one entitlement: those that have begun, or are about to. */
  owned(product: string, without?: string): number {
    let sum = 0;
    for (const { claims, state } of this.entitlements.values())
      if (claims.product === product && claims.jti !== without && (state === 'active' || state === 'future'))
        sum += claims.seats;
    return sum;
  }

  readonly #steps: Readonly<Record<string, (change: Change) => void>> = {
    'organisation.founded': ({ organisation }) => {
      const { highWaterMs, epoch } = organisation as { highWaterMs: number; epoch: string };
      this.#seen(highWaterMs);
      this.#begin(epoch);
    },
    'organisation.restored': ({ epoch }) => this.#begin(String(epoch)),
    'clock.seen': ({ wallMs }) => this.#seen(wallMs as number),
    'clock.accepted': ({ wallMs }) => {
      this.highWaterMs = wallMs as number;
    },
    'user.put': ({ user }) => put(this.users, (user as { email: string }).email, user),
    'user.removed': ({ email }) => void this.users.delete(String(email)),
    'invitation.made': ({ invitation }) => {
      const { id, email, usedBy } = invitation as InvitationRow;
      if (usedBy === null) this.invitations.set(id, email);
    },
    'machineToken.put': ({ token }) => put(this.machineTokens, (token as MachineTokenRow).id, token),
    'invitation.dropped': ({ id }) => void this.invitations.delete(String(id)),
    'device.enrolled': ({ device }) => {
      const row = device as DeviceRow;
      put(this.devices, row.id, device);
      this.invitations.delete(row.invitation);
      const token = this.machineTokens.get(row.invitation);
      if (token !== undefined) put(this.machineTokens, token.id, { ...token, uses: token.uses + 1 });
    },
    'device.removed': ({ id }) => void this.devices.delete(String(id)),
    'product.put': ({ product }) => put(this.products, (product as ProductRow).product, product),
    'entitlement.put': ({ entitlement }) =>
      put(this.entitlements, (entitlement as EntitlementRow).claims.jti, entitlement),
    'entitlement.state': ({ id, state }) =>
      this.#edit(String(id), { state: state as EntitlementRow['state'] }),
    'entitlement.removing': ({ id, removing }) => {
      const { removing: _, ...row } = this.entitlements.get(String(id))!;
      this.entitlements.set(
        row.claims.jti,
        removing === null ? row : { ...row, removing: removing as object },
      );
    },
    'allocation.set': ({ allocation }) => {
      const row = allocation as AllocationRow;
      const { email, entitlement, quantity } = row;
      const id = `${email} ${entitlement}`;
      const { seats } = this.allocations.get(id)?.revoking ?? { seats: 0 };
      if (quantity === 0 && seats > 0) this.droppedPending.push({ email, entitlement, seats });
      if (quantity > 0) this.allocations.set(id, row);
      else this.allocations.delete(id);
    },
    'seat.taken': ({ seat }) => {
      const row = seat as Omit<SeatRow, 'leases' | 'lingers'>;
      this.seats.set(row.id, { ...row, leases: new Set(), lingers: false });
    },
    'seat.grown': ({ id, count }) => {
      const seat = this.seats.get(String(id))!;
      this.seats.set(seat.id, { ...seat, count: Number(count) });
    },
    'seat.charged': ({ id, entitlement, allocation }) => {
      const seat = this.seats.get(String(id))!;
      if (seat.entitlement === entitlement && seat.allocation !== null && allocation === null)
        this.lostSeats.push(seat.id);
      seat.entitlement = String(entitlement);
      seat.allocation = allocation as string | null;
    },
    'seat.resumed': ({ id, device, takenAtMs }) => {
      const seat = this.seats.get(String(id))!;
      seat.device = String(device);
      seat.takenAtMs = Number(takenAtMs);
      seat.lingers = false;
    },
    'seat.freed': ({ id }) => void this.seats.delete(String(id)),
    'lease.granted': ({ lease }) => {
      const row = lease as { claims: LeaseClaims; device: string; email: string };
      this.leases.set(row.claims.jti, { ...row, revoked: false });
      this.seats.get(row.claims.seat)!.leases.add(row.claims.jti);
    },
    'lease.revoked': ({ id }) => {
      this.leases.get(String(id))!.revoked = true;
    },
    'lease.ended': ({ id, reason, linger }) => {
      const { claims } = this.leases.get(String(id))!;
      if (reason === 'expired' && claims.kind === 'borrow') this.expiredBorrows.push(claims);
      this.#endLease(String(id), linger !== undefined);
    },
    'request.kept': ({ request }) => put(this.kept, (request as KeptRow).id, request),
    'request.dropped': ({ id }) => void this.kept.delete(String(id)),
  };

  #begin(epoch: string): void {
    this.epoch = epoch;
    this.epochs.add(epoch);
  }

  #seen(wallMs: number): void {
    this.highWaterMs = Math.max(this.highWaterMs, wallMs);
  }

  #edit(id: string, more: Partial<EntitlementRow>): void {
    const { removing, ...row } = this.entitlements.get(id)!;
    const ends = more.state !== undefined && more.state !== 'active' && more.state !== 'future';
    const kept = ends || removing === undefined ? {} : { removing };
    this.entitlements.set(id, { ...row, ...kept, ...more });
  }

  #endLease(id: string, lingers: boolean): void {
    const seat = this.seatOf(id)!;
    this.leases.delete(id);
    seat.leases.delete(id);
    if (lingers) seat.lingers = true;
    else if (seat.leases.size === 0) this.seats.delete(seat.id);
  }
}

function put<Row>(table: Map<string, Row>, id: string, row: unknown): void {
  table.set(id, row as Row);
}
