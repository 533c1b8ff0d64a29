import { FairQueue } from './fair-queue.js';

/** So many of known ones are served in a row while strangers wait: a crowd of clients that come back does not shut out a new one. */
const KNOWN_IN_A_ROW = 3;

/** Two fair queues: whoever has proved who it is goes before those that nobody knows, who have a quarter. */
export class KnownFirst<Job> {
  readonly #known = new FairQueue<Job>();
  readonly #strangers = new FairQueue<Job>();
  #knownInARow = 0;

  get isEmpty(): boolean {
    return this.#known.isEmpty && this.#strangers.isEmpty;
  }

  /** @returns takes it out again, if it is still there */
  push(isKnown: boolean, key: string, job: Job): () => void {
    const queue = isKnown ? this.#known : this.#strangers;
    queue.push(key, job);
    return () => queue.remove(key, job);
  }

  shift(): Job | undefined {
    const isStrangersTurn = this.#knownInARow >= KNOWN_IN_A_ROW && !this.#strangers.isEmpty;
    if (this.#known.isEmpty || isStrangersTurn) {
      this.#knownInARow = 0;
      return this.#strangers.shift();
    }
    this.#knownInARow++;
    return this.#known.shift();
  }
}
