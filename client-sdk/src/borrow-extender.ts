import type { Borrow, ExtensionNotice } from './api.js';
import type { BorrowDesk } from './borrow-desk.js';
import { takeBorrow } from './borrow-take.js';
import { asBerthError, type BerthError } from './errors.js';
import type { CancelTimer, Host } from './host.js';
import { randomBetween } from './random.js';
import { timing } from './timing.js';
import { unattended } from './waiting.js';

/** How an extension that was refused goes on. */
interface Trouble {
  readonly failures: number;
  /** Wall clock; `null`: not before the next session. */
  readonly retryAtMs: number | null;
}

/** Refusals that no time lifts: only somebody's deed does, and then the next session tries again. */
const final = new Set<string>([
  'REVOKE_PENDING',
  'BORROW_NOT_ALLOWED',
  'NO_PRODUCT',
  'DEVICE_UNKNOWN',
  'TOKEN_INVALID',
]);

/**
 * Extends the borrows of a client that were taken with `autoExtend`, once less than their window is left and while a session is open. What
 * is asked for is on disk with the borrow: whichever process of this device runs near its end does it. An expired borrow is not extended: its
 * seat may be somebody else's soon.
 */
export class BorrowExtender {
  readonly #host: Host;
  readonly #desk: BorrowDesk;
  readonly #product: string;
  readonly #tell: (notice: ExtensionNotice) => void;
  readonly #troubles = new Map<string, Trouble>();
  #timer: CancelTimer | null = null;
  #looking = false;
  #stopped = false;

  constructor(host: Host, desk: BorrowDesk, product: string, tell: (notice: ExtensionNotice) => void) {
    this.#host = host;
    this.#desk = desk;
    this.#product = product;
    this.#tell = (notice) => {
      try {
        tell(notice);
      } catch {
        // Whatever the plugin makes of it, the borrow was extended or not.
      }
    };
  }

  /** A session is open: what was refused for good is asked for once more. */
  online(): void {
    this.#troubles.clear();
    this.look();
  }

  /** Looks at the borrows on disk, extends what is due and comes back when the next one is. */
  look(): void {
    if (this.#looking || this.#stopped) return;
    this.#timer?.();
    this.#timer = null;
    this.#looking = true;
    const done = this.#extendDue()
      // A folder that cannot be read now is looked at again, as if nothing were due.
      .catch(() => this.#host.clock.wallMs() + timing.useRefreshMs)
      .finally(() => {
        this.#looking = false;
      });
    unattended(done.then((nextAtMs) => this.#wait(nextAtMs)));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
    this.#timer = null;
  }

  #wait(nextAtMs: number): void {
    if (this.#stopped || nextAtMs === Number.POSITIVE_INFINITY) return;
    const leftMs = Math.max(0, nextAtMs - this.#host.clock.wallMs());
    // Timers stand still while the computer sleeps, and the wall clock may be set.
    this.#timer = this.#host.setTimer(() => this.look(), Math.min(leftMs, timing.useRefreshMs));
  }

  /** @returns when to look again, ms since 1970 */
  async #extendDue(): Promise<number> {
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const { borrow } of await this.#desk.shelf.all(this.#product)) {
      const dueAtMs = this.#dueAtMs(borrow);
      if (dueAtMs === null) continue;
      const isDue = dueAtMs <= this.#host.clock.wallMs();
      const again = isDue ? await this.#extend(borrow) : dueAtMs;
      nextAtMs = Math.min(nextAtMs, again ?? Number.POSITIVE_INFINITY);
    }
    return nextAtMs;
  }

  /** `null`: it is not to be extended, or not any more. */
  #dueAtMs({ id, state, autoExtend, expiresAtMs }: Borrow): number | null {
    if (autoExtend === null || state !== 'valid') return null;
    const trouble = this.#troubles.get(id);
    if (trouble !== undefined) return trouble.retryAtMs;
    return expiresAtMs - autoExtend.beforeSeconds * 1000;
  }

  async #extend(borrow: Borrow): Promise<number | null> {
    // Without a session there is nobody to ask: the next one looks again.
    if (this.#stopped || this.#desk.session.link.connection === null) return null;
    const { seconds, beforeSeconds } = borrow.autoExtend!;
    try {
      const options = { seconds, seats: borrow.seats, autoExtend: true, extendBeforeSeconds: beforeSeconds };
      const extended = await takeBorrow(this.#desk, this.#product, options);
      this.#troubles.delete(borrow.id);
      this.#tell({ extended: true, borrow: extended });
      const dueAtMs = this.#dueAtMs(extended);
      // Due again at once where the window is as long as the borrow, or our clock is ahead: not in a loop, each turn a loan and a file.
      const pauseEndsMs = this.#host.clock.wallMs() + this.#pauseMs(extended, 1);
      return dueAtMs === null ? null : Math.max(dueAtMs, pauseEndsMs);
    } catch (thrown) {
      return this.#refused(borrow, asBerthError(thrown));
    }
  }

  #refused(borrow: Borrow, { code, message, hint }: BerthError): number | null {
    const failures = (this.#troubles.get(borrow.id)?.failures ?? 0) + 1;
    const retryAtMs = final.has(code) ? null : this.#host.clock.wallMs() + this.#pauseMs(borrow, failures);
    this.#troubles.set(borrow.id, { failures, retryAtMs });
    if (!this.#stopped) this.#tell({ extended: false, borrow, code, message, hint, retryAtMs });
    return retryAtMs;
  }

  /** Doubled and jittered, but several attempts always fit before the end. */
  #pauseMs({ expiresAtMs }: Borrow, failures: number): number {
    const leftMs = expiresAtMs - this.#host.clock.wallMs();
    const doubledMs = timing.extendAgainMinMs * 2 ** Math.min(failures - 1, 10);
    const capMs = Math.min(timing.extendAgainMaxMs, leftMs / 8);
    return Math.max(
      timing.extendAgainFloorMs,
      Math.min(doubledMs, capMs) * randomBetween(this.#host, 0.5, 1),
    );
  }
}
