import { type LeaseClaims, parseToken, type Verify, type Witness } from '@berth/protocol';
import { isCovered } from '../domain/decide/restore.js';
import { organisationOf, type State } from '../domain/state.js';
import type { KnownHashes } from '../store/known-hashes.js';
import type { Engine } from './engine.js';

export interface RollbackOptions {
  readonly state: State;
  readonly engine: Pick<Engine, 'submit' | 'position'>;
  readonly hashes: KnownHashes;
  readonly verify: Verify;
  readonly serverKey: Uint8Array;
  /** Random bytes in base64url. */
  readonly randomText: (bytes: number) => string;
  readonly onRolledBack: (shown: Witness, device: string) => void;
  /** Claimed, and not proved: whoever says so may be anybody. */
  readonly onClaim: (shown: Witness, device: string) => void;
}

/**
 * Notices that the data folder was put back to an earlier state: a client has seen a record that is not here (I9, I10). Only a lease of this
 * server proves it, since a client could say anything; then granting stops at once.
 */
export class Rollback {
  readonly #options: RollbackOptions;

  constructor(options: RollbackOptions) {
    this.#options = options;
  }

  /** What a client says when it connects. */
  witnessed({ token, ...shown }: Witness & { readonly token?: string | undefined }, device: string): void {
    if (!this.#isStrange(shown)) return;
    const claims = token === undefined ? null : this.#proved(token);
    if (claims === null) this.#options.onClaim(shown, device);
    else this.shown(claims, device);
  }

  /** @param claims of a lease whose signature was verified */
  shown(claims: LeaseClaims, device: string): void {
    const { state, engine, randomText, onRolledBack } = this.#options;
    if (!this.#isStrange(claims) || isCovered(state, claims)) return;
    const { epoch, seq, head, iat } = claims;
    const known = { epoch: organisationOf(state).epoch, seq: engine.position.seq };
    onRolledBack({ epoch, seq, head }, device);
    void engine.submit({
      type: 'rollBack',
      epoch: randomText(12),
      known,
      shown: { epoch, seq, iat },
      device,
    });
  }

  #isStrange({ epoch, seq, head }: Witness): boolean {
    const { state, hashes } = this.#options;
    return epoch !== organisationOf(state).epoch || hashes.has(seq, head) === false;
  }

  #proved(token: string): LeaseClaims | null {
    const parsed = parseToken('lease', token);
    if (!parsed.ok) return null;
    const { claims, signed, signature } = parsed.token;
    // What is from before a restore is nothing new, and no reason to look at a signature.
    if (isCovered(this.#options.state, claims)) return claims;
    return this.#options.verify(this.#options.serverKey, signed, signature) ? claims : null;
  }
}
