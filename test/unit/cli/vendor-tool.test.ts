import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseToken } from '@berth/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The vendor's whole way through the real bin; vendor-refusals.test.ts has what is refused, in process.

const bin = fileURLToPath(new URL('../../../admin-cli/bin/berth.js', import.meta.url));
let folder = '';

function berth(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'vendor', ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

const terms = ['--product', 'render', '--seats', '3', '--from', '2026-01-01', '--until', '2026-01-31'];
const issue = (...more: string[]) =>
  berth([
    'issue',
    '--key',
    'keys/vendor.key',
    '--server',
    'request.json',
    '--id',
    'ent-1',
    ...terms,
    ...more,
  ]);
const keyText = (name: string) => readFileSync(join(folder, name, 'vendor.pub'), 'utf8').trim();

// Starting Node takes its time on a busy computer.
describe('berth vendor, for real', { timeout: 60_000 }, () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-vendor-'));
    expect(berth(['keygen', '--out', 'keys']).status).toBe(0);
    expect(berth(['keygen', '--out', 'server']).status).toBe(0);
    const request = { serverId: 'srv-1', serverKey: keyText('server') };
    writeFileSync(join(folder, 'request.json'), JSON.stringify(request));
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('keygen writes exactly the two files, the secret one for its owner only', () => {
    expect(readdirSync(join(folder, 'keys')).sort()).toEqual(['vendor.key', 'vendor.pub']);
    expect(statSync(join(folder, 'keys/vendor.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'keys/vendor.key'), 'utf8')).toMatch(/^ed25519-secret:[\w-]{43}\n$/);
    expect(keyText('keys')).toMatch(/^ed25519:[\w-]{43}$/);
  });

  it('keygen prints the public key and nothing secret', () => {
    const made = berth(['keygen', '--out', 'quiet']);
    expect(made.stdout).toBe(`${keyText('quiet')}\n`);
    expect(made.stdout + made.stderr).not.toContain('secret:');
  });

  it('keygen never replaces a key, and writes no half of a pair', () => {
    const before = readFileSync(join(folder, 'keys/vendor.key'), 'utf8');
    const again = berth(['keygen', '--out', 'keys', '--json']);
    expect(again.status).toBe(1);
    expect(JSON.parse(again.stdout).error.code).toBe('FILE_EXISTS');
    expect(readFileSync(join(folder, 'keys/vendor.key'), 'utf8')).toBe(before);
    rmSync(join(folder, 'quiet/vendor.key'));
    expect(berth(['keygen', '--out', 'quiet']).status).toBe(1);
    expect(readdirSync(join(folder, 'quiet'))).toEqual(['vendor.pub']);
  });

  it('issue signs the claims that were asked, days inclusive', () => {
    const display = ['--add-on', 'A', '--add-on', 'B', '--number', '0077', '--nfr'];
    const borrow = ['--borrow-max', '30d', '--borrow-seats', '2'];
    const more = ['--holder', 'Anna@Studio.example', '--credits', '5'];
    expect(issue('--out', 'a.ent', ...borrow, ...display, ...more).status).toBe(0);
    const token = readFileSync(join(folder, 'a.ent'), 'utf8').trim();
    const parsed = parseToken('entitlement', token);
    expect(parsed.ok && parsed.token.claims).toEqual({
      jti: 'ent-1',
      rev: 1,
      iss: keyText('keys'),
      sub: keyText('server'),
      product: 'render',
      seats: 3,
      nbf: Date.UTC(2026, 0, 1) / 1000,
      exp: Date.UTC(2026, 1, 1) / 1000,
      share: 'device',
      borrow: { maxSeconds: 30 * 86_400, seats: 2 },
      earlyReturn: 'at-once',
      holder: 'anna@studio.example',
      credits: 5,
      display: { number: '0077', addOns: ['A', 'B'], nfr: true },
    });
  });

  it('what issue writes to stdout, inspect reads from stdin', () => {
    const issued = issue('--out', '-', '--number', '77');
    const shown = berth(['inspect', '-', '--vendor-key', 'keys/vendor.pub'], issued.stdout);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^number +77$/m);
  });
});
