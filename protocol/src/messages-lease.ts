import { limits } from './limits.js';
import { push, request } from './message-row.js';
import { LeaseWarning } from './messages-notice.js';
import { WaitMs, Want, waitPushes, waitRequests } from './messages-wait.js';
import {
  Count,
  Cursor,
  EarlyReturn,
  Id,
  IdempotencyKey,
  KeyText,
  NameText,
  Nonce,
  ProductId,
  Role,
  SignatureText,
  TokenText,
  WallMs,
  Witness,
} from './schemas.js';
import Type, { type Static } from './typebox.js';

export const UserInfo = Type.Object({
  email: Type.String(),
  name: Type.String(),
  role: Role,
  state: Type.Enum(['invited', 'active', 'removed']),
});
export type UserInfo = Static<typeof UserInfo>;

const ServerInfo = Type.Object({ id: Id, key: KeyText });
const Organisation = Type.Object({ name: Type.String() });
const Client = Type.Object({
  name: Type.Optional(NameText),
  version: Type.Optional(Type.String({ maxLength: 40 })),
  pid: Type.Optional(Count),
});

/** Who holds seats: named in denials and lists. `untilMs` is when the seat comes free at the latest if nothing is renewed. */
export const Holder = Type.Object({
  user: Type.String(),
  device: Type.String(),
  seats: Count,
  kind: Type.Enum(['online', 'borrow', 'held']),
  sinceMs: WallMs,
  untilMs: WallMs,
});
export type Holder = Static<typeof Holder>;

/** The seats of one product. `owned = allocated + shared` and `inUse + borrowed + held + free = owned + over`, always. */
export const Pool = Type.Object({
  product: ProductId,
  vendor: KeyText,
  owned: Count,
  allocated: Count,
  shared: Count,
  floatingSharing: Type.Boolean(),
  inUse: Count,
  borrowed: Count,
  held: Count,
  free: Count,
  over: Count,
});
export type Pool = Static<typeof Pool>;

const LeaseIds = Type.Array(Id, { minItems: 1, maxItems: limits.leasesPerSession });

/** How earlier vendor keys endorsed those that signed the entitlements; left out: no vendor has changed its key. */
const Endorsements = Type.Optional(Type.Array(TokenText, { maxItems: limits.endorsementsRead }));

const Grant = {
  /** Lease tokens: several when the seats come from several entitlements. All or nothing. */
  leases: Type.Array(TokenText, { minItems: 1 }),
  /** The entitlements the leases name, each once. */
  entitlements: Type.Array(TokenText, { minItems: 1 }),
  endorsements: Endorsements,
};

/** What became of one lease in a renewal or resume. Without `token`: `code` says why it ended. */
export const Renewal = Type.Object({
  lease: Id,
  token: Type.Optional(TokenText),
  code: Type.Optional(Type.Enum(['LEASE_UNKNOWN', 'LEASE_REVOKED', 'IDLE_RELEASED', 'ENTITLEMENT_EXPIRED'])),
  /** It is renewed now, but will end: as things are at this renewal. Left out: nothing is known of an end. */
  warning: Type.Optional(LeaseWarning),
});
export type Renewal = Static<typeof Renewal>;

const Renewals = Type.Object({
  leases: Type.Array(Renewal),
  /** Entitlements the client may not have yet: of leases that moved. */
  entitlements: Type.Array(TokenText),
  endorsements: Endorsements,
});

/** `host:port` of the admin path, when it is not where the lease path is. */
const AdminAddress = Type.String({ maxLength: 300 });

export const leaseRequests = {
  'device.enrol': request({
    paths: ['lease', 'admin'],
    least: 'none',
    changes: true,
    params: Type.Object({
      token: Type.String({ minLength: 16, maxLength: 200 }),
      leaseKey: KeyText,
      adminKey: Type.Optional(KeyText),
      deviceName: NameText,
      nonce: Nonce,
      leaseSignature: SignatureText,
      adminSignature: Type.Optional(SignatureText),
    }),
    result: Type.Object({
      device: Id,
      user: UserInfo,
      server: ServerInfo,
      organisation: Organisation,
      scopes: Type.Array(Type.Enum(['lease', 'admin'])),
      adminAddress: Type.Optional(AdminAddress),
    }),
    errors: [
      'INVITATION_INVALID',
      'INVITATION_USED',
      'INVITATION_EXPIRED',
      'MACHINE_TOKEN_REVOKED',
      'MACHINE_TOKEN_EXPIRED',
      'MACHINE_TOKEN_USED_UP',
      'SIGNATURE_INVALID',
      'NAME_INVALID',
      'KEY_REUSED',
    ],
    text: 'Enrols the keys of a device with the token of a join link. The keys are what makes a retry harmless: the same keys with the same token get the same result.',
  }),
  'session.open': request({
    paths: ['lease', 'admin'],
    least: 'none',
    changes: false,
    params: Type.Object({
      deviceKey: KeyText,
      nonce: Nonce,
      binding: Type.Enum(['tls-exporter', 'none']),
      signature: SignatureText,
      client: Type.Optional(Client),
      witness: Type.Optional(
        /** `token`: the lease that named it, which proves it. */
        Type.Object({ ...Witness.properties, token: Type.Optional(TokenText) }),
      ),
    }),
    result: Type.Object({
      session: Id,
      signature: SignatureText,
      device: Type.Object({ id: Id, name: Type.String() }),
      user: UserInfo,
      server: ServerInfo,
      organisation: Organisation,
      leaseSeconds: Count,
      nowMs: WallMs,
      adminAddress: Type.Optional(AdminAddress),
      /** The server was restored: show it the leases and borrows you have, by their tokens. */
      readmits: Type.Optional(Type.Literal(true)),
    }),
    errors: ['SESSION_OPEN', 'DEVICE_UNKNOWN', 'SIGNATURE_INVALID', 'BINDING_REQUIRED', 'NOT_ALLOWED'],
    text: 'Opens the session: both sides sign the same transcript.',
  }),
  'session.resume': request({
    paths: ['lease'],
    least: 'device',
    changes: false,
    params: Type.Object({
      /** May be empty where there are `tokens`. */
      leases: Type.Array(Id, { maxItems: limits.leasesPerSession }),
      nonce: Nonce,
      /** Of a server that was restored (`readmits`): leases and borrows of this device as it was given them. */
      tokens: Type.Optional(Type.Array(TokenText, { maxItems: limits.tokensPerResume })),
    }),
    result: Renewals,
    errors: ['TOO_MANY_LEASES'],
    text: 'Binds leases of this device to this session and renews them: what a client does after a reconnect. Never takes a second seat.',
  }),
  'lease.checkout': request({
    paths: ['lease'],
    least: 'device',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      /** All of them or none (a bundle). */
      wants: Type.Array(Want, { minItems: 1, maxItems: limits.wantsPerCheckout }),
      nonce: Nonce,
      /** How long to wait in line when there is no seat. */
      waitMs: Type.Optional(WaitMs),
    }),
    result: Type.Object({ ...Grant, joined: Type.Boolean() }),
    errors: [
      'NO_PRODUCT',
      'NO_SEAT',
      'REVOKE_PENDING',
      'TOO_MANY_LEASES',
      'KEY_REUSED',
      'CLOCK_BEHIND',
      'DISK_LOW',
      'DRAINING',
    ],
    text: 'Takes seats of one product or of several, all or nothing, or joins seats that the share rule lets this device or user share. May wait for them.',
  }),
  ...waitRequests,
  'lease.renew': request({
    paths: ['lease'],
    least: 'device',
    changes: false,
    params: Type.Object({
      nonce: Nonce,
      /** Leases whose plugin nobody is using at the moment, and since how many seconds; one that is not named is in use. */
      idle: Type.Optional(
        Type.Array(Type.Object({ lease: Id, seconds: Count }), { maxItems: limits.leasesPerSession }),
      ),
      /** As in `session.resume`: over HTTP there is none. */
      tokens: Type.Optional(Type.Array(TokenText, { maxItems: limits.tokensPerResume })),
    }),
    result: Renewals,
    errors: [],
    text: 'The heartbeat: renews all leases bound to this session in one frame. Every token in the answer carries the nonce.',
  }),
  'lease.release': request({
    paths: ['lease'],
    least: 'device',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      leases: LeaseIds,
      /** Stops signed by this device: needed for leases that were revoked, ignored for others. */
      stops: Type.Optional(Type.Array(TokenText, { maxItems: limits.stopsPerRelease })),
    }),
    result: Type.Object({ released: Type.Array(Id) }),
    errors: ['LEASE_UNKNOWN', 'STOP_REQUIRED', 'STOP_INVALID', 'KEY_REUSED'],
    text: 'Gives leases back (checkin). A lease that has already ended counts as released; a lease of another device is unknown.',
  }),
  'borrow.take': request({
    paths: ['lease'],
    least: 'device',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      product: ProductId,
      seats: Type.Integer({ minimum: 1, maximum: limits.seatsPerCheckout }),
      seconds: Type.Integer({ minimum: 1, maximum: limits.borrowSeconds }),
      /** The wall clock of the client when it sends this (I3). */
      wallMs: WallMs,
      nonce: Nonce,
    }),
    result: Type.Object({ ...Grant, freeAtMs: WallMs, earlyReturn: EarlyReturn }),
    errors: [
      'NO_PRODUCT',
      'NO_SEAT',
      'BORROW_NOT_ALLOWED',
      'BORROW_TOO_LONG',
      'BORROW_LIMIT',
      'REVOKE_PENDING',
      'CLOCK_SKEW',
      'CLOCK_BEHIND',
      'DISK_LOW',
      'DRAINING',
      'KEY_REUSED',
    ],
    text: 'Borrows seats for offline use. Converts the seat this device holds, extends the one it has borrowed, or takes a free one.',
  }),
  'borrow.return': request({
    paths: ['lease'],
    least: 'device',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      stops: Type.Array(TokenText, { minItems: 1, maxItems: 12 }),
    }),
    result: Type.Object({ returned: Type.Array(Type.Object({ lease: Id, freeAtMs: WallMs })) }),
    errors: ['BORROW_UNKNOWN', 'STOP_INVALID', 'KEY_REUSED'],
    text: 'Returns borrows early, each by a stop its device signed. With `earlyReturn: at-expiry` the seat comes free only when the borrow would have ended.',
  }),
  'pool.status': request({
    paths: ['lease', 'admin'],
    least: 'device',
    changes: false,
    params: Type.Object({ product: Type.Optional(ProductId), cursor: Type.Optional(Cursor) }),
    result: Type.Object({ pools: Type.Array(Pool), next: Type.Union([Cursor, Type.Null()]) }),
    errors: ['PRODUCT_UNKNOWN'],
    text: 'The seats of every product, or of one.',
  }),
} as const;

export const pushes = {
  'session.challenge': push({
    paths: ['lease', 'admin'],
    params: Type.Object({
      versions: Type.Array(Type.String()),
      server: ServerInfo,
      nonce: Nonce,
      nowMs: WallMs,
    }),
    text: 'First frame of every connection: the nonce the client must sign.',
  }),
  'lease.revoked': push({
    paths: ['lease'],
    params: Type.Object({
      lease: Id,
      reason: Type.String(),
      by: Type.String(),
      /** Left out: LEASE_REVOKED. */
      code: Type.Optional(Type.Enum(['LEASE_REVOKED', 'IDLE_RELEASED'])),
    }),
    text: 'A lease was revoked: stop using the seat, then send `lease.release` with a signed stop.',
  }),
  ...waitPushes,
  'lease.warned': push({
    paths: ['lease'],
    params: Type.Object({ lease: Id, warning: Type.Union([LeaseWarning, Type.Null()]) }),
    text: 'A lease will be taken back by an administrator, or (`null`) will not after all.',
  }),
  'server.draining': push({
    paths: ['lease', 'admin'],
    params: Type.Object({ reconnectAfterMs: Count }),
    text: 'The server shuts down; reconnect after about that time. Leases stay valid.',
  }),
  'admin.message': push({
    paths: ['lease'],
    params: Type.Object({
      lease: Id,
      text: Type.String({ maxLength: limits.messageChars }),
      from: Type.String(),
    }),
    text: 'A message from an administrator to the person at the plugin.',
  }),
} as const;
