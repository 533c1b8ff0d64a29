import {
  type EntitlementClaims,
  encodeBase64Url,
  formatPublicKey,
  type LeaseClaims,
  signToken,
} from '@berth/protocol';
import type { SigningKey } from '../host.js';
import { portableEd25519 } from '../portable/ed25519.js';
import { bytesOf } from './fake-bytes.js';

/** What the pretended vendor sold of a product. Each checkout takes seats of its own (`share: process`). */
export interface FakeProduct {
  readonly seats: number;
  /** Longest borrow, seconds. Default 30 days; 0 forbids borrowing. */
  readonly borrowSeconds?: number | undefined;
}

export const throwawayKey = (name: string): SigningKey => portableEd25519.signingKey(bytesOf(name, 32));

const vendor = throwawayKey('the fake vendor');
const server = throwawayKey('the fake server');

export const fakeKeys = {
  server,
  vendorText: formatPublicKey(vendor.publicKey),
  serverText: formatPublicKey(server.publicKey),
};

const DAY_SECONDS = 86_400;

/** From the day before the clock begins, for a year. */
export function entitlementToken(
  product: string,
  { seats, borrowSeconds }: FakeProduct,
  startMs: number,
): string {
  const nowSeconds = Math.floor(startMs / 1000);
  const maxSeconds = borrowSeconds ?? 30 * DAY_SECONDS;
  const claims: EntitlementClaims = {
    jti: entitlementId(product),
    rev: 1,
    iss: fakeKeys.vendorText,
    sub: fakeKeys.serverText,
    product,
    seats,
    nbf: nowSeconds - DAY_SECONDS,
    exp: nowSeconds + 365 * DAY_SECONDS,
    share: 'process',
    ...(maxSeconds === 0 ? {} : { borrow: { maxSeconds, seats } }),
    earlyReturn: 'at-once',
    display: {},
  };
  return signToken('entitlement', claims, (message) => vendor.sign(message));
}

export function entitlementId(product: string): string {
  return `fake-${product}`;
}

export function leaseToken(
  claims: Pick<LeaseClaims, 'jti' | 'product' | 'seat' | 'n' | 'kind' | 'dev' | 'nonce' | 'iat' | 'dur'>,
): string {
  const { iat, dur } = claims;
  const witness = { epoch: 'fake', seq: 1, head: encodeBase64Url(new Uint8Array(32)) };
  const full: LeaseClaims = { ...claims, ent: entitlementId(claims.product), exp: iat + dur, ...witness };
  return signToken('lease', full, (message) => server.sign(message));
}
