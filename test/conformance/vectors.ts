import { readFileSync } from 'node:fs';
import type { ChainFault, ErrorCode, TokenFault, TokenType } from '@berth/protocol';

// The vectors of protocol/vectors, typed. They are ours and checked against their generator, so a cast is enough here.

export interface FrameCase {
  readonly name: string;
  /** `/v1/lease` or `/v1/admin`. */
  readonly path: string;
  readonly text?: string;
  /** Text before, text, how often, text after. */
  readonly repeat?: readonly [string, string, number, string];
  /** A binary frame, hex. */
  readonly binary?: string;
  /** The bytes of a text frame that are not UTF-8, hex. */
  readonly invalidUtf8?: string;
  readonly verdict: FrameVerdict;
}

export type FrameVerdict =
  | { readonly request: string; readonly id: number | string }
  | { readonly error: ErrorCode; readonly id: number | string | null; readonly field?: string }
  | { readonly ignored: 'notification' }
  | { readonly close: string; readonly number: number };

export interface TokenCase {
  readonly name: string;
  readonly type: TokenType;
  readonly key: string;
  readonly token: string;
  readonly verdict:
    | { readonly ok: true; readonly claims: unknown }
    | { readonly ok: false; readonly fault: TokenFault | 'SIGNATURE' };
}

export interface ChainCase {
  readonly name: string;
  readonly lease: string;
  readonly entitlement: string;
  readonly vendorKeys: readonly string[];
  readonly endorsements?: readonly string[];
  readonly device?: string;
  readonly nonce?: string;
  readonly nowMs?: number;
  readonly verdict: { readonly ok: true } | { readonly ok: false; readonly fault: ChainFault };
}

export interface TranscriptCase {
  readonly name: string;
  readonly context: string;
  readonly transcript: {
    readonly path: string;
    readonly serverKey: string;
    readonly deviceKey: string;
    readonly serverNonce: string;
    readonly clientNonce: string;
    /** Hex. */
    readonly binding: string;
    readonly token: string;
  };
  readonly bytes: string;
  readonly signer: { readonly seed: string; readonly public: string };
  readonly signature: string;
}

export interface HttpRequestFields {
  readonly method: string;
  readonly path: string;
  readonly serverKey: string;
  readonly deviceKey: string;
  readonly challenge: string;
  readonly nonce: string;
  readonly body: string;
}

export interface HttpRequestCase {
  readonly name: string;
  readonly request: HttpRequestFields;
  readonly signature: string;
}

export interface HttpSignedCase extends HttpRequestCase {
  readonly bytes: string;
  readonly signer: { readonly seed: string; readonly public: string };
}

export interface JournalRecordCase {
  readonly seq: number;
  readonly prev: string;
  readonly payload: string;
  readonly hash: string;
  readonly head: string;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Vectors {
  readonly frames: { readonly cases: readonly FrameCase[] };
  readonly tokens: {
    readonly keys: Readonly<Record<string, { readonly seed: string; readonly public: string }>>;
    readonly headers: Readonly<Record<TokenType, string>>;
    readonly valid: readonly TokenCase[];
    readonly tampered: readonly TokenCase[];
  };
  readonly chain: { readonly cases: readonly ChainCase[] };
  readonly transcript: {
    readonly contexts: Readonly<Record<string, string>>;
    readonly cases: readonly TranscriptCase[];
  };
  readonly 'http-requests': {
    readonly contexts: Readonly<Record<string, string>>;
    readonly valid: readonly HttpSignedCase[];
    readonly tampered: readonly HttpRequestCase[];
    readonly answers: readonly (HttpSignedCase & { readonly status: number; readonly body: string })[];
  };
  readonly links: {
    readonly links: readonly {
      readonly name: string;
      readonly text: string;
      readonly link: (Address & { readonly serverKey: string; readonly token: string }) | null;
      readonly canonical: boolean;
    }[];
    readonly addresses: readonly { readonly text: string; readonly address: Address | null }[];
    readonly keys: readonly { readonly text: string; readonly public: string | null }[];
  };
  readonly windows: {
    readonly online: readonly { readonly durationMs: number; readonly windowMs: number }[];
    readonly borrow: readonly {
      readonly issuedAtMs: number;
      readonly expiresAtMs: number;
      readonly freeAtMs: number;
    }[];
  };
  readonly journal: {
    readonly records: readonly JournalRecordCase[];
    readonly later: readonly JournalRecordCase[];
  };
  readonly ed25519: {
    readonly signatures: readonly {
      readonly name: string;
      readonly seed: string;
      readonly publicKey: string;
      readonly message: string;
      readonly signature: string;
    }[];
    readonly verifications: readonly {
      readonly name: string;
      readonly publicKey: string;
      readonly message: string;
      readonly signature: string;
      readonly valid: boolean;
    }[];
  };
}

/** The folder of the protocol package, whether this runs from test/ or from test/dist/. */
export const protocolFolder = new URL('../../node_modules/@berth/protocol/', import.meta.url);

export function loadVectors<N extends keyof Vectors>(name: N): Vectors[N] {
  return JSON.parse(readFileSync(new URL(`vectors/${name}.json`, protocolFolder), 'utf8')) as Vectors[N];
}

/** The text of a frame, or `null` when the case is not a text frame of valid UTF-8. */
export function frameText(frame: FrameCase): string | null {
  if (frame.repeat === undefined) return frame.text ?? null;
  const [before, text, times, after] = frame.repeat;
  return before + text.repeat(times) + after;
}

export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
