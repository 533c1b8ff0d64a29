import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** The thread that signs has ended by itself: what it was given gets no answer. The process must stop (DESIGN 2). */
export class SigningThreadEnded extends Error {
  override readonly name = 'SigningThreadEnded';
  readonly code = 'SIGNING_THREAD_ENDED';

  constructor(reason: string, cause?: unknown) {
    super(`The thread that signs leases ended (${reason}).`, { cause });
  }
}

export interface SigningThreadOptions {
  readonly key: KeyObject;
  /** The process must end now, without another reply: nobody can be told that their lease is not signed. */
  readonly onFatal: (error: SigningThreadEnded) => void;
}

/** One thread that signs for the one that everything else waits for. It begins with the first batch: a small site never has it. */
export class SigningThread {
  readonly #options: SigningThreadOptions;
  /** Answered in the order in which they were asked. */
  readonly #asked: { readonly count: number; readonly answer: (signatures: readonly string[]) => void }[] =
    [];
  #worker: Worker | null = null;
  #isClosed = false;

  constructor(options: SigningThreadOptions) {
    this.#options = options;
  }

  /** @returns of each text its Ed25519 signature as base64url, in order. Never rejects: a thread that cannot sign is `onFatal`'s. */
  sign(texts: readonly string[]): Promise<readonly string[]> {
    return new Promise((answer) => {
      if (this.#isClosed) return;
      this.#worker ??= this.#begin();
      this.#asked.push({ count: texts.length, answer });
      this.#worker.postMessage(texts);
    });
  }

  /** What was asked and is not signed yet gets no answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #begin(): Worker {
    const worker = new Worker(new URL('./signing-worker.js', import.meta.url), {
      workerData: this.#options.key,
      resourceLimits: HEAP,
    });
    worker.on('message', (signatures: readonly string[]) => this.#answered(signatures));
    worker.on('messageerror', (error) => this.#ended('its answer cannot be read', error));
    worker.on('error', (error) => this.#ended('it failed', error));
    worker.on('exit', (code) => this.#ended(`exit code ${code}`));
    return worker;
  }

  #answered(signatures: readonly string[]): void {
    const { count, answer } = this.#asked.shift()!;
    assert(signatures.length === count, 'the thread that signs answers every batch whole and in order');
    answer(signatures);
  }

  #ended(reason: string, cause?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onFatal(new SigningThreadEnded(reason, cause));
  }
}

/** MiB. It keeps nothing: a batch is a few kilobytes. */
const HEAP = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 };
