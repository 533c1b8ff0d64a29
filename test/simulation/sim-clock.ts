import type { SimTime } from './sim-time.js';

/** How one computer's clocks run: within what I2 and I3 promise unless a fault says otherwise. */
export interface ClockTraits {
  /** Parts per million that it runs fast (or, negative, slow). */
  readonly driftPpm: number;
  /** How far its wall clock is off at the start, ms. */
  readonly wallOffsetMs: number;
}

/** 2026-11-22T23:15Z: an arbitrary evening, the same for every seed, so that a day ends on the way. */
export const START_WALL_MS = Date.UTC(2026, 10, 22, 23, 15);

/** The clocks of one computer, made from true time. */
export class SimClock {
  readonly #time: SimTime;
  readonly #rate: number;
  #wallOffsetMs: number;
  /** True time during which the monotonic clock stood still (suspend). */
  #standstillMs = 0;
  #standingSinceMs: number | null = null;
  #frozenWallMs: number | null = null;

  constructor(time: SimTime, traits: ClockTraits) {
    this.#time = time;
    this.#rate = 1 + traits.driftPpm / 1e6;
    this.#wallOffsetMs = traits.wallOffsetMs;
  }

  monoMs(): number {
    const standing = this.#standingSinceMs === null ? 0 : this.#time.nowMs - this.#standingSinceMs;
    return 1_000_000 + (this.#time.nowMs - this.#standstillMs - standing) * this.#rate;
  }

  wallMs(): number {
    return this.#frozenWallMs ?? this.#runningWallMs();
  }

  uptimeMs(): number {
    return 2_000_000 + this.#time.nowMs * this.#rate;
  }

  /** How far the wall clock is ahead of the truth, ms. */
  get errorMs(): number {
    return this.wallMs() - START_WALL_MS - this.#time.nowMs;
  }

  /** The wall clock is set; forward when positive. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** Somebody sets the wall clock by the truth. */
  setRight(): void {
    this.#wallOffsetMs = this.#time.nowMs * (1 - this.#rate);
    // One that stands is set too: whoever starts meanwhile believes it.
    if (this.#frozenWallMs !== null) this.#frozenWallMs = this.#runningWallMs();
  }

  /** Suspend: the monotonic clock stops until `resume`. */
  suspend(): void {
    this.#standingSinceMs ??= this.#time.nowMs;
  }

  resume(): void {
    if (this.#standingSinceMs === null) return;
    this.#standstillMs += this.#time.nowMs - this.#standingSinceMs;
    this.#standingSinceMs = null;
  }

  freezeWall(): void {
    this.#frozenWallMs ??= this.#runningWallMs();
  }

  /** Both stand until `thaw`; the wall clock knows the time again then. */
  freeze(): void {
    this.freezeWall();
    this.suspend();
  }

  thaw(): void {
    this.#frozenWallMs = null;
    this.resume();
  }

  #runningWallMs(): number {
    return Math.floor(START_WALL_MS + this.#wallOffsetMs + this.#time.nowMs * this.#rate);
  }
}
