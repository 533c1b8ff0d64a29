import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServing } from '@berth/server/transport/certificate-checks';
import { loadOrCreateTls, type TlsIdentity } from '@berth/server/transport/certificate-files';
import { isWholeKey } from '@berth/server/transport/private-key';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rsaServer } from './rsa-server.js';

// Decision 0014: the site's server signs its handshakes with P-256, under the RSA authority that clients know.

const NOW_MS = Date.now();
const names = ['localhost', 'licences.example'];
let root: string;
let started: string;
let made: TlsIdentity;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-server-key-'));
  started = join(root, 'started');
  made = await loaded(started);
});

afterAll(() => rm(root, { recursive: true }));

async function loaded(folder: string): Promise<TlsIdentity> {
  const result = await loadOrCreateTls({ folder, names, nowMs: NOW_MS });
  if (!result.ok) throw new Error(result.problem.message);
  return result.value;
}

async function copied(): Promise<string> {
  const folder = await mkdtemp(join(root, 'copy-'));
  await cp(started, folder, { recursive: true });
  return folder;
}

const curveOf = ({ asymmetricKeyDetails }: KeyObject) => asymmetricKeyDetails?.namedCurve;

test('what is made is P-256, signed by the RSA authority, and says which key it is for', () => {
  const [leaf, authority] = [new X509Certificate(made.cert), new X509Certificate(made.ca)];
  expect(curveOf(leaf.publicKey)).toBe('prime256v1');
  expect(authority.publicKey.asymmetricKeyType).toBe('rsa');
  expect(leaf.verify(authority.publicKey) && leaf.checkIssued(authority)).toBe(true);
  expect(leaf.checkPrivateKey(createPrivateKey(made.key))).toBe(true);
  const { x, y } = leaf.publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
  // RFC 5280 4.2.1.2: OID 2.5.29.14, then an octet string in an octet string.
  const identifier = Buffer.concat([
    Buffer.from('0603551d0e04160414', 'hex'),
    createHash('sha1').update(point).digest(),
  ]);
  expect(leaf.raw.includes(identifier)).toBe(true);
});

describe('a server from before', () => {
  test('goes on with its RSA certificate until it is due, and then gets the other kind', async () => {
    const folder = await copied();
    const file = (name: string) => join(folder, 'tls', name);
    const [certPem, keyPem] = await Promise.all([made.ca, readFile(file('ca.key'), 'utf8')]);
    const old = rsaServer({ certPem, keyPem }, { names, days: 800, nowMs: NOW_MS });
    await Promise.all([
      writeFile(file('server.crt'), old.certPem),
      writeFile(file('server.key'), old.keyPem),
    ]);
    expect(await loaded(folder)).toMatchObject({ issued: undefined, cert: old.certPem, key: old.keyPem });
    const short = rsaServer({ certPem, keyPem }, { names, days: 0.4, nowMs: NOW_MS });
    await Promise.all([
      writeFile(file('server.crt'), short.certPem),
      writeFile(file('server.key'), short.keyPem),
    ]);
    const renewed = await loaded(folder);
    expect(renewed).toMatchObject({ issued: 'expiring', ca: made.ca });
    expect(curveOf(new X509Certificate(renewed.cert).publicKey)).toBe('prime256v1');
  });
});

describe('one flipped bit of its key', () => {
  /** The private half alone, in another key of the same public half: OpenSSL takes it as it is. */
  test('in the private half is found, each of them', () => {
    const certificate = new X509Certificate(made.cert);
    const whole = createPrivateKey(made.key);
    expect(isWholeKey(whole, certificate)).toBe(true);
    const jwk = whole.export({ format: 'jwk' });
    const taken: KeyObject[] = [];
    for (let bit = 0; bit < 256; bit++) {
      const d = Buffer.from(jwk.d!, 'base64url');
      d[bit >> 3]! ^= 1 << (bit & 7);
      const key = orNull(() =>
        createPrivateKey({ key: { ...jwk, d: d.toString('base64url') }, format: 'jwk' }),
      );
      // One beyond the order of the curve is none.
      if (key !== null) taken.push(key);
    }
    expect(taken.length).toBeGreaterThan(200);
    expect(taken.filter((key) => certificate.checkPrivateKey(key)).length).toBeGreaterThan(200);
    expect(taken.filter((key) => isWholeKey(key, certificate))).toEqual([]);
  });

  test('anywhere in its file is refused, or leaves the key as it was', () => {
    const file = (text: string) => ({ path: 'x', text });
    const [cert, ca, same] = [file(made.cert), file(made.ca), createPrivateKey(made.key)];
    const serves = (key: string) => checkServing({ cert, ca, key: file(key) }, NOW_MS, '').ok;
    expect(serves(made.key)).toBe(true);
    const bytes = Buffer.from(made.key);
    let [refused, unharmed] = [0, 0];
    // A part of them: all of them are in `npm run torture:disk -- flips`.
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const text = flipped.toString('utf8');
      if (!serves(text)) refused++;
      else if (createPrivateKey(text).equals(same)) unharmed++;
      else throw new Error(`bit ${bit} of server.key is served as another key`);
    }
    // Line ends, and letters of base64 whose bits nobody uses.
    expect(unharmed).toBeLessThan(refused / 10);
  });
});

function orNull<Value>(make: () => Value): Value | null {
  try {
    return make();
  } catch {
    return null;
  }
}
