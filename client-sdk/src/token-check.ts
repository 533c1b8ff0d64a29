import {
  type ChainResult,
  type EntitlementClaims,
  formatPublicKey,
  type LeaseClaims,
  type LeaseKind,
  limits,
  type ParsedToken,
  parsePublicKey,
  parseToken,
  strictly,
  type Verify,
  verifyChain,
  verifyEntitlement,
  verifyLease,
} from '@berth/protocol';
import type { TokenPair, VendorKeys } from './api.js';
import { BerthError } from './errors.js';
import type { Host } from './host.js';

/** What a lease token must be to count. */
export interface Expected {
  /** It is of one of these. */
  readonly products: readonly string[];
  readonly kind: LeaseKind;
  /** Of the request it answers; left out for a stored borrow. */
  readonly nonce?: string | undefined;
}

export interface CheckedLease {
  readonly pair: TokenPair;
  readonly claims: LeaseClaims;
  readonly entitlement: EntitlementClaims;
}

/** What an answer brings besides leases. */
export interface ChainTokens {
  readonly entitlements: readonly string[];
  readonly endorsements?: readonly string[] | undefined;
}

/** Why a token does not count: a fault of the chain, or that it is not what was asked for. */
export type TokenVerdict = { ok: true; lease: CheckedLease } | { ok: false; fault: string };

/**
 * Verifies every lease before it counts: vendor -> entitlement -> lease, this device, this request (DESIGN 4). Keeps the
 * entitlements it was shown, since a renewal does not repeat them.
 */
export class TokenCheck {
  readonly deviceKey: string;
  readonly #vendorKeys: readonly Uint8Array[] | null;
  readonly #verify: Verify;
  readonly #entitlements = new Map<string, string>();
  readonly #endorsements = new Set<string>();
  /** Texts whose first link has been verified: a heartbeat brings none of them anew, and a signature costs a plugin 14 ms (DESIGN 4). */
  readonly #verified = new Map<string, EntitlementClaims>();
  /** The same of stored pairs: a borrow on disk is looked at every minute while it is used. */
  readonly #judged = new Map<string, ChainResult>();
  readonly #onLease: (lease: CheckedLease) => void;

  /** @param onLease told every lease that verified. @throws BerthError KEY_INVALID when a vendor key is none */
  constructor(
    host: Host,
    deviceKey: Uint8Array,
    vendorKeys: VendorKeys,
    onLease: (lease: CheckedLease) => void = () => {},
  ) {
    this.deviceKey = formatPublicKey(deviceKey);
    this.#vendorKeys = vendorKeys === 'unpinned' ? null : vendorKeys.map(vendorKey);
    this.#verify = strictly(host.verify);
    this.#onLease = onLease;
  }

  /** Entitlements and endorsements as they came. They count only where a lease leads back to them. */
  learn({ entitlements, endorsements = [] }: ChainTokens): void {
    for (const text of endorsements) this.#endorsements.add(text);
    while (this.#endorsements.size > limits.endorsementsRead) {
      const [oldest] = this.#endorsements;
      this.#endorsements.delete(oldest!);
    }
    for (const text of entitlements) {
      const known = this.#verified.get(text);
      const parsed = known === undefined ? parseToken('entitlement', text) : null;
      if (known !== undefined) this.#entitlements.set(known.jti, text);
      else if (parsed?.ok) this.#entitlements.set(parsed.token.claims.jti, text);
    }
  }

  /** @throws BerthError TOKEN_INVALID with `detail.fault` */
  require(lease: string, expected: Expected): CheckedLease {
    const verdict = this.judge(lease, expected);
    if (verdict.ok) return verdict.lease;
    throw tokenInvalid(verdict.fault);
  }

  judge(lease: string, expected: Expected): TokenVerdict {
    const parsed = parseToken('lease', lease);
    if (!parsed.ok) return { ok: false, fault: `LEASE_${parsed.fault}` };
    const entitlement = this.#entitlements.get(parsed.token.claims.ent);
    if (entitlement === undefined) return { ok: false, fault: 'ENTITLEMENT_MISSING' };
    const pair = this.#pairOf(lease, entitlement);
    const result = this.#judgeParsed(pair, parsed.token, expected.nonce);
    if (!result.ok) return result;
    if (!expected.products.includes(result.lease.product)) return { ok: false, fault: 'LEASE_OTHER_PRODUCT' };
    if (result.lease.kind !== expected.kind) return { ok: false, fault: 'LEASE_OTHER_KIND' };
    const checked: CheckedLease = {
      pair,
      claims: result.lease,
      entitlement: result.entitlement,
    };
    this.#onLease(checked);
    return { ok: true, lease: checked };
  }

  #judgeParsed(pair: TokenPair, lease: ParsedToken<'lease'>, nonce: string | undefined): ChainResult {
    const first = this.#firstLink(pair);
    if ('fault' in first) return first;
    const named = nonce === undefined ? {} : { nonce };
    return verifyLease(first, lease, { device: this.deviceKey, ...named }, this.#verify);
  }

  /** An entitlement that verified once does so for ever: neither a clock nor a key that the plugin forgets is part of it. */
  #firstLink({ entitlement, endorsements }: TokenPair): EntitlementClaims | (ChainResult & { ok: false }) {
    const known = this.#verified.get(entitlement);
    if (known !== undefined) return known;
    const vendorKeys = this.#vendorKeys ?? namedVendor(entitlement);
    const result = verifyEntitlement(entitlement, vendorKeys, this.#verify, endorsements);
    if (!result.ok) return result;
    if (this.#verified.size >= limits.leasesPerSession) this.#verified.clear();
    this.#verified.set(entitlement, result.claims);
    return result.claims;
  }

  #pairOf(lease: string, entitlement: string): TokenPair {
    if (this.#endorsements.size === 0) return { lease, entitlement };
    return { lease, entitlement, endorsements: [...this.#endorsements] };
  }

  /** The chain alone, for this device. Expiry is for the caller: I2 and I3 say on which clock. */
  judgePair(pair: TokenPair): ChainResult {
    // No token has a blank in it.
    const text = [pair.lease, pair.entitlement, ...(pair.endorsements ?? [])].join(' ');
    const known = this.#judged.get(text);
    if (known !== undefined) return known;
    const vendorKeys = this.#vendorKeys ?? namedVendor(pair.entitlement);
    const result = verifyChain({ ...pair, vendorKeys, device: this.deviceKey }, this.#verify);
    if (this.#judged.size >= limits.leasesPerSession) this.#judged.clear();
    if (result.ok) this.#judged.set(text, result);
    return result;
  }
}

export function tokenInvalid(fault: string): BerthError {
  return new BerthError('TOKEN_INVALID', {
    message: `The licence token does not verify (${fault}).`,
    detail: { fault },
  });
}

/** 'unpinned': whoever the entitlement says issued it. A malformed one gives none, and the chain says why it is refused. */
function namedVendor(entitlement: string): Uint8Array[] {
  const parsed = parseToken('entitlement', entitlement);
  const key = parsed.ok ? parsePublicKey(parsed.token.claims.iss) : null;
  return key === null ? [] : [key];
}

function vendorKey(text: string): Uint8Array {
  const key = parsePublicKey(text);
  if (key !== null) return key;
  throw new BerthError('KEY_INVALID', { message: 'A vendor key is not of the form ed25519:….' });
}
