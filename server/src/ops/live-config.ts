/** The configuration that a running server goes by: the settings that can change while it runs are read from here each time. */
import { CONFIG_KEYS, type Config, type ConfigKey, propertyOf, SETTINGS } from './config-table.js';

/** What a new configuration would change, by key. */
export interface Difference {
  /** Taken over while the server runs. */
  readonly live: readonly ConfigKey[];
  /** Kept as they are until the next start. */
  readonly restart: readonly ConfigKey[];
}

export class LiveConfig {
  #current: Config;

  constructor(config: Config) {
    this.#current = config;
  }

  get current(): Config {
    return this.#current;
  }

  compare(next: Config): Difference {
    const changed = CONFIG_KEYS.filter((key) => textOf(next, key) !== textOf(this.#current, key));
    return {
      live: changed.filter((key) => SETTINGS[key].reload),
      restart: changed.filter((key) => !SETTINGS[key].reload),
    };
  }

  /** `next` where a running server can follow, the current one elsewhere. */
  merged(next: Config): Config {
    const values: Record<string, unknown> = { ...this.#current };
    for (const key of this.compare(next).live) {
      const property = propertyOf(key);
      values[property] = next[property as keyof Config];
    }
    return values as unknown as Config;
  }

  swap(config: Config): void {
    this.#current = config;
  }
}

function textOf(config: Config, key: ConfigKey): string {
  return JSON.stringify(config[propertyOf(key) as keyof Config]) ?? '';
}
