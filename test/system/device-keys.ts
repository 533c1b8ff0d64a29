import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import {
  BINDING_BYTES,
  BINDING_LABEL,
  encodeBase64Url,
  type PathName,
  paths,
  type SignatureContext,
  transcriptBytes,
} from '@berth/protocol';
import { privateKeyOf } from '@berth/server/ed25519';

/** The keys of a device that a test has in its hand. */
export interface Keys {
  readonly text: string;
  readonly secret: KeyObject;
}

/** What the first frame of the server says, as far as a signature needs it. */
export interface Challenge {
  readonly server: { readonly key: string };
  readonly nonce: string;
}

/**
 * Not `generateKeyPairSync`: exporting what it made holds the key's mutex, and where that very allocation collects garbage, the end of the job that
 * made the key wants the same mutex (Node 20, seen in gdb). The process then stands still for ever: once in some ten thousand keys.
 */
export function newKeys(): Keys {
  const secret = privateKeyOf(randomBytes(32));
  return { text: `ed25519:${createPublicKey(secret).export({ format: 'jwk' }).x}`, secret };
}

/** For another process. */
export function keysToPem({ secret }: Keys): string {
  return secret.export({ format: 'pem', type: 'pkcs8' }).toString();
}

export function keysFromPem(text: string, pem: string): Keys {
  return { text, secret: createPrivateKey(pem) };
}

export function newNonce(): string {
  return randomBytes(16).toString('base64url');
}

export interface Signed {
  readonly context: SignatureContext;
  readonly path: PathName;
  readonly challenge: Challenge;
  readonly clientNonce: string;
  readonly token?: string;
}

/** Signs the transcript of this connection (PROTOCOL 2.3), bound to it. */
export function signTranscript(tls: TLSSocket, { text, secret }: Keys, signed: Signed): string {
  const { context, path, challenge, clientNonce, token = '' } = signed;
  const transcript = {
    ...{ path: paths[path], serverKey: challenge.server.key, deviceKey: text },
    ...{ serverNonce: challenge.nonce, clientNonce, token },
    binding: tls.exportKeyingMaterial(BINDING_BYTES, BINDING_LABEL, Buffer.alloc(0)),
  };
  return encodeBase64Url(sign(null, transcriptBytes(context, transcript), secret));
}
