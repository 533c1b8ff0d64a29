import type { Change } from '@berth/server/domain/changes';
import type { SimClock } from './sim-clock.js';

/** How fast the clock that frees borrows may gain on the monotonic one (I5). */
const RHO = 1e-3;

/** How far the time that a process of the server knows may have gone: no further than its clocks ran since it started, and than what an admin vouched for. */
export class SteadyBound {
  readonly #clock: SimClock;
  readonly #onBeyond: (text: string) => void;
  readonly #startMonoMs: number;
  #wallMs: number;

  constructor(clock: SimClock, onBeyond: (text: string) => void) {
    this.#clock = clock;
    this.#onBeyond = onBeyond;
    this.#startMonoMs = clock.monoMs();
    this.#wallMs = clock.wallMs();
  }

  /** After a commit. */
  look(changes: readonly Change[]): void {
    for (const change of changes) {
      const gainedMs = (this.#clock.monoMs() - this.#startMonoMs) * (1 + RHO);
      if (change.type === 'clock.accepted') this.#wallMs = Math.max(this.#wallMs, change.wallMs - gainedMs);
      const aheadMs = change.type === 'clock.seen' ? change.wallMs - this.#wallMs - gainedMs : 0;
      if (aheadMs > 1)
        this.#onBeyond(`time counts as seen ${Math.round(aheadMs)} ms ahead of what has gone by`);
    }
  }
}
