import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { inspectTls, loadOrCreateTls, type OwnFiles } from '@berth/server/transport/certificate-files';
import {
  createAuthority,
  issueServerCertificate,
  type KeyedCertificate,
} from '@berth/server/transport/certificates';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rsaServer } from './rsa-server.js';

// The handshakes compare with the real clock, so the certificates must be of today.
const NOW_MS = Date.now();
const DAY_MS = 86_400_000;
const NAMES = ['licences.example', 'localhost', '127.0.0.1', '::1', '2001:db8::ab:1', '::ffff:102:304'];

let root: string;
let authority: KeyedCertificate;
let foreign: KeyedCertificate;
let server: KeyedCertificate;
/** A data folder after a first start with NAMES, to be copied: keys take a third of a second each. */
let started: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-tls-'));
  authority = await createAuthority('Berth Prüfstelle', NOW_MS);
  foreign = await createAuthority('Someone else', NOW_MS);
  server = await issueServerCertificate(authority, { names: NAMES, days: 90, nowMs: NOW_MS });
  started = join(root, 'started');
  await loadOrCreateTls({ folder: started, names: NAMES, nowMs: NOW_MS });
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe('what is made', () => {
  test('an authority for ten years that signs servers and nothing else', () => {
    const ca = new X509Certificate(authority.certPem);
    expect(ca.ca).toBe(true);
    expect(ca.subject).toContain('CN=Berth Prüfstelle');
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(Date.parse(ca.validTo) - NOW_MS).toBeGreaterThan(3649 * DAY_MS);
    expect(Date.parse(ca.validTo) - NOW_MS).toBeLessThan(3651 * DAY_MS);
  });

  test('a server certificate with typed names, usage and a positive serial', () => {
    const leaf = new X509Certificate(server.certPem);
    const ca = new X509Certificate(authority.certPem);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(leaf.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(leaf.subjectAltName).toBe(
      'DNS:licences.example, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, ' +
        'IP Address:2001:DB8:0:0:0:0:AB:1, IP Address:0:0:0:0:0:FFFF:102:304',
    );
    expect(leaf.checkIP('::ffff:1.2.3.4')).toBeDefined();
    expect(leaf.checkHost('127.0.0.1')).toBeUndefined();
  });

  test('serials differ, and a certificate never outlives its authority', async () => {
    const late = await issueServerCertificate(authority, { names: ['a'], days: 9999, nowMs: NOW_MS });
    const [leaf, ca] = [new X509Certificate(late.certPem), new X509Certificate(authority.certPem)];
    expect(leaf.validTo).toBe(ca.validTo);
    expect(leaf.serialNumber).not.toBe(new X509Certificate(server.certPem).serialNumber);
  });
});

describe('a TLS 1.3 handshake', () => {
  /** Connects once; the protocol when the client was content, else its error's code. */
  async function handshake(served: KeyedCertificate, options: ConnectionOptions): Promise<string> {
    const listener = createServer({ key: served.keyPem, cert: served.certPem, minVersion: 'TLSv1.3' });
    listener.on('secureConnection', (socket: TLSSocket) => socket.on('error', () => {}).resume());
    listener.on('tlsClientError', () => {});
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', minVersion: 'TLSv1.3', ...options });
    try {
      await once(socket, 'secureConnect');
      return socket.getProtocol() ?? 'none';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'no code';
    } finally {
      socket.destroy();
      listener.close();
    }
  }

  test('by IP address', async () => {
    expect(await handshake(server, { ca: authority.certPem })).toBe('TLSv1.3');
  });

  test.each(['localhost', 'licences.example'])('by the name %s', async (servername) => {
    expect(await handshake(server, { ca: authority.certPem, servername })).toBe('TLSv1.3');
  });

  test('not by a name it is not for', async () => {
    const code = await handshake(server, { ca: authority.certPem, servername: 'other.example' });
    expect(code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('not by an IP address it is not for', async () => {
    const named = await issueServerCertificate(authority, { names: ['localhost'], days: 90, nowMs: NOW_MS });
    expect(await handshake(named, { ca: authority.certPem })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('not for a client that trusts another authority', async () => {
    expect(await handshake(server, { ca: foreign.certPem })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('not when a foreign authority has the same name', async () => {
    const twin = await createAuthority('Berth Prüfstelle', NOW_MS);
    expect(await handshake(server, { ca: twin.certPem })).not.toBe('TLSv1.3');
  });

  test('not once expired', async () => {
    const old = await issueServerCertificate(authority, {
      names: NAMES,
      days: 30,
      nowMs: NOW_MS - 31 * DAY_MS,
    });
    expect(await handshake(old, { ca: authority.certPem })).toBe('CERT_HAS_EXPIRED');
  });
});

describe('the site on disk', () => {
  let folder: string;
  const load = (names: readonly string[] = NAMES, nowMs = NOW_MS) =>
    loadOrCreateTls({ folder, names, nowMs });
  const file = (name: string) => join(folder, 'tls', name);

  /** Loads, and fails the test on a problem. */
  async function loaded(names?: readonly string[], nowMs?: number) {
    const result = await load(names, nowMs);
    if (!result.ok) throw new Error(result.problem.message);
    return result.value;
  }

  /** A site that has started before: the test's folder becomes a copy of one. */
  async function restarted() {
    await cp(join(started, 'tls'), join(folder, 'tls'), { recursive: true });
    await chmod(join(folder, 'tls'), 0o700);
    return loaded();
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(root, 'data-'));
  });

  test('the first start makes all four files, the second changes nothing', async () => {
    const first = await loaded();
    expect(first).toMatchObject({ source: 'site', issued: 'first-start', uncovered: [] });
    expect((await readdir(join(folder, 'tls'))).sort()).toEqual([
      'ca.crt',
      'ca.key',
      'server.crt',
      'server.key',
    ]);
    expect(await loaded()).toEqual({ ...first, issued: undefined });
    expect(first.ca).toBe(await readFile(file('ca.crt'), 'utf8'));
    expect(first.ca).not.toContain('PRIVATE KEY');
  });

  test('keys are for the owner alone', async (context) => {
    if (process.platform === 'win32') return context.skip('Windows has no file modes');
    await loaded();
    for (const name of ['ca.key', 'server.key']) expect((await stat(file(name))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'tls'))).mode & 0o777).toBe(0o700);
    await chmod(file('ca.key'), 0o644);
    const { problems } = await inspectTls({ folder, nowMs: NOW_MS });
    expect(problems).toMatchObject([{ code: 'CERTIFICATE_INVALID', file: file('ca.key') }]);
  });

  test('new names mean a new server certificate from the same authority', async () => {
    const first = await restarted();
    const second = await loaded([...NAMES, 'new.example']);
    expect(second.issued).toBe('names-changed');
    expect(second.ca).toBe(first.ca);
    expect(new X509Certificate(second.cert).checkHost('new.example')).toBe('new.example');
    expect((await loaded(NAMES)).issued).toBe('names-changed');
    expect((await loaded([...NAMES].reverse())).issued).toBeUndefined();
  });

  test('it is renewed when less than a third of its life is left, and when it has expired', async () => {
    const { notAfterMs, ca } = await restarted();
    expect(notAfterMs - NOW_MS).toBeGreaterThan(365 * DAY_MS);
    expect(notAfterMs - NOW_MS).toBeLessThan(825 * DAY_MS);
    // 800 days and one before; a third of 801 is 267.
    expect((await loaded(NAMES, notAfterMs - 268 * DAY_MS)).issued).toBeUndefined();
    expect(await inspectTls({ folder, nowMs: notAfterMs - 31 * DAY_MS })).toMatchObject({ warnings: [] });
    expect(await inspectTls({ folder, nowMs: notAfterMs - 29 * DAY_MS })).toMatchObject({
      problems: [],
      warnings: [{ file: file('server.crt') }],
    });
    const renewed = await loaded(NAMES, notAfterMs - 266 * DAY_MS);
    expect(renewed).toMatchObject({ issued: 'expiring', ca });
    expect((await loaded(NAMES, renewed.notAfterMs + DAY_MS)).issued).toBe('unusable');
  });

  test.each([
    ['a crash between key and certificate', async () => writeFile(file('server.key'), server.keyPem)],
    ['a damaged certificate', async () => writeFile(file('server.crt'), '-----BEGIN CERTIFICATE-----\nAAAA')],
    ['an empty key', async () => writeFile(file('server.key'), '')],
    ['a missing key', async () => unlink(file('server.key'))],
    [
      'a certificate of another authority',
      async () => {
        await writeFile(file('server.crt'), server.certPem);
        await writeFile(file('server.key'), server.keyPem);
      },
    ],
  ])('the server certificate is made anew after %s', async (_name, damage) => {
    const { ca } = await restarted();
    await damage();
    expect(await loaded()).toMatchObject({ issued: 'unusable', ca });
    expect((await loaded()).issued).toBeUndefined();
  });

  test.each([
    ['ca.crt is missing', 'ca.crt', async () => unlink(file('ca.crt'))],
    ['ca.key is missing', 'ca.key', async () => unlink(file('ca.key'))],
    ['ca.crt is damaged', 'ca.crt', async () => writeFile(file('ca.crt'), 'x')],
    ['ca.key is damaged', 'ca.key', async () => writeFile(file('ca.key'), 'x')],
    ['ca.key is another', 'ca.key', async () => writeFile(file('ca.key'), foreign.keyPem)],
    [
      'ca.crt is no authority',
      'ca.crt',
      async () => {
        await writeFile(file('ca.crt'), server.certPem);
        await writeFile(file('ca.key'), server.keyPem);
      },
    ],
  ])('an authority that clients trust is never replaced: %s', async (_name, name, damage) => {
    await restarted();
    await damage();
    const before = await readdir(join(folder, 'tls'));
    const result = await load();
    expect(result).toMatchObject({ ok: false, problem: { code: 'CERTIFICATE_INVALID', file: file(name) } });
    expect(await readdir(join(folder, 'tls'))).toEqual(before);
  });

  test('an authority of tomorrow is refused: the clock is wrong', async () => {
    await restarted();
    const result = await load(NAMES, NOW_MS - 2 * DAY_MS);
    expect(result).toMatchObject({ ok: false, problem: { file: file('ca.crt') } });
  });

  test.each([
    ['in its last year', 3650 - 364],
    ['expired', 3651],
  ])('an authority %s makes way for a new one, with what it signed', async (_name, days) => {
    const { ca } = await restarted();
    expect((await loaded(NAMES, NOW_MS + (3650 - 366) * DAY_MS)).ca).toBe(ca);
    const renewed = await loaded(NAMES, NOW_MS + days * DAY_MS);
    expect(renewed.issued).toBe('first-start');
    expect(renewed.ca).not.toBe(ca);
    // A crash after what it signed was removed, and after it was removed itself.
    for (const gone of [['server.crt'], ['server.crt', 'ca.crt']]) {
      for (const name of gone) await unlink(file(name));
      expect((await loaded(NAMES, NOW_MS + days * DAY_MS)).issued).toBe('first-start');
    }
  });

  test('a first start that was interrupted is begun again', async () => {
    await mkdir(join(folder, 'tls'));
    await writeFile(file('ca.key'), authority.keyPem);
    await writeFile(file('ca.key.tmp'), 'half', { mode: 0o666 });
    expect((await loaded()).issued).toBe('first-start');
    expect((await inspectTls({ folder, nowMs: NOW_MS })).problems).toEqual([]);
  });

  test('inspectTls tells what is there and writes nothing', async () => {
    const none = await inspectTls({ folder, nowMs: NOW_MS });
    expect(none).toMatchObject({ source: 'site', names: [], notAfterMs: undefined });
    expect(none.problems).toHaveLength(1);
    expect(await readdir(folder)).toEqual([]);
    const { notAfterMs } = await restarted();
    const found = await inspectTls({ folder, nowMs: NOW_MS });
    expect(found).toMatchObject({ source: 'site', names: NAMES, notAfterMs, problems: [] });
    expect(found.subject).toContain('CN=licences.example');
    const later = await inspectTls({ folder, nowMs: notAfterMs + 1 });
    expect(later).toMatchObject({ notAfterMs, problems: [{ file: file('server.crt') }] });
  });
});

describe("IT's own files", () => {
  let own: OwnFiles;
  const load = (names: readonly string[] = [], nowMs = NOW_MS) =>
    loadOrCreateTls({ folder: join(root, 'never'), names, nowMs, own });

  beforeEach(async () => {
    const folder = await mkdtemp(join(root, 'own-'));
    own = { cert: join(folder, 'c.pem'), key: join(folder, 'k.pem'), ca: join(folder, 'ca.pem') };
    await writeFile(own.cert, server.certPem);
    await writeFile(own.key, server.keyPem, { mode: 0o600 });
    await writeFile(own.ca, authority.certPem);
  });

  test('are served as they are, and nothing is made', async () => {
    const result = await load(['licences.example', 'unknown.example', '10.9.8.7']);
    expect(result).toMatchObject({
      ok: true,
      value: {
        source: 'own',
        cert: server.certPem,
        issued: undefined,
        uncovered: ['unknown.example', '10.9.8.7'],
      },
    });
    expect(await readdir(root)).not.toContain('never');
    expect(await inspectTls({ folder: root, nowMs: NOW_MS, own })).toMatchObject({
      source: 'own',
      problems: [],
    });
  });

  const encryptedKey = () =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    }).privateKey;

  test.each([
    ['a missing file', 'ca', () => unlink(own.ca)],
    ['a folder in place of a file', 'cert', () => unlink(own.cert).then(() => mkdir(own.cert))],
    ['a key of another certificate', 'key', () => writeFile(own.key, foreign.keyPem)],
    ['an encrypted key', 'key', () => writeFile(own.key, encryptedKey())],
    ['a certificate in place of the key', 'key', () => writeFile(own.key, server.certPem)],
    ['a key in place of the certificate', 'cert', () => writeFile(own.cert, server.keyPem)],
    ['an authority that did not sign it', 'cert', () => writeFile(own.ca, foreign.certPem)],
    ['an authority file without a certificate', 'ca', () => writeFile(own.ca, 'nothing')],
  ] as const)('%s is refused', async (_name, which, damage) => {
    await damage();
    const result = await load();
    expect(result).toMatchObject({ ok: false, problem: { code: 'CERTIFICATE_INVALID', file: own[which] } });
    expect((await inspectTls({ folder: root, nowMs: NOW_MS, own })).problems).not.toEqual([]);
  });

  test('one that is made for clients only is refused', async () => {
    const withUsage = async (usage: object) => {
      const issued = rsaServer(foreign, { names: ['a.example'], days: 90, nowMs: NOW_MS }, usage);
      await writeFile(own.cert, issued.certPem);
      await writeFile(own.key, issued.keyPem);
    };
    await writeFile(own.ca, foreign.certPem);
    await withUsage({ clientAuth: true });
    expect(await load()).toMatchObject({ ok: false, problem: { file: own.cert } });
    await withUsage({ clientAuth: true, serverAuth: true });
    expect(await load()).toMatchObject({ ok: true });
  });

  test('one that has expired, or names no host, is refused', async () => {
    expect(await load([], NOW_MS + 91 * DAY_MS)).toMatchObject({ ok: false, problem: { file: own.cert } });
    await writeFile(own.cert, foreign.certPem);
    await writeFile(own.key, foreign.keyPem);
    await writeFile(own.ca, foreign.certPem);
    expect(await load()).toMatchObject({ ok: false, problem: { file: own.cert } });
  });

  test('a file with several authorities is searched', async () => {
    await writeFile(own.ca, foreign.certPem + authority.certPem);
    expect(await load()).toMatchObject({ ok: true });
  });
});
