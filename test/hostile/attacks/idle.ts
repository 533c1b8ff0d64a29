import { paths, SUBPROTOCOL } from '@berth/protocol';
import { type Attack, addressOf, repeat, Tally, whenOver } from '../attack.js';
import { codeOf, Peer } from '../peer.js';
import { asking } from '../requests.js';
import { swarm, tcp, tls } from '../swarm.js';

const SOCKETS = 5_000;
const ADDRESSES = 250;

export const idleTcp: Attack = {
  name: 'idle-tcp',
  what: '5,000 TCP sockets of 250 addresses that never say a word',
  run: async (field) => {
    const tally = new Tally(field);
    await swarm(field, tally, { sockets: SOCKETS, addresses: ADDRESSES, start: tcp });
    // As many as this machine had the time for; more than there are places.
    tally.expect('sockets begun', 1_500);
    return tally.outcome;
  },
};

export const idleTls: Attack = {
  name: 'idle-tls',
  what: '5,000 TLS sockets of 250 addresses that never send a request',
  run: async (field) => {
    const tally = new Tally(field);
    await swarm(field, tally, {
      ...{ sockets: SOCKETS, addresses: ADDRESSES },
      start: (_, from) => tls(field, from).once('secureConnect', () => tally.add('TLS handshakes')),
    });
    // As many as this machine had the time for; more than there are places.
    tally.expect('sockets begun', 1_500);
    return tally.outcome;
  },
};

export const idleWebSockets: Attack = {
  name: 'idle-websockets',
  what: '5,000 WebSockets of 250 addresses that never open a session',
  run: async (field) => {
    const tally = new Tally(field);
    const head = [
      `GET ${paths.lease} HTTP/1.1`,
      `Host: ${field.host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    ];
    await swarm(field, tally, {
      ...{ sockets: SOCKETS, addresses: ADDRESSES },
      start: (_, from) => {
        const socket = tls(field, from);
        socket.once('data', () => tally.add('upgraded'));
        return socket.once('secureConnect', () => socket.write(`${head.join('\r\n')}\r\n\r\n`));
      },
    });
    tally.expect('upgraded', 100);
    return tally.outcome;
  },
};

export const idleSessions: Attack = {
  name: 'idle-sessions',
  what: '5,000 open sessions of 50 enrolled devices that do nothing more',
  run: async (field) => {
    const tally = new Tally(field);
    const peers: Peer[] = [];
    const perDevice = SOCKETS / 50;
    // As fast as the handshakes of one address allow.
    const open = async (at: number) => {
      const device = field.devices[at]!;
      await repeat(field.over, 25, async () => {
        if (peers.length >= SOCKETS) return;
        await Peer.open(field, device, { from: addressOf(at) }).then(
          (peer) => peers.push(peer),
          () => tally.add('refused'),
        );
      });
    };
    await Promise.all(Array.from({ length: 50 }, (_, at) => open(at)));
    await whenOver(field.over);
    tally.add('sessions', peers.filter(({ isClosed }) => !isClosed).length);
    tally.expect('sessions', perDevice);
    const some = peers.find(({ isClosed }) => !isClosed);
    const code = some === undefined ? 'none' : codeOf(await some.ask('lease.renew', asking.renew()));
    if (code !== null) tally.problem(`an idle session was answered with ${code}`);
    for (const peer of peers) peer.close();
    return tally.outcome;
  },
};

export const oneAddress: Attack = {
  name: 'one-address',
  what: '5,000 TLS sockets of one address: what a single stranger gets',
  run: async (field) => {
    const tally = new Tally(field);
    await swarm(field, tally, {
      ...{ sockets: SOCKETS, addresses: 1 },
      start: (_, from) => tls(field, from).once('secureConnect', () => tally.add('TLS handshakes')),
    });
    tally.expect('TLS handshakes', 10);
    return tally.outcome;
  },
};
