import type { PoolSettings } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny } from '../commands.js';
import { settingsOf } from '../pool-settings.js';
import type { Product, State } from '../state.js';
import { endLingers } from './linger.js';

/** Changes settings of a pool. What is set is kept with the product, which no import of an entitlement writes again. */
export function setPool(state: State, command: Command<'setPool'>, _context: Context): Decision<'setPool'> {
  const before = state.tables.product.get(command.product);
  if (before === undefined) return deny('PRODUCT_UNKNOWN', undefined, { product: command.product });
  const after: Product = { ...before, settings: { ...before.settings, ...command.settings } };
  const settings = settingsOf(after);
  const changed = JSON.stringify(settings) !== JSON.stringify(settingsOf(before));
  return {
    ok: true,
    changes: changed ? [...lingersEnd(state, settings, after), { type: 'product.put', product: after }] : [],
    outcome: { product: after.product, settings, changed },
  };
}

/** Off means off: what lingers now is free. A shorter time holds for what is released from now on. */
function lingersEnd(state: State, settings: PoolSettings, { product }: Product): Change[] {
  return settings.lingerSeconds === null ? endLingers(state, product, 'pool changed') : [];
}
