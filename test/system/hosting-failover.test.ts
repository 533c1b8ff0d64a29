import { createServer, type Server, type Socket } from 'node:net';
import { openLease } from '@berth/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from './network.js';
import { type Person, Site } from './site.js';
import { until } from './waiting.js';

// Two addresses of one server, as IT writes them when a host has two names or is about to move.

let site: Site;
let anna: Person;
const holes: { server: Server; sockets: Set<Socket> }[] = [];

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 30 });
  await site.grant({ seats: 4, share: 'process' });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
}, 120_000);

afterAll(async () => {
  for (const { server, sockets } of holes) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  await site?.close();
});

/** Accepts TCP and says nothing, as a firewall or a dead process behind a load balancer does. @returns its address */
async function blackHole(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  holes.push({ server, sockets });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return `127.0.0.1:${port}`;
}

/** @returns the server in use and how long it took to get there, ms */
async function reach(...servers: string[]): Promise<{ address: string; tookMs: number }> {
  const startMs = performance.now();
  const lease = await openLease({ home: anna.home, servers });
  const tookMs = performance.now() - startMs;
  await lease.close();
  return { address: lease.me.address, tookMs };
}

describe('a list of servers', () => {
  test('the first refuses: the second is used at once', async () => {
    const dead = `127.0.0.1:${await freePort()}`;
    const { address, tookMs } = await reach(dead, site.address);
    expect(address).toBe(site.address);
    expect(tookMs).toBeLessThan(4_000);
  });

  test('the first swallows everything: the second is used within the stagger, not the time-out', async () => {
    const { address, tookMs } = await reach(await blackHole(), site.address);
    expect(address).toBe(site.address);
    expect(tookMs).toBeGreaterThan(900);
    // Opening a socket may take 5 s: whoever waits for that has no stagger.
    expect(tookMs).toBeLessThan(4_900);
  });

  test('two names of one server: one session, on the first', async () => {
    const { address } = await reach(`localhost:${site.port}`, site.address);
    expect(address).toBe(`localhost:${site.port}`);
    const { body } = await site.http('/metrics');
    await until('no session to be left', async () =>
      /^berth_sessions 0$/m.test((await site.http('/metrics')).body),
    );
    expect(body).toContain('berth_sessions ');
  });

  test('none is there: every one is named, with what became of it', async () => {
    const dead = `127.0.0.1:${await freePort()}`;
    const hole = await blackHole();
    const error = await reach(dead, hole).then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'UNREACHABLE',
      servers: [
        { address: dead, code: 'UNREACHABLE' },
        { address: hole, code: 'TIMEOUT' },
      ],
    });
    for (const address of [dead, hole]) expect(error.message).toContain(address);
  });

  test('BERTH_SERVERS does the same for a command', async () => {
    const ran = await site.berth(anna, ['whoami', '--json'], {
      env: { BERTH_SERVERS: `${await blackHole()},${site.address}` },
    });
    expect([ran.code, ran.json.server.address]).toEqual([0, site.address]);
  });
});

describe('a server that moves to another address', () => {
  test('is followed by a plugin that holds a seat', async () => {
    const port = await freePort();
    const elsewhere = `127.0.0.1:${port}`;
    const plugin = site.plugin(anna, {}, `${site.address},${elsewhere}`);
    await plugin.hear({ event: 'ready' });
    plugin.tell('checkout');
    await plugin.hear({ event: 'done', order: 'checkout' });
    await site.stop();
    const moved = site.launch(['--listen', elsewhere]);
    await until('berthd to serve elsewhere', () => moved.stdout.includes('"msg":"serving"'));
    await until(
      'the plugin to be online there',
      () => {
        plugin.tell('online');
        return plugin.said.findLast(({ order }) => order === 'online')?.online === true;
      },
      30_000,
      200,
    );
    plugin.tell('state');
    expect(await plugin.hear({ order: 'state' })).toMatchObject({ state: 'held' });
    plugin.tell('close');
    expect((await plugin.exited).code).toBe(0);
    await moved.kill();
  });
});
