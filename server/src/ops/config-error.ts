import { distance } from '@berth/protocol/nearest';
/** What can be wrong with a configuration, as sentences: what happened, what is allowed, what to do next. */
import { CONFIG_KEYS, type ConfigKey, SETTINGS } from './config-table.js';
import { describeFound } from './config-values.js';

/** Where a value came from, strongest first. `stored`: what `berthd init` left in the data folder. */
export type ConfigSource = 'flag' | 'env' | 'file' | 'stored' | 'default';

export interface ConfigError {
  readonly code: 'CONFIG_INVALID';
  /** The setting, or what was written in its place; empty when the whole file cannot be read. */
  readonly key: string;
  readonly source: ConfigSource;
  readonly message: string;
  readonly next: string;
}

/** A value and the name it was given by: `--lease-seconds`, `BERTHD_LEASE_SECONDS`, `lease.seconds in berthd.toml`. */
export interface Given {
  readonly source: ConfigSource;
  readonly name: string;
  readonly value: unknown;
}

export function invalidValue(key: ConfigKey, given: Given): ConfigError {
  const { kind } = SETTINGS[key];
  const isRepeated = given.source === 'flag' && kind.name !== 'list' && Array.isArray(given.value);
  const wrong = isRepeated
    ? `was given ${(given.value as unknown[]).length} times, but may be given once`
    : `is ${describeFound(given.value)}, but must be ${kind.allowed}`;
  return {
    code: 'CONFIG_INVALID',
    key,
    source: given.source,
    message: `${given.name} ${wrong}.`,
    next: `Correct or remove ${given.name} and start berthd again.`,
  };
}

export function unknownKey(written: string, source: 'file' | 'stored', place: string): ConfigError {
  const children = CONFIG_KEYS.filter((key) => key.startsWith(`${written}.`));
  const meant = nearestKey(written);
  const hint =
    children.length > 0
      ? ` It is a table: did you mean "${children[0]}"?`
      : meant === undefined
        ? ''
        : ` Did you mean "${meant}"?`;
  return {
    code: 'CONFIG_INVALID',
    key: written,
    source,
    message: `"${written}" in ${place} is not a setting of this version of berthd.${hint}`,
    next: `Correct or remove "${written}" in ${place}; berthd serve --help lists every setting.`,
  };
}

/** The known key that `written` most likely stands for, or `undefined` when none is near. */
export function nearestKey(written: string): ConfigKey | undefined {
  const plain = plainLetters(written).slice(0, 64);
  let best: { key: ConfigKey; away: number } | undefined;
  for (const key of CONFIG_KEYS) {
    // `seconds` outside its table is meant for `lease.seconds`.
    const isLastPart = written === key.slice(key.lastIndexOf('.') + 1);
    const away = isLastPart ? 0 : distance(plain, plainLetters(key));
    if (best === undefined || away < best.away) best = { key, away };
  }
  const near = Math.min(4, Math.max(2, plain.length / 4));
  return best !== undefined && best.away <= near ? best.key : undefined;
}

/** `leaseSeconds`, `lease_seconds` and `lease-seconds` are all meant for `lease.seconds`. */
function plainLetters(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, '');
}
