import type {
  AdminMethod,
  ErrorCode,
  LeaseKind,
  LeaseMethod,
  ParamsOf,
  Pool,
  ResultOf,
  UserInfo,
} from '@berth/protocol';
import type { ClientCredits } from './api-credits.js';
import type { Context } from './context.js';
import type { Host } from './host.js';

// The public shapes of the SDK. What happens behind them is in the files named after their nouns.

/** Which identity to use and how to reach its server. */
export interface IdentityOptions {
  /** Name of a joined context; the current one when left out. */
  readonly context?: string | undefined;
  /** A folder instead of BERTH_HOME and the XDG folders. */
  readonly home?: string | undefined;
  /** `host:port` or `srv:domain` (DNS), tried in order. Left out: BERTH_SERVERS (comma separated), then the context's. */
  readonly servers?: readonly string[] | undefined;
  /** Replaces Node: clock, sockets, files, keys. */
  readonly host?: Host | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Who is calling, shown to admins. */
  readonly client?: ClientName | undefined;
}

/** The program that uses the SDK, as admins see it in `berth lease list`. */
export interface ClientName {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
}

/**
 * The vendor keys a plugin pins (`ed25519:…`): nothing that does not lead back to one of them counts. `'unpinned'`
 * accepts any vendor and is for wrappers that do not know the product's vendor.
 */
export type VendorKeys = readonly string[] | 'unpinned';

/** A product, or several in order of preference: the first that has the seats is taken. */
export type ProductChoice = string | readonly string[];

export interface ConnectOptions extends IdentityOptions {
  /** What a checkout takes seats of unless it says otherwise. */
  readonly product: ProductChoice;
  readonly vendorKeys: VendorKeys;
  /** Told every token that verified, as it arrives: for audits. */
  readonly onToken?: ((pair: TokenPair) => void) | undefined;
  /** Told when a borrow taken with `autoExtend` was extended, or could not be. */
  readonly onExtension?: ((notice: ExtensionNotice) => void) | undefined;
}

/** A lease and the entitlement it leads back to, as signed text: verifiable by anyone with the vendor's key. */
export interface TokenPair {
  readonly lease: string;
  readonly entitlement: string;
  /** Where the vendor has changed its key: how the older key endorsed the newer one. */
  readonly endorsements?: readonly string[] | undefined;
}

/** What to take, and how long to wait for it. */
export interface CheckoutOptions {
  /** Instead of the product of the client. */
  readonly product?: ProductChoice | undefined;
  /** Default 1. */
  readonly seats?: number | undefined;
  /** Seats of several products, all or none: one `Seat` for all of them. Instead of `product` and `seats`. */
  readonly bundle?: readonly BundlePart[] | undefined;
  /** How long to wait in line on the server for a seat to come free, ms, at most a day. Default 0: answer at once. */
  readonly wait?: number | undefined;
  /** Told the place in line: when the wait begins, and when it changes. */
  readonly onQueued?: ((notice: QueuedNotice) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One product of a bundle: all of them are taken, or none. */
export interface BundlePart {
  readonly product: ProductChoice;
  /** Default 1. */
  readonly seats?: number | undefined;
}

/** Where a checkout stands in line. For people: it may change either way. */
export interface QueuedNotice {
  /** 1: next in line. */
  readonly position: number;
  /** Until it is served, ms, by how fast seats came to those in line lately; `null` when too few did. */
  readonly estimateMs: number | null;
  /** When the next seat is free at the latest if nobody renews, ms since 1970 on the server's clock; `null` when unknown. */
  readonly nextFreeAtMs: number | null;
}

/** What to borrow, and for how long. */
export interface BorrowOptions {
  readonly seconds: number;
  /** Default 1. */
  readonly seats?: number | undefined;
  /**
   * Extend it by the same length near its end, whenever a process of this device is connected then. Default: no, unless
   * `extendBeforeSeconds` is given. Kept on disk with the borrow; the last `borrow` of the same seats decides.
   */
  readonly autoExtend?: boolean | undefined;
  /** How near the end, seconds; less than `seconds`. Default: a quarter of `seconds`, at most a day. */
  readonly extendBeforeSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the server said when the session opened. */
export type Me = Omit<ResultOf<'session.open'>, 'signature'> & {
  /** `host:port` of the server in use. */
  readonly address: string;
};

/** A product, or several, on one licence server. */
export interface Client extends AsyncDisposable {
  /** The preferred one: what `borrow`, `returnBorrow` and `status` are about. */
  readonly product: string;
  /** In order of preference. */
  readonly products: readonly string[];
  /** Of the latest session; `null` while none was ever opened (offline). */
  readonly me: Me | null;
  /** True while a session is open. */
  readonly online: boolean;
  /**
   * Takes seats, of one product or of a bundle. A valid borrow of this device comes first and needs no server (for a bundle: of every part
   * of it, else all of it is asked of the server). Else the server is asked, which has it wait in line for as long as `wait` says.
   * @throws BerthError NO_SEAT (rule, holders, nextFreeAtMs; `detail.product`: which is missing), NO_PRODUCT, UNREACHABLE (servers),
   *   TIMEOUT, TOKEN_INVALID, PARAMS_INVALID, CANCELLED (a seat granted meanwhile is given back)
   */
  checkout(options?: CheckoutOptions): Promise<Seat>;
  /**
   * Borrows seats for offline use. On disk before it resolves. A seat held here on the same device is converted; an
   * earlier borrow is extended.
   * @throws BerthError BORROW_NOT_ALLOWED, BORROW_TOO_LONG, BORROW_LIMIT, CLOCK_SKEW, NO_SEAT, UNREACHABLE, TOKEN_INVALID
   */
  borrow(options: BorrowOptions): Promise<Borrow>;
  /** The borrows of this product on this device, from disk, verified now. Needs no server. */
  borrows(): Promise<Borrow[]>;
  /**
   * Returns a borrow early: the one with this id, or every one of the product.
   * @returns what was returned. @throws BerthError BORROW_UNKNOWN, IN_USE (a seat still uses it), UNREACHABLE
   */
  returnBorrow(id?: string): Promise<ReturnedBorrow[]>;
  /** The seats of the product. @throws BerthError NO_PRODUCT, UNREACHABLE */
  status(): Promise<Pool>;
  /** What the user may spend. */
  readonly credits: ClientCredits;
  /** Gives back every seat, waits briefly for the answer and leaves no handle. Never throws. */
  close(): Promise<void>;
}

/** `held`: use it. `grace`: use it, but renewal is overdue. `lost`: stop, for good. `released`: given back. */
export type SeatState = 'held' | 'grace' | 'lost' | 'released';

/** Renewal is overdue; the seat may still be used until `expiresAtMs`. */
export interface GraceNotice {
  /** Why renewal is overdue, where it is known. */
  readonly code: ErrorCode;
  readonly message: string;
  /** When the seat is lost if nothing is renewed, ms since 1970 on this computer's clock. */
  readonly expiresAtMs: number;
}
/** Renewal works again. */
export interface RecoveredNotice {
  readonly expiresAtMs: number;
}
/** The seat is lost, for good: why, and what to tell the person. */
export interface LostNotice {
  /** SEAT_LOST, LEASE_REVOKED, IDLE_RELEASED, LEASE_UNKNOWN, ENTITLEMENT_EXPIRED, TOKEN_INVALID, … */
  readonly code: ErrorCode;
  /** For the person at the plugin. */
  readonly message: string;
  readonly hint: string;
  /** Who revoked it, or `null`. */
  readonly by: string | null;
}
/** An administrator has written to whoever has the seat. */
export interface MessageNotice {
  readonly text: string;
  readonly from: string;
}
/** The seat will end although it is renewed, or, once `endsAtMs` is `null`, will not after all. */
export interface WarningNotice {
  /** LEASE_REVOKED: an admin takes it back. ENTITLEMENT_EXPIRED: nothing carries it further, as things are. */
  readonly code: 'LEASE_REVOKED' | 'ENTITLEMENT_EXPIRED';
  /** For the person at the plugin. */
  readonly message: string;
  /** Who takes it back, or `null`. */
  readonly by: string | null;
  /** When, ms since 1970 on this computer's clock; `null`: it was called off. */
  readonly endsAtMs: number | null;
}
/** What a seat tells, by name of the event. */
export interface SeatEvents {
  readonly grace: GraceNotice;
  readonly recovered: RecoveredNotice;
  readonly lost: LostNotice;
  readonly message: MessageNotice;
  readonly warning: WarningNotice;
}

/** What a seat is of one product. */
export interface SeatPart {
  readonly product: string;
  readonly seats: number;
  readonly leaseIds: readonly string[];
}

/** The right to use some seats of a product, or of every product of a bundle, kept alive by the client it came from. */
export interface Seat extends AsyncDisposable {
  /** Computed from the clocks at each read, without I/O (I2). */
  readonly state: SeatState;
  /** The one it is of, whichever was preferred; of a bundle, that of the first part. */
  readonly product: string;
  /** Of `product`. */
  readonly seats: number;
  /** Every product it is of, in the order in which they were asked for. It is lost when a lease of any of them is. */
  readonly parts: readonly SeatPart[];
  /** `borrow`: works without the server. An online seat becomes one when it is borrowed. */
  readonly kind: LeaseKind;
  /** When the right ends if nothing is renewed, ms since 1970 on this computer's clock. */
  readonly expiresAtMs: number;
  /** True when the checkout joined a seat that this device or user already had. */
  readonly joined: boolean;
  readonly leaseIds: readonly string[];
  /** The newest tokens of the leases. */
  readonly tokens: readonly TokenPair[];
  /** Why it was lost, or `null`. */
  readonly lost: LostNotice | null;
  /** That it will end, if that is known; else `null`. */
  readonly warning: WarningNotice | null;
  /** @returns a function that ends the subscription. */
  on<E extends keyof SeatEvents>(event: E, listener: (notice: SeatEvents[E]) => void): () => void;
  /**
   * Nobody is using the plugin. The next heartbeat says so, and the organisation may take the seat back (`lost` with
   * IDLE_RELEASED) once it has lasted too long. A borrowed seat is never taken back.
   * @param sinceMs for how long already, ms; default 0: from now on
   */
  idle(sinceMs?: number): void;
  /** Somebody is using it again. Cheap: call it on every input. */
  active(): void;
  /**
   * Gives the seat back; the plugin has stopped using it. Idempotent. Resolves when the server has confirmed it, or when
   * the seat comes free without that, or when the client is closed. Never throws.
   */
  release(): Promise<void>;
}

/** `valid`: use it. `expired`: over, but not free on the server yet. `returning`, `invalid`: see `Borrow`. */
export type BorrowState = 'valid' | 'expired' | 'returning' | 'invalid';

/** Seats lent to this device for a time. */
export interface Borrow {
  /** Id of its newest lease: what `returnBorrow` takes. */
  readonly id: string;
  readonly product: string;
  readonly seats: number;
  /** `returning`: given back, the server has yet to confirm it. `invalid`: see `fault`. */
  readonly state: BorrowState;
  /** Why the stored tokens do not verify, or `null`. */
  readonly fault: string | null;
  readonly takenAtMs: number;
  /** ms since 1970: valid until then. */
  readonly expiresAtMs: number;
  /** When the server may grant the seat again if it is not returned. */
  readonly freeAtMs: number;
  /** Whether a return frees the seat at once or only when the borrow would have ended. */
  readonly earlyReturn: 'at-once' | 'at-expiry';
  /** It is extended by so many seconds when fewer than `beforeSeconds` are left; `null`: it just ends. */
  readonly autoExtend: { readonly seconds: number; readonly beforeSeconds: number } | null;
  readonly leaseIds: readonly string[];
  readonly tokens: readonly TokenPair[];
}

/** What became of an automatic extension. */
export type ExtensionNotice =
  | { readonly extended: true; readonly borrow: Borrow }
  | {
      readonly extended: false;
      /** Still valid until its `expiresAtMs`. */
      readonly borrow: Borrow;
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string;
      /** When it is tried again, ms since 1970; `null`: only when a new session opens (a revoke is pending, …). */
      readonly retryAtMs: number | null;
    };

/** A borrow that was given back early. */
export interface ReturnedBorrow {
  readonly id: string;
  readonly product: string;
  readonly leaseIds: readonly string[];
  /** When the server may grant the seat again. */
  readonly freeAtMs: number;
}

/** Whose borrows to list. */
export interface ListBorrowsOptions extends Omit<IdentityOptions, 'servers' | 'signal' | 'client'> {
  readonly product?: string | undefined;
  /** Default `'unpinned'`. */
  readonly vendorKeys?: VendorKeys | undefined;
}

export interface ReturnBorrowsOptions extends IdentityOptions {
  /** Only this one. */
  readonly id?: string | undefined;
  /** Only those of this product. */
  readonly product?: string | undefined;
}

/** What a machine that no network reaches asks for. */
export interface RequestBorrowOptions {
  readonly product: string;
  readonly seconds: number;
  /** Default 1. */
  readonly seats?: number | undefined;
  /** Name of a context; left out: the current one, or `airgap` on a machine that has none. */
  readonly context?: string | undefined;
  readonly home?: string | undefined;
  /** Default: the computer's name. */
  readonly deviceName?: string | undefined;
  readonly host?: Host | undefined;
}
/** What a machine without a network asks for, in a file that an admin carries to the server. */
export interface OfflineRequest {
  /** What to carry to an admin. */
  readonly file: string;
  /** What the grant must name. */
  readonly nonce: string;
  readonly context: string;
  readonly product: string;
  readonly seats: number;
  readonly seconds: number;
  readonly requestedAtMs: number;
}

/** A request of this machine whose answer is not installed yet. */
export type OpenBorrowRequest = Omit<OfflineRequest, 'file'>;

/** The file an admin brought back, and where to keep what is in it. */
export interface InstallBorrowOptions {
  /** The text of the file that the admin brought. */
  readonly file: string;
  readonly home?: string | undefined;
  /** Default `'unpinned'`. */
  readonly vendorKeys?: VendorKeys | undefined;
  readonly host?: Host | undefined;
}

/** What a machine without a network gives back, in a file that an admin carries to the server. */
export interface OfflineReturn {
  /** What to carry to an admin. */
  readonly file: string;
  /** What it returns; none of it is used any more. */
  readonly borrows: readonly Borrow[];
}

/** A session without seats: for tools. Reconnects and repeats a request whose answer was lost. */
export interface Channel<Allowed extends AdminMethod | LeaseMethod> extends AsyncDisposable {
  readonly me: Me;
  readonly context: Context;
  /** @throws BerthError */
  call<M extends Allowed>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  /** Leaves no handle. */
  close(): Promise<void>;
}
/** Everything an administrator may ask, and the seats there are. */
export type AdminConnection = Channel<AdminMethod | 'pool.status' | 'user.me' | 'credit.request'>;
/** Everything a user may ask of the server. */
export type LeaseConnection = Channel<Exclude<LeaseMethod, 'session.open' | 'device.enrol'>>;

/** The link to join with, and what to call things. */
export interface JoinOptions {
  /** `berth://host:port/?key=…&token=…` */
  readonly link: string;
  readonly home?: string | undefined;
  /** Name of the context. Default: after the organisation, made unique. */
  readonly name?: string | undefined;
  /** Default: the computer's name. */
  readonly deviceName?: string | undefined;
  /** Also make an admin key (default true); it is deleted when the server does not grant it. */
  readonly admin?: boolean | undefined;
  readonly host?: Host | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Who this device is from now on, and where. */
export interface Joined {
  readonly context: Context;
  readonly user: UserInfo;
}
