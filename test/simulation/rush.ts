import { cutLine } from './client-faults.js';
import type { Asking } from './office-imports.js';
import { putTogether, sellInParts } from './office-parts.js';
import type { Dice } from './sim-random.js';
import type { Site } from './site.js';
import type { Waiters } from './waiters.js';

const MINUTE_MS = 60_000;
/** Before the first one, and between the beginnings of two, ms. */
const FIRST_MS = [5 * MINUTE_MS, 20 * MINUTE_MS] as const;
const EVERY_MS = [30 * MINUTE_MS, 60 * MINUTE_MS] as const;
/** Long enough for everybody to stand in line a few times. */
const LASTS_MS = [2 * MINUTE_MS, 4 * MINUTE_MS] as const;
/** Between two of those in line who lose their connection, ms on average. */
const CUT_EVERY_MS = 12_000;
/** Of those some have no network for a while: they are back in time for their place, or just too late. */
const DOWN_MS = [1_000, 45_000] as const;
/** On one site in three the vendor sells in parts, and puts them together this long after a rush has begun, ms: all are in use. */
const PARTS_CHANCE = 0.35;
const TOGETHER_MS = [40_000, 110_000] as const;

/**
 * Minutes in which everybody wants the same product, waits for it and has it for a moment only. Otherwise few wait, and fewer are served: that
 * somebody is overtaken shows where many stand in line, and some lose their connection and come back.
 */
export class Rush {
  readonly #site: Site;
  readonly #waiters: Waiters;
  readonly #products: readonly string[];
  readonly #dice: Dice;
  readonly #owner: Asking;
  readonly #hasParts: boolean;
  #product: string | null = null;
  /** Connections of waiters that were cut. */
  cuts = 0;

  constructor(site: Site, waiters: Waiters, products: readonly string[], owner: Omit<Asking, 'site'>) {
    this.#site = site;
    this.#waiters = waiters;
    this.#products = products;
    this.#dice = site.dice('rush');
    this.#owner = { site, admin: owner.admin, host: owner.host };
    this.#hasParts = this.#dice.chance(PARTS_CHANCE);
  }

  /** What everybody wants; `null`: what they like. */
  get product(): string | null {
    return this.#product;
  }

  /** They come and go until `isOver`. */
  begin(isOver: () => boolean, [least, most]: readonly [number, number] = FIRST_MS): void {
    this.#site.later(this.#dice.between(least, most), () => {
      if (isOver()) return;
      // What nobody shares makes the longest lines.
      this.#product = this.#dice.chance(0.5) ? 'render' : this.#dice.pick(this.#products);
      this.#site.tellFault(`everybody wants ${this.#product}`);
      this.#site.later(this.#dice.between(...LASTS_MS), () => {
        this.#product = null;
      });
      this.#cutNow(isOver);
      if (this.#hasParts) this.#sell(this.#product, isOver);
      this.begin(isOver, EVERY_MS);
    });
  }

  #sell(product: string, isOver: () => boolean): void {
    const failed = (error: unknown): void => this.#site.violation(`a vendor failed with ${String(error)}`);
    sellInParts(this.#owner, product).catch(failed);
    this.#site.later(this.#dice.between(...TOGETHER_MS), () => {
      if (!isOver()) putTogether(this.#owner, product, this.#dice).catch(failed);
    });
  }

  #cutNow(isOver: () => boolean): void {
    this.#site.later(this.#dice.about(CUT_EVERY_MS), () => {
      if (this.#product === null || isOver()) return;
      this.#cutOne();
      this.#cutNow(isOver);
    });
  }

  #cutOne(): void {
    const waiting = this.#waiters.computers;
    if (waiting.length === 0) return;
    const { line, name } = this.#dice.pick(waiting);
    cutLine(this.#site, line, this.#dice.chance(0.7));
    if (this.#dice.chance(0.4))
      line.downUntilMs = Math.max(line.downUntilMs, this.#site.time.nowMs + this.#dice.between(...DOWN_MS));
    this.#site.tellFault(`waiterCut ${name}`);
    this.cuts++;
  }
}
