import { decodeBase64Url, encodeBase64Url, encodeUtf8, lengthPrefixed } from './bytes.js';
import { strictly } from './ed25519-strict.js';
import { parsePublicKey } from './keys.js';
import { type HttpHead, requestHeaders } from './messages-http.js';
import type { Verify } from './tokens.js';

// The signatures of a request over plain HTTPS and of its answer (PROTOCOL 13.2): what a session's handshake does for a socket, each
// request does for itself.

/** Contexts of their own, so that no signature made here opens a session, and none made there is a request. */
export const httpContexts = {
  deviceAsks: 'berth.v1 device sends request',
  serverAnswers: 'berth.v1 server answers request',
} as const;

/** What one request is. All texts as they crossed the wire. */
export interface HttpTranscript {
  /** `POST`. */
  readonly method: string;
  /** `/v1/checkout`: the path alone; a signed request has no query. */
  readonly path: string;
  readonly serverKey: string;
  readonly deviceKey: string;
  /** The server's nonce: it makes requests to an earlier start of the server worthless. */
  readonly challenge: string;
  /** The client's nonce: the server answers to each only once. */
  readonly nonce: string;
  /** SHA-256 of the body, 32 bytes. */
  readonly bodySha256: Uint8Array;
}

/** The bytes that the device signs. */
export function httpRequestBytes(transcript: HttpTranscript): Uint8Array {
  return lengthPrefixed([encodeUtf8(httpContexts.deviceAsks), ...partsOf(transcript)]);
}

/**
 * The bytes that the server signs: the request that is answered, the status and the answer's body. A refusal is as much the server's
 * word as a grant.
 * @param answerSha256 SHA-256 of the answer's body, 32 bytes
 */
export function httpAnswerBytes(
  transcript: HttpTranscript,
  status: number,
  answerSha256: Uint8Array,
): Uint8Array {
  return lengthPrefixed([
    encodeUtf8(httpContexts.serverAnswers),
    ...partsOf(transcript),
    encodeUtf8(String(status)),
    answerSha256,
  ]);
}

function partsOf(transcript: HttpTranscript): Uint8Array[] {
  const { method, path, serverKey, deviceKey, challenge, nonce, bodySha256 } = transcript;
  return [...[method, path, serverKey, deviceKey, challenge, nonce].map(encodeUtf8), bodySha256];
}

/** Client side: the headers of a request. @param sign with the device's lease key: 64 bytes */
export function signHttpRequest(
  transcript: HttpTranscript,
  sign: (message: Uint8Array) => Uint8Array,
): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    [requestHeaders.device]: transcript.deviceKey,
    [requestHeaders.challenge]: transcript.challenge,
    [requestHeaders.nonce]: transcript.nonce,
    [requestHeaders.signature]: encodeBase64Url(sign(httpRequestBytes(transcript))),
  };
}

/** Server side: what a head and a body say, put together for the signature. */
export function httpTranscriptOf(
  { method, path, serverKey }: { readonly method: string; readonly path: string; readonly serverKey: string },
  head: HttpHead,
  bodySha256: Uint8Array,
): HttpTranscript {
  const { device: deviceKey, challenge, nonce } = head;
  return { method, path, serverKey, deviceKey, challenge, nonce, bodySha256 };
}

/** Server side: whether the device that the request names has signed it. */
export function isSignedRequest(transcript: HttpTranscript, signature: string, verify: Verify): boolean {
  return verified(transcript.deviceKey, httpRequestBytes(transcript), signature, verify);
}

/** Client side: whether the pinned server gave this answer to this request. */
export function isSignedAnswer(
  transcript: HttpTranscript,
  answer: { readonly status: number; readonly bodySha256: Uint8Array; readonly signature: string },
  verify: Verify,
): boolean {
  const bytes = httpAnswerBytes(transcript, answer.status, answer.bodySha256);
  return verified(transcript.serverKey, bytes, answer.signature, verify);
}

function verified(keyText: string, bytes: Uint8Array, signatureText: string, verify: Verify): boolean {
  const key = parsePublicKey(keyText);
  const signature = decodeBase64Url(signatureText);
  return key !== null && signature?.length === 64 && strictly(verify)(key, bytes, signature);
}
