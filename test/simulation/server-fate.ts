import type { FaultyFiles, Survivors } from '../store/faulty-files.js';
import { type Doom, dieAfterPromises } from './sim-disk.js';

/** What is going to befall the server's process, and what of its unsynced writes that leaves. */
export class ServerFate {
  readonly #disk: FaultyFiles;
  #failing: Survivors | null = null;
  #promisesAfterFrame: number | null = null;
  doom: Doom | null = null;

  constructor(disk: FaultyFiles) {
    this.#disk = disk;
  }

  /** A fault is under way that explains a process which ends. */
  get isFailing(): boolean {
    return this.#failing !== null || this.#disk.full;
  }

  get survivors(): Survivors {
    return this.#failing ?? 'ALL';
  }

  /** It dies during that step of the disk from now. */
  dieAtStep(step: number, survivors: Survivors): void {
    this.#disk.crashAt = this.#disk.steps + step;
    this.#failing = survivors;
  }

  /** That step of the disk from now fails, and so much of it is done. */
  failAtStep(step: number, errno: string, part: 'HALF' | 'NONE'): void {
    this.#disk.failAt = this.#disk.steps + step;
    this.#disk.errno = errno;
    this.#disk.failingWrites = part;
    this.#failing = 'ALL';
  }

  /** It dies at that file operation from now, or so many promises later; one that is down dies in its next start. */
  dieAtOperation(doom: Doom, survivors: Survivors): void {
    this.doom = doom;
    this.#failing = survivors;
  }

  /** It dies so many promises after the next frame has arrived. */
  dieAfterFrame(promises: number, survivors: Survivors): void {
    this.#promisesAfterFrame = promises;
    this.#failing = survivors;
  }

  frameArrives(die: () => void): void {
    const promises = this.#promisesAfterFrame;
    this.#promisesAfterFrame = null;
    if (promises !== null) dieAfterPromises(promises, die);
  }

  /** It died: of this or of something else. */
  fulfilled(): void {
    this.#failing = null;
    this.#promisesAfterFrame = null;
    this.doom = null;
  }

  /** Nothing fails any more. */
  heal(): void {
    this.fulfilled();
    this.#disk.crashAt = Number.POSITIVE_INFINITY;
    this.#disk.failAt = Number.POSITIVE_INFINITY;
    this.#disk.full = false;
  }
}
