import { type ClaimsOf, signToken, type TokenType } from '@berth/protocol';

/** Signs with the server's Ed25519 key: 64 bytes. Injected, so that a simulator can sign fast and deterministically. */
export type Signer = (message: Uint8Array) => Uint8Array;

/** Signs what was committed. Stored claims signed again give the same bytes (I7): Ed25519 is deterministic. */
export class Issuer {
  readonly #sign: Signer;

  constructor(sign: Signer) {
    this.#sign = sign;
  }

  issue<T extends TokenType>(type: T, claims: ClaimsOf<T>): string {
    return signToken(type, claims, this.#sign);
  }
}
