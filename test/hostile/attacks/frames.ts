import { randomBytes } from 'node:crypto';
import { limits } from '@berth/protocol';
import { newNonce } from '../../system/device-keys.js';
import { type Attack, addressOf, type Field, repeat, Tally } from '../attack.js';
import { codeOf, Peer } from '../peer.js';
import { asking } from '../requests.js';

/** Sessions of this many devices, so many each, or as many as half of the time is enough for; each device comes from an address of its own. */
async function sessions(field: Field, devices: number, each: number, options = {}): Promise<Peer[]> {
  const untilMs = performance.now() + field.seconds * 500;
  const opened = await Promise.all(
    Array.from({ length: devices }, async (_, at) => {
      const peers: Peer[] = [];
      for (let nth = 0; nth < each && performance.now() < untilMs; nth++) {
        const peer = await Peer.open(field, field.devices[at]!, { from: addressOf(at), ...options }).catch(
          () => null,
        );
        if (peer !== null) peers.push(peer);
      }
      return peers;
    }),
  );
  return opened.flat();
}

export const neverRead: Attack = {
  name: 'never-read',
  what: '20 devices with 20 sessions each that ask for the longest answers and never read one',
  run: async (field) => {
    const tally = new Tally(field);
    const peers = await sessions(field, 20, 20);
    tally.add('sessions', peers.length);
    for (const peer of peers) peer.tls.pause();
    await repeat(field.over, 100, () => {
      for (const peer of peers) {
        if (peer.isClosed || !peer.socket.readyState) continue;
        for (let asked = 0; asked < 5; asked++) {
          peer.post('pool.status', asking.pools());
          tally.add('requests');
        }
      }
    });
    for (const peer of peers) peer.close();
    tally.expect('requests', 100);
    return tally.outcome;
  },
};

export const oneByteWrites: Attack = {
  name: 'one-byte-writes',
  what: '400 sessions of 20 devices whose frames come in TLS records of one byte, and never end',
  run: async (field) => {
    const tally = new Tally(field);
    const peers = await sessions(field, 20, 20);
    tally.add('sessions', peers.length);
    // A masked text frame that says it has as many bytes as it may.
    const head = Buffer.from([0x81, 0x80 | 126, limits.requestBytes >> 8, 0, 1, 2, 3, 4]);
    const sent = new Map(peers.map((peer) => [peer, 0]));
    for (const { tls } of peers) tls.setNoDelay(true).write(head);
    await repeat(field.over, 5, () => {
      for (const peer of peers) {
        const bytes = sent.get(peer) ?? 0;
        if (peer.isClosed || peer.tls.writableLength > 4_096 || bytes >= limits.requestBytes - 40) continue;
        for (let nth = 0; nth < 16; nth++) peer.tls.write(Buffer.alloc(1));
        sent.set(peer, bytes + 16);
        tally.add('bytes', 16);
      }
    });
    tally.add('cut', peers.filter(({ isClosed }) => isClosed).length);
    for (const peer of peers) peer.close();
    tally.expect('bytes', 1_000);
    return tally.outcome;
  },
};

export const fragments: Attack = {
  name: 'fragments',
  what: 'messages in WebSocket fragments of one byte or of none, and pings between them',
  run: async (field) => {
    const tally = new Tally(field);
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        repeat(field.over, 20, async () => {
          const peer = await Peer.open(field, field.devices[at]!, { from: addressOf(at) }).catch(() => null);
          if (peer === null) return tally.add('refused');
          for (let nth = 0; nth < 200; nth++) peer.socket.send(nth % 2 === 0 ? ' ' : '', { fin: false });
          const code = await peer.closed;
          tally.add(`closed with ${code}`);
          if (code !== 1008 && code !== 1006) tally.problem(`200 fragments were closed with ${code}`);
        }),
      ),
    );
    return tally.outcome;
  },
};

export const bigFrames: Attack = {
  name: 'big-frames',
  what: 'frames of exactly 16 KiB, which are answered, and larger ones, which end the connection',
  run: async (field) => {
    const tally = new Tally(field);
    const atLimit = (peer: Peer, at: number) =>
      repeat(field.over, 20, async () => {
        const frame = {
          jsonrpc: '2.0',
          id: 900_000 + at,
          method: 'lease.renew',
          params: { nonce: newNonce(), pad: '' },
        };
        frame.params.pad = 'x'.repeat(limits.requestBytes - JSON.stringify(frame).length);
        if (peer.isClosed) return tally.problem('a frame of 16 KiB ended its connection');
        peer.socket.send(JSON.stringify(frame));
        tally.add('frames of 16 KiB');
      });
    const peers = await sessions(field, 10, 2);
    const over = (at: number) =>
      repeat(field.over, 50, async () => {
        const from = addressOf(20 + at);
        const peer = await Peer.open(field, field.devices[20 + at]!, { from }).catch(() => null);
        if (peer === null) return tally.add('refused');
        // Deep, wide and random: whatever it would cost to parse, it is not parsed.
        const large = ['['.repeat(limits.requestBytes + 1), randomBytes(512 * 1024).toString('base64')];
        peer.socket.send(large[at % 2]!);
        const code = await peer.closed;
        tally.add(`larger ones: ${code}`);
        if (code !== 1009 && code !== 1006) tally.problem(`a frame over the limit was closed with ${code}`);
      });
    await Promise.all([...peers.map(atLimit), ...Array.from({ length: 10 }, (_, at) => over(at))]);
    const code = codeOf(await peers[0]!.ask('lease.renew', asking.renew()));
    if (code !== null && code !== 'RATE_LIMITED') tally.problem(`after frames of 16 KiB: ${code}`);
    for (const peer of peers) peer.close();
    tally.expect('frames of 16 KiB', 50);
    return tally.outcome;
  },
};
