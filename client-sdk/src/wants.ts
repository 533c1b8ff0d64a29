import { limits, type Want } from '@berth/protocol';
import type { CheckoutOptions, ProductChoice } from './api.js';
import { BerthError } from './errors.js';

export type { Want } from '@berth/protocol';

/**
 * What a checkout asks for: its bundle, or seats of its product, or of what the client is for.
 * @throws BerthError PARAMS_INVALID
 */
export function wantsOf({ bundle, product, seats }: CheckoutOptions, own: readonly string[]): Want[] {
  if (bundle !== undefined && (product !== undefined || seats !== undefined))
    throw invalid('bundle', 'A bundle says products and seats itself: leave product and seats out.');
  const wants = (bundle ?? [{ product: product ?? own, seats }]).map((part) => ({
    products: productsOf(part.product),
    seats: seatCount(part.seats),
  }));
  if (wants.length < 1 || wants.length > limits.wantsPerCheckout)
    throw invalid('bundle', `A bundle has 1 to ${limits.wantsPerCheckout} parts.`);
  const all = wants.flatMap(({ products }) => products);
  const twice = all.find((one, at) => all.indexOf(one) !== at);
  if (twice !== undefined)
    throw invalid('bundle', `${twice} is asked for twice: ask for all its seats at once.`);
  return wants;
}

/** @throws BerthError PARAMS_INVALID */
export function productsOf(choice: ProductChoice): string[] {
  const products = typeof choice === 'string' ? [choice] : [...choice];
  if (products.length >= 1 && products.length <= limits.productsPerWant) return products;
  throw invalid('product', `Name 1 to ${limits.productsPerWant} products, in order of preference.`);
}

/** @throws BerthError PARAMS_INVALID */
export function seatCount(seats = 1): number {
  if (Number.isInteger(seats) && seats >= 1 && seats <= limits.seatsPerCheckout) return seats;
  throw invalid('seats', `seats must be an integer from 1 to ${limits.seatsPerCheckout}.`);
}

/** @throws BerthError PARAMS_INVALID */
export function waitOf(waitMs = 0): number {
  if (waitMs >= 0 && waitMs <= limits.waitMs) return Math.round(waitMs);
  throw invalid('wait', `wait must be from 0 to ${limits.waitMs} ms, which is a day.`);
}

function invalid(field: string, message: string): BerthError {
  return new BerthError('PARAMS_INVALID', { message, detail: { field } });
}
