import type { Flight } from './api.js';
import type { Peer } from './dispatch.js';

/** A frame's request under way: tied to its socket, whose place among those in flight it gives back when it waits. */
export class RequestFlight implements Flight {
  parked = false;
  readonly #peer: Peer;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get ended(): AbortSignal {
    return this.#peer.ended;
  }

  push: Flight['push'] = (name, params) => this.#peer.push(name, params);

  park(): void {
    if (this.parked) return;
    this.parked = true;
    this.#peer.parkRequest();
  }
}
