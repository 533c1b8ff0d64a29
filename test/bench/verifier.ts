import { parsePublicKey, parseToken } from '@berth/protocol';
import { nativeVerify } from '@berth/server/ed25519';

/** One token in so many is verified: all of them would take the client longer than the server took. */
const VERIFY_EVERY = 100;

/** Counts the leases that came, and verifies each hundredth and its entitlement. */
export class Verifier {
  #seen = 0;
  #verified = 0;

  constructor(
    readonly keys: {
      readonly serverKey: string;
      readonly vendorKey: string;
    },
  ) {}

  /** @returns how many were verified since it was asked last */
  taken(): number {
    const verified = this.#verified;
    this.#verified = 0;
    return verified;
  }

  /** @throws when it is one in a hundred and its signature does not check */
  lease(token: string): void {
    this.#seen++;
    if (this.#isToVerify()) this.#verify('lease', token, this.keys.serverKey);
  }

  /** Of the lease that came last. @throws when it is one in a hundred and its signature does not check */
  entitlement(token: string): void {
    if (this.#isToVerify()) this.#verify('entitlement', token, this.keys.vendorKey);
  }

  #isToVerify(): boolean {
    return this.#seen % VERIFY_EVERY === 0;
  }

  #verify(type: 'lease' | 'entitlement', token: string, key: string): void {
    const parsed = parseToken(type, token);
    const publicKey = parsePublicKey(key);
    const isGood =
      parsed.ok && publicKey !== null && nativeVerify(publicKey, parsed.token.signed, parsed.token.signature);
    if (!isGood) throw new Error(`A ${type} does not check: ${token}`);
    this.#verified++;
  }
}
