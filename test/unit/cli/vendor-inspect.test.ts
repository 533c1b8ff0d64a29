import { newSeed, publicKeyOf } from '@berth/cli/ed25519';
import { BerthError } from '@berth/client';
import { errors, formatPublicKey, formatSecretKey } from '@berth/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

const vendor = newSeed();
const vendorKey = formatPublicKey(publicKeyOf(vendor));
const serverKey = formatPublicKey(publicKeyOf(newSeed()));
const request = JSON.stringify({ serverId: 'srv-1', serverKey });
const files = () =>
  new Map([
    ['vendor.key', formatSecretKey(vendor)],
    ['server.pub', `${serverKey}\n`],
    ['r.json', request],
  ]);

async function issueFor(server: string): Promise<string> {
  const words = [
    'vendor',
    'issue',
    '--key',
    'vendor.key',
    '--server',
    server,
    '--product',
    'render',
    '--id',
    'ent-1',
  ];
  const terms = ['--seats', '3', '--from', '2026-01-01', '--until', '2026-01-31', '--out', '-'];
  const { stdout } = await berth([...words, ...terms], { files: files(), stdin: request });
  return stdout;
}

let token = '';
beforeAll(async () => {
  token = await issueFor(serverKey);
});

it.each(['server.pub', 'r.json', '-', request])('issue takes the server as %j', async (server) => {
  expect(await issueFor(server)).toBe(token);
});

describe('berth vendor inspect', () => {
  async function inspect(text: string, ...more: string[]) {
    const ran = await berth(['vendor', 'inspect', '-', '--json', ...more], { stdin: text });
    return { exitCode: ran.exitCode, ...(ran.json() as object) };
  }

  it('shows claims, validity and a good signature', async () => {
    expect(await inspect(token, '--vendor-key', vendorKey)).toMatchObject({
      exitCode: 0,
      claims: { jti: 'ent-1', iss: vendorKey, sub: serverKey },
      validity: { state: 'active', from: '2026-01-01', until: '2026-01-31', daysLeft: 17 },
      signature: { verdict: 'valid', pinned: true },
    });
    expect(await inspect(token)).toMatchObject({
      exitCode: 0,
      signature: { verdict: 'valid', pinned: false },
    });
  });

  it('refuses another vendor', async () => {
    expect(await inspect(token, '--vendor-key', serverKey)).toMatchObject({
      exitCode: 4,
      signature: { verdict: 'valid', pinned: false },
      error: { code: 'VENDOR_MISMATCH' },
    });
  });

  it('refuses a changed token, and still shows what it says', async () => {
    const [header, payload, signature] = token.trim().split('.') as [string, string, string];
    const more = Buffer.from(payload, 'base64url').toString().replace('"seats":3', '"seats":9');
    const changed = `${header}.${Buffer.from(more).toString('base64url')}.${signature}`;
    expect(await inspect(changed)).toMatchObject({
      exitCode: 4,
      claims: { seats: 9 },
      signature: { verdict: 'invalid' },
      error: { code: 'ENTITLEMENT_SIGNATURE' },
    });
  });

  it('refuses what is no entitlement', async () => {
    expect(await inspect('nonsense')).toMatchObject({ exitCode: 2, error: { code: 'ENTITLEMENT_INVALID' } });
    expect(await inspect('')).toMatchObject({ exitCode: 2, error: { code: 'ENTITLEMENT_INVALID' } });
  });
});

it('import of several names the file of each that is refused', async () => {
  const files = new Map(['a.ent', 'b.ent'].map((name) => [name, token]));
  const admin = fakeAdmin({
    'entitlement.import': () => {
      throw new BerthError('ENTITLEMENT_EXPIRED');
    },
  });
  const ran = await berth(['entitlement', 'import', 'a.ent', 'b.ent'], { sdk: admin.sdk, files });
  expect(ran.exitCode).toBe(errors.ENTITLEMENT_EXPIRED.exit);
  for (const file of files.keys()) expect(ran.stderr).toContain(`ENTITLEMENT_EXPIRED "${file}": `);
});
