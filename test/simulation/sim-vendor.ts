import { type EntitlementClaims, formatPublicKey, signToken } from '@berth/protocol';
import { START_WALL_MS } from './sim-clock.js';
import type { SimCrypto } from './sim-crypto.js';

const FIRST_SEED = 86;
const YEAR_SECONDS = 365 * 86_400;
/** PROTOCOL 4.8: a client follows no more endorsements than this. */
const SUCCESSORS = 4;

type SigningKey = ReturnType<SimCrypto['signingKey']>;

/** Who signs entitlements, and changes its keys now and then. */
export class SimVendor {
  /** What plugins pin: the first key. */
  readonly key: string;
  /** What it has granted, by id, as its newest revision says. */
  readonly entitlements = new Map<string, EntitlementClaims>();
  /** Every entitlement it ever signed. */
  readonly issued: string[] = [];
  /** Every endorsement that it signs with the successor of, in order. */
  readonly endorsed: string[] = [];
  readonly #serverKey: string;
  readonly #keys: readonly SigningKey[];
  /** Product -> the number of the key that signs for it. */
  readonly #signs = new Map<string, number>();

  constructor(crypto: SimCrypto, serverKey: string) {
    this.#serverKey = serverKey;
    this.#keys = Array.from({ length: SUCCESSORS + 1 }, (_, at) =>
      crypto.signingKey(new Uint8Array(32).fill(FIRST_SEED + at)),
    );
    this.key = formatPublicKey(this.#keys[0]!.publicKey);
  }

  /** A signed entitlement, or its next revision with other claims. */
  entitlement(claims: Partial<EntitlementClaims> & Pick<EntitlementClaims, 'jti'>): string {
    const nowSeconds = Math.floor(START_WALL_MS / 1000);
    const earlier = this.entitlements.get(claims.jti);
    const product = claims.product ?? earlier?.product ?? 'render';
    const key = this.#keyOf(product);
    const full = {
      rev: 1,
      sub: this.#serverKey,
      seats: 3,
      nbf: nowSeconds - 86_400,
      exp: nowSeconds + YEAR_SECONDS,
      share: 'device' as const,
      earlyReturn: 'at-once' as const,
      display: {},
      ...earlier,
      ...(earlier === undefined ? {} : { rev: earlier.rev + 1 }),
      ...claims,
      product,
      iss: formatPublicKey(key.publicKey),
    } satisfies EntitlementClaims;
    this.entitlements.set(claims.jti, full);
    const token = signToken('entitlement', full, (message) => key.sign(message));
    this.issued.push(token);
    return token;
  }

  /** The key of a product endorses the next one for it; `null` once there have been enough. It signs with the next when `changedKey` is called. */
  endorsement(product: string): string | null {
    const number = this.#signs.get(product) ?? 0;
    const [key, next] = [this.#keys[number]!, this.#keys[number + 1]];
    if (next === undefined) return null;
    const claims = {
      iss: formatPublicKey(key.publicKey),
      sub: formatPublicKey(next.publicKey),
      iat: Math.floor(START_WALL_MS / 1000),
      products: [product],
    };
    return signToken('endorsement', claims, (message) => key.sign(message));
  }

  /** @param endorsement of the key that signs from now on */
  changedKey(product: string, endorsement: string): void {
    this.endorsed.push(endorsement);
    this.#signs.set(product, (this.#signs.get(product) ?? 0) + 1);
  }

  #keyOf(product: string): SigningKey {
    return this.#keys[this.#signs.get(product) ?? 0]!;
  }
}
