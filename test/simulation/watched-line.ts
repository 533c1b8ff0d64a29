import type { Command } from '@berth/server/domain/commands';
import type { Wait } from '@berth/server/engine/engine';

type Checkout = Command<'checkout'>;

/** A tick serves whom the server itself was in the way of, and tells places a second later: so many ticks are nobody's luck. */
const TICKS = 5;

interface First {
  /** As last asked: whoever asks again stands in the same place with another wait, and the session of the older one may be gone. */
  command: Checkout;
  readonly waits: Set<Wait>;
  /** For so many ticks there has been a seat for it. */
  ticks: number;
}

/** Decision 0006: whoever stands first in line is served as soon as there is a seat for it, not when its patience or something else ends. */
export class WatchedLine {
  readonly #onViolation: (text: string) => void;
  /** By the id of the request: who was told last that nobody stands before it. */
  readonly #first = new Map<string, First>();

  constructor(onViolation: (text: string) => void) {
    this.#onViolation = onViolation;
  }

  /** @returns the wait as it is to be given to the engine */
  stands(id: string, command: Checkout, wait: Wait): Wait {
    // Who wants several products may be first for one of them alone.
    if (command.wants.length > 1 || command.wants.some(({ products }) => products.length > 1)) return wait;
    const watched: Wait = {
      ...wait,
      onPlace: (place) => {
        if (place.position > 1) this.#first.delete(id);
        else this.#isFirst(id, command, watched);
        wait.onPlace(place);
      },
    };
    return watched;
  }

  #isFirst(id: string, command: Checkout, wait: Wait): void {
    const first = this.#first.get(id) ?? { command, waits: new Set(), ticks: 0 };
    this.#first.set(id, first);
    if (first.waits.has(wait)) return;
    first.waits.add(wait);
    first.command = command;
  }

  /** @param wait as `stands` gave it */
  left(id: string, wait: Wait): void {
    const first = this.#first.get(id);
    first?.waits.delete(wait);
    if (first?.waits.size === 0) this.#first.delete(id);
  }

  /** After a tick. @param hasSeat whether it would be granted if it asked now */
  look(hasSeat: (command: Checkout) => boolean): void {
    for (const [id, first] of this.#first) {
      first.ticks = hasSeat(first.command) ? first.ticks + 1 : 0;
      if (first.ticks !== TICKS) continue;
      const [want] = first.command.wants;
      this.#onViolation(
        `LINE: "${id}" stands first in line for ${want?.seats} of ${want?.products[0]}, and has for ${TICKS} ticks though they are free`,
      );
    }
  }
}
