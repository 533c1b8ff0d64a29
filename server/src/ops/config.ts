/** The configuration of berthd: flags over environment over file over what `berthd init` stored over defaults. */
import { dirname, resolve } from 'node:path';
import type { Options } from 'yargs';
import { type ConfigError, type ConfigSource, type Given, invalidValue, unknownKey } from './config-error.js';
import { readConfigFile } from './config-file.js';
import {
  CONFIG_KEYS,
  type Config,
  type ConfigKey,
  envOf,
  flagOf,
  propertyOf,
  SETTINGS,
} from './config-table.js';
import type { Kind } from './config-values.js';

export type { ConfigError, ConfigSource } from './config-error.js';
export type { Config, ConfigKey } from './config-table.js';
export type { ListenAddress } from './config-values.js';

export interface ConfigInput {
  /** As yargs parsed them, by flag name without dashes. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** An empty variable counts as not set, as compose files and unit files leave them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fileText?: string;
  /** For messages; relative paths inside the file are relative to its folder. */
  readonly fileName?: string;
  /** What the data folder holds, by key: `{ 'lease.seconds': 300 }`. Its paths should be absolute. */
  readonly stored?: Readonly<Record<string, unknown>>;
  /** What other relative paths are relative to; the working directory unless given. */
  readonly workingFolder?: string;
}

export type ConfigSources = Readonly<Record<ConfigKey, ConfigSource>>;

export type ResolvedConfig =
  | { readonly ok: true; readonly config: Config; readonly sources: ConfigSources }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/**
 * Puts the configuration together. Every error is reported, not only the first. A value that a stronger source
 * overrides is not checked: a flag must be able to start a server whose file or image is wrong. Unknown names are
 * errors in a file and in what is stored; variables are not searched for unknown names, since Kubernetes makes
 * `BERTHD_PORT` and the like for any service called berthd.
 */
export function resolveConfig(input: ConfigInput): ResolvedConfig {
  const fileName = input.fileName ?? 'berthd.toml';
  const file = readConfigFile(input.fileText ?? '', fileName);
  const errors: ConfigError[] = [...(file.ok ? [] : file.errors), ...unknownStored(input.stored ?? {})];
  const values: Record<string, unknown> = {};
  const sources: Record<string, ConfigSource> = {};
  for (const key of CONFIG_KEYS) {
    const given = strongest(key, input, file.ok ? file.entries : new Map(), fileName);
    sources[key] = given?.source ?? 'default';
    values[propertyOf(key)] = given === undefined ? SETTINGS[key].default : readGiven(key, given, input);
    if (given !== undefined && values[propertyOf(key)] === undefined) errors.push(invalidValue(key, given));
  }
  // The loop above filled every key with what its own row read: what the mapped types say, in a way TypeScript
  // cannot follow.
  const config = values as unknown as Config;
  // An unreadable file may hold the missing ones.
  if (file.ok) errors.push(...incompleteTls(sources as ConfigSources));
  if (errors.length === 0) errors.push(...wrongMail(config, sources as ConfigSources));
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, config, sources: sources as ConfigSources };
}

/** The options of `berthd serve` for yargs. Values stay text and no default is set: {@link resolveConfig} does both. */
export function yargsOptions(): Record<string, Options> {
  const options: Record<string, Options> = {};
  for (const { flag, env, help, type, reload, default: fallback } of describeConfig()) {
    options[flag] = {
      type: type === 'boolean' ? 'boolean' : 'string',
      ...(type === 'boolean' ? {} : { requiresArg: true }),
      describe: `${help} [${env}]${reload ? ' (reload)' : ''}`,
      defaultDescription: fallback,
      group: 'Settings (flag, then [environment], then file; those marked (reload) change on SIGHUP):',
    };
  }
  return options;
}

export interface SettingDescription {
  readonly key: ConfigKey;
  readonly flag: string;
  readonly env: string;
  readonly type: Kind<unknown>['name'];
  readonly allowed: string;
  /** As one would write it on the command line; `none` when the setting is off unless given. */
  readonly default: string;
  readonly help: string;
  readonly reload: boolean;
}

/** Every setting in words, in the order of the table, for `--help` and the manual. */
export function describeConfig(): readonly SettingDescription[] {
  return CONFIG_KEYS.map((key) => {
    const { kind, help, reload } = SETTINGS[key];
    return {
      key,
      flag: flagOf(key),
      env: envOf(key),
      type: kind.name,
      allowed: kind.allowed,
      default: describeDefault(SETTINGS[key].default),
      help,
      reload,
    };
  });
}

function describeDefault(value: (typeof SETTINGS)[ConfigKey]['default']): string {
  if (value === undefined) return 'none';
  if (typeof value !== 'object') return String(value);
  return 'host' in value ? `${value.host}:${value.port}` : value.join(',') || 'none';
}

function strongest(
  key: ConfigKey,
  input: ConfigInput,
  file: ReadonlyMap<string, unknown>,
  fileName: string,
): Given | undefined {
  const stored = Object.hasOwn(input.stored ?? {}, key) ? input.stored?.[key] : undefined;
  const candidates: readonly Given[] = [
    { source: 'flag', name: `--${flagOf(key)}`, value: input.flags[flagOf(key)] },
    { source: 'env', name: envOf(key), value: input.env[envOf(key)] || undefined },
    { source: 'file', name: `${key} in ${fileName}`, value: file.get(key) },
    { source: 'stored', name: `${key} in the data folder`, value: stored },
  ];
  return candidates.find((candidate) => candidate.value !== undefined);
}

function readGiven(key: ConfigKey, given: Given, input: ConfigInput): unknown {
  const kind: Kind<unknown> = SETTINGS[key].kind;
  const workingFolder = input.workingFolder ?? process.cwd();
  if (given.source === 'file') {
    return kind.read(given.value, dirname(resolve(workingFolder, input.fileName ?? '.')));
  }
  if (given.source === 'stored') return kind.read(given.value, workingFolder);
  // yargs makes an array of a repeated flag; only a list may be given in parts.
  const isRepeatedList = Array.isArray(given.value) && kind.name === 'list';
  const value: unknown = isRepeatedList ? (given.value as unknown[]).join(',') : given.value;
  return typeof value === 'string' ? kind.readText(value, workingFolder) : kind.read(value, workingFolder);
}

function unknownStored(stored: Readonly<Record<string, unknown>>): ConfigError[] {
  return Object.keys(stored)
    .filter((key) => !CONFIG_KEYS.some((known) => known === key))
    .map((key) => unknownKey(key, 'stored', 'the data folder'));
}

/** IT's own certificate is useless without its key, and clients cannot trust it without its authority. */
function incompleteTls(sources: ConfigSources): ConfigError[] {
  const keys = ['tls.cert', 'tls.key', 'tls.ca'] as const;
  const present = keys.filter((key) => sources[key] !== 'default');
  if (present.length === 0) return [];
  return keys
    .filter((key) => sources[key] === 'default')
    .map((key) => ({
      code: 'CONFIG_INVALID',
      key,
      source: sources[present[0]!],
      message: `${key} is missing: ${present.join(' and ')} was given, and your own certificate needs all three.`,
      next: `Give ${keys.join(', ')} together, or none of them to use the certificate Berth makes.`,
    }));
}

/** A mail server without a sender can send nothing; and what is not encrypted does not leave this computer. */
function wrongMail({ mailSmtp, mailFrom, mailSecurity }: Config, sources: ConfigSources): ConfigError[] {
  if (mailSmtp === undefined) return [];
  const source = sources['mail.smtp'];
  if (mailFrom === undefined)
    return [
      {
        code: 'CONFIG_INVALID',
        key: 'mail.from',
        source,
        message: 'mail.from is missing: mail.smtp was given, and mails need an address they come from.',
        next: 'Give mail.from, such as licences@studio.example.',
      },
    ];
  const { host } = mailSmtp;
  if (mailSecurity !== 'none' || isLoopback(host)) return [];
  return [
    {
      code: 'CONFIG_INVALID',
      key: 'mail.security',
      source: sources['mail.security'],
      message: `mail.security is none, and ${host} is not this computer: join links could be read on the way.`,
      next: 'Use starttls or tls, or a mail server on this computer.',
    },
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
