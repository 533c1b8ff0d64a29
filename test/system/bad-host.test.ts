import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bins } from './paths.js';
import type { Exit } from './process.js';
import { newNonce, RawClient } from './raw-client.js';
import { type Ran, Site } from './site.js';
import { MIB, SmallDisk } from './small-disk.js';
import { until, within } from './waiting.js';

// "Bad input" of issue 2, where the computer is what is wrong: port, configuration, clock, disk.

const sites: Site[] = [];

async function open(...given: Parameters<typeof Site.open>): Promise<Site> {
  const site = await Site.open(...given);
  sites.push(site);
  return site;
}

afterAll(() => Promise.all(sites.map((site) => site.close())));

/** What berthd said when it did not start: `berthd: CODE sentence`, and what to do. */
function startFailure({ code, stderr }: Exit): [number, string] {
  const [first = '', next = ''] = stderr.split('\n');
  const match = /^berthd: ([A-Z_]+) .*\S/.exec(first);
  expect(next.trim()).toMatch(/\w+ \w+/);
  return [code, match?.[1] ?? stderr];
}

/** `berthd serve` with these flags and no others, which it must refuse. */
async function refusal(
  data: string,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<Exit> {
  const [site] = sites;
  const argv = [process.execPath, bins.berthd, 'serve', '--data', data, ...flags];
  return within('berthd to refuse', site!.start({ argv, env }).exited, 30_000);
}

describe('what berthd is told', () => {
  let site: Site;
  const found = async (): Promise<Site> => {
    if (site === undefined) {
      site = await Site.found();
      sites.push(site);
      await site.init();
    }
    return site;
  };

  test('a port that is taken: PORT_TAKEN, 1, and the other program keeps it', async () => {
    const { port } = await found();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    try {
      expect(startFailure(await refusal(site.data, []))).toEqual([1, 'PORT_TAKEN']);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  test.each([
    ['a configuration that is not there', async () => '/nonexistent/berthd.toml', 'CONFIG_UNREADABLE'],
    ['a folder instead of one', async () => tmpdir(), 'CONFIG_UNREADABLE'],
    ['no TOML', async () => site.write('a.toml', 'listen = = "x"'), 'CONFIG_INVALID'],
    ['a key nobody knows', async () => site.write('b.toml', 'lisen = "127.0.0.1:1"'), 'CONFIG_INVALID'],
    [
      'a value of the wrong type',
      async () => site.write('c.toml', '[lease]\nseconds = "long"'),
      'CONFIG_INVALID',
    ],
    ['a value out of range', async () => site.write('d.toml', '[lease]\nseconds = 0'), 'CONFIG_INVALID'],
  ])('%s: exit 2', async (_, file, code) => {
    await found();
    expect(startFailure(await refusal(site.data, ['--config', await file()]))).toEqual([2, code]);
  });

  test('a wrong environment variable: CONFIG_INVALID, 2', async () => {
    await found();
    const exit = await refusal(site.data, [], { BERTHD_LEASE_SECONDS: 'soon' });
    expect(startFailure(exit)).toEqual([2, 'CONFIG_INVALID']);
  });

  test('a folder without a server: NOT_INITIALISED, 1', async () => {
    await found();
    const folder = join(site.folder, 'empty');
    await mkdir(folder);
    expect(startFailure(await refusal(folder, []))).toEqual([1, 'NOT_INITIALISED']);
  });

  test('with a good one it serves, and nothing was lost', async () => {
    await found();
    await site.serve(['--config', await site.write('good.toml', '[log]\nlevel = "debug"\n')]);
    expect((await site.stop()).code).toBe(0);
    expect((await site.check()).json).toMatchObject({ ok: true });
  });
});

describe('clocks', () => {
  const DAY_MS = 86_400_000;

  test('a client whose clock is off is lent nothing: CLOCK_SKEW, 1; its seat online works', async () => {
    const site = await open();
    await site.grant({ seats: 2, share: 'process', borrow: { max: '1d', seats: 1 } });
    for (const skewMs of [20 * 60_000, -20 * 60_000]) {
      const words = ['borrow', 'take', '--product', 'render', '--for', '2h', '--json'];
      const { code, json } = await site.berth(site.owner, words, { skewMs });
      expect([code, json.error.code]).toEqual([1, 'CLOCK_SKEW']);
      expect(json.error.message).toContain('20 minutes');
      expect(
        (await site.berth(site.owner, ['run', '--product', 'render', '--', 'true'], { skewMs })).code,
      ).toBe(0);
    }
    expect(await site.pool()).toMatchObject({ inUse: 0, borrowed: 0, free: 2 });
  });

  test('an invitation that has expired; a server whose clock went back grants nothing and says so', async () => {
    const site = await open();
    await site.grant({ seats: 2, share: 'process' });
    const [link] = [await site.invite('late@studio.example')];
    await site.kill();
    // Nine days later by the wall clock: a week is what an invitation has.
    await site.serve([], 9 * DAY_MS);
    const late = await site.berth(site.person('late@studio.example'), ['join', link, '--json']);
    expect([late.code, late.json.error.code]).toEqual([4, 'INVITATION_EXPIRED']);
    expect((await site.berth(site.owner, ['run', '--product', 'render', '--', 'true'])).code).toBe(0);
    await site.kill();
    // And back: what it has seen it does not forget (I5).
    await site.serve();
    const refused = await site.berth(site.owner, ['run', '--product', 'render', '--', 'true']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('berth: CLOCK_BEHIND ')]);
    expect(await site.pool()).toMatchObject({ owned: 2, free: 2 });
    await site.stop();
    const check = await site.check();
    expect(check.code).toBe(1);
    expect(check.json.findings).toContainEqual(
      expect.objectContaining({ check: 'clock', verdict: 'failed', code: 'CLOCK_BEHIND' }),
    );
  });
});

describe('a full disk', () => {
  let disk: SmallDisk | undefined;

  afterAll(async () => {
    // Before the disk itself: its processes must be gone.
    await Promise.all(sites.map((site) => site.close()));
    await disk?.unmount();
  });

  test('below the mark nothing is granted and renewals go on; at zero the server stops and loses nothing', async ({
    skip,
  }) => {
    const small = await SmallDisk.mount(48).catch((error: Error) => {
      // A build that cannot show this must not look as if it had.
      if (process.env.CI === 'true') throw error;
      console.log(`skipped, a full disk: ${error.message}`);
      return skip(error.message);
    });
    disk = small;
    const flags = ['--disk-low-mib', '16'];
    const site = await open({ under: small.path, flags });
    await site.grant({ seats: 30, share: 'process' });
    const plugin = site.plugin(site.owner);
    await plugin.hear({ event: 'ready' });
    plugin.tell('checkout');
    const held = await plugin.hear({ order: 'checkout', event: 'done' });

    await small.leaveFree(8 * MIB);
    const take = (): Promise<Ran> => site.berth(site.owner, ['run', '--product', 'render', '--', 'true']);
    await until('DISK_LOW', async () => (await take()).stderr.includes('berth: DISK_LOW '), 20_000);
    // Longer than D: without renewals the seat would be lost.
    const before = Number(held.expiresAtMs);
    await until(
      'a renewal',
      async () => stateOf(plugin, (state) => state === 'held' && Date.now() > before),
      20_000,
      250,
    );
    expect((await site.http('/readyz')).status).toBe(200);

    await small.leaveFree(30 * MIB);
    await until('grants again', async () => (await take()).code === 0, 20_000);
    const raw = await RawClient.enrolled(site.address, await site.invite('raw@studio.example'));
    const leases: string[] = [];
    for (let n = 0; n < 20; n++) leases.push(await checkout(raw));
    await small.leaveFree(0);
    // Releases must be written down. The first ones may still fit into the page that the file has.
    for (const lease of leases) raw.send(releaseOf(lease));
    plugin.tell('release');
    const exit = await within('berthd to stop', site.server!.exited, 20_000);
    // The journal and the stored state are written by turns: which of them finds no space first is chance.
    const said = expect.stringMatching(/^berthd: (JOURNAL|STATE)_WRITE_FAILED .*(ENOSPC|No space left)/m);
    expect([exit.code, exit.stderr]).toEqual([1, said]);

    // A start that finds no space leaves everything as it is, and says what is wrong; a supervisor tries again and again.
    for (let start = 0; start < 3; start++)
      expect(startFailure(await refusal(site.data, flags))).toEqual([1, 'STATE_OPEN_FAILED']);

    await small.leaveFree(30 * MIB);
    expect((await site.serve(flags)).stdout).not.toContain('rebuilt');
    await plugin.hear({ order: 'release', event: 'done' }, 40_000);
    expect(await site.pool()).toMatchObject({ owned: 30 });
    plugin.tell('close');
    await plugin.exited;
    expect((await site.stop()).code).toBe(0);
    expect((await site.check()).json).toMatchObject({ ok: true });
    expect(site.audit().findings).toEqual([]);
  }, 180_000);

  async function checkout(raw: RawClient): Promise<string> {
    const params = { key: newNonce(), wants: [{ products: ['render'], seats: 1 }], nonce: newNonce() };
    const { result } = await raw.ask('lease.checkout', params);
    const [token = ''] = (result?.leases ?? []) as string[];
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti;
  }

  function releaseOf(lease: string): object {
    return {
      jsonrpc: '2.0',
      id: lease,
      method: 'lease.release',
      params: { key: newNonce(), leases: [lease] },
    };
  }

  function stateOf(plugin: ReturnType<Site['plugin']>, isWanted: (state: unknown) => boolean): boolean {
    plugin.tell('state');
    return isWanted(plugin.said.findLast(({ order }) => order === 'state')?.state);
  }
});
