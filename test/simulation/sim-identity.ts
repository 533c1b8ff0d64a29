import { formatPublicKey, signToken } from '@berth/protocol';
import { Invitations } from '@berth/server/engine/invitations';
import type { SimCrypto } from './sim-crypto.js';

/** Where join links lead. */
export const ADDRESS = { host: 'berth', port: 7433 };

/** Who the server is: its key outlives its processes, and its computer (restore.ts). */
export class SimIdentity {
  readonly seed: Uint8Array;
  readonly key: { readonly publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array };
  readonly keyText: string;

  constructor(seed: Uint8Array, crypto: SimCrypto) {
    this.seed = seed;
    this.key = crypto.signingKey(seed);
    this.keyText = formatPublicKey(this.key.publicKey);
  }

  link(invitation: string): string {
    return new Invitations(this.seed).link(invitation, ADDRESS, this.key.publicKey);
  }

  /** What `/ca` answers. */
  authority(claims: { readonly nonce: string; readonly sha256: string; readonly iat: number }): string {
    return signToken('authority', claims, (message) => this.key.sign(message));
  }
}
