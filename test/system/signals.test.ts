import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Started } from './process.js';
import { type Person, Site } from './site.js';
import { until, within } from './waiting.js';

let site: Site;
let anna: Person;

beforeAll(async () => {
  // Longer than any start of berthd on a busy machine; nothing here waits for a window to end.
  site = await Site.open({ leaseSeconds: 40 });
  await site.grant({ seats: 2, share: 'process' });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
}, 120_000);

afterAll(() => site?.close());

async function holder(): Promise<Started> {
  const plugin = site.plugin(anna);
  await plugin.hear({ event: 'ready' });
  plugin.tell('checkout');
  await plugin.hear({ order: 'checkout', event: 'done' });
  return plugin;
}

describe('SIGTERM', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s with sessions open: drained, exit 0 within 10 s, seats kept',
    async (signal) => {
      const plugin = await holder();
      const server = site.server!;
      const startMs = performance.now();
      server.signal(signal);
      const exit = await within('berthd to stop', server.exited, 10_000);
      expect([exit.code, exit.signal, exit.stderr]).toEqual([0, null, '']);
      expect(performance.now() - startMs).toBeLessThan(10_000);
      expect(exit.stdout).toContain('"msg":"stopped"');
      await site.serve();
      // The plugin was told, came back, and holds what it held.
      await until(
        'the plugin to be online again',
        async () => {
          plugin.tell('online');
          const last = plugin.said.findLast(({ order }) => order === 'online');
          return last?.online === true;
        },
        30_000,
        200,
      );
      plugin.tell('state');
      expect(await plugin.hear({ order: 'state' })).toMatchObject({ state: 'held', kind: 'online' });
      expect(plugin.said.some(({ event }) => event === 'lost')).toBe(false);
      plugin.tell('close');
      expect((await plugin.exited).code).toBe(0);
      expect(await site.pool()).toMatchObject({ inUse: 0, free: 2 });
    },
  );

  test('a second SIGTERM does not hurry it into an unclean end', async () => {
    const server = site.server!;
    server.signal('SIGTERM');
    server.signal('SIGTERM');
    expect((await within('berthd to stop', server.exited, 10_000)).code).toBe(0);
    await site.serve();
  });

  test('after a clean stop the state is used as it is: nothing is replayed or rebuilt', async () => {
    await site.stop();
    const server = await site.serve();
    expect(server.said.find(({ msg }) => msg === 'state recovered')).toMatchObject({ replayed: 0 });
  });
});

describe('one process', () => {
  test('berthd has no child: a signal to its pid reaches the server', async () => {
    expect(await childrenOf(site.server!.pid)).toEqual([]);
  });
});

/** From /proc; where there is none, nothing can be said and nothing is claimed. */
async function childrenOf(pid: number): Promise<number[]> {
  const names = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    names.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      // After the name in parentheses come the state and the parent (proc(5)).
      return { child: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
    }),
  );
  return parents.filter(({ parent }) => parent === pid).map(({ child }) => child);
}

describe('one folder', () => {
  test.each([['serve'], ['check']])(
    'berthd %s on a folder in use refuses: FOLDER_IN_USE, exit 1',
    async (command) => {
      const second =
        command === 'serve'
          ? await within(
              'the second berthd to refuse',
              site.launch(['--listen', '127.0.0.1:0']).exited,
              30_000,
            )
          : await site.check();
      expect(second.code).toBe(1);
      expect(second.stderr).toContain('berthd: FOLDER_IN_USE ');
      expect(second.stderr).toContain(site.data);
      expect((await site.http('/readyz')).status).toBe(200);
    },
  );

  test('berthd init refuses it too', async () => {
    const started = site.start({
      argv: [
        process.execPath,
        'server/bin/berthd.js',
        'init',
        '--data',
        site.data,
        '--owner',
        'x@studio.example',
      ],
    });
    const { code, stderr } = await within('init to refuse', started.exited);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^berthd: FOLDER_(NOT_EMPTY|IN_USE) /)]);
  });

  test('kill -9 and an immediate start: no stale lock, and the seat is still held', async () => {
    const plugin = await holder();
    for (let round = 0; round < 3; round++) {
      site.server!.signal('SIGKILL');
      site.server = null;
      await site.serve();
    }
    expect(await site.pool()).toMatchObject({ inUse: 1, free: 1 });
    await plugin.kill();
  });
});

test('the auditor has nothing to say', async () => {
  await site.kill();
  expect((await site.check()).json).toMatchObject({ ok: true });
  expect(site.audit().findings).toEqual([]);
});
