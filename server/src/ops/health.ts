import type { HealthWarning } from '@berth/protocol';

/** What `/livez` and `/readyz` answer. */

/**
 * `starting`: loading, replaying. `serving`: requests are answered. `draining`: told to stop, finishing. `failed`: an
 * invariant or a write broke and the process is about to end.
 */
export type Phase = 'starting' | 'serving' | 'draining' | 'failed';

export class Health {
  #phase: Phase = 'starting';
  #reason = 'starting';
  readonly #warnings: (() => HealthWarning | null)[] = [];

  get phase(): Phase {
    return this.#phase;
  }

  /** Why it is in this phase, for people. */
  get reason(): string {
    return this.#reason;
  }

  /** `/livez`: false asks a supervisor to restart the process. */
  get live(): boolean {
    return this.#phase !== 'failed';
  }

  /** `/readyz`: true only while serving, so that a load balancer or a start script can wait for it (DESIGN 5). */
  get ready(): boolean {
    return this.#phase === 'serving';
  }

  /** Codes of what is wrong although it serves (`CLOCK_BEHIND`, `DISK_LOW`): renewals go on, so it stays ready. */
  get warnings(): readonly HealthWarning[] {
    return this.#warnings.map((read) => read()).filter((code) => code !== null);
  }

  /** @param read the code while something is wrong, else `null`; asked at each look. */
  watch(read: () => HealthWarning | null): void {
    this.#warnings.push(read);
  }

  /** Failed is final: what made it so is not undone by a later step of a start or a stop. */
  enter(phase: Phase, reason: string = phase): void {
    if (this.#phase === 'failed') return;
    this.#phase = phase;
    this.#reason = reason;
  }
}
