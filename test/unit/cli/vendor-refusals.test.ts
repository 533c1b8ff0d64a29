import { newSeed, publicKeyOf } from '@berth/cli/ed25519';
import { formatPublicKey, formatSecretKey } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth } from './fake-host.js';

// What `berth vendor issue` refuses; vendor-tool.test.ts has what it does, through the real bin.

const seed = newSeed();
const otherSecret = formatSecretKey(newSeed());
const files = () =>
  new Map([
    ['vendor.key', `${formatSecretKey(seed)}\n`],
    ['vendor.pub', `${formatPublicKey(publicKeyOf(seed))}\n`],
    ['other.key', `${otherSecret}\n`],
  ]);

const base: [string, string][] = [
  ['--key', 'vendor.key'],
  ['--server', 'vendor.pub'],
  ['--product', 'render'],
  ['--seats', '3'],
  ['--from', '2026-01-01'],
  ['--until', '2026-01-31'],
];

async function issue(...options: [string, string][]) {
  const args = new Map([...base, ...options]);
  const held = files();
  const ran = await berth(['vendor', 'issue', '--out', 'out.ent', '--json', ...[...args].flat()], {
    files: held,
  });
  return { ...ran, files: held };
}

describe('berth vendor issue', () => {
  it('takes all that is right', async () => {
    const ran = await issue(['--borrow-max', '30d'], ['--borrow-seats', '3']);
    expect(ran.exitCode).toBe(0);
    expect(ran.json()).toMatchObject({ rev: 1, file: 'out.ent', claims: { earlyReturn: 'at-once' } });
    expect(ran.files.get('out.ent')).toBe(`${(ran.json() as { token: string }).token}\n`);
  });

  const cases: [[string, string][], string][] = [
    [[['--seats', '0']], 'USAGE'],
    [[['--seats', '2000000']], 'USAGE'],
    [[['--product', 'Render!']], 'USAGE'],
    [[['--from', '2026-02-30']], 'DATE_INVALID'],
    [[['--from', '1969-12-31']], 'USAGE'],
    [[['--until', '2025-12-31']], 'USAGE'],
    [[['--borrow-max', '30d']], 'USAGE'],
    [[['--borrow-seats', '1']], 'USAGE'],
    [
      [
        ['--borrow-max', '30d'],
        ['--borrow-seats', '4'],
      ],
      'USAGE',
    ],
    [
      [
        ['--borrow-max', '400d'],
        ['--borrow-seats', '1'],
      ],
      'USAGE',
    ],
    [
      [
        ['--borrow-max', '30'],
        ['--borrow-seats', '1'],
      ],
      'USAGE',
    ],
    [[['--rev', '0']], 'USAGE'],
    [[['--id', '../x']], 'USAGE'],
    [[['--share', 'world']], 'USAGE'],
    [[['--holder', 'nobody']], 'EMAIL_INVALID'],
    [[['--number', 'x'.repeat(401)]], 'USAGE'],
    [[['--key', 'vendor.pub']], 'KEY_INVALID'],
    [[['--server', 'other.key']], 'KEY_INVALID'],
    [[['--server', otherSecret]], 'KEY_INVALID'],
    [[['--server', '{"serverId":"x"}']], 'KEY_INVALID'],
    [[['--server', '{']], 'KEY_INVALID'],
    [[['--server', 'ed25519:short']], 'KEY_INVALID'],
    [[['--key', 'missing']], 'FILE_UNREADABLE'],
  ];
  it.each(cases)('refuses %j with %s', async (options, code) => {
    const ran = await issue(...options);
    expect(ran.json()).toMatchObject({ error: { code } });
    expect(ran.exitCode).toBe(code === 'FILE_UNREADABLE' ? 1 : 2);
    expect(ran.stderr).toContain(`berth: ${code} `);
    expect(ran.files.has('out.ent')).toBe(false);
    // A secret that was given in the wrong place is not repeated.
    expect(ran.stdout + ran.stderr).not.toContain(otherSecret);
  });

  it('warns of what is probably not meant', async () => {
    const ran = await issue(
      ['--key', formatSecretKey(seed)],
      ['--from', '2020-01-01'],
      ['--until', '2020-12-31'],
    );
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).toContain('command line');
    expect(ran.stderr).toContain('expired');
  });
});
