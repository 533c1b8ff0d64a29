import {
  decodeBase64Url,
  encodeBase64Url,
  formatPublicKey,
  type ParamsOf,
  type PathName,
  parsePublicKey,
  paths,
  type ResultOf,
  strictly,
  type Transcript,
  transcriptBytes,
} from '@berth/protocol';
import type { ClientName } from './api.js';
import type { Connection } from './connection.js';
import { BerthError } from './errors.js';
import type { Host, SigningKey } from './host.js';
import { newNonce } from './random.js';
import { timing } from './timing.js';

/** Who opens a session, and which server it must be. */
export interface Identity {
  readonly path: PathName;
  /** `ed25519:…`, pinned. */
  readonly serverKey: string;
  readonly key: SigningKey;
  readonly client: ClientName;
}

/**
 * Waits for the server's challenge and makes what both sides sign.
 * @throws BerthError SERVER_MISMATCH when it is not the pinned server, TIMEOUT, CONNECTION_LOST
 */
export async function beginTranscript(
  host: Host,
  connection: Connection,
  path: PathName,
  serverKey: string,
): Promise<Omit<Transcript, 'deviceKey' | 'token'>> {
  const challenge = await connection.challenge();
  if (challenge.server.key !== serverKey) {
    throw new BerthError('SERVER_MISMATCH', { detail: { expected: serverKey, found: challenge.server.key } });
  }
  return {
    path: paths[path],
    serverKey,
    serverNonce: challenge.nonce,
    clientNonce: newNonce(host),
    binding: connection.exporter() ?? new Uint8Array(0),
  };
}

/**
 * Opens the session: both sides sign the same transcript (PROTOCOL 2.3).
 * @throws BerthError SERVER_MISMATCH, DEVICE_UNKNOWN, SIGNATURE_INVALID, NOT_ALLOWED, BINDING_REQUIRED, TIMEOUT, CONNECTION_LOST
 */
export async function openSession(
  host: Host,
  connection: Connection,
  identity: Identity,
  witness: ParamsOf<'session.open'>['witness'],
): Promise<ResultOf<'session.open'>> {
  const begun = await beginTranscript(host, connection, identity.path, identity.serverKey);
  const transcript: Transcript = { deviceKey: formatPublicKey(identity.key.publicKey), token: '', ...begun };
  const params: ParamsOf<'session.open'> = {
    deviceKey: transcript.deviceKey,
    nonce: transcript.clientNonce,
    binding: transcript.binding.length > 0 ? 'tls-exporter' : 'none',
    signature: encodeBase64Url(identity.key.sign(transcriptBytes('deviceOpens', transcript))),
    client: callerOf(host, identity.client),
    ...(witness === undefined ? {} : { witness }),
  };
  const result = await connection.call('session.open', params, timing.handshakeMs);
  requireServerSignature(host, transcript, result.signature);
  return result;
}

/** Whoever answers must hold the pinned server's key, whatever TLS said. */
function requireServerSignature(host: Host, transcript: Transcript, text: string): void {
  const key = parsePublicKey(transcript.serverKey);
  const signature = decodeBase64Url(text);
  const signed = transcriptBytes('serverAccepts', transcript);
  if (key !== null && signature !== null && strictly(host.verify)(key, signed, signature)) return;
  throw new BerthError('SERVER_MISMATCH', {
    message: 'The server did not prove that it is the one this identity belongs to.',
  });
}

function callerOf(
  host: Host,
  { name, version }: ClientName,
): NonNullable<ParamsOf<'session.open'>['client']> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(host.process.pid === null ? {} : { pid: host.process.pid }),
  };
}
