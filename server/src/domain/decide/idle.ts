import type { Change } from '../changes.js';
import type { Command, Context } from '../commands.js';
import { settingsOf } from '../pool-settings.js';
import type { Lease, Seat, State } from '../state.js';

/**
 * What a renewal says of idle plugins, and which seats are taken back for it. A lease alone frees nothing, so nobody loses one: only when
 * every open lease of a seat has been idle for as long as the pool allows are they revoked, together. As with a forced release the
 * seat is free at the device's signed stop or at the end of the window (I1). A borrow is never idle (I8).
 */
export class Idleness {
  readonly #state: State;
  readonly #monoMs: number;
  /** Lease -> how long its plugin has been idle, ms, as this renewal says. */
  readonly #reported: ReadonlyMap<string, number>;
  readonly #renewed: ReadonlySet<string>;
  readonly #device: string;
  readonly #seatsTaken = new Set<string>();

  constructor(state: State, command: Command<'renew'>, context: Context) {
    this.#state = state;
    this.#monoMs = context.now.monoMs;
    this.#reported = new Map((command.idle ?? []).map(({ lease, seconds }) => [lease, seconds * 1000]));
    this.#renewed = new Set(command.leases);
    this.#device = command.by.device;
  }

  /** Revokes the leases of the seats that all of their plugins have left idle for too long. */
  takeBack(): Change[] {
    const changes: Change[] = [];
    for (const id of this.#reported.keys()) {
      const lease = this.#renewed.has(id) ? this.#state.tables.lease.get(id) : undefined;
      if (lease === undefined || lease.device !== this.#device || this.took(lease)) continue;
      const seat = this.#state.tables.seat.get(lease.claims.seat)!;
      const limitMs = this.#limitMs(seat);
      const open = this.#openLeases(seat);
      if (open.length === 0 || !open.every((each) => this.#idleMs(each) >= limitMs)) continue;
      this.#seatsTaken.add(seat.id);
      changes.push(...open.map((each) => revoked(each, limitMs)));
    }
    return changes;
  }

  /** True when this renewal took the seat of the lease back. */
  took({ claims }: Lease): boolean {
    return this.#seatsTaken.has(claims.seat);
  }

  /** What the renewal of a lease that goes on remembers. */
  report(lease: string): { idleMs?: number } {
    const idleMs = this.#reported.get(lease);
    return idleMs === undefined ? {} : { idleMs };
  }

  #limitMs(seat: Seat): number {
    const { idleSeconds } = settingsOf(this.#state.tables.product.get(seat.product)!);
    if (idleSeconds === null || this.#state.derived.statusBySeat.get(seat.id) === 'borrowed') return Infinity;
    return idleSeconds * 1000;
  }

  #openLeases(seat: Seat): Lease[] {
    return [...this.#state.derived.leasesBySeat.get(seat.id)]
      .map((id) => this.#state.tables.lease.get(id)!)
      .filter(({ state }) => state === 'open');
  }

  /** Of a lease that is not in this renewal: as its own last one said. */
  #idleMs({ claims: { jti } }: Lease): number {
    if (this.#renewed.has(jti)) return this.#reported.get(jti) ?? 0;
    const sinceMs = this.#state.idleSinceMs.get(jti);
    return sinceMs === undefined ? 0 : this.#monoMs - sinceMs;
  }
}

function revoked({ claims }: Lease, limitMs: number): Change {
  const reason = `Nobody had used it for ${limitMs / 1000} s, which is as long as this licence may be idle.`;
  return { type: 'lease.revoked', id: claims.jti, by: '', reason, cause: 'idle' };
}
