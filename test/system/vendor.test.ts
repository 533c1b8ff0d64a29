import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ran, Site } from './site.js';
import { day } from './terms.js';

// `berth vendor`: needs no server and no context, only the key of a server.

let site: Site;

beforeAll(async () => {
  site = await Site.found();
  await Promise.all([site.keygen(), site.init()]);
}, 60_000);

afterAll(() => site?.close());

const berth = (...args: string[]): Promise<Ran> => site.berth(site.owner, [...args, '--json']);

function failure({ code, json, stderr }: Ran): [number, string] {
  expect(stderr).toContain(`berth: ${json.error.code} `);
  expect(json.error.next).not.toBe('');
  return [code, json.error.code];
}

describe('the vendor', () => {
  test('keygen writes exactly vendor.key (0600) and vendor.pub, and prints the public key', async () => {
    expect((await readdir(site.vendor)).sort()).toEqual(['vendor.key', 'vendor.pub']);
    expect((await stat(join(site.vendor, 'vendor.key'))).mode & 0o777).toBe(0o600);
    expect((await readFile(join(site.vendor, 'vendor.pub'), 'utf8')).trim()).toBe(site.vendorKey);
    expect(site.vendorKey).toMatch(/^ed25519:[\w-]{43}$/);
  });

  test('keygen does not write over keys', async () => {
    expect(failure(await berth('vendor', 'keygen', '--out', site.vendor))).toEqual([1, 'FILE_EXISTS']);
    expect((await readFile(join(site.vendor, 'vendor.pub'), 'utf8')).trim()).toBe(site.vendorKey);
  });

  test.each([
    ['a day that is none', ['--until', '2026-02-30']],
    ['an end before the beginning', ['--until', '2020-01-01']],
    ['no seats', ['--seats', '0']],
    ['a share nobody knows', ['--share', 'planet']],
    ['more borrowed than owned', ['--borrow-max', '1d', '--borrow-seats', '99']],
    ['borrow seats without a length', ['--borrow-seats', '1']],
  ])('issue refuses %s: usage, 2', async (_, wrong) => {
    const base = ['--key', join(site.vendor, 'vendor.key'), '--server', site.serverKey, '--product', 'comp'];
    const terms = new Map([
      ['--seats', '1'],
      ['--from', day(0)],
      ['--until', day(9)],
    ]);
    for (let at = 0; at < wrong.length; at += 2) terms.set(wrong[at]!, wrong[at + 1]!);
    const ran = await berth('vendor', 'issue', ...base, ...[...terms].flat());
    expect(ran.code).toBe(2);
    failure(ran);
  });
});
