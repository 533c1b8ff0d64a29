import type { RunReport } from './run.js';

/** Of all seeds together. */
export class Totals {
  seeds = 0;
  simulatedHours = 0;
  /** Of those, while things went wrong. */
  safetyHours = 0;
  ops = 0;
  violations = 0;
  readonly #faults: Record<string, number> = {};
  readonly #asked: Record<string, number> = {};
  readonly #beyond: Record<string, number> = {};
  #beyondFindings = 0;
  readonly #waiters = { waiting: 0, served: 0, told: 0, inLine: 0, cameBack: 0, seated: 0 };

  add(report: RunReport): void {
    this.seeds++;
    this.simulatedHours += report.simulatedHours;
    this.safetyHours += report.safetyHours;
    this.ops += report.ops;
    this.violations += report.violations.length;
    sum(this.#faults, report.faults);
    sum(this.#asked, report.asked);
    sum(this.#beyond, report.beyondPromise.faults);
    sum(this.#waiters, report.waiters);
    this.#beyondFindings += report.beyondPromise.findings;
  }

  line(): string {
    return `${this.seeds} seeds, ${this.ops} ops, ${this.violations} violations`;
  }

  summary(): Record<string, unknown> {
    const faults = Object.values(this.#faults).reduce((sum, count) => sum + count, 0);
    return {
      seeds: this.seeds,
      simulatedHours: Math.round(this.simulatedHours * 100) / 100,
      ops: this.ops,
      faults,
      violations: this.violations,
      beyondPromise: { faults: this.#beyond, findings: this.#beyondFindings },
      waiters: this.#waiters,
      byFault: this.#faults,
      byMethod: this.#asked,
    };
  }
}

function sum(totals: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
}
