/** Reads `berthd.toml`: text in, settings by key out. Never throws, whatever the text is. */
import { parse, TomlError } from 'smol-toml';
import { type ConfigError, unknownKey } from './config-error.js';
import { CONFIG_KEYS } from './config-table.js';

export type ConfigFile =
  | { readonly ok: true; readonly entries: ReadonlyMap<string, unknown> }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** All settings with a page of comments each stay far below this. */
const MAX_FILE_CHARACTERS = 256 * 1024;
/** No value is nested deeper than a list in a table; smol-toml recurses, so its stack depends on this. */
const MAX_NESTING = 16;
/** A key may be written one level deeper than any real one before it counts as a wrong name as a whole. */
const MAX_KEY_PARTS = 3;
/** Nobody reads more at once; a hostile file must not make a megabyte of errors. */
const MAX_UNKNOWN_KEYS = 20;

/**
 * @param text the file, TOML 1.0; a byte-order mark is skipped.
 * @param fileName for messages only.
 * @returns values by dotted key, of known keys only, not checked yet; or every syntax error and unknown key.
 */
export function readConfigFile(text: string, fileName: string): ConfigFile {
  const parsed = parseToml(text, fileName);
  if (!parsed.ok) return parsed;
  const { known, unknown } = sortEntries(parsed.table);
  if (unknown.length === 0) return { ok: true, entries: known };
  return { ok: false, errors: unknown.map((key) => unknownKey(key, 'file', fileName)) };
}

type Parsed =
  | { readonly ok: true; readonly table: object }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

function parseToml(text: string, fileName: string): Parsed {
  if (text.length > MAX_FILE_CHARACTERS) {
    return unreadable(
      `${fileName} has ${text.length} characters, more than the ${MAX_FILE_CHARACTERS} allowed`,
    );
  }
  try {
    return { ok: true, table: parse(text, { integersAsBigInt: true, maxDepth: MAX_NESTING }) };
  } catch (error) {
    // Anything but a TomlError is a fault of the parser, and still only an unreadable file to us.
    if (!(error instanceof TomlError)) return unreadable(`${fileName} cannot be read as TOML`);
    const reason = error.message.split('\n', 1)[0]!.replace(/^Invalid TOML document: /, '');
    return unreadable(`${fileName}, line ${error.line}, column ${error.column}: ${reason}`);
  }
}

function unreadable(message: string): Parsed {
  const error: ConfigError = {
    code: 'CONFIG_INVALID',
    key: '',
    source: 'file',
    message: `${message}.`,
    next: 'Correct the file (its format is TOML, see https://toml.io) and start berthd again.',
  };
  return { ok: false, errors: [error] };
}

function sortEntries(table: object): { known: Map<string, unknown>; unknown: string[] } {
  const known = new Map<string, unknown>();
  const unknown: string[] = [];
  const visit = (value: unknown, parts: readonly string[]): void => {
    if (unknown.length >= MAX_UNKNOWN_KEYS) return;
    const key = parts.map(quotedUnlessBare).join('.');
    if (CONFIG_KEYS.some((candidate) => candidate === key)) {
      known.set(key, value);
    } else if (isTable(value) && parts.length < MAX_KEY_PARTS && hasContent(value, key)) {
      for (const [part, child] of Object.entries(value)) visit(child, [...parts, part]);
    } else if (!isTable(value) || !isKnownTable(key)) {
      unknown.push(key);
    }
  };
  visit(table, []);
  return { known, unknown };
}

/** A dot inside a quoted part is no separator: `"lease.seconds"` is not `lease.seconds`. */
function quotedUnlessBare(part: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(part) ? part : JSON.stringify(part.slice(0, 64));
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** An empty table is worth a look only for its own name. The root has no name and may be empty. */
function hasContent(table: object, key: string): boolean {
  return key === '' || Object.keys(table).length > 0;
}

function isKnownTable(key: string): boolean {
  return CONFIG_KEYS.some((candidate) => candidate.startsWith(`${key}.`));
}
