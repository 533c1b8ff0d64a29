import type { BundlePart, QueuedNotice } from '@berth/client';
import { limits } from '@berth/protocol';
import type { Context } from '../context.js';
import { usage } from '../fail.js';
import { parseDurationSeconds, parseProduct, parseSeats, quote } from '../parse.js';
import { momentWords, spanWords } from '../words.js';

// What `berth run` takes seats of, as people write it: `--product gui --product render-node,workstation:2`.

/** Each `--product` is one part; with commas its products in order of preference, and after a colon its seats. */
export function parseBundle(words: readonly string[], seats: number): BundlePart[] {
  const parts = words.map((word) => parsePart(word, seats));
  if (parts.length > limits.wantsPerCheckout)
    throw usage(
      `--product is given ${parts.length} times.`,
      `A bundle has at most ${limits.wantsPerCheckout}.`,
    );
  const all = parts.flatMap(({ product }) => product);
  const twice = all.find((one, at) => all.indexOf(one) !== at);
  if (twice !== undefined)
    throw usage(
      `--product names ${quote(twice)} more than once.`,
      `For several seats of it: --product ${twice}:2.`,
    );
  return parts;
}

function parsePart(word: string, seats: number): BundlePart {
  const [names = '', count, ...rest] = word.split(':');
  if (rest.length > 0)
    throw usage(`--product ${quote(word)} is not a product id.`, 'Write PRODUCT or PRODUCT:SEATS.');
  const products = names.split(',').map((name) => parseProduct(name, '--product'));
  if (products.length > limits.productsPerWant)
    throw usage(
      `--product ${quote(word)} names ${products.length} products.`,
      `At most ${limits.productsPerWant} can be listed in order of preference.`,
    );
  return {
    product: products.length === 1 ? products[0]! : products,
    seats: count === undefined ? seats : parseSeats(count, `--product ${names}:`),
  };
}

/** How long to wait, ms. */
export function parseWaitMs(text: string): number {
  const waitMs = parseDurationSeconds(text, '--wait') * 1000;
  if (waitMs <= limits.waitMs) return waitMs;
  throw usage(`--wait ${quote(text)} is too long.`, 'A checkout waits for at most a day: --wait 1d.');
}

/** `gui and 2 seats of render-node (or workstation)`. */
export function bundleWords(bundle: readonly BundlePart[]): string {
  return bundle
    .map(({ product, seats = 1 }) => `${seatsWords(seats)} of ${productWords(product)}`)
    .join(' and ');
}

function seatsWords(seats: number): string {
  return seats === 1 ? 'a seat' : `${seats} seats`;
}

function productWords(product: BundlePart['product']): string {
  return typeof product === 'string' ? product : product.join(' or ');
}

/** For a person who waits; a script gets one line at the beginning. */
export function tellPlace(
  { stderr, nowMs }: Pick<Context, 'stderr' | 'nowMs'>,
  bundle: readonly BundlePart[],
  { position, estimateMs, nextFreeAtMs }: QueuedNotice,
): void {
  if (!stderr.isTty) return;
  const about = estimateMs === null ? '' : `, about ${spanWords(estimateMs)}`;
  const free =
    nextFreeAtMs === null ? '' : `; the next seat can be free ${momentWords(nextFreeAtMs, nowMs())}`;
  stderr.write(`berth: waiting for ${bundleWords(bundle)}: number ${position} in line${about}${free}\n`);
}
