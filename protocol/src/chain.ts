import { strictly } from './ed25519-strict.js';
import { isEndorsed } from './endorsement.js';
import { formatPublicKey, parsePublicKey } from './keys.js';
import type { EntitlementClaims, LeaseClaims } from './schemas.js';
import { type ParsedToken, parseToken, type TokenFault, type Verify } from './tokens.js';
import { borrowFreeAtMs, onlineWindowMs } from './windows.js';

/** Why a chain of tokens was refused. Every verdict has its own word: the vectors expect them literally. */
export type ChainFault =
  | `ENTITLEMENT_${TokenFault}`
  | `LEASE_${TokenFault}`
  | 'VENDOR_UNKNOWN'
  | 'ENTITLEMENT_SIGNATURE'
  | 'ENTITLEMENT_DATES'
  | 'LEASE_SIGNATURE'
  | 'LEASE_OTHER_ENTITLEMENT'
  | 'LEASE_OTHER_DEVICE'
  | 'LEASE_OTHER_NONCE'
  | 'LEASE_TOO_MANY_SEATS'
  | 'LEASE_OUTSIDE_ENTITLEMENT'
  | 'BORROW_NOT_ALLOWED'
  | 'BORROW_TOO_LONG'
  | 'LEASE_DURATION'
  | 'EXPIRED';

export type EntitlementResult = { ok: true; claims: EntitlementClaims } | { ok: false; fault: ChainFault };

/**
 * First link: the vendor's signature on the entitlement.
 * @param vendorKeys the keys the plugin pins, 32 bytes each; `null` accepts the key the entitlement names itself, which
 *   proves nothing about the vendor and is only for a server that has yet to decide whether to trust it.
 * @param endorsements how a pinned key endorsed the one that signed this, where the vendor has changed its key (PROTOCOL 4.8).
 */
export function verifyEntitlement(
  text: string,
  vendorKeys: readonly Uint8Array[] | null,
  verify: Verify,
  endorsements: readonly string[] = [],
): EntitlementResult {
  const parsed = parseToken('entitlement', text);
  if (!parsed.ok) return { ok: false, fault: `ENTITLEMENT_${parsed.fault}` };
  const { claims, signed, signature } = parsed.token;
  const issuer = parsePublicKey(claims.iss);
  if (issuer === null) return { ok: false, fault: 'ENTITLEMENT_CLAIMS_INVALID' };
  if (vendorKeys !== null && !vendorKeys.some((key) => sameBytes(key, issuer))) {
    const pinned = new Set(vendorKeys.map(formatPublicKey));
    if (!isEndorsed(claims.iss, claims.product, pinned, endorsements, verify))
      return { ok: false, fault: 'VENDOR_UNKNOWN' };
  }
  if (!strictly(verify)(issuer, signed, signature)) return { ok: false, fault: 'ENTITLEMENT_SIGNATURE' };
  if (claims.nbf >= claims.exp) return { ok: false, fault: 'ENTITLEMENT_DATES' };
  return { ok: true, claims };
}

export interface ChainInput {
  readonly lease: string;
  readonly entitlement: string;
  readonly vendorKeys: readonly Uint8Array[];
  /** As they came with the entitlement. */
  readonly endorsements?: readonly string[] | undefined;
  /** The device the lease must name, as key text. Left out: any device. */
  readonly device?: string;
  /** The nonce of the request the lease answers. Left out: any nonce (a stored borrow). */
  readonly nonce?: string;
  /** Wall clock in ms since 1970. Given: an expired lease is refused. Left out: only the form of the chain is judged. */
  readonly nowMs?: number;
}

export type ChainResult =
  | { ok: true; lease: LeaseClaims; entitlement: EntitlementClaims }
  | { ok: false; fault: ChainFault };

/** The whole chain, vendor -> entitlement -> lease, with every check of PROTOCOL 5. Needs no network. */
export function verifyChain(input: ChainInput, verify: Verify): ChainResult {
  const first = verifyEntitlement(input.entitlement, input.vendorKeys, verify, input.endorsements);
  if (!first.ok) return first;
  const parsed = parseToken('lease', input.lease);
  if (!parsed.ok) return { ok: false, fault: `LEASE_${parsed.fault}` };
  return verifyLease(first.claims, parsed.token, input, verify);
}

/**
 * The second link alone: the server's signature on a lease, and that it fits inside its entitlement.
 * @param entitlement what `verifyEntitlement` accepted. It knows no clock, so whoever keeps its verdict need not ask for it at each renewal.
 */
export function verifyLease(
  entitlement: EntitlementClaims,
  { claims: lease, signed, signature }: ParsedToken<'lease'>,
  expected: Pick<ChainInput, 'device' | 'nonce' | 'nowMs'>,
  verify: Verify,
): ChainResult {
  const server = parsePublicKey(entitlement.sub);
  if (server === null || !strictly(verify)(server, signed, signature))
    return { ok: false, fault: 'LEASE_SIGNATURE' };
  const fault = misfit(lease, entitlement) ?? unexpected(lease, expected);
  return fault === null ? { ok: true, lease, entitlement } : { ok: false, fault };
}

/** What does not fit between the lease and its entitlement, hold included (DESIGN 4). */
function misfit(lease: LeaseClaims, entitlement: EntitlementClaims): ChainFault | null {
  if (lease.ent !== entitlement.jti || lease.product !== entitlement.product)
    return 'LEASE_OTHER_ENTITLEMENT';
  if (lease.n > entitlement.seats) return 'LEASE_TOO_MANY_SEATS';
  if (lease.dur < 1 || lease.exp - lease.iat !== lease.dur) return 'LEASE_DURATION';
  if (lease.iat < entitlement.nbf || freeAtMs(lease) > entitlement.exp * 1000)
    return 'LEASE_OUTSIDE_ENTITLEMENT';
  if (lease.kind === 'online') return null;
  if (entitlement.borrow === undefined || lease.n > entitlement.borrow.seats) return 'BORROW_NOT_ALLOWED';
  return lease.dur > entitlement.borrow.maxSeconds ? 'BORROW_TOO_LONG' : null;
}

function unexpected(
  lease: LeaseClaims,
  { device, nonce, nowMs }: Pick<ChainInput, 'device' | 'nonce' | 'nowMs'>,
): ChainFault | null {
  if (device !== undefined && lease.dev !== device) return 'LEASE_OTHER_DEVICE';
  if (nonce !== undefined && lease.nonce !== nonce) return 'LEASE_OTHER_NONCE';
  return nowMs !== undefined && nowMs >= lease.exp * 1000 ? 'EXPIRED' : null;
}

/** The wall-clock moment at which the seat of a lease may be granted again, if it is neither renewed nor given back. */
export function freeAtMs(lease: LeaseClaims): number {
  return lease.kind === 'borrow'
    ? borrowFreeAtMs(lease.iat * 1000, lease.exp * 1000)
    : lease.iat * 1000 + onlineWindowMs(lease.dur * 1000);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
