import type { Change } from './journal-entry.js';

// What the journal says of credits, written down a second time: who may spend, what was spent of which entitlement, and when.

export interface SpendRow {
  readonly id: string;
  readonly email: string;
  readonly device: string;
  readonly product: string;
  readonly credits: number;
  readonly day: string;
  readonly charges: readonly { readonly entitlement: string; readonly credits: number }[];
}

interface Grant {
  readonly access: 'disabled' | 'limited' | 'unlimited';
  readonly limit?: number;
  readonly per?: 'day' | 'month' | 'year' | 'total';
}

/** How much of `2026-11-28` the days of a period have in common. */
const common = { day: 10, month: 7, year: 4, total: 0 } as const;

const forgets: ReadonlySet<string> = new Set(['user.removed', 'credit.forgotten']);

export class CreditBook {
  readonly #grants = new Map<string, Grant>();
  /** Of each entitlement. */
  readonly #spent = new Map<string, number>();
  readonly #spends: SpendRow[] = [];
  /** Of each user: how many more they asked for last. */
  readonly #asked = new Map<string, number>();

  apply(change: Change): void {
    if (change.type === 'credit.access') this.#grants.set(String(change.email), change.grant as Grant);
    if (forgets.has(change.type)) this.#grants.delete(String(change.email));
    if (change.type === 'credit.asked') {
      const { email, credits } = change.request as { readonly email: string; readonly credits: number };
      this.#asked.set(email, credits);
    }
    if (change.type === 'credit.moved') {
      this.#add(String(change.from), -(change.credits as number));
      this.#add(String(change.to), change.credits as number);
    }
    if (change.type !== 'credit.spent') return;
    const spend = change.spend as SpendRow;
    this.#spends.push(spend);
    for (const { entitlement, credits } of spend.charges) this.#add(entitlement, credits);
  }

  spentOf(entitlement: string): number {
    return this.#spent.get(entitlement) ?? 0;
  }

  /** What a yes to the question that somebody has asked gives: as much more; null: it depends on what was spent. */
  afterYes(email: string): Grant | null {
    const grant = this.#grants.get(email) ?? { access: 'disabled' };
    const { access, limit = 0, per = 'total' } = grant;
    if (access === 'unlimited') return grant;
    if (access === 'disabled') return null;
    // A limit below what was spent leaves nothing: what was asked for counts from there.
    if (this.#sumOf(email, '') > limit) return null;
    return { access, limit: limit + (this.#asked.get(email) ?? 0), per };
  }

  /** Whether an admin lets somebody spend any. */
  allows(email: string): boolean {
    return (this.#grants.get(email)?.access ?? 'disabled') !== 'disabled';
  }

  has(id: string): boolean {
    return this.#spends.some((spend) => spend.id === id);
  }

  /** Why this may not be spent by whoever does; null when it may. */
  beyond({ email, credits, day }: SpendRow): string | null {
    const { access, limit = 0, per = 'total' } = this.#grants.get(email) ?? { access: 'disabled' };
    if (access === 'disabled') return 'who may spend none';
    if (access === 'unlimited') return null;
    const period = day.slice(0, common[per]);
    const sum = this.#sumOf(email, period) + credits;
    return sum > limit ? `who has spent ${sum} by that, of ${limit} per ${per}` : null;
  }

  /** Spent by somebody on days that begin so. */
  #sumOf(email: string, period: string): number {
    const own = this.#spends.filter((spend) => spend.email === email && spend.day.startsWith(period));
    return own.reduce((total, spend) => total + spend.credits, 0);
  }

  #add(entitlement: string, credits: number): void {
    this.#spent.set(entitlement, this.spentOf(entitlement) + credits);
  }
}
