import type { Command, Denial, Settled } from '../domain/commands.js';

/** A checkout that waits for its seats, in the order in which it came. */
export interface Waiter {
  readonly command: Command<'checkout'>;
  /** When it gives up, ms on the monotonic clock. */
  readonly untilMs: number;
  /** Called once, with the grant or the last denial. */
  readonly settle: (settled: Settled<'checkout'>) => void;
  /** Told where it stands, whenever that changes. */
  readonly onPlace: (place: Place) => void;
}

export interface Place {
  /** 1: next in line for a product it waits for. */
  readonly position: number;
  /** The latest moment at which the next seat is free if nobody renews, ms since 1970; `null` when nobody can tell. */
  readonly nextFreeAtMs: number | null;
}

interface Standing {
  readonly waiter: Waiter;
  denial: Denial;
  position: number;
}

/** Decides a waiter's checkout once more, with the shared seats of `ahead` kept for those before it. */
export type Attempt = (command: Command<'checkout'>, ahead: ReadonlySet<string>) => Settled<'checkout'>;

/**
 * Who waits for seats, first come first served. Not journaled: a waiter lives no longer than its socket, and comes again after a
 * restart. Whoever waits for a product keeps later ones from its shared seats, so that a bundle or a large wish is not overtaken for ever.
 */
export class WaitingLine {
  readonly #line: Standing[] = [];
  readonly #awaited = new Map<string, number>();

  get size(): number {
    return this.#line.length;
  }

  /** Products somebody waits for. */
  get awaited(): ReadonlySet<string> {
    return new Set(this.#awaited.keys());
  }

  join(waiter: Waiter, denial: Denial): void {
    this.#line.push({ waiter, denial, position: 0 });
    this.#count(waiter, 1);
    this.#tellPlaces();
  }

  /** The client went, or changed its mind. It is not told. */
  leave(waiter: Waiter): void {
    const at = this.#line.findIndex((standing) => standing.waiter === waiter);
    if (at >= 0) this.#remove(at);
    this.#tellPlaces();
  }

  /** Seats may have come free: everybody is tried again, in order. */
  serve(attempt: Attempt): void {
    const ahead = new Set<string>();
    for (let at = 0; at < this.#line.length; ) {
      const standing = this.#line[at]!;
      const settled = attempt(standing.waiter.command, ahead);
      if (settled.ok || settled.code !== 'NO_SEAT') {
        this.#remove(at);
        standing.waiter.settle(settled);
        continue;
      }
      standing.denial = settled;
      for (const product of productsOf(standing.waiter)) ahead.add(product);
      at += 1;
    }
    this.#tellPlaces();
  }

  /** Ends the wait of those whose time is over, with the last denial. */
  giveUp(monoMs: number): void {
    this.#end(
      (waiter) => waiter.untilMs <= monoMs,
      ({ denial }) => denial,
    );
  }

  /** Ends every wait with the same denial: the server is going away. */
  dismiss(denial: Denial): void {
    this.#end(
      () => true,
      () => denial,
    );
  }

  #end(isOver: (waiter: Waiter) => boolean, denialOf: (standing: Standing) => Denial): void {
    const over = this.#line.filter(({ waiter }) => isOver(waiter));
    for (const standing of over) {
      this.#remove(this.#line.indexOf(standing));
      standing.waiter.settle(denialOf(standing));
    }
    if (over.length > 0) this.#tellPlaces();
  }

  #remove(at: number): void {
    const [standing] = this.#line.splice(at, 1);
    if (standing !== undefined) this.#count(standing.waiter, -1);
  }

  #count(waiter: Waiter, step: 1 | -1): void {
    for (const product of productsOf(waiter)) {
      const count = (this.#awaited.get(product) ?? 0) + step;
      if (count === 0) this.#awaited.delete(product);
      else this.#awaited.set(product, count);
    }
  }

  #tellPlaces(): void {
    const before = new Map<string, number>();
    for (const standing of this.#line) {
      const products = productsOf(standing.waiter);
      const position = 1 + Math.max(...products.map((product) => before.get(product) ?? 0));
      for (const product of products) before.set(product, (before.get(product) ?? 0) + 1);
      if (position === standing.position) continue;
      standing.position = position;
      const { nextFreeAtMs } = standing.denial.detail ?? {};
      standing.waiter.onPlace({
        position,
        nextFreeAtMs: typeof nextFreeAtMs === 'number' ? nextFreeAtMs : null,
      });
    }
  }
}

/** Every product a waiter may be served from, each once. */
function productsOf({ command }: Waiter): string[] {
  return [...new Set(command.wants.flatMap(({ products }) => products))];
}
