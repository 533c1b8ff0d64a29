import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createAuthority, issueServerCertificate } from '@berth/server/transport/certificates';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Started } from './process.js';
import { type Person, Site } from './site.js';
import { until } from './waiting.js';

let site: Site;
let anna: Person;
let plugin: Started;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 10 });
  await site.grant({ seats: 2, share: 'process' });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
  plugin = site.plugin(anna);
  await plugin.hear({ event: 'ready' });
  plugin.tell('checkout');
  await plugin.hear({ event: 'done', order: 'checkout' });
}, 120_000);

afterAll(() => site?.close());

/** What a new connection is shown. */
function served(): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: site.port, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) reject(new Error('No certificate'));
      else resolve(certificate);
    });
    socket.on('error', reject);
  });
}

async function hangUp(wanted: Record<string, unknown>): Promise<Record<string, unknown>> {
  const server = site.server!;
  const before = server.said.length;
  server.signal('SIGHUP');
  return until('the log to tell of it', () =>
    server.said
      .slice(before)
      .find((line) => Object.entries(wanted).every(([name, value]) => line[name] === value)),
  );
}

/** The plugin kept its seat and its connection: it never lost sight of the server. */
async function undisturbed(): Promise<void> {
  plugin.tell('state');
  expect(await plugin.hear({ order: 'state' })).toMatchObject({ state: 'held' });
  expect(plugin.said.filter(({ event }) => event === 'grace' || event === 'lost')).toEqual([]);
}

describe('the certificate that Berth makes', () => {
  test('is renewed while the server runs: new connections get it, open ones stay', async () => {
    const before = await served();
    const tls = (name: string): string => join(site.data, 'tls', name);
    const [certPem, keyPem] = await Promise.all([
      readFile(tls('ca.crt'), 'utf8'),
      readFile(tls('ca.key'), 'utf8'),
    ]);
    // One of 800 days made 600 days ago: less than a third of its life is left.
    const nowMs = Date.now() - 600 * 86_400_000;
    const names = (before.subjectAltName ?? '').split(', ').map((entry) => entry.replace(/^.*?:/, ''));
    const old = await issueServerCertificate({ certPem, keyPem }, { names, days: 800, nowMs });
    await writeFile(tls('server.key'), old.keyPem, { mode: 0o600 });
    await writeFile(tls('server.crt'), old.certPem);
    const said = await hangUp({ msg: 'a new certificate is served; open connections stay' });
    expect(said).toMatchObject({ reason: 'expiring', source: 'site' });
    const after = await served();
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    expect(Date.parse(after.validTo) - Date.now()).toBeGreaterThan(790 * 86_400_000);
    expect(after.issuer).toBe(before.issuer);
    await undisturbed();
  });
});

describe("IT's own certificate", () => {
  let toml = '';

  /** A new authority of IT's and a certificate by it, in files that berthd.toml names. */
  async function sign(name: string, names: readonly string[], days: number): Promise<void> {
    const authority = await createAuthority(name, Date.now());
    const made = await issueServerCertificate(authority, { names, days, nowMs: Date.now() });
    await site.write('own.crt', made.certPem);
    await writeFile(join(site.folder, 'own.key'), made.keyPem, { mode: 0o600 });
    await site.write('own-ca.crt', authority.certPem);
    toml = await site.write('berthd.toml', '[tls]\ncert = "own.crt"\nkey = "own.key"\nca = "own-ca.crt"\n');
  }

  test('takes the place of the other at a restart; who joined before goes on without joining again', async () => {
    await sign('IT one', ['127.0.0.1', 'localhost'], 365);
    await site.kill();
    await site.serve(['--config', toml]);
    expect((await served()).issuer).toContain('IT one');
    // A plugin that has been there all the time, and a command that starts now.
    expect((await site.berth(site.owner, ['status', '--json'])).code).toBe(0);
    const kept = JSON.parse(await readFile(join(site.owner.home, 'config/contexts/studio.json'), 'utf8'));
    expect(new X509Certificate(kept.caPem).subject).toContain('IT one');
    await until(
      'the plugin to be online again',
      () => {
        plugin.tell('online');
        return plugin.said.findLast(({ order }) => order === 'online')?.online === true;
      },
      30_000,
      200,
    );
    plugin.tell('state');
    expect(await plugin.hear({ order: 'state' })).toMatchObject({ state: 'held' });
  });

  test('is replaced on SIGHUP, by another authority too', async () => {
    await sign('IT two', ['127.0.0.1', 'localhost'], 365);
    await hangUp({ msg: 'a new certificate is served; open connections stay' });
    expect((await served()).issuer).toContain('IT two');
    expect((await site.berth(anna, ['whoami', '--json'])).code).toBe(0);
  });

  test('that expires soon or misses a name that clients use is said, by the server and by berthd check', async () => {
    await sign('IT three', ['localhost'], 20);
    const said = await hangUp({ code: 'CERTIFICATE_EXPIRING' });
    expect(said.level).toBe('warn');
    await until('the names that are missing', () =>
      site.server!.said.some(
        ({ code, uncovered }) =>
          code === 'CERTIFICATE_NAMES' && JSON.stringify(uncovered).includes('127.0.0.1'),
      ),
    );
    expect(JSON.parse((await site.http('/readyz')).body).warnings).toEqual(['CERTIFICATE_EXPIRING']);
    await site.stop();
    const check = site.start({
      argv: [
        process.execPath,
        join(import.meta.dirname, '../../server/bin/berthd.js'),
        'check',
        '--data',
        site.data,
        '--config',
        toml,
        '--json',
      ],
    });
    const { code, stdout } = await check.exited;
    const finding = JSON.parse(stdout).findings.find(
      ({ check: name }: { check: string }) => name === 'certificates',
    );
    expect([code, finding]).toMatchObject([0, { verdict: 'warning', code: 'CERTIFICATE_EXPIRING' }]);
  });

  test('somebody else with a certificate of another authority is not believed', async () => {
    // The same address, another server: its key cannot vouch for its authority.
    const stranger = await Site.found();
    try {
      await stranger.keygen();
      await stranger.init();
      await stranger.serve();
      const ran = await site.berth(anna, ['whoami', '--json'], { env: { BERTH_SERVERS: stranger.address } });
      expect([ran.code, ran.json.error.code]).toEqual([5, 'CERTIFICATE_UNTRUSTED']);
      const kept = await readFile(join(anna.home, 'config/contexts/studio.json'), 'utf8');
      expect(new X509Certificate(JSON.parse(kept).caPem).subject).toContain('IT two');
    } finally {
      await stranger.close();
    }
  });
});
