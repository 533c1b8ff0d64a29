import { resolve } from 'node:path';
import { limits } from '@berth/protocol';
import {
  type ConfigError,
  type ConfigInput,
  describeConfig,
  resolveConfig,
  yargsOptions,
} from '@berth/server/ops/config';
import {
  boolean,
  describeFound,
  hostList,
  listenAddress,
  originList,
  parseHost,
} from '@berth/server/ops/config-values';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import yargs from 'yargs';

const nothing: ConfigInput = { flags: {}, env: {} };

function accepted(input: Partial<ConfigInput>) {
  const resolved = resolveConfig({ ...nothing, ...input });
  if (!resolved.ok) throw new Error(resolved.errors.map((error) => error.message).join('\n'));
  return resolved;
}

function refused(input: Partial<ConfigInput>): readonly ConfigError[] {
  const resolved = resolveConfig({ ...nothing, ...input });
  if (resolved.ok) throw new Error('was accepted');
  for (const error of resolved.errors) expect(error.code).toBe('CONFIG_INVALID');
  return resolved.errors;
}

describe('precedence', () => {
  const stored = { 'lease.seconds': 10 };
  const fileText = '[lease]\nseconds = 20\n';
  const env = { BERTHD_LEASE_SECONDS: '30' };
  const flags = { 'lease-seconds': '40' };

  test.each([
    ['default', {}, 120],
    ['stored', { stored }, 10],
    ['file', { stored, fileText }, 20],
    ['env', { stored, fileText, env }, 30],
    ['flag', { stored, fileText, env, flags }, 40],
  ] as const)('%s is the strongest', (source, input, seconds) => {
    const { config, sources } = accepted(input);
    expect(config.leaseSeconds).toBe(seconds);
    expect(sources['lease.seconds']).toBe(source);
    expect(sources['log.level']).toBe('default');
  });

  test('a wrong value that is overridden does not stop the server', () => {
    const { config } = accepted({
      flags,
      env: { BERTHD_LEASE_SECONDS: 'soon' },
      stored: { 'lease.seconds': 0 },
    });
    expect(config.leaseSeconds).toBe(40);
  });

  test('an empty variable is not set, an empty flag is wrong', () => {
    expect(accepted({ env: { BERTHD_LOG_LEVEL: '' } }).sources['log.level']).toBe('default');
    expect(refused({ flags: { 'log-level': '' } })).toMatchObject([{ key: 'log.level', source: 'flag' }]);
  });
});

describe('values', () => {
  test('types come from the table', () => {
    const { config } = accepted({});
    const port: number = config.listen.port;
    const names: readonly string[] = config.advertise;
    const certificate: string | undefined = config.tlsCert;
    // @ts-expect-error a number, not text
    const seconds: string = config.leaseSeconds;
    expect([port, names, certificate, seconds]).toEqual([7433, [], undefined, 120]);
    expect(config.limitsSocketsPerAddress).toBe(2048);
  });

  test.each([
    ['lease.seconds', '1'],
    ['lease.seconds', '3601'],
    ['lease.seconds', '1.5'],
    ['lease.seconds', '99999999999999999999'],
    ['lease.seconds', '"120"'],
    ['lease.seconds', 'true'],
    ['lease.seconds', '1979-05-27'],
    ['lease.seconds', '{ s = 1 }'],
    ['log.level', '"loud"'],
    ['listen', '7433'],
    ['listen', '"0.0.0.0"'],
    ['listen', '"0.0.0.0:65536"'],
    ['listen', '":7433"'],
    ['listen', '"::1:7433"'],
    ['advertise', '"one.example"'],
    ['advertise', '["one.example", 2]'],
    ['advertise', '["https://one.example"]'],
    ['advertise', '["one.example:7433"]'],
    ['advertise', '["1.2.3"]'],
    ['tls.cert', '""'],
  ])('%s = %s is refused, by key and file', (key, text) => {
    const errors = refused({ fileText: `${key} = ${text}`, fileName: 'site.toml' });
    expect(errors[0]).toMatchObject({ key, source: 'file' });
    expect(errors[0]!.message).toContain('site.toml');
    expect(errors[0]!.next).toContain(key);
  });

  test.each(['2', '3600'])('lease.seconds = %s is allowed', (text) => {
    expect(accepted({ env: { BERTHD_LEASE_SECONDS: text } }).config.leaseSeconds).toBe(Number(text));
  });

  test.each(['abc', '1e3', '0x10', '12 ', '-5', ''])('text %j is no number', (text) => {
    expect(refused({ flags: { 'lease-seconds': text } })).toMatchObject([{ key: 'lease.seconds' }]);
  });

  test('an address keeps IPv6 without brackets', () => {
    expect(accepted({ flags: { listen: '[::]:0' } }).config.listen).toEqual({ host: '::', port: 0 });
    expect(accepted({ flags: { listen: 'Licences.Example.:80' } }).config.listen.host).toBe(
      'licences.example',
    );
  });

  test('a list comes from a file as an array, from elsewhere by commas or repeated', () => {
    const names = ['one.example', '2001:db8::1'];
    expect(accepted({ fileText: `advertise = ["ONE.example", "2001:DB8:0::1"]` }).config.advertise).toEqual(
      names,
    );
    expect(accepted({ env: { BERTHD_ADVERTISE: 'one.example, 2001:db8::1' } }).config.advertise).toEqual(
      names,
    );
    expect(
      accepted({ flags: { advertise: ['one.example', '2001:db8::1,one.example'] } }).config.advertise,
    ).toEqual(names);
  });

  test('any other flag may be given once', () => {
    expect(refused({ flags: { listen: ['a:1', 'b:2'] } })).toMatchObject([{ key: 'listen', source: 'flag' }]);
  });

  test('a path in the file is relative to the file, on the command line to the working folder', () => {
    const { config } = accepted({
      fileText: '[tls]\ncert = "c.pem"\nkey = "/keys/k.pem"',
      fileName: 'etc/berthd.toml',
      flags: { 'tls-ca': 'ca.pem' },
      workingFolder: '/srv',
    });
    expect([config.tlsCert, config.tlsKey, config.tlsCa]).toEqual(
      ['/srv/etc/c.pem', '/keys/k.pem', '/srv/ca.pem'].map((path) => resolve(path)),
    );
  });

  test('tls takes all three files or none', () => {
    const errors = refused({ flags: { 'tls-cert': 'c.pem' } });
    expect(errors.map((error) => error.key)).toEqual(['tls.key', 'tls.ca']);
  });

  test('every error is reported', () => {
    const errors = refused({
      flags: { 'log-level': 'x' },
      env: { BERTHD_LISTEN: 'x' },
      stored: { nonsense: 1 },
    });
    expect(errors.map((error) => [error.key, error.source])).toEqual([
      ['nonsense', 'stored'],
      ['listen', 'env'],
      ['log.level', 'flag'],
    ]);
  });
});

describe('the file', () => {
  test.each([
    ['leese.seconds = 1', 'leese.seconds', 'lease.seconds'],
    ['leaseSeconds = 1', 'leaseSeconds', 'lease.seconds'],
    ['seconds = 1', 'seconds', 'lease.seconds'],
    ['[log]\nlevl = "info"', 'log.levl', 'log.level'],
    ['lease = 120', 'lease', 'lease.seconds'],
    ['[limits]\nsocket-per-adress = 1', 'limits.socket-per-adress', 'limits.sockets-per-address'],
  ])('%j suggests the nearest key', (fileText, key, meant) => {
    const [error] = refused({ fileText });
    expect(error).toMatchObject({ key, source: 'file' });
    expect(error!.message).toContain(`"${meant}"`);
  });

  test.each([
    ['[unknown]', 'unknown'],
    ['"lease.seconds" = 5', '"lease.seconds"'],
    ['__proto__ = 1', '__proto__'],
    ['[constructor.prototype]\nx = 1', 'constructor.prototype.x'],
    ['a.b.c.d.e = 1', 'a.b.c'],
    ['[[lease]]\nseconds = 5', 'lease'],
  ])('%j is unknown', (fileText, key) => {
    expect(refused({ fileText })).toMatchObject([{ key, source: 'file' }]);
  });

  test('a name far from any key gets no suggestion', () => {
    expect(refused({ fileText: 'zebra = 1' })[0]!.message).not.toContain('mean');
  });

  test('empty tables of known names and a byte-order mark are fine', () => {
    expect(accepted({ fileText: '\uFEFF[lease]\r\n[log]\r\nlevel = "warn"\r\n' }).config.logLevel).toBe(
      'warn',
    );
  });

  test('a syntax error says its line', () => {
    const [error, ...more] = refused({ fileText: 'listen = "0.0.0.0:1"\nlease = = 3\n', fileName: 'a.toml' });
    expect(more).toEqual([]);
    expect(error).toMatchObject({ key: '', source: 'file' });
    expect(error!.message).toMatch(/a\.toml, line 2, column \d+/);
    expect(error!.message).not.toContain('\n');
  });

  test.each([
    ['deep arrays', `advertise = ${'['.repeat(50_000)}`],
    ['deep inline tables', `a = ${'{a='.repeat(50_000)}`],
    ['deep dotted keys', `${'a.'.repeat(50_000)}a = 1`],
    ['many unknown keys', Array.from({ length: 10_000 }, (_, index) => `k${index} = 1`).join('\n')],
    ['too long', '#'.repeat(300_000)],
    ['a huge number', `lease.seconds = ${'9'.repeat(100_000)}`],
    ['binary', '\u0000\u0001\uFFFF\uD800'],
  ])('hostile input is refused in few words: %s', (_name, fileText) => {
    const errors = refused({ fileText });
    expect(errors.length).toBeLessThanOrEqual(20);
    for (const error of errors) expect(error.message.length).toBeLessThan(1000);
  });

  test('no text makes it throw', () => {
    const pieces = fc.constantFrom(
      '[',
      ']',
      '=',
      '"',
      "'",
      '.',
      '\n',
      'lease',
      'seconds',
      '1',
      '{',
      '}',
      ',',
      '__proto__',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (fileText) => {
        const resolved = resolveConfig({ ...nothing, fileText });
        return resolved.ok || resolved.errors.length > 0;
      }),
      { numRuns: 3000 },
    );
  });

  test('it cannot reach a prototype', () => {
    refused({ fileText: '[__proto__]\nseconds = 1\n[constructor.prototype]\npolluted = 1' });
    expect('polluted' in {}).toBe(false);
  });
});

describe('the table', () => {
  test('flags and variables are distinct', () => {
    const rows = describeConfig();
    for (const name of ['key', 'flag', 'env'] as const) {
      expect(new Set(rows.map((row) => row[name])).size).toBe(rows.length);
    }
    expect(rows).toContainEqual(
      expect.objectContaining({
        key: 'limits.sockets-per-address',
        flag: 'limits-sockets-per-address',
        env: 'BERTHD_LIMITS_SOCKETS_PER_ADDRESS',
      }),
    );
  });

  test.each(describeConfig().filter((row) => row.default !== 'none'))(
    'the default of $key is allowed',
    (row) => {
      const byDefault = accepted({});
      const given = accepted({ env: { [row.env]: row.default } });
      expect(given.config).toEqual(byDefault.config);
      expect(given.sources[row.key]).toBe('env');
    },
  );

  test('one address cannot hold every unauthenticated place for a handshake time', () => {
    const { config } = accepted({});
    const held = (config.limitsHandshakesPerSecondPerAddress * limits.handshakeMs) / 1000;
    expect(config.limitsUnauthenticatedSockets).toBeGreaterThan(held);
    expect(config.limitsRequestsPerSecondPerDevice).toBeGreaterThan(limits.leasesPerSession);
  });
});

describe('yargs', () => {
  const parse = (args: string[]) =>
    yargs(args).options(yargsOptions()).exitProcess(false).strict().parseSync();

  test('what it parses resolves', () => {
    const flags = parse(['--lease-seconds', '300', '--advertise', 'a.example', '--advertise=b.example']);
    const { config, sources } = accepted({ flags });
    expect(config.leaseSeconds).toBe(300);
    expect(config.advertise).toEqual(['a.example', 'b.example']);
    expect(sources['log.level']).toBe('default');
  });

  test('a flag that was not given leaves the variable its say', () => {
    const { config } = accepted({ flags: parse([]), env: { BERTHD_LEASE_SECONDS: '60' } });
    expect(config.leaseSeconds).toBe(60);
  });

  test('help shows every flag with its default', async () => {
    const help = await yargs([]).options(yargsOptions()).wrap(null).getHelp();
    for (const row of describeConfig()) {
      expect(help).toContain(`--${row.flag} `);
      expect(help).toContain(row.env);
    }
    expect(help).toContain('0.0.0.0:7433');
  });
});

describe('kinds', () => {
  test('boolean', () => {
    expect([boolean().readText('true', ''), boolean().readText('false', '')]).toEqual([true, false]);
    expect([boolean().readText('yes', ''), boolean().read(1, '')]).toEqual([undefined, undefined]);
  });

  test.each([
    ['LocalHost.', 'localhost'],
    ['10.0.0.1', '10.0.0.1'],
    ['FE80:0::1', 'fe80::1'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['node_1', 'node_1'],
    ['fe80::1%eth0', undefined],
    ['bücher.example', undefined],
    ['a..b', undefined],
    ['-a.example', undefined],
    ['a b', undefined],
    ['', undefined],
    [`${'a'.repeat(64)}.example`, undefined],
    [7, undefined],
  ])('host %j is %j', (text, host) => {
    expect(parseHost(text)).toBe(host);
  });

  test('a hostile address or list takes no time', () => {
    expect(listenAddress().readText(`${'['.repeat(100_000)}:1`, '')).toBeUndefined();
    expect(hostList().readText(','.repeat(100_000), '')).toBeUndefined();
  });

  test('what was found stays on one short line', () => {
    for (const value of [
      'x'.repeat(9999),
      'a\nb',
      ['x'.repeat(99)],
      { a: 1 },
      new Date(0),
      10n ** 999n,
      null,
    ]) {
      expect(describeFound(value)).toMatch(/^.{1,64}$/);
    }
  });
});

describe('web origins', () => {
  const read = (text: string) => originList().readText(text, '');

  test('none unless given; normalised as browsers say them', () => {
    expect(accepted({}).config.webOrigins).toEqual([]);
    expect(accepted({ flags: { 'web-origins': 'HTTPS://Tools.Example:443/' } }).config.webOrigins).toEqual([
      'https://tools.example',
    ]);
    expect(read('http://localhost:8080, https://[::1]:1')).toEqual([
      'http://localhost:8080',
      'https://[::1]:1',
    ]);
  });

  test.each([
    '*',
    'null',
    'https://*.example',
    'tools.example',
    'https://a/b',
    'https://u@a',
    'ftp://a',
    '',
    'https://',
  ])('are whole origins: %j is refused', (text) => expect(read(text)).toBeUndefined());
});
