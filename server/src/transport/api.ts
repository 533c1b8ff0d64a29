import type {
  ErrorCode,
  Method,
  ParamsOf,
  PathName,
  Push,
  PushParams,
  ResultOf,
  Role,
  UserInfo,
} from '@berth/protocol';

// What the transport needs of the rest of the server, and what the rest may ask of the transport. The transport knows
// sockets, frames, sessions and limits; it knows nothing of seats.

/** The answer to a request: an expected failure is a value with a code (STYLE 7). */
export type Answer<M extends Method> = { readonly ok: true; readonly result: ResultOf<M> } | Refusal;

export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  /** A sentence more precise than the catalogue's. */
  readonly message?: string;
  /** A next step more precise than the catalogue's. */
  readonly next?: string;
  /** Further members of the error's `data`, such as `rule`, `holders`, `nextFreeAtMs`. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Who is calling: fixed when the session opens. Handlers look the user up again, since roles change. */
export interface Caller {
  readonly session: string;
  readonly path: PathName;
  readonly deviceId: string;
  readonly deviceKey: string;
  readonly email: string;
  readonly address: string;
  /** Leases bound to this session by checkout and resume; renewed together, told when revoked. */
  readonly leases: Set<string>;
}

/** A request under way, for a handler whose answer may take its time. */
export interface Flight {
  /** Aborted when the connection it came on has ended: nobody waits for the answer any more. */
  readonly ended: AbortSignal;
  push<P extends Push>(name: P, params: PushParams<P>): void;
  /** It waits for something that may take hours: from now on it does not count among the requests in flight. */
  park(): void;
}

/** The methods that are not part of opening a connection. */
export type SessionMethod = Exclude<Method, 'session.open' | 'device.enrol'>;

/** @param flight left out where nobody can wait for an answer */
export type Handler<M extends Method> = (
  params: ParamsOf<M>,
  caller: Caller,
  flight?: Flight,
) => Promise<Answer<M>>;

/** One handler a method: a missing one does not compile. */
export type Handlers = { readonly [M in SessionMethod]: Handler<M> };

export interface Identity {
  readonly device: { readonly id: string; readonly name: string };
  readonly user: UserInfo;
}

/** What the transport asks while a connection opens. */
export interface Gate {
  readonly server: { readonly id: string; readonly key: string };
  readonly organisation: { readonly name: string };
  readonly leaseSeconds: number;
  /** `host:port` of the admin path when it has an address of its own. */
  readonly adminAddress: string | null;
  readonly handlers: Handlers;
  /** Wall clock, ms since 1970. */
  nowMs(): number;
  /** Monotonic clock, ms. */
  monoMs(): number;
  /** Random bytes in base64url. */
  randomText(bytes: number): string;
  /** Signs with the server's Ed25519 key: 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** The device and its user for a public key (`ed25519:…`) on this path; `null` when not enrolled there. */
  identify(deviceKey: string, path: PathName): Identity | null;
  /** What a device that opens a session has seen of our journal (I9, I10). */
  witnessed(witness: NonNullable<ParamsOf<'session.open'>['witness']>, device: string): void;
  /** True while clients are asked to show the leases they have (I9). */
  readonly readmits: boolean;
  /** The role the user has now; `null` once removed. */
  roleOf(email: string): Role | null;
  /** Called after the transport has verified the proofs of possession of both keys. */
  enrol(params: ParamsOf<'device.enrol'>, address: string): Promise<Answer<'device.enrol'>>;
}

/** What the rest of the server may ask of the transport. */
export interface Sessions {
  /** Sends a push to every session that has the lease bound. Sessions on other sockets do not see it. */
  pushToLease<P extends Push>(lease: string, push: P, params: PushParams<P>): void;
  /** True while an open session has the lease bound: a push will be sent. */
  isBound(lease: string): boolean;
  /** Forgets a lease everywhere: it ended. */
  unbindLease(lease: string): void;
  /** Closes every session of a device that was removed, each once what it asked was answered. */
  closeDevice(deviceId: string): void;
  /** Open sessions, for metrics. */
  readonly count: number;
}
