import { KnownAddresses } from './known-addresses.js';
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
  /** This device proved who it is over the socket: it no longer counts among the strangers, and its address is known. */
  authenticate(device: string): void;
  release(): void;
}

interface AddressCount {
  sockets: number;
  /** Sockets without a session, the oldest first: how each is ended. */
  readonly strangers: Set<Place>;
}

/** Decides on a socket before any TLS is computed for it: by address, the only thing known of it. */
export class Admission {
  readonly #limits: TransportLimits;
  #handshakes: KeyedBuckets;
  /** Holds only addresses with an open socket. */
  readonly #addresses = new Map<string, AddressCount>();
  /** At n: the addresses with n strangers. */
  readonly #crowds: Set<AddressCount>[] = [];
  readonly #known = new KnownAddresses();
  readonly #places: Places = {
    leaveStrangers: (place, count) => this.#countStranger(count, () => count.strangers.delete(place)),
    learn: (device, address) => this.#known.learn(device, address),
    free: (count, address) => {
      count.sockets--;
      if (count.sockets === 0) this.#addresses.delete(address);
    },
  };
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

  /** Whether a device has proved who it is from there. */
  isKnown(address: string): boolean {
    return this.#known.has(address);
  }

  /** @param end ends this socket, should its place be needed for an address that has fewer */
  admit(address: string, nowMs: number, end: () => void): Ticket | AdmissionRefusal {
    const count = this.#addresses.get(address) ?? { sockets: 0, strangers: new Set<Place>() };
    const refusal = this.#refusal(address, count, nowMs);
    if (refusal !== null) return refusal;
    this.#addresses.set(address, count);
    count.sockets++;
    const place = new Place(this.#places, count, address, nowMs, end);
    this.#countStranger(count, () => count.strangers.add(place));
    return place;
  }

  #refusal(address: string, count: AddressCount, nowMs: number): AdmissionRefusal | null {
    const limits = this.#limits;
    if (count.sockets >= limits.socketsPerAddress) return 'SOCKETS_PER_ADDRESS';
    if (count.strangers.size >= limits.unauthenticatedPerAddress) return 'UNAUTHENTICATED_PER_ADDRESS';
    if (!this.#handshakes.take(address, nowMs)) return 'HANDSHAKE_RATE';
    const hasPlace = this.#unauthenticated < limits.unauthenticatedSockets || this.#makePlace(count);
    return hasPlace ? null : 'UNAUTHENTICATED_SOCKETS';
  }

  /**
   * All places of strangers are taken: the address that has the most of them gives its oldest to one that has fewer. So nobody keeps
   * the honest out with many sockets; it takes as many addresses as there are places.
   */
  #makePlace({ strangers: { size: own } }: AddressCount): boolean {
    for (let size = this.#crowds.length - 1; size > own; size--) {
      const [most] = this.#crowds[size] ?? [];
      if (most === undefined) continue;
      const [oldest] = most.strangers;
      oldest!.end();
      return this.#unauthenticated < this.#limits.unauthenticatedSockets;
    }
    return false;
  }

  /** Keeps `#crowds` in step. */
  #countStranger(count: AddressCount, change: () => void): void {
    this.#crowds[count.strangers.size]?.delete(count);
    this.#unauthenticated -= count.strangers.size;
    change();
    this.#unauthenticated += count.strangers.size;
    const { size } = count.strangers;
    if (size === 0) return;
    const crowd = this.#crowds[size] ?? new Set();
    this.#crowds[size] = crowd.add(count);
  }
}

/** What a place does to the counts. */
interface Places {
  leaveStrangers(place: Place, count: AddressCount): void;
  learn(device: string, address: string): void;
  free(count: AddressCount, address: string): void;
}

/** One object for each socket that is open: of these there are ten thousand. */
class Place implements Ticket {
  readonly address: string;
  readonly acceptedAtMs: number;
  readonly #places: Places;
  readonly #count: AddressCount;
  readonly #end: () => void;
  #isOpen = true;

  constructor(places: Places, count: AddressCount, address: string, acceptedAtMs: number, end: () => void) {
    this.#places = places;
    this.#count = count;
    this.address = address;
    this.acceptedAtMs = acceptedAtMs;
    this.#end = end;
  }

  authenticate(device: string): void {
    this.#places.leaveStrangers(this, this.#count);
    this.#places.learn(device, this.address);
  }

  release(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#places.leaveStrangers(this, this.#count);
    this.#places.free(this.#count, this.address);
  }

  /** Its place goes to somebody else. */
  end(): void {
    this.#places.leaveStrangers(this, this.#count);
    this.#end();
  }
}

function handshakeBuckets({ tlsHandshakesPerAddressPerSecond: perSecond }: TransportLimits): KeyedBuckets {
  return new KeyedBuckets({ perSecond, burst: perSecond });
}
