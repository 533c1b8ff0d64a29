import type { TransportLimits } from './limits.js';
import { KeyedBuckets } from './token-bucket.js';

export type AdmissionRefusal =
  | 'SOCKETS_PER_ADDRESS'
  | 'UNAUTHENTICATED_SOCKETS'
  | 'UNAUTHENTICATED_PER_ADDRESS'
  | 'HANDSHAKE_RATE';

/** The place one admitted socket takes until it closes. */
export interface Ticket {
  readonly address: string;
  readonly acceptedAtMs: number;
  /** The socket has a session: it no longer counts among the strangers. */
  authenticate(): void;
  release(): void;
}

interface AddressCount {
  sockets: number;
  unauthenticated: number;
}

/** Decides on a socket before any TLS is computed for it: by address, the only thing known of it. */
export class Admission {
  readonly #limits: TransportLimits;
  #handshakes: KeyedBuckets;
  /** Holds only addresses with an open socket. */
  readonly #addresses = new Map<string, AddressCount>();
  #unauthenticated = 0;

  constructor(limits: TransportLimits) {
    this.#limits = limits;
    this.#handshakes = handshakeBuckets(limits);
  }

  /** The limits are another object's to change: what was made from them is made anew. */
  limitsChanged(): void {
    this.#handshakes = handshakeBuckets(this.#limits);
  }

  get addresses(): number {
    return this.#addresses.size;
  }

  get unauthenticated(): number {
    return this.#unauthenticated;
  }

  admit(address: string, nowMs: number): Ticket | AdmissionRefusal {
    const count = this.#addresses.get(address) ?? { sockets: 0, unauthenticated: 0 };
    const refusal = this.#refusal(address, count, nowMs);
    if (refusal !== null) return refusal;
    this.#addresses.set(address, count);
    count.sockets++;
    count.unauthenticated++;
    this.#unauthenticated++;
    return this.#ticket(address, count, nowMs);
  }

  #refusal(address: string, count: AddressCount, nowMs: number): AdmissionRefusal | null {
    const limits = this.#limits;
    if (count.sockets >= limits.socketsPerAddress) return 'SOCKETS_PER_ADDRESS';
    if (count.unauthenticated >= limits.unauthenticatedPerAddress) return 'UNAUTHENTICATED_PER_ADDRESS';
    if (this.#unauthenticated >= limits.unauthenticatedSockets) return 'UNAUTHENTICATED_SOCKETS';
    return this.#handshakes.take(address, nowMs) ? null : 'HANDSHAKE_RATE';
  }

  #ticket(address: string, count: AddressCount, acceptedAtMs: number): Ticket {
    let [stranger, open] = [true, true];
    const authenticate = () => {
      if (!stranger) return;
      stranger = false;
      count.unauthenticated--;
      this.#unauthenticated--;
    };
    const release = () => {
      if (!open) return;
      open = false;
      authenticate();
      count.sockets--;
      if (count.sockets === 0) this.#addresses.delete(address);
    };
    return { address, acceptedAtMs, authenticate, release };
  }
}

function handshakeBuckets({ tlsHandshakesPerAddressPerSecond: perSecond }: TransportLimits): KeyedBuckets {
  return new KeyedBuckets({ perSecond, burst: perSecond });
}
