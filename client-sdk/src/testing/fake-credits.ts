import type { CreditInfo, ParamsOf } from '@berth/protocol';
import type { Answer } from './fake-socket.js';

/** What the user of the fake server may spend: so many credits, and no more. */
export class FakeCredits {
  left: number;
  #spent = 0;
  #receipts = 0;

  constructor(credits: number) {
    this.left = credits;
  }

  get spent(): number {
    return this.#spent;
  }

  info(): CreditInfo {
    return { access: 'unlimited', used: this.#spent, spent: this.#spent, left: this.left };
  }

  /** Asked again with the same key it is not called: the server answers as before. */
  consume({ credits }: ParamsOf<'credit.consume'>): Answer<'credit.consume'> {
    if (credits > this.left) return { error: 'CREDIT_LOW', data: { asked: credits, left: this.left } };
    this.left -= credits;
    this.#spent += credits;
    return { id: `fake-receipt-${++this.#receipts}`, credits, left: this.left };
  }
}
