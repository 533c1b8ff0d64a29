import { type PoolSettings, poolDefaults } from '@berth/protocol';
import type { Product } from './state.js';

/** The settings of a pool as they hold: what an admin has set, else the default. */
export function settingsOf({ settings }: Product): PoolSettings {
  return { ...poolDefaults, ...settings };
}
