import { nativeEd25519 } from '@berth/client/internal';
import {
  decodeBase64Url,
  encodeBase64Url,
  type Method,
  type ParamsOf,
  parsePublicKey,
  transcriptBytes,
} from '@berth/protocol';
import type { FakeServer, Reply, ServerSocket } from './fake-server.js';

export const user = { email: 'anna@example.com', name: 'Anna', role: 'owner', state: 'active' } as const;

export type StandardReply<M extends Method> = (
  server: FakeServer,
  params: ParamsOf<M>,
  socket: ServerSocket,
) => Reply<M>;

/** What a healthy server answers. */
export const standardReplies: { [M in Method]?: StandardReply<M> } = {
  'session.open': (server, params, socket) => {
    const transcript = {
      path: socket.path,
      serverKey: server.keyText,
      deviceKey: params.deviceKey,
      serverNonce: socket.nonce,
      clientNonce: params.nonce,
      binding: server.binding ?? new Uint8Array(0),
      token: '',
    };
    const key = parsePublicKey(params.deviceKey)!;
    const signed = transcriptBytes('deviceOpens', transcript);
    if (!nativeEd25519.verify(key, signed, decodeBase64Url(params.signature)!)) {
      return { error: 'SIGNATURE_INVALID' };
    }
    server.deviceKey = params.deviceKey;
    return {
      session: 's-1',
      signature: encodeBase64Url(server.key.sign(transcriptBytes('serverAccepts', transcript))),
      device: { id: 'dev-1', name: 'workstation' },
      user,
      server: { id: 'srv-1', key: server.keyText },
      organisation: { name: 'Studio' },
      leaseSeconds: server.leaseSeconds,
      nowMs: server.time.wallMs(),
    };
  },
  'lease.checkout': (server, params, socket) => {
    const grant = server.grant(params);
    socket.leases.add(`lease-${server.of('lease.checkout').length}`);
    return grant;
  },
  'lease.renew': (server, params, socket) => server.renewals([...socket.leases], params.nonce),
  'session.resume': (server, params, socket) => {
    for (const lease of params.leases) socket.leases.add(lease);
    return { ...server.renewals(params.leases, params.nonce), entitlements: [server.entitlementText] };
  },
  'lease.cancelWait': () => ({ left: false }),
  'lease.release': (_server, params, socket) => {
    for (const lease of params.leases) socket.leases.delete(lease);
    return { released: params.leases };
  },
  'borrow.take': (server, params) => server.lend(params),
  'borrow.return': (server, params) => ({
    returned: params.stops.map((stop) => ({ lease: stopOf(stop), freeAtMs: server.time.wallMs() })),
  }),
  'pool.status': () => ({ pools: [], next: null }),
};

/** The lease a stop names. */
export function stopOf(stop: string): string {
  const payload = stop.split('.')[1] ?? '';
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')).jti;
}
