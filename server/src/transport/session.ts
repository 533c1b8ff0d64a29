import {
  decodeBase64Url,
  encodeBase64Url,
  type ParamsOf,
  type PathName,
  parsePublicKey,
  paths,
  type ResultOf,
  type Role,
  roleAtLeast,
  type SignatureContext,
  type Transcript,
  transcriptBytes,
} from '@berth/protocol';
import type { Answer, Gate, Identity, Refusal } from './api.js';

// The handshake: who is at the other end of this socket, proved by signatures over one transcript (PROTOCOL 2.3, DESIGN 4).

/** What the handshake needs to know of the connection it happens on. */
export interface Link {
  readonly path: PathName;
  readonly address: string;
  /** Made for this connection alone, sent in the challenge. */
  readonly serverNonce: string;
  /** The TLS exporter of this connection (RFC 9266). */
  binding(): Uint8Array;
}

export interface Opened {
  readonly ok: true;
  readonly session: string;
  readonly identity: Identity;
  readonly result: ResultOf<'session.open'>;
}

const noBinding = new Uint8Array(0);

/** The least role that may use a path at all; each method may ask for more. */
const leastOnPath: { readonly [P in PathName]: Role } = { lease: 'user', admin: 'viewer' };

export function mayUsePath(role: Role, path: PathName): boolean {
  return roleAtLeast(role, leastOnPath[path]);
}

export function openSession(gate: Gate, link: Link, params: ParamsOf<'session.open'>): Opened | Refusal {
  // Browsers have no exporter. What administers the organisation must be bound to its connection all the same.
  if (params.binding === 'none' && link.path === 'admin') return refuse('BINDING_REQUIRED');
  const transcript: Transcript = {
    path: paths[link.path],
    serverKey: gate.server.key,
    deviceKey: params.deviceKey,
    serverNonce: link.serverNonce,
    clientNonce: params.nonce,
    binding: params.binding === 'none' ? noBinding : link.binding(),
    token: '',
  };
  // The signature comes first: who cannot sign with a key does not learn whether it is enrolled here.
  if (!isSigned(gate, 'deviceOpens', transcript, params.signature)) return refuse('SIGNATURE_INVALID');
  const identity = gate.identify(params.deviceKey, link.path);
  if (identity === null) return refuse('DEVICE_UNKNOWN');
  const role = gate.roleOf(identity.user.email);
  if (role === null || !mayUsePath(role, link.path)) return refuse('NOT_ALLOWED');
  if (params.witness !== undefined) gate.witnessed(params.witness, identity.device.id);
  // An id starts with a letter or digit; random base64url need not.
  const session = `s-${gate.randomText(16)}`;
  const signature = encodeBase64Url(gate.sign(transcriptBytes('serverAccepts', transcript)));
  return { ok: true, session, identity, result: openResult(gate, link, identity, session, signature) };
}

function openResult(
  gate: Gate,
  link: Link,
  identity: Identity,
  session: string,
  signature: string,
): ResultOf<'session.open'> {
  return {
    session,
    signature,
    device: identity.device,
    user: identity.user,
    server: gate.server,
    organisation: gate.organisation,
    leaseSeconds: gate.leaseSeconds,
    ...(gate.adminAddress === null ? {} : { adminAddress: gate.adminAddress }),
    nowMs: gate.nowMs(),
    ...(gate.readmits && link.path === 'lease' ? { readmits: true as const } : {}),
  };
}

/** Checks that the sender holds the keys it brings; what the token is worth is for the gate to say. */
export async function enrolDevice(
  gate: Gate,
  link: Link,
  params: ParamsOf<'device.enrol'>,
): Promise<Answer<'device.enrol'>> {
  const { leaseKey, adminKey, adminSignature } = params;
  if ((adminKey === undefined) !== (adminSignature === undefined)) {
    const missing = adminKey === undefined ? 'adminKey' : 'adminSignature';
    return invalidParam(missing, 'adminKey and adminSignature go together');
  }
  // A plugin reads the lease key only: it must not hold the admin's power with it (DESIGN 4).
  if (adminKey === leaseKey) return invalidParam('adminKey', 'must differ from leaseKey');
  if (!provesKeys(gate, link, params)) return refuse('SIGNATURE_INVALID');
  return gate.enrol(params, link.address);
}

/**
 * `device.enrol` does not say which binding its signatures cover: the exporter, or nothing where the host has none. Nothing is
 * accepted under the same rule as in `session.open`: never where administration is at stake.
 */
function provesKeys(gate: Gate, link: Link, params: ParamsOf<'device.enrol'>): boolean {
  const { leaseKey, adminKey, leaseSignature, adminSignature = '' } = params;
  const proves = (binding: Uint8Array): boolean => {
    const common = {
      path: paths[link.path],
      serverKey: gate.server.key,
      serverNonce: link.serverNonce,
      clientNonce: params.nonce,
      binding,
      token: params.token,
    };
    const lease = { ...common, deviceKey: leaseKey };
    if (!isSigned(gate, 'leaseKeyEnrols', lease, leaseSignature)) return false;
    return (
      adminKey === undefined ||
      isSigned(gate, 'adminKeyEnrols', { ...common, deviceKey: adminKey }, adminSignature)
    );
  };
  if (proves(link.binding())) return true;
  return link.path === 'lease' && adminKey === undefined && proves(noBinding);
}

function isSigned(
  gate: Gate,
  context: SignatureContext,
  transcript: Transcript,
  signatureText: string,
): boolean {
  const key = parsePublicKey(transcript.deviceKey);
  const signature = decodeBase64Url(signatureText);
  return (
    key !== null && signature !== null && gate.verify(key, transcriptBytes(context, transcript), signature)
  );
}

function refuse(code: Refusal['code']): Refusal {
  return { ok: false, code };
}

export function invalidParam(field: string, message: string): Refusal {
  return { ok: false, code: 'PARAMS_INVALID', message: `${field}: ${message}`, detail: { field } };
}
