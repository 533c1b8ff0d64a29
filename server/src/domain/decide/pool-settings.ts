import type { PoolSettings } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { settingsOf } from '../pool-settings.js';
import type { Last, Product, State } from '../state.js';
import { endLingers } from './linger.js';

/** Changes settings of a pool. What is set is kept with the product, which no import of an entitlement writes again. */
export function setPool(state: State, command: Command<'setPool'>, context: Context): Decision<'setPool'> {
  const before = state.tables.product.get(command.product);
  if (before === undefined) return deny('PRODUCT_UNKNOWN', undefined, { product: command.product });
  const overtaken = changedMeanwhile(before, command);
  if (overtaken !== null) return overtaken;
  const after: Product = {
    ...before,
    settings: { ...before.settings, ...command.settings },
    settingsChanged: { by: command.by.email, atMs: context.now.wallMs },
  };
  const settings = settingsOf(after);
  const changed = JSON.stringify(settings) !== JSON.stringify(settingsOf(before));
  const outcome = { product: after.product, settings, changed };
  if (!changed) return { ok: true, changes: [], outcome };
  const freed = lingersEnd(state, settings, after);
  const seats = freed.reduce(
    (all, each) => all + (each.type === 'seat.freed' ? state.tables.seat.get(each.id)!.count : 0),
    0,
  );
  return {
    ok: true,
    changes: [...freed, { type: 'product.put', product: after }],
    outcome: { ...outcome, ...(seats > 0 ? { lingersEnded: seats } : {}) },
  };
}

/** Two who set the same: the second is told what the first has made of it, instead of undoing it unseen. */
function changedMeanwhile(before: Product, { settings, was = {} }: Command<'setPool'>): Denial | null {
  const now = settingsOf(before);
  const names = (Object.keys(settings) as (keyof PoolSettings)[]).filter(
    (name) => was[name] !== undefined && was[name] !== now[name],
  );
  if (names.length === 0) return null;
  const told = names.map((name) => `${name} is ${now[name] ?? 'off'}, was ${was[name] ?? 'off'}`);
  return deny(
    'CHANGED_MEANWHILE',
    `The pool of ${before.product} was changed meanwhile${byWhom(before.settingsChanged)}: ${told.join('; ')}.`,
    {
      product: before.product,
      ...(before.settingsChanged === undefined ? {} : { changed: before.settingsChanged }),
      now: Object.fromEntries(names.map((name) => [name, now[name]])),
    },
  );
}

/** ` by …`, where it is known. */
export const byWhom = (last: Last | undefined): string => (last === undefined ? '' : ` by ${last.by}`);

/** Off means off: what lingers now is free. A shorter time holds for what is released from now on. */
function lingersEnd(state: State, settings: PoolSettings, { product }: Product): Change[] {
  return settings.lingerSeconds === null ? endLingers(state, product, 'pool changed') : [];
}
