/** Watches free disk space, so that grants stop (DISK_LOW) before a write fails and stops the process (DESIGN 2). */
import { statfs } from 'node:fs/promises';

/** At the journal's measured best, 46 MB/s, two seconds fill 92 MB: well inside the 256 MiB of the default mark. */
const DEFAULT_INTERVAL_MS = 2_000;
/** Low ends only this far above the mark, so that a journal segment made and removed does not toggle it. */
const RECOVERY_FACTOR = 1.25;

export interface DiskWatchOptions {
  readonly freeBytes: () => Promise<number>;
  /** Low below this. */
  readonly lowBytes: number;
  readonly intervalMs?: number;
  /** Called when `low` changes, not for the first reading. */
  readonly onChange?: (low: boolean, freeBytes: number) => void;
  /** Called when a later reading fails; the last state stays. */
  readonly onError?: (error: unknown) => void;
}

export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #freeBytes: number;
  #low: boolean;
  #reading = false;
  #stopped = false;

  /** @throws what `freeBytes` throws, when the first reading fails. */
  static async start(options: DiskWatchOptions): Promise<DiskWatch> {
    return new DiskWatch(options, await options.freeBytes());
  }

  private constructor(options: DiskWatchOptions, freeBytes: number) {
    this.#options = options;
    this.#freeBytes = freeBytes;
    this.#low = freeBytes < options.lowBytes;
    this.#timer = setInterval(() => void this.#read(), options.intervalMs ?? DEFAULT_INTERVAL_MS);
    this.#timer.unref();
  }

  /** True: refuse grants, keep renewing. */
  get low(): boolean {
    return this.#low;
  }

  /** The last reading. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    // A disk that answers slower than the interval must not pile up questions.
    if (this.#reading) return;
    this.#reading = true;
    try {
      const freeBytes = await this.#options.freeBytes();
      if (!this.#stopped) this.#update(freeBytes);
    } catch (error) {
      if (!this.#stopped) this.#options.onError?.(error);
    } finally {
      this.#reading = false;
    }
  }

  #update(freeBytes: number): void {
    const mark = this.#low ? this.#options.lowBytes * RECOVERY_FACTOR : this.#options.lowBytes;
    const low = freeBytes < mark;
    this.#freeBytes = freeBytes;
    if (low === this.#low) return;
    this.#low = low;
    this.#options.onChange?.(low, freeBytes);
  }
}

/** Bytes that this process may still write on the file system of `folder` (root's reserve is not ours to use). */
export function freeBytesOf(folder: string): () => Promise<number> {
  return async () => {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  };
}
