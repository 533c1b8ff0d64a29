import { type PoolSettings, poolDefaults } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import { settingsOf } from '../domain/pool-settings.js';
import type { Product } from '../domain/state.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { asked, unasked } from './request.js';

type PoolHandlers = Pick<
  Handlers,
  'pool.set' | 'pool.set.preview' | 'pool.show' | 'sharing.set' | 'sharing.set.preview'
>;

export function poolHandlers({ engine }: HandlerDeps): PoolHandlers {
  return {
    'pool.set': async (params, caller) => {
      const { product } = params;
      const settled = await engine.submit({
        type: 'setPool',
        ...asked('pool.set', params, caller),
        product,
        settings: settingsIn(params),
        ...(params.was === undefined ? {} : { was: settingsIn(params.was) }),
      });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'pool.set.preview': async (params, caller) => {
      const key = unasked('pool.set', params, caller);
      const { product } = params;
      const settled = await engine.would({ type: 'setPool', ...key, product, settings: settingsIn(params) });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'sharing.set': async (params, caller) => {
      const { on, product = null, running = 'drain', was } = params;
      const key = asked('sharing.set', params, caller);
      const settled = await engine.submit({
        type: 'setSharing',
        ...key,
        ...{ on, product, running },
        ...(was === undefined ? {} : { was }),
      });
      return settled.ok ? { ok: true, result: { products: [...settled.outcome.products] } } : settled;
    },
    'sharing.set.preview': async (params, caller) => {
      const { on, product = null, running = 'drain' } = params;
      const key = unasked('sharing.set', params, caller);
      const settled = await engine.would({ type: 'setSharing', ...key, on, product, running });
      return settled.ok ? { ok: true, result: { products: [...settled.outcome.products] } } : settled;
    },
    'pool.show': ({ product, cursor, limit }) =>
      engine.read((state): Answer<'pool.show'> => {
        if (product !== undefined && !state.tables.product.has(product))
          return deny('PRODUCT_UNKNOWN', undefined, { product });
        const rows = [...state.tables.product.values()].filter(
          (row) => product === undefined || row.product === product,
        );
        const view = (row: Product) => ({
          product: row.product,
          settings: settingsOf(row),
          defaults: poolDefaults,
          ...(row.settingsChanged === undefined ? {} : { changed: row.settingsChanged }),
        });
        return { ok: true, result: page(rows, (row) => row.product, { cursor, limit }, view) };
      }),
  };
}

/** Nothing else of the request goes into the journal. */
function settingsIn(params: Partial<PoolSettings>): Partial<PoolSettings> {
  const names = Object.keys(poolDefaults) as (keyof PoolSettings)[];
  return Object.fromEntries(
    names.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])),
  );
}
