import { type Command, type Context, type Decision, deny } from '../commands.js';
import { settingsOf } from '../pool-settings.js';
import type { Product, State } from '../state.js';

/** Changes settings of a pool. What is set is kept with the product, which no import of an entitlement writes again. */
export function setPool(state: State, command: Command<'setPool'>, _context: Context): Decision<'setPool'> {
  const before = state.tables.product.get(command.product);
  if (before === undefined) return deny('PRODUCT_UNKNOWN', undefined, { product: command.product });
  const after: Product = { ...before, settings: { ...before.settings, ...command.settings } };
  const settings = settingsOf(after);
  const changed = JSON.stringify(settings) !== JSON.stringify(settingsOf(before));
  return {
    ok: true,
    changes: changed ? [{ type: 'product.put', product: after }] : [],
    outcome: { product: after.product, settings, changed },
  };
}
