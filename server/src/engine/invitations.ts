import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { formatJoinLink } from '@berth/protocol';

/**
 * The tokens of join links: `<invitation id>.<MAC>`. The MAC is made from the server's secret whenever the link is shown, so no
 * token is ever stored: a copied data folder without the key opens nothing, and a retried invite shows the same link (I7).
 */
export class Invitations {
  readonly #secret: Uint8Array;

  /** @param seed the server's 32-byte Ed25519 seed; the MAC key is derived from it for this purpose alone. */
  constructor(seed: Uint8Array) {
    this.#secret = new Uint8Array(hkdfSync('sha256', seed, '', 'berth.v1 invitation', 32));
  }

  token(invitation: string): string {
    return `${invitation}.${this.#mac(invitation)}`;
  }

  /** The invitation a token proves; `null` when it is not one of ours. */
  read(token: string): string | null {
    const at = token.lastIndexOf('.');
    const [invitation, mac] = [token.slice(0, Math.max(at, 0)), token.slice(at + 1)];
    const [given, wanted] = [Buffer.from(mac), Buffer.from(this.#mac(invitation))];
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? invitation : null;
  }

  link(invitation: string, address: { host: string; port: number }, serverKey: Uint8Array): string {
    return formatJoinLink({ ...address, serverKey, token: this.token(invitation) });
  }

  #mac(invitation: string): string {
    return createHmac('sha256', this.#secret)
      .update(invitation)
      .digest()
      .subarray(0, 16)
      .toString('base64url');
  }
}
