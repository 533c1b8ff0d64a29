/** Everybody at once, when a computer wakes up, is some thousand events of one moment. */
const MOST_AT_ONCE = 200_000;

/** Somebody asks for a turn again and again, and time does not go on: a program that spins. */
export class StandsStill extends Error {
  override readonly name = 'StandsStill';
}

/** Counts what happens at one moment. */
export class Stillness {
  #atMs = 0;
  #events = 0;

  /** Before each event. @throws StandsStill */
  look(nowMs: number): void {
    if (nowMs !== this.#atMs) {
      this.#atMs = nowMs;
      this.#events = 0;
    } else if (++this.#events > MOST_AT_ONCE)
      throw new StandsStill(`the simulation stands still: ${MOST_AT_ONCE} events at ${Math.round(nowMs)} ms`);
  }
}
