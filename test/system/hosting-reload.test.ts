import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLease } from '@berth/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Started } from './process.js';
import { type Person, Site } from './site.js';
import { until } from './waiting.js';

let site: Site;
let anna: Person;
let server: Started;
let toml: string;

const settings = `
[lease]
seconds = 10

[log]
level = "info"
`;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 10 });
  await site.grant({ seats: 2, share: 'process' });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
  await site.kill();
  toml = await site.write('berthd.toml', settings);
  // Without --lease-seconds: a flag wins over the file for as long as the process runs.
  server = site.start({
    argv: [
      process.execPath,
      join(import.meta.dirname, '../../server/bin/berthd.js'),
      'serve',
      '--data',
      site.data,
      '--config',
      toml,
    ],
  });
  await until('berthd to serve', () => server.stdout.includes('"msg":"serving"'));
}, 120_000);

afterAll(() => site?.close());

/** Writes the file, sends SIGHUP, and waits for what the log says about it. */
async function reload(text: string, wanted: Record<string, unknown>): Promise<Record<string, unknown>> {
  await writeFile(toml, text);
  const before = server.said.length;
  server.signal('SIGHUP');
  return until('the log to tell of the reload', () =>
    server.said
      .slice(before)
      .find((line) => Object.entries(wanted).every(([name, value]) => line[name] === value)),
  );
}

async function leaseSeconds(): Promise<number> {
  const lease = await openLease({ home: anna.home });
  await lease.close();
  return lease.me.leaseSeconds;
}

describe('SIGHUP', () => {
  test('swaps what can be swapped: new sessions see it, and nobody is cut off', async () => {
    const plugin = site.plugin(anna);
    await plugin.hear({ event: 'ready' });
    plugin.tell('checkout');
    await plugin.hear({ event: 'done', order: 'checkout' });
    expect(await leaseSeconds()).toBe(10);
    const said = await reload(settings.replace('= 10', '= 20').replace('info', 'debug'), {
      msg: 'configuration reloaded',
    });
    expect(said.changed).toEqual(['lease.seconds', 'log.level']);
    expect(await leaseSeconds()).toBe(20);
    await until('a line of the new level', () => server.said.some(({ level }) => level === 'debug'));
    plugin.tell('state');
    expect(await plugin.hear({ order: 'state' })).toMatchObject({ state: 'held' });
    expect(plugin.said.some(({ event }) => event === 'grace')).toBe(false);
    plugin.tell('close');
    await plugin.exited;
  });

  test('with a mistake in the file changes nothing, and says what and where', async () => {
    const said = await reload('[lease]\nseconds = 1\n', { code: 'CONFIG_INVALID' });
    expect(said.msg).toContain('lease.seconds');
    expect(said.next).toContain('Correct');
    expect(await leaseSeconds()).toBe(20);
    const unreadable = await reload('[lease\n', { code: 'CONFIG_INVALID' });
    expect(unreadable.msg).toContain('line 1');
    expect(await leaseSeconds()).toBe(20);
  });

  test('names what waits for a restart and applies the rest', async () => {
    const said = await reload(`listen = "127.0.0.1:1"\n[lease]\nseconds = 15\n`, { code: 'RESTART_NEEDED' });
    expect(said).toMatchObject({ level: 'warn', settings: ['listen'] });
    expect(await leaseSeconds()).toBe(15);
  });

  test('a certificate that cannot be served leaves everything as it is', async () => {
    const pem = join(site.folder, 'none.pem');
    const said = await reload(
      `[lease]\nseconds = 12\n[tls]\ncert = "${pem}"\nkey = "${pem}"\nca = "${pem}"\n`,
      { code: 'CERTIFICATE_INVALID', level: 'error' },
    );
    expect(said.next).toBeTruthy();
    expect(await leaseSeconds()).toBe(15);
  });

  test('the mark of the disk is live: above what is free nothing is granted, and back again', async () => {
    await reload('[disk]\nlow-mib = 1000000000\n[lease]\nseconds = 10\n', { code: 'DISK_LOW' });
    const run = ['run', '--product', 'render', '--', 'true'] as const;
    const refused = await site.berth(anna, run);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('berth: DISK_LOW ')]);
    expect(JSON.parse((await site.http('/readyz')).body).warnings).toEqual(['DISK_LOW']);
    expect((await site.http('/metrics')).body).toMatch(/^berth_disk_low 1$/m);
    await reload('[disk]\nlow-mib = 16\n', { msg: 'disk space is enough again' });
    expect((await site.berth(anna, run)).code).toBe(0);
    expect((await site.http('/metrics')).body).toMatch(/^berth_disk_low 0$/m);
  });

  test('berthd serve --help says which settings', async () => {
    const help = site.start({
      argv: [process.execPath, join(import.meta.dirname, '../../server/bin/berthd.js'), 'serve', '--help'],
    });
    const { stdout } = await help.exited;
    expect(stdout).toMatch(/BERTHD_LEASE_SECONDS\]\s+\(reload\)/);
    expect(stdout).not.toMatch(/BERTHD_LISTEN\]\s+\(reload\)/);
  });
});

describe('an address of its own for administration', () => {
  test('the main port refuses it with a code, and berth finds it, also on a device that joined before', async () => {
    await server.kill();
    const own = `127.0.0.1:${site.port}`;
    const admin = '127.0.0.1:0';
    await site.serve(['--admin-listen', admin]);
    const line = site.server!.said.find(({ msg }) => msg === 'serving');
    expect(line).toMatchObject({ address: own });
    const users = await site.berthOk(site.owner, ['user', 'list', '--json']);
    expect(users.json.items).toHaveLength(2);
    // It is kept: the file says where administration is now.
    const file = join(site.owner.home, 'config/contexts/studio.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ adminServers: [line!.admin] });
    // Somebody who joins now is told at once.
    const eva = site.person('eva@studio.example');
    await site.joinWith(eva, await site.invite(eva.email, '--role', 'admin'));
    const hers = join(eva.home, 'config/contexts/studio.json');
    expect(JSON.parse(await readFile(hers, 'utf8'))).toMatchObject({ adminServers: [line!.admin] });
    // And leases are had where they always were.
    expect((await site.berth(anna, ['run', '--product', 'render', '--', 'true'])).code).toBe(0);
    const forced = await site.berthOk(site.owner, ['status', '--json']);
    expect(forced.json.pools).toHaveLength(1);
    // Taken off again: what was kept leads nowhere, and the main port answers.
    await site.kill();
    await site.serve();
    expect((await site.berth(eva, ['user', 'list', '--json'])).code).toBe(0);
  });
});
