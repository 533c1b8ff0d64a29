import { randomBytes } from 'node:crypto';
import {
  type EntitlementClaims,
  formatDay,
  lastDay,
  type ParseResult,
  parsePublicKey,
  parseToken,
} from '@berth/protocol';
import { verifyStrictly } from './ed25519.js';

/** An entitlement taken apart. `valid`: signed by the vendor key that it names itself, which proves nothing until that key is pinned. */
export type ReadEntitlement =
  | { ok: true; claims: EntitlementClaims; signature: 'valid' | 'invalid' }
  | Extract<ParseResult<'entitlement'>, { ok: false }>;

export function readEntitlement(token: string): ReadEntitlement {
  const parsed = parseToken('entitlement', token);
  if (!parsed.ok) return parsed;
  const { claims, signed, signature } = parsed.token;
  const vendorKey = parsePublicKey(claims.iss);
  const valid = vendorKey !== null && verifyStrictly(vendorKey, signed, signature);
  return { ok: true, claims, signature: valid ? 'valid' : 'invalid' };
}

/** What an entitlement is worth at a moment. Days are UTC days; `until` is the last one. */
export interface Validity {
  readonly state: 'future' | 'active' | 'expired';
  readonly from: string;
  readonly until: string;
  /** Whole or begun days left, 0 when expired. */
  readonly daysLeft: number;
}

export function validityAt(claims: EntitlementClaims, nowMs: number): Validity {
  const [fromMs, endMs] = [claims.nbf * 1000, claims.exp * 1000];
  return {
    state: nowMs < fromMs ? 'future' : nowMs < endMs ? 'active' : 'expired',
    from: formatDay(fromMs),
    until: lastDay(endMs),
    daysLeft: Math.max(0, Math.ceil((endMs - nowMs) / 86_400_000)),
  };
}

/** Without letters and digits that look alike (Crockford's base 32): people read these ids to each other. */
const idAlphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** 80 random bits: `ent-` and 16 characters. */
export function newEntitlementId(): string {
  let digits = '';
  for (const byte of randomBytes(16)) digits += idAlphabet[byte & 31]!;
  return `ent-${digits}`;
}
