import { decodeBase64Url, decodeUtf8, encodeBase64Url, encodeUtf8 } from './bytes.js';
import { limits } from './limits.js';
import {
  AuthorityClaims,
  BorrowRequestClaims,
  CheckpointClaims,
  EndorsementClaims,
  EntitlementClaims,
  LeaseClaims,
  StopClaims,
} from './schemas.js';
import { parseStrictJson } from './strict-json.js';
import type { Static, TSchema } from './typebox.js';
import { Compile, type Validator } from './typebox.js';

/**
 * The token types (PROTOCOL 4). Each is a JWS in compact form whose protected header is ONE fixed byte string, compared
 * literally: there is no algorithm to negotiate and no parameter to confuse. `berth-batch+jwt` is reserved (DESIGN 4).
 */
export const tokenTypes = {
  entitlement: { header: '{"alg":"Ed25519","typ":"berth-entitlement+jwt"}', claims: EntitlementClaims },
  lease: { header: '{"alg":"Ed25519","typ":"berth-lease+jwt"}', claims: LeaseClaims },
  stop: { header: '{"alg":"Ed25519","typ":"berth-stop+jwt"}', claims: StopClaims },
  checkpoint: { header: '{"alg":"Ed25519","typ":"berth-checkpoint+jwt"}', claims: CheckpointClaims },
  authority: { header: '{"alg":"Ed25519","typ":"berth-ca+jwt"}', claims: AuthorityClaims },
  endorsement: { header: '{"alg":"Ed25519","typ":"berth-endorsement+jwt"}', claims: EndorsementClaims },
  borrowRequest: {
    header: '{"alg":"Ed25519","typ":"berth-borrow-request+jwt"}',
    claims: BorrowRequestClaims,
  },
} as const satisfies Record<string, { header: string; claims: TSchema }>;

export type TokenType = keyof typeof tokenTypes;
export type ClaimsOf<T extends TokenType> = Static<(typeof tokenTypes)[T]['claims']>;

/** Signs with the key the caller has in mind: 64 bytes of Ed25519 over the message. */
export type Sign = (message: Uint8Array) => Uint8Array;
/** Verifies Ed25519 (RFC 8032, the equation without the cofactor). Call it through `strictly`. @param publicKey 32 bytes. */
export type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** A token taken apart and checked in form. The signature is NOT verified yet. */
export interface ParsedToken<T extends TokenType> {
  readonly claims: ClaimsOf<T>;
  /** What the signature is over: the token up to its second dot, in ASCII. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

export type TokenFault = 'TOO_LONG' | 'MALFORMED' | 'WRONG_TYPE' | 'NOT_COMPACT_JSON' | 'CLAIMS_INVALID';
export type ParseResult<T extends TokenType> =
  | { ok: true; token: ParsedToken<T> }
  | { ok: false; fault: TokenFault };

const headers = new Map<TokenType, string>();
const validators = new Map<TokenType, Validator>();
for (const type of Object.keys(tokenTypes) as TokenType[]) {
  headers.set(type, encodeBase64Url(encodeUtf8(tokenTypes[type].header)));
}

/** Compiled at first use: a plugin that only reads leases does not pay for the rest. */
function validatorOf(type: TokenType): Validator {
  let validator = validators.get(type);
  if (validator === undefined) {
    validator = Compile(tokenTypes[type].claims);
    validators.set(type, validator);
  }
  return validator;
}

/**
 * What the signature of a token is over: its header and its payload. The claims are written in the order in which the object has them.
 * @param encode text to base64url of its UTF-8; a host may have a faster one of its own
 */
export function tokenText<T extends TokenType>(type: T, claims: ClaimsOf<T>, encode = encodeText): string {
  return `${headers.get(type)!}.${encode(JSON.stringify(claims))}`;
}

/** Makes a token. The same claims and key always give the same bytes: Ed25519 is deterministic. */
export function signToken<T extends TokenType>(type: T, claims: ClaimsOf<T>, sign: Sign): string {
  const signed = tokenText(type, claims);
  return `${signed}.${encodeBase64Url(sign(encodeUtf8(signed)))}`;
}

function encodeText(text: string): string {
  return encodeBase64Url(encodeUtf8(text));
}

/**
 * Takes a token apart, strictly (PROTOCOL 4.1): at most 4 KiB, canonical base64url, the literal header, a payload in the
 * one spelling of its value, claims of the right shape.
 */
export function parseToken<T extends TokenType>(type: T, text: string): ParseResult<T> {
  if (text.length > limits.tokenChars) return { ok: false, fault: 'TOO_LONG' };
  const [header, payload, tail, ...rest] = text.split('.');
  if (header === undefined || payload === undefined || tail === undefined || rest.length > 0) {
    return { ok: false, fault: 'MALFORMED' };
  }
  if (header !== headers.get(type)) return { ok: false, fault: 'WRONG_TYPE' };
  const signature = decodeBase64Url(tail);
  const bytes = decodeBase64Url(payload);
  const json = bytes === null ? null : decodeUtf8(bytes);
  if (json === null || signature?.length !== 64) return { ok: false, fault: 'MALFORMED' };
  const claims = parseStrictJson(json);
  if (claims === undefined) return { ok: false, fault: 'NOT_COMPACT_JSON' };
  if (!isClaims(type, claims)) return { ok: false, fault: 'CLAIMS_INVALID' };
  return { ok: true, token: { claims, signed: encodeUtf8(`${header}.${payload}`), signature } };
}

function isClaims<T extends TokenType>(type: T, value: unknown): value is ClaimsOf<T> {
  return validatorOf(type).Check(value);
}
