import type { Engine } from './engine.js';
import type { Issuer } from './issuer.js';

/** How often a signed checkpoint goes into the journal (I10), ms. */
const CHECKPOINT_MS = 3_600_000;

interface Parts {
  readonly engine: Pick<Engine, 'submit' | 'witness'>;
  readonly issuer: Issuer;
  readonly clock: { now(): { readonly monoMs: number; readonly wallMs: number } };
}

/** A signed checkpoint of the journal, so that a truncated copy shows against it (I10). */
export async function writeCheckpoint({ engine, issuer, clock }: Parts): Promise<void> {
  const iat = Math.floor(clock.now().wallMs / 1000);
  await engine.submit({ type: 'checkpoint', token: issuer.issue('checkpoint', { ...engine.witness, iat }) });
}

/**
 * Writes one at the start and every hour. An hour has passed when either clock says so: the monotonic one stands still while a machine sleeps,
 * and nobody can put a checkpoint off by setting the other.
 */
export class Checkpoints {
  readonly #parts: Parts;
  #last: { readonly monoMs: number; readonly wallMs: number } | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Every second or so. */
  look(): void {
    const now = this.#parts.clock.now();
    const last = this.#last;
    const isDue =
      last === null || now.monoMs - last.monoMs >= CHECKPOINT_MS || now.wallMs - last.wallMs >= CHECKPOINT_MS;
    if (!isDue) return;
    this.#last = { monoMs: now.monoMs, wallMs: now.wallMs };
    void writeCheckpoint(this.#parts);
  }
}
