import assert from 'node:assert/strict';
import { type ConfigInput, resolveConfig } from '@berth/server/ops/config';
import { CONFIG_KEYS, envOf, flagOf, propertyOf, SETTINGS } from '@berth/server/ops/config-table';
import type { Random } from '../../store/random.js';
import { bytes, oddIntegers, oddTexts, pick, type Target, text } from '../target.js';

// `berthd.toml` with the table of settings behind it. A line `#env NAME=VALUE` or `#flag NAME=VALUE`, a comment to TOML, is a variable or a flag.

const FOLDER = '/etc/berthd';

export function configTarget(): Target {
  return {
    name: 'config',
    // All settings with their comments are about 6 KiB; the reader itself takes 256 KiB (see docs/correctness.md).
    maxBytes: 16 * 1024,
    words: [
      ...CONFIG_KEYS,
      ...CONFIG_KEYS.map(envOf),
      '#env ',
      '#flag ',
      '[',
      '[[',
      ']]',
      '=',
      '"""',
      "'''",
      '{',
      '}',
      '\n',
      '\\u',
      '0x',
    ],
    covers: ['/ops/config', '/smol-toml/'],
    generate,
    run,
  };
}

function run(input: Uint8Array): void {
  const fileText = text(input);
  const given: ConfigInput = {
    flags: pairs(fileText, '#flag '),
    env: pairs(fileText, '#env ') as Record<string, string>,
    fileText,
    fileName: `${FOLDER}/berthd.toml`,
    workingFolder: FOLDER,
  };
  const resolved = resolveConfig(given);
  if (!resolved.ok) {
    assert(resolved.errors.length > 0);
    for (const { code, message, next } of resolved.errors) {
      assert.equal(code, 'CONFIG_INVALID');
      // Errors are for a person: one line each, however the file looks.
      assert(
        message.length < 2_000 && !/[\n\r]/.test(message),
        `an error of ${message.length} characters: ${message.slice(0, 400)}`,
      );
      assert(next.length > 0);
    }
    return;
  }
  for (const key of CONFIG_KEYS) {
    const value = resolved.config[propertyOf(key) as keyof typeof resolved.config] as unknown;
    if (resolved.sources[key] === 'default') continue;
    const { kind } = SETTINGS[key];
    // What was accepted is accepted again, as the same.
    const written = kind.name === 'address' ? written_(value) : value;
    assert.deepEqual(kind.read(written, FOLDER), value, key);
  }
}

function written_(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('host' in value) || !('port' in value)) return value;
  const host = String(value.host);
  return `${host.includes(':') ? `[${host}]` : host}:${String(value.port)}`;
}

function pairs(fileText: string, prefix: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const line of fileText.split('\n')) {
    const at = line.indexOf('=');
    if (line.startsWith(prefix) && at > 0) found[line.slice(prefix.length, at)] = line.slice(at + 1);
  }
  return found;
}

function generate(random: Random): Uint8Array {
  const lines: string[] = [];
  for (let n = random(6); n >= 0; n--) {
    const key = pick(random, CONFIG_KEYS);
    const value = pick(random, values)(random);
    const how = random(6);
    if (how === 0) lines.push(`#env ${envOf(key)}=${value}`);
    else if (how === 1) lines.push(`#flag ${flagOf(key)}=${value}`);
    else if (how === 2)
      lines.push(`[${key.split('.')[0]}]`, `${key.split('.').slice(1).join('.')} = ${value}`);
    else lines.push(`${key} = ${value}`);
  }
  return bytes(`${lines.join('\n')}\n`);
}

const values: readonly ((random: Random) => string)[] = [
  (random) => String(pick(random, oddIntegers)),
  (random) => JSON.stringify(pick(random, oddTexts)),
  (random) => String(random(4000)),
  (random) =>
    JSON.stringify(
      pick(random, ['0.0.0.0:7433', '[::]:0', 'localhost:65536', 'berth.studio.example:7433', ':7433']),
    ),
  (random) =>
    JSON.stringify(
      Array.from({ length: random(70) }, () =>
        pick(random, ['berth.example', '::1', '10.0.0.1', '1.2.3', 'https://a.example/']),
      ),
    ),
  (random) =>
    pick(random, [
      'true',
      'false',
      '1979-05-27',
      '1e3',
      'inf',
      'nan',
      '0x10',
      '"info"',
      '{ a = 1 }',
      '[[]]',
      "'''a'''",
    ]),
];
