import { openAdmin } from '@berth/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Started } from './process.js';
import { type Person, type Ran, Site } from './site.js';
import { until, within } from './waiting.js';

// What an admin says to whoever holds a seat, and a forced release that warns first (issue 3, part 10).

let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 20 });
  await site.grant({ product: 'render', seats: 12, share: 'process', borrow: { max: '1d', seats: 1 } });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
}, 120_000);

afterAll(() => site?.close());

const owner = (...args: string[]): Promise<Ran> => site.berth(site.owner, ['lease', ...args, '--json']);

async function holding(): Promise<{ plugin: Started; lease: string }> {
  const plugin = site.plugin(anna);
  await plugin.hear({ event: 'ready' });
  plugin.tell('checkout');
  const { leaseIds } = await plugin.hear({ event: 'done', order: 'checkout' });
  return { plugin, lease: (leaseIds as string[])[0]! };
}

async function listed(lease: string): Promise<{ releaseAtMs: number | null; state: string } | undefined> {
  const { json } = await owner('list');
  return json.items.find(({ id }: { id: string }) => id === lease);
}

describe('a message', () => {
  test('reaches the plugin, in any script, and says so', async () => {
    const { plugin, lease } = await holding();
    const said = await owner('message', lease, 'Please save: the seat is needed at 18:00 ☕');
    expect(said).toMatchObject({ code: 0, json: { lease, delivered: true } });
    expect(await plugin.hear({ event: 'message' })).toMatchObject({
      text: 'Please save: the seat is needed at 18:00 ☕',
      from: 'it@studio.example',
    });
    plugin.tell('close');
    await plugin.exited;
  });

  test('is printed by berth run', async () => {
    const shell = site.start({
      argv: site.berthArgv(['run', '--product', 'render', '--', 'sh', '-c', 'echo up; cat']),
      env: site.environmentOf(anna, 'run'),
    });
    await until('the command to run', () => shell.stdout.includes('up'));
    const { json } = await owner('list');
    expect(json.items).toHaveLength(1);
    const lease = json.items[0].id;
    expect((await owner('message', lease, 'Tea is ready')).json.delivered).toBe(true);
    await until('the message on stderr', () =>
      shell.stderr.includes('Message from it@studio.example: Tea is ready'),
    );
    const warned = await owner('release', lease, '--in', '10m', '--message', 'Needed at six');
    expect(warned.code).toBe(0);
    await until('the warning on stderr', () =>
      /taken back by it@studio\.example .*Needed at six/.test(shell.stderr),
    );
    shell.endInput();
    expect((await within('berth run to end', shell.exited)).code).toBe(0);
  });

  test('to a plugin that is not connected is said not to be delivered: exit 5', async () => {
    const { plugin, lease } = await holding();
    await plugin.kill();
    const said = await until('the server to see that it is gone', async () => {
      const ran = await owner('message', lease, 'Hello?');
      return ran.code === 0 ? null : ran;
    });
    expect(said).toMatchObject({
      code: 5,
      json: { lease, delivered: false, error: { code: 'NOT_DELIVERED' } },
    });
    expect(said.stderr).toContain('NOT_DELIVERED');
  });

  test('that would drive a terminal, that is empty or too long, or to nobody, is refused', async () => {
    const { plugin, lease } = await holding();
    for (const text of ['\u001b[2J', ' ', 'x'.repeat(1001)]) {
      const ran = await owner('message', lease, text);
      expect([ran.code, ran.json.error.code]).toEqual([2, 'MESSAGE_INVALID']);
    }
    // The server trusts no client with it.
    const admin = await openAdmin({ home: site.owner.home });
    await expect(
      admin.call('lease.message', { key: 'k-0123456789abcdef', lease, text: 'a\u0007b' }),
    ).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
    await admin.close();
    const unknown = await owner('message', 'l-nobody', 'Hello');
    expect([unknown.code, unknown.json.error.code]).toEqual([6, 'LEASE_UNKNOWN']);
    const artist = await site.berth(anna, ['lease', 'message', lease, 'Hi', '--json']);
    expect([artist.code, artist.json.error.code]).toEqual([4, 'NOT_ALLOWED']);
    await plugin.kill();
  });
});

describe('a forced release that warns first', () => {
  test('tells the plugin at once, is listed, survives a kill of the server, and happens by itself', async () => {
    const { plugin, lease } = await holding();
    const before = Date.now();
    const set = await owner('release', lease, '--in', '15s', '--message', 'Needed for the night run');
    expect(set.code).toBe(0);
    const { releaseAtMs, freeAtMs } = set.json;
    expect(releaseAtMs - before).toBeGreaterThan(14_000);
    expect(freeAtMs).toBeGreaterThan(releaseAtMs);
    const warning = await plugin.hear({ event: 'warning' });
    expect(warning).toMatchObject({
      code: 'LEASE_REVOKED',
      message: 'Needed for the night run',
      by: 'it@studio.example',
    });
    expect(Math.abs((warning.endsAtMs as number) - releaseAtMs)).toBeLessThan(2000);
    expect(await listed(lease)).toMatchObject({ releaseAtMs, state: 'open' });
    await site.restart();
    expect(await listed(lease)).toMatchObject({ releaseAtMs, state: 'open' });
    const lost = await plugin.hear({ event: 'lost' }, 60_000);
    expect(Date.now()).toBeGreaterThanOrEqual(releaseAtMs - 1500);
    expect(lost).toMatchObject({ code: 'LEASE_REVOKED', message: 'Needed for the night run' });
    // Renewals brought the same warning again and again: told once.
    expect(plugin.said.filter(({ event }) => event === 'warning')).toHaveLength(1);
    await plugin.kill();
  });

  test('can be called off', async () => {
    const { plugin, lease } = await holding();
    await owner('release', lease, '--in', '10s');
    const until11s = Date.now() + 11_000;
    await plugin.hear({ event: 'warning' });
    const kept = await owner('release', lease, '--cancel');
    expect(kept).toMatchObject({ code: 0, json: { lease, kept: true } });
    await plugin.hear({ event: 'warning', endsAtMs: null });
    expect((await owner('release', lease, '--cancel')).json.kept).toBe(false);
    await until('the moment to pass', () => Date.now() > until11s);
    expect(await listed(lease)).toMatchObject({ releaseAtMs: null, state: 'open' });
    plugin.tell('state');
    expect(await plugin.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'held' });
    await plugin.kill();
  });

  test('says what is wrong with the words', async () => {
    const tries = [
      ['release', 'l1', '--in', '0s'],
      ['release', 'l1', '--in', '8d'],
      ['release', 'l1', '--in', 'soon'],
      ['release', 'l1', '--cancel', '--in', '5m'],
      ['release', 'l1', '--message', 'a', '--reason', 'b'],
    ];
    for (const words of tries) {
      const ran = await owner(...words);
      expect([words.join(' '), ran.code, ran.json.error.code]).toEqual([words.join(' '), 2, 'USAGE']);
    }
    const artist = await site.berth(anna, ['lease', 'release', 'l1', '--in', '5m', '--json']);
    expect(artist.code).toBe(4);
  });
});
