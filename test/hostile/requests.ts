import type { ParamsOf } from '@berth/protocol';
import { newNonce } from '../system/device-keys.js';

/** Somebody's lease, and its token as a network that is not to be trusted may have shown it. */
export interface Seen {
  readonly lease: string;
  readonly token: string;
}

/**
 * What the attacks ask for. Whatever is wrong with it, its shape is not: a frame that is refused for that tests the schema and nothing behind it.
 * What is malformed on purpose is written to the socket by the attack itself.
 */
export const asking = {
  checkout: (product: string, waitMs?: number): ParamsOf<'lease.checkout'> => ({
    ...{ key: newNonce(), nonce: newNonce(), wants: [{ products: [product], seats: 1 }] },
    ...(waitMs === undefined ? {} : { waitMs }),
  }),
  renew: (): ParamsOf<'lease.renew'> => ({ nonce: newNonce() }),
  renewIdle: ({ lease }: Seen): ParamsOf<'lease.renew'> => ({
    ...{ nonce: newNonce(), idle: [{ lease, seconds: 1 }] },
  }),
  renewShown: ({ token }: Seen): ParamsOf<'lease.renew'> => ({ nonce: newNonce(), tokens: [token] }),
  resume: (leases: string[]): ParamsOf<'session.resume'> => ({ leases, nonce: newNonce() }),
  resumeShown: ({ lease, token }: Seen): ParamsOf<'session.resume'> => ({
    ...{ leases: [lease], nonce: newNonce(), tokens: [token] },
  }),
  release: (leases: string[]): ParamsOf<'lease.release'> => ({ key: newNonce(), leases }),
  /** A stop of this lease in the name of a device, which signed something else. */
  giveBack: ({ lease }: Seen, dev: string): ParamsOf<'borrow.return'> => {
    const parts = [{}, { jti: lease, dev }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    return { key: newNonce(), stops: [`${parts.join('.')}.AAAA`] };
  },
  revoke: ({ lease }: Seen): ParamsOf<'lease.revoke'> => ({ key: newNonce(), lease }),
  leases: (): ParamsOf<'lease.list'> => ({}),
  pools: (): ParamsOf<'pool.status'> => ({}),
} as const;
