import type { BerthError, Joined } from '@berth/client';
import { joinWith } from '@berth/client/internal';
import {
  decodeBase64Url,
  encodeBase64Url,
  formatJoinLink,
  type ParamsOf,
  parsePublicKey,
  transcriptBytes,
} from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { FakeHost } from './fake-host.js';
import { user } from './fake-replies.js';
import { type FakeServer, keyFrom, type Reply, type ServerSocket } from './fake-server.js';
import { settle, World } from './world.js';

const token = 'invitation-0123456789';

/** A computer that has joined nothing yet. */
function fresh() {
  const world = new World();
  world.files.contents.clear();
  const enrolled: ParamsOf<'device.enrol'>[] = [];
  world.server.scripts['device.enrol'] = (params, socket) => {
    proven(world.server, params, socket);
    enrolled.push(params);
    return accepted(world.server, ['lease', 'admin']);
  };
  const link = formatJoinLink({ host: 'berth', port: 7433, serverKey: world.server.key.publicKey, token });
  const join = (more = {}, host = world.host) => world.run(joinWith(host, { link, ...more }));
  return { world, link, join, enrolled, paths: () => [...world.files.contents.keys()].sort() };
}

function accepted(server: FakeServer, scopes: ('lease' | 'admin')[]): Reply<'device.enrol'> {
  return {
    device: 'dev-1',
    user,
    server: { id: 'srv-1', key: server.keyText },
    organisation: { name: 'Große Ärmel & Co.' },
    scopes,
  };
}

/** Both keys signed this connection's transcript with the token in it. */
function proven(server: FakeServer, params: ParamsOf<'device.enrol'>, socket: ServerSocket): void {
  const common = {
    path: '/v1/lease',
    serverKey: server.keyText,
    serverNonce: socket.nonce,
    clientNonce: params.nonce,
    binding: server.binding ?? new Uint8Array(0),
    token: params.token,
  };
  const check = (context: 'leaseKeyEnrols' | 'adminKeyEnrols', key: string, signature: string) => {
    const signed = transcriptBytes(context, { ...common, deviceKey: key });
    expect(server.sockets.size).toBeGreaterThan(0);
    expect(new FakeHost().verify(parsePublicKey(key)!, signed, decodeBase64Url(signature)!)).toBe(true);
  };
  check('leaseKeyEnrols', params.leaseKey, params.leaseSignature);
  if (params.adminKey !== undefined) check('adminKeyEnrols', params.adminKey, params.adminSignature!);
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: BerthError) => error.code,
  );

describe('joining a server', () => {
  it('makes keys, enrols them and makes the context current', async () => {
    const { world, join, paths } = fresh();
    const { context, user: me } = await join();
    expect(context).toMatchObject({
      name: 'grosse-armel-co',
      servers: ['berth:7433'],
      serverKey: world.server.keyText,
      caPem: world.server.caPem,
      email: 'anna@example.com',
      scopes: ['lease', 'admin'],
      deviceName: 'workstation',
    });
    expect(me).toEqual(user);
    expect(paths()).toEqual([
      'config/contexts/grosse-armel-co.json',
      'config/current',
      'state/grosse-armel-co/admin.key',
      'state/grosse-armel-co/lease.key',
    ]);
    expect(world.files.contents.get('config/contexts/grosse-armel-co.json')).not.toContain(token);
    await world.connect();
  });

  it('keeps no admin key that was not granted', async () => {
    const { world, join, paths } = fresh();
    world.server.scripts['device.enrol'] = () => accepted(world.server, ['lease']);
    await join();
    expect(paths().filter((path) => path.endsWith('.key'))).toEqual(['state/grosse-armel-co/lease.key']);
  });

  it('makes none when none is wanted, and takes the names it is given', async () => {
    const { join, enrolled } = fresh();
    const { context } = await join({ admin: false, name: 'farm', deviceName: 'node-7' });
    expect(enrolled[0]).not.toHaveProperty('adminKey');
    expect(context).toMatchObject({ name: 'farm', deviceName: 'node-7' });
  });

  it('closes its connection', async () => {
    const { world, join } = fresh();
    await join();
    await settle();
    expect([world.host.openSockets.size, world.host.holds, world.time.timers]).toEqual([0, 0, 0]);
  });
});

describe('joining again', () => {
  it('with the same link finds the context it made', async () => {
    const { world, join, enrolled } = fresh();
    const first = await join();
    const second: Joined = await join();
    // As the server calls itself today.
    expect(second).toEqual({ ...first, context: { ...first.context, organisation: 'Studio' } });
    expect(enrolled).toHaveLength(1);
    expect(await world.files.list('config/contexts')).toHaveLength(1);
  });

  it.each([
    ['after a lost answer', 'lost'],
    ['after a crash before the request', 'before'],
  ])('%s uses the same keys', async (_when, crash) => {
    const { world, join, enrolled, paths } = fresh();
    const standard = world.server.scripts['device.enrol']!;
    world.server.scripts['device.enrol'] = async (params, socket): Promise<Reply<'device.enrol'>> => {
      if (crash === 'lost') await standard(params, socket);
      else enrolled.push(params);
      return 'drop';
    };
    expect(await codeOf(join())).toBe('CONNECTION_LOST');
    expect(paths()).toHaveLength(1);
    world.server.scripts['device.enrol'] = standard;
    await join({}, world.process('process-2'));
    const [first, second] = enrolled;
    expect([second?.leaseKey, second?.adminKey]).toEqual([first?.leaseKey, first?.adminKey]);
    expect(paths().some((path) => path.includes('.joins'))).toBe(false);
  });

  it('with another link makes another context', async () => {
    const { world, join } = fresh();
    await join();
    const serverKey = world.server.key.publicKey;
    const other = formatJoinLink({ host: 'berth', port: 7433, serverKey, token: `${token}-2` });
    const { context } = await join({ link: other });
    expect(context.name).toBe('grosse-armel-co-2');
    expect(world.files.contents.get('config/current')).toBe('grosse-armel-co-2\n');
  });

  it('under a name that is taken is refused before the link is used', async () => {
    const { world, join, enrolled } = fresh();
    await join({ name: 'studio' });
    const serverKey = world.server.key.publicKey;
    const other = formatJoinLink({ host: 'berth', port: 7433, serverKey, token: `${token}-2` });
    expect(await codeOf(join({ link: other, name: 'studio' }))).toBe('FILE_EXISTS');
    expect(await codeOf(join({ name: 'elsewhere' }))).toBe('FILE_EXISTS');
    expect(await codeOf(join({ link: other, name: '../x' }))).toBe('USAGE');
    expect(enrolled).toHaveLength(1);
  });
});

describe('what a join does not fall for', () => {
  it('a text that is no link', async () => {
    const { join } = fresh();
    for (const link of ['', 'berth://berth', 'https://berth/?key=x&token=y']) {
      expect(await codeOf(join({ link }))).toBe('LINK_INVALID');
    }
  });

  it('an authority that the key of the link did not sign, or an old or changed answer', async () => {
    const { world, join } = fresh();
    const genuine = world.server.authority.bind(world.server);
    const forged = new World().server;
    Object.assign(forged, { key: keyFrom('somebody else') });
    for (const answer of [
      (nonce: string) => forged.authority(nonce),
      () => genuine('AAAAAAAAAAAAAAAAAAAAAA'),
      (nonce: string) => JSON.stringify({ ...JSON.parse(genuine(nonce)), ca: 'another' }),
    ]) {
      world.server.authority = answer;
      expect(await codeOf(join())).toBe('SERVER_MISMATCH');
    }
    world.server.authority = () => '<html>';
    expect(await codeOf(join())).toBe('UNREACHABLE');
    expect(world.server.requests).toEqual([]);
  });

  it('a server with another key behind the right certificate: the token is not sent', async () => {
    const { world, join } = fresh();
    const authority = world.server.authority.bind(world.server);
    const { vendorText } = world.server;
    world.server.authority = (nonce) => {
      Object.assign(world.server, { keyText: vendorText });
      return authority(nonce);
    };
    expect(await codeOf(join())).toBe('SERVER_MISMATCH');
    expect(world.server.requests).toEqual([]);
  });

  it('an answer in the name of another server', async () => {
    const { world, join, paths } = fresh();
    const { keyText, vendorText } = world.server;
    world.server.scripts['device.enrol'] = () => {
      Object.assign(world.server, { keyText: vendorText });
      const answer = accepted(world.server, ['lease']);
      Object.assign(world.server, { keyText });
      return answer;
    };
    expect(await codeOf(join())).toBe('SERVER_MISMATCH');
    expect(paths().some((path) => path.endsWith('.key'))).toBe(false);
  });

  it('a refused invitation leaves nothing behind', async () => {
    const { world, join, paths } = fresh();
    world.server.scripts['device.enrol'] = () => ({ error: 'INVITATION_EXPIRED' });
    expect(await codeOf(join())).toBe('INVITATION_EXPIRED');
    expect(paths()).toEqual([]);
  });
});

it('a seed is 32 fresh bytes', async () => {
  const { enrolled, join } = fresh();
  await join();
  expect(enrolled[0]?.leaseKey).not.toBe(enrolled[0]?.adminKey);
  expect(encodeBase64Url(new Uint8Array(32))).not.toContain(enrolled[0]?.leaseKey.slice(8));
});
