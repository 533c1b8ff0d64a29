import { createPublicKey, verify } from 'node:crypto';

// Reads the signed texts by PROTOCOL 4, written down here a second time.

export interface LeaseClaims {
  readonly jti: string;
  readonly ent: string;
  readonly product: string;
  readonly seat: string;
  readonly n: number;
  readonly kind: 'online' | 'borrow';
  readonly dev: string;
  readonly nonce: string;
  readonly iat: number;
  readonly exp: number;
  readonly dur: number;
  readonly epoch: string;
  readonly seq: number;
  readonly head: string;
}

export interface EntitlementClaims {
  readonly jti: string;
  readonly rev: number;
  readonly replaces?: string;
  readonly iss: string;
  readonly sub: string;
  readonly product: string;
  readonly seats: number;
  readonly nbf: number;
  readonly exp: number;
  readonly share: string;
  readonly borrow?: { readonly maxSeconds: number; readonly seats: number };
}

/** A vendor key's word for another one; of these products, or of all. */
export interface EndorsementClaims {
  readonly iss: string;
  readonly sub: string;
  readonly products?: readonly string[];
  readonly iat: number;
}

/** A device's word that it no longer uses a lease. */
export interface StopClaims {
  readonly jti: string;
  readonly dev: string;
  readonly iat: number;
}

/** The server's word for how far its journal was. */
export interface CheckpointClaims {
  readonly epoch: string;
  readonly seq: number;
  readonly head: string;
  readonly iat: number;
}

interface Kinds {
  checkpoint: CheckpointClaims;
  endorsement: EndorsementClaims;
  stop: StopClaims;
  lease: LeaseClaims;
  entitlement: EntitlementClaims;
}

export interface Token<C> {
  readonly text: string;
  readonly claims: C;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

const headers: Readonly<Record<keyof Kinds, string>> = {
  checkpoint: '{"alg":"Ed25519","typ":"berth-checkpoint+jwt"}',
  endorsement: '{"alg":"Ed25519","typ":"berth-endorsement+jwt"}',
  stop: '{"alg":"Ed25519","typ":"berth-stop+jwt"}',
  lease: '{"alg":"Ed25519","typ":"berth-lease+jwt"}',
  entitlement: '{"alg":"Ed25519","typ":"berth-entitlement+jwt"}',
};

const shapes: { readonly [K in keyof Kinds]: Readonly<Record<string, 'string' | 'number'>> } = {
  checkpoint: { epoch: 'string', seq: 'number', head: 'string', iat: 'number' },
  endorsement: { iss: 'string', sub: 'string', iat: 'number' },
  stop: { jti: 'string', dev: 'string', iat: 'number' },
  lease: {
    jti: 'string',
    ent: 'string',
    product: 'string',
    seat: 'string',
    n: 'number',
    kind: 'string',
    dev: 'string',
    nonce: 'string',
    iat: 'number',
    exp: 'number',
    dur: 'number',
    epoch: 'string',
    seq: 'number',
    head: 'string',
  },
  entitlement: {
    jti: 'string',
    rev: 'number',
    iss: 'string',
    sub: 'string',
    product: 'string',
    seats: 'number',
    nbf: 'number',
    exp: 'number',
    share: 'string',
  },
};

/** The token, or in a word why it is none. The signature is not looked at yet. */
export function readToken<K extends keyof Kinds>(kind: K, text: string): Token<Kinds[K]> | string {
  const parts = text.split('.');
  const [header, payload, signature] = parts.map(fromBase64Url);
  if (parts.length !== 3 || !header || !payload || !signature) return 'is not three parts of base64url';
  if (header.toString('latin1') !== headers[kind]) return `has not the header of a ${kind}`;
  if (signature.length !== 64) return 'has a signature of the wrong length';
  const claims = parseCompact(payload.toString('utf8'));
  if (claims === null) return 'has a payload that is not compact JSON';
  for (const [name, type] of Object.entries(shapes[kind])) {
    if (typeof claims[name] !== type) return `has no ${type} "${name}"`;
    if (type === 'number' && !Number.isSafeInteger(claims[name])) return `"${name}" is no integer`;
  }
  const signed = Buffer.from(text.slice(0, text.lastIndexOf('.')), 'latin1');
  return { text, claims: claims as unknown as Kinds[K], signed, signature };
}

export function isSignedBy(token: Token<unknown>, key: string): boolean {
  const raw = key.startsWith('ed25519:') ? fromBase64Url(key.slice('ed25519:'.length)) : null;
  if (raw?.length !== 32) return false;
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return verify(null, token.signed, publicKey, token.signature);
}

/** Null unless this is the one spelling of its bytes. */
function fromBase64Url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === text ? bytes : null;
}

function parseCompact(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && JSON.stringify(value) === json ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
