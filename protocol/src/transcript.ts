import { encodeUtf8, lengthPrefixed } from './bytes.js';

/**
 * What is signed and by whom, so that no signature made for one purpose serves another (PROTOCOL 2.3). The context is the first
 * part of the transcript.
 */
export const contexts = {
  deviceOpens: 'berth.v1 device opens session',
  serverAccepts: 'berth.v1 server accepts session',
  leaseKeyEnrols: 'berth.v1 lease key enrols',
  adminKeyEnrols: 'berth.v1 admin key enrols',
} as const;

export type SignatureContext = keyof typeof contexts;

/** Everything both ends know of a session before it is open. All texts as they crossed the wire. */
export interface Transcript {
  /** `/v1/lease` or `/v1/admin`. */
  readonly path: string;
  readonly serverKey: string;
  readonly deviceKey: string;
  readonly serverNonce: string;
  readonly clientNonce: string;
  /**
   * 32 bytes exported from the TLS connection (RFC 9266 `EXPORTER-Channel-Binding`, empty context), or empty where the host has none (a
   * browser). It ties the session to this very connection: a relay between two TLS connections does not verify.
   */
  readonly binding: Uint8Array;
  /** For enrolment: the token of the link; else empty. */
  readonly token: string;
}

/** The TLS exporter label of the channel binding `tls-exporter` (RFC 9266 section 2), and its length in bytes. */
export const BINDING_LABEL = 'EXPORTER-Channel-Binding';
export const BINDING_BYTES = 32;

/** The bytes that are signed in the given context: the context, then each field, length-prefixed. */
export function transcriptBytes(context: SignatureContext, transcript: Transcript): Uint8Array {
  return lengthPrefixed([
    encodeUtf8(contexts[context]),
    encodeUtf8(transcript.path),
    encodeUtf8(transcript.serverKey),
    encodeUtf8(transcript.deviceKey),
    encodeUtf8(transcript.serverNonce),
    encodeUtf8(transcript.clientNonce),
    transcript.binding,
    encodeUtf8(transcript.token),
  ]);
}
