import { limits } from './limits.js';
import Type, { type Static } from './typebox.js';

// The shapes that several messages and tokens share. A schema value first, its type inferred (STYLE 4).

export const Id = Type.String({ minLength: 1, maxLength: 80, pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]*$' });
export const ProductId = Type.String({ minLength: 1, maxLength: 80, pattern: '^[a-z0-9][a-z0-9._-]*$' });
/** A public key (keys.ts). The last character leaves its two unused bits zero: a key is compared as text, so it has one spelling. */
export const KeyText = Type.String({ pattern: '^ed25519:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$' });
export const Nonce = Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' });
export const SignatureText = Type.String({ pattern: '^[A-Za-z0-9_-]{86}$' });
export const Hash = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
/** Chosen at random by the client for each new changing request, sent again with a retry (I7). */
export const IdempotencyKey = Type.String({ pattern: '^[A-Za-z0-9_-]{16,64}$' });
export const TokenText = Type.String({
  minLength: 1,
  maxLength: limits.tokenChars,
  pattern: '^[A-Za-z0-9_.-]+$',
});
/** As typed by a person; the server makes it canonical (email.ts) and answers EMAIL_INVALID itself. */
export const EmailText = Type.String({ minLength: 1, maxLength: 400 });
export const NameText = Type.String({ maxLength: limits.nameChars });
export const DayText = Type.String({ maxLength: 40 });
/** The number of a subscription as the vendor gave it, or the id of an entitlement. */
export const SubscriptionText = Type.String({ minLength: 1, maxLength: 400 });
export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const WallMs = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Seconds since 1970, or a span. At most the end of the year 9999: no date function fails on it, and a thousand times it is exact. */
export const Seconds = Type.Integer({ minimum: 0, maximum: 253_402_300_800 });
export const Cursor = Type.String({ maxLength: 600 });
export const PageSize = Type.Integer({ minimum: 1, maximum: limits.pageRows });

export const Role = Type.Enum(['owner', 'admin', 'viewer', 'user']);
export type Role = Static<typeof Role>;

export const Share = Type.Enum(['process', 'device', 'user']);
export type Share = Static<typeof Share>;

export const EarlyReturn = Type.Enum(['at-once', 'at-expiry']);
export const LeaseKind = Type.Enum(['online', 'borrow']);
export type LeaseKind = Static<typeof LeaseKind>;

/** The highest journal position a client has seen in a lease: it shows forks and rolled-back folders (I9, I10). */
export const Witness = Type.Object({ epoch: Type.String({ maxLength: 40 }), seq: Count, head: Hash });
export type Witness = Static<typeof Witness>;

const Text = Type.String({ maxLength: 400 });

/** What an entitlement shows to people. Never used for a decision. */
export const Display = Type.Object({
  number: Type.Optional(Text),
  licenseKey: Type.Optional(Text),
  addOns: Type.Optional(Type.Array(Text, { maxItems: 20 })),
  orderedFrom: Type.Optional(Text),
  currency: Type.Optional(Text),
  paymentMethod: Type.Optional(Text),
  download: Type.Optional(Text),
  buy: Type.Optional(Text),
  renew: Type.Optional(Text),
  upgrade: Type.Optional(Text),
  nfr: Type.Optional(Type.Boolean()),
});
export type Display = Static<typeof Display>;

export const BorrowLimits = Type.Object({
  maxSeconds: Type.Integer({ minimum: 1, maximum: limits.borrowSeconds }),
  seats: Type.Integer({ minimum: 1, maximum: limits.seatsPerEntitlement }),
});

/** Claims of an entitlement (PROTOCOL 4.3). `nbf` and `exp` are seconds since 1970, `exp` exclusive. */
export const EntitlementClaims = Type.Object({
  jti: Id,
  rev: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  replaces: Type.Optional(Id),
  iss: KeyText,
  sub: KeyText,
  product: ProductId,
  seats: Type.Integer({ minimum: 1, maximum: limits.seatsPerEntitlement }),
  nbf: Seconds,
  exp: Seconds,
  share: Share,
  borrow: Type.Optional(BorrowLimits),
  earlyReturn: EarlyReturn,
  holder: Type.Optional(EmailText),
  credits: Type.Optional(Count),
  display: Display,
});
export type EntitlementClaims = Static<typeof EntitlementClaims>;

/** Claims of an endorsement (PROTOCOL 4.8): a vendor key says that another one may grant its products from now on. */
export const EndorsementClaims = Type.Object({
  iss: KeyText,
  sub: KeyText,
  /** Left out: every product of the vendor. */
  products: Type.Optional(Type.Array(ProductId, { minItems: 1, maxItems: limits.endorsedProducts })),
  iat: Seconds,
});
export type EndorsementClaims = Static<typeof EndorsementClaims>;

/** Claims of a lease or a borrow (PROTOCOL 4.4). `iat` and `exp` in seconds since 1970, `dur` in seconds. */
export const LeaseClaims = Type.Object({
  jti: Id,
  ent: Id,
  product: ProductId,
  seat: Id,
  n: Type.Integer({ minimum: 1, maximum: limits.seatsPerEntitlement }),
  kind: LeaseKind,
  dev: KeyText,
  nonce: Nonce,
  iat: Seconds,
  exp: Seconds,
  dur: Seconds,
  epoch: Type.String({ maxLength: 40 }),
  seq: Count,
  head: Hash,
});
export type LeaseClaims = Static<typeof LeaseClaims>;

/** Claims of a stop: a device's signed word that it no longer uses a lease (PROTOCOL 4.5). */
export const StopClaims = Type.Object({ jti: Id, dev: KeyText, iat: Seconds });
export type StopClaims = Static<typeof StopClaims>;

/** Claims of a borrow request in a file (PROTOCOL 4.9): what a machine that no network reaches asks for. */
export const BorrowRequestClaims = Type.Object({
  nonce: Nonce,
  dev: KeyText,
  name: NameText,
  product: ProductId,
  seats: Type.Integer({ minimum: 1, maximum: limits.seatsPerCheckout }),
  seconds: Type.Integer({ minimum: 1, maximum: limits.borrowSeconds }),
  iat: Seconds,
  server: Type.Optional(KeyText),
});
export type BorrowRequestClaims = Static<typeof BorrowRequestClaims>;

/** Claims of a signed checkpoint of the journal (PROTOCOL 4.6). */
export const CheckpointClaims = Type.Object({
  epoch: Type.String({ maxLength: 40 }),
  seq: Count,
  head: Hash,
  iat: Seconds,
});
export type CheckpointClaims = Static<typeof CheckpointClaims>;

/** Claims of the answer to `GET /ca?nonce=…` (PROTOCOL 2.2). `sha256` is over the PEM text. */
export const AuthorityClaims = Type.Object({ nonce: Nonce, sha256: Hash, iat: Seconds });
export type AuthorityClaims = Static<typeof AuthorityClaims>;
