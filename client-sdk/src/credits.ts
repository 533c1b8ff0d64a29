import type { CreditInfo, ErrorCode } from '@berth/protocol';
import type { ClientCredits, ConsumeOptions, SpentCredits } from './api-credits.js';
import { asBerthError, BerthError } from './errors.js';
import type { Host } from './host.js';
import type { Link } from './link.js';
import { newKey } from './random.js';

/** Answers that say nothing about what was done. */
const unanswered: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNREACHABLE', 'TIMEOUT', 'CONNECTION_LOST']);

/** Spends what an admin lets the user spend. The key of each request makes a retry harmless (I7). */
export class Credits implements ClientCredits {
  readonly #host: Host;
  readonly #link: Pick<Link, 'request'>;
  readonly #product: string;
  readonly #whileOpen: <T>(work: () => Promise<T>) => Promise<T>;

  constructor(
    host: Host,
    link: Pick<Link, 'request'>,
    product: string,
    whileOpen: <T>(work: () => Promise<T>) => Promise<T>,
  ) {
    this.#host = host;
    this.#link = link;
    this.#product = product;
    this.#whileOpen = whileOpen;
  }

  consume(credits: number, options: ConsumeOptions = {}): Promise<SpentCredits> {
    const { product = this.#product, key = newKey(this.#host) } = options;
    return this.#whileOpen(async () => {
      try {
        return await this.#link.request('credit.consume', { key, product, credits });
      } catch (thrown) {
        throw withKey(asBerthError(thrown), key);
      }
    });
  }

  show(): Promise<CreditInfo | null> {
    return this.#whileOpen(async () => (await this.#link.request('user.me', {})).credits ?? null);
  }

  request(credits: number, note = ''): Promise<void> {
    const params = { key: newKey(this.#host), credits, ...(note === '' ? {} : { note }) };
    return this.#whileOpen(async () => {
      await this.#link.request('credit.request', params);
    });
  }
}

/** So that whoever has not named one can ask again. */
function withKey(error: BerthError, key: string): BerthError {
  if (!unanswered.has(error.code)) return error;
  const { message, hint, servers, detail } = error;
  return new BerthError(error.code, { message, hint, servers, detail: { ...detail, key }, cause: error });
}
