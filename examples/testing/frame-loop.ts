import type { Seat } from '@berth/client';

/** A part of a plugin that is worth testing: renders frame by frame as long as the seat allows it, and says why it stopped. */
export class FrameLoop {
  readonly #seat: Seat;
  readonly #status: string[] = [];
  #frames = 0;

  constructor(seat: Seat) {
    this.#seat = seat;
    seat.on('grace', ({ message }) => this.#status.push(`Licence server: ${message}`));
    seat.on('recovered', () => this.#status.push('Licence server: all is well again.'));
    seat.on('lost', ({ message }) => this.#status.push(`Stopped: ${message}`));
  }

  /** What the status bar has shown, oldest first. */
  get status(): readonly string[] {
    return this.#status;
  }

  get frames(): number {
    return this.#frames;
  }

  /** Renders one frame if there is a right to. Reading the state costs nothing: no I/O, no promise. */
  tick(): boolean {
    const { state } = this.#seat;
    if (state === 'lost' || state === 'released') return false;
    this.#frames++;
    return true;
  }
}
