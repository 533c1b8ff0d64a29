/**
 * The kinds of value a setting can have. A kind reads a value as a file gives it (`read`) or as text from a flag or an
 * environment variable (`readText`), and says in words what it allows. Pure but for `path`, which asks the platform
 * what an absolute path is.
 */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { canonicalEmail } from '@berth/protocol';

/** A value, or `undefined` when what was found is not allowed. No kind has `undefined` as a value. */
type Read<Value> = Value | undefined;

export interface Kind<Value> {
  readonly name: 'integer' | 'string' | 'list' | 'boolean' | 'enum' | 'address' | 'path';
  /** What is allowed, to follow "must be": `a whole number from 2 to 3600 (seconds)`. */
  readonly allowed: string;
  /** Reads a TOML or JSON value. `baseFolder` is what a relative path is relative to. */
  read(value: unknown, baseFolder: string): Read<Value>;
  /** Reads the text of a flag or an environment variable. */
  readText(text: string, baseFolder: string): Read<Value>;
}

/** Where a socket listens. `host` is an IP address without brackets or a host name; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A list longer than this is a mistake: every entry becomes a name in the certificate. */
const MAX_LIST_ENTRIES = 64;
const MAX_STRING_LENGTH = 1024;

export function integer(range: { min: number; max: number; unit: string }): Kind<number> {
  const inRange = (value: number): Read<number> =>
    Number.isSafeInteger(value) && value >= range.min && value <= range.max ? value : undefined;
  return {
    name: 'integer',
    allowed: `a whole number from ${range.min} to ${range.max} (${range.unit})`,
    // TOML integers arrive as bigint, so that one beyond 2^53 is refused here, in our words; stored JSON has numbers.
    read: (value) =>
      typeof value === 'bigint' || typeof value === 'number' ? inRange(Number(value)) : undefined,
    readText: (text) => (/^-?\d{1,16}$/.test(text) ? inRange(Number(text)) : undefined),
  };
}

export function string(): Kind<string> {
  const read = (value: unknown): Read<string> => {
    if (typeof value !== 'string' || value.length === 0 || value.length > MAX_STRING_LENGTH) return undefined;
    return hasControlCharacter(value) ? undefined : value;
  };
  return {
    name: 'string',
    allowed: `text of 1 to ${MAX_STRING_LENGTH} characters, without control characters`,
    read,
    readText: read,
  };
}

/** An address that mail can come from. */
export function emailAddress(): Kind<string> {
  const read = (value: unknown): Read<string> =>
    typeof value === 'string' ? (canonicalEmail(value) ?? undefined) : undefined;
  return { name: 'string', allowed: 'an e-mail address', read, readText: read };
}

export function boolean(): Kind<boolean> {
  return {
    name: 'boolean',
    allowed: 'true or false',
    read: (value) => (typeof value === 'boolean' ? value : undefined),
    readText: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  };
}

export function oneOf<const Choice extends string>(choices: readonly Choice[]): Kind<Choice> {
  const read = (value: unknown): Read<Choice> => choices.find((choice) => choice === value);
  return { name: 'enum', allowed: `one of ${choices.join(', ')}`, read, readText: read };
}

/** Host names and IP addresses, normalised by {@link parseHost}. As text: separated by commas. */
export function hostList(): Kind<readonly string[]> {
  const read = (value: unknown): Read<readonly string[]> => {
    if (!Array.isArray(value) || value.length > MAX_LIST_ENTRIES) return undefined;
    const hosts = value.map(parseHost);
    return hosts.every((host) => host !== undefined) ? [...new Set(hosts)] : undefined;
  };
  return {
    name: 'list',
    allowed: `a list of at most ${MAX_LIST_ENTRIES} host names or IP addresses, without ports`,
    read,
    readText: (text) => read(text.split(',').map((entry) => entry.trim())),
  };
}

/** Web origins as a browser says them (`https://host[:port]`), normalised. As text: separated by commas. */
export function originList(): Kind<readonly string[]> {
  const read = (value: unknown): Read<readonly string[]> => {
    if (!Array.isArray(value) || value.length > MAX_LIST_ENTRIES) return undefined;
    const origins = value.map(parseOrigin);
    return origins.every((origin) => origin !== undefined) ? [...new Set(origins)] : undefined;
  };
  return {
    name: 'list',
    allowed: `a list of at most ${MAX_LIST_ENTRIES} web origins such as https://tools.studio.example, without paths`,
    read,
    readText: (text) => read(text.split(',').map((entry) => entry.trim())),
  };
}

/** Nothing but scheme, host and port: a path or `*` would promise something that a browser does not say. */
function parseOrigin(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^https?:\/\/[^/?#@*\s]+\/?$/i.test(value)) return undefined;
  return URL.canParse(value) ? new URL(value).origin : undefined;
}

export function listenAddress(): Kind<ListenAddress> {
  const read = (value: unknown): Read<ListenAddress> => {
    const match = typeof value === 'string' ? /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(value) : null;
    if (match === null) return undefined;
    const host = parseHost(match[1]!.replace(/^\[(.*:.*)\]$/, '$1'));
    const port = Number(match[2]);
    return host === undefined || port > 65_535 ? undefined : { host, port };
  };
  return {
    name: 'address',
    allowed: 'HOST:PORT, such as 0.0.0.0:7433 or [::]:7433',
    read,
    readText: read,
  };
}

/** A file. The value is an absolute path; whether the file exists is for the reader of the file to say. */
export function path(): Kind<string> {
  const read = (value: unknown, baseFolder: string): Read<string> => {
    const text = string().read(value, baseFolder);
    return text === undefined ? undefined : resolve(baseFolder, text);
  };
  return { name: 'path', allowed: 'the path of a file', read, readText: read };
}

/**
 * A host name or IP address in its one normal form, or `undefined`. Names are lower-case without a trailing dot, IPv6
 * is compressed and without brackets or zone (a zone means something on one machine only). Names outside ASCII are
 * refused rather than guessed at: a certificate holds them as `xn--…`.
 */
export function parseHost(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 253) return undefined;
  const version = isIP(value);
  if (version === 4) return value;
  if (version === 6)
    return value.includes('%') ? undefined : new URL(`http://[${value}]`).hostname.slice(1, -1);
  const labels = value.toLowerCase().replace(/\.$/, '').split('.');
  // A name that ends in digits is a mistyped IPv4 address to every resolver (RFC 1123 2.1).
  if (/^\d+$/.test(labels.at(-1)!)) return undefined;
  return labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
    ? labels.join('.')
    : undefined;
}

/** What was found, in words for an error message: short, on one line, whatever it was. */
export function describeFound(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > 60 ? `text of ${value.length} characters` : JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    const text = value.every((entry) => typeof entry === 'string') ? JSON.stringify(value) : '';
    return text !== '' && text.length <= 60 ? text : `a list of ${value.length}`;
  }
  if (typeof value === 'object' && value !== null) return value instanceof Date ? 'a date' : 'a table';
  return String(value).slice(0, 60);
}

function hasControlCharacter(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
