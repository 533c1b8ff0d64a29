import { connectWith } from '@berth/client/internal';
import { formatJoinLink } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { FakeFiles } from './fake-files.js';
import { FakeHost } from './fake-host.js';
import { FakeServer } from './fake-server.js';
import { FakeTime } from './fake-time.js';

function node(alive: (id: string) => boolean = () => true) {
  const [time, files] = [new FakeTime(), new FakeFiles()];
  const server = new FakeServer(time);
  const serverKey = server.key.publicKey;
  server.scripts['device.enrol'] = ({ leaseKey }) => {
    server.deviceKey = leaseKey;
    return {
      device: 'd1',
      user: { email: 'machine:d1', name: 'node', role: 'user', state: 'active' },
      server: { id: 'srv-1', key: server.keyText },
      organisation: { name: 'Studio' },
      scopes: ['lease'],
    };
  };
  const link = formatJoinLink({
    host: 'server.example',
    port: 7433,
    serverKey,
    token: 'm0001.MACMACMACMACMACMACMACM',
  });
  const start = (processId: string, env: Record<string, string> = { BERTH_JOIN: link }) => {
    const host = new FakeHost({ time, files, processId, alive });
    host.network.set('server.example:7433', server);
    Object.assign(host.environment, env);
    return connectWith(host, { product: 'render', vendorKeys: [server.vendorText] });
  };
  return { time, files, server, start };
}

/** Lets the fake time run until the work is done. */
async function finish<T>(time: FakeTime, work: Promise<T>): Promise<T> {
  let done = false;
  const watched = work.finally(() => {
    done = true;
  });
  watched.catch(() => undefined);
  for (let turn = 0; !done && turn < 2000; turn++) await time.advance(50);
  return watched;
}

describe('a node with a link in its environment', () => {
  it('joins once, however many processes start at once', async () => {
    const { time, server, start } = node();
    const clients = await finish(time, Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => start(id))));
    expect(clients).toHaveLength(5);
    const enrolments = server.of('device.enrol');
    expect(enrolments).toHaveLength(1);
    expect(enrolments[0]!.params).not.toHaveProperty('adminKey');
    await Promise.all(clients.map((client) => client.close()));
  });

  it('takes over from a process that died while it joined', async () => {
    const { time, files, server, start } = node((id) => id !== 'dead');
    await files.create('state/.joins/unattended.lock', 'dead');
    const client = await finish(time, start('a'));
    expect(server.of('device.enrol')).toHaveLength(1);
    expect(await files.read('state/.joins/unattended.lock')).toBeNull();
    await client.close();
  });

  it('waits no longer than a minute for one that cannot be judged', async () => {
    const { time, files, start } = node();
    await files.create('state/.joins/unattended.lock', 'elsewhere');
    const client = await finish(time, start('a'));
    expect(time.monoMs()).toBeGreaterThanOrEqual(60_000);
    await client.close();
  });

  it('says what is wrong with the link, and without one that it has not joined', async () => {
    const { time, start } = node();
    await expect(finish(time, start('a', { BERTH_JOIN: 'nonsense' }))).rejects.toMatchObject({
      code: 'LINK_INVALID',
    });
    await expect(finish(time, start('b', {}))).rejects.toMatchObject({ code: 'NOT_JOINED' });
  });
});
