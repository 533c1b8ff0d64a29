import { once } from 'node:events';
import type { Server } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { AcceptedSockets } from '@berth/server/transport/accepted-sockets';
import { Admission } from '@berth/server/transport/admission';
import { HandshakePace } from '@berth/server/transport/handshake-pace';
import { defaultLimits, type TransportLimits } from '@berth/server/transport/limits';
import { expect, it, onTestFinished } from 'vitest';

/** Sockets without TLS: what would begin it is counted. */
async function guarded(changed: Partial<TransportLimits>) {
  const limits = { ...defaultLimits, ...changed };
  const server = createServer();
  const begun: unknown[] = [];
  server.on('connection', (socket) => begun.push(socket));
  const monoMs = (): number => performance.now();
  const events: unknown[] = [];
  const accepted = new AcceptedSockets(
    new Admission(limits),
    new HandshakePace(limits, monoMs, () => false),
    limits,
    monoMs,
    (event) => events.push(event),
  );
  accepted.guard(server as unknown as Server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    accepted.destroyAll();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const peers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
  await Promise.all(peers.map((peer) => once(peer, 'connect')));
  await expect.poll(() => accepted.size, { timeout: 15_000 }).toBe(peers.length);
  return { accepted, begun, events, peers };
}

it('a peer that resets while it waits for its handshake is gone, and nothing else happens', async () => {
  const { accepted, begun, peers } = await guarded({ tlsHandshakesPerSecond: 0.001 });
  for (const peer of peers) peer.write('hello');
  await expect.poll(() => begun.length, { timeout: 15_000 }).toBe(1);
  // An error that nobody listens to would end this process: the runner reports it.
  for (const peer of peers) peer.resetAndDestroy();
  await expect.poll(() => accepted.size, { timeout: 15_000 }).toBe(0);
});

/** The first TLS record of a peer says here that it is of so many bytes. */
function hello(bytes: number): Buffer {
  const record = Buffer.alloc(5 + bytes);
  record[0] = 22;
  record.writeUInt16BE(bytes, 3);
  return record;
}

it('TLS begins with the whole hello of a peer: one byte gets nobody into the line', async () => {
  const { begun, peers } = await guarded({});
  const [whole, slow, endless] = peers;
  slow!.write(hello(600).subarray(0, 1));
  endless!.write(hello(600).subarray(0, 604));
  whole!.write(hello(600));
  await expect.poll(() => begun.length, { timeout: 15_000 }).toBe(1);
  slow!.write(hello(600).subarray(1));
  await expect.poll(() => begun.length, { timeout: 15_000 }).toBe(2);
  // What is no TLS, or says it is longer than a record may be, is for TLS to refuse.
  peers[3]!.write('GET / HTTP/1.1');
  peers[4]!.write(Buffer.from([22, 3, 1, 0xff, 0xff]));
  await expect.poll(() => begun.length, { timeout: 15_000 }).toBe(4);
});

it('TLS begins when a peer has said something, not before; who says nothing is cut, and who hangs up is gone', async () => {
  const { accepted, begun, events, peers } = await guarded({ handshakeMs: 400 });
  const [talker, leaver, ...silent] = peers;
  talker!.write('hello');
  await expect.poll(() => begun.length, { timeout: 15_000 }).toBe(1);
  leaver!.end();
  const ends = silent.map((peer) => once(peer.resume(), 'close'));
  await Promise.all(ends);
  expect(begun).toHaveLength(1);
  // The talker's TLS has its own time.
  await expect.poll(() => accepted.size, { timeout: 15_000 }).toBe(1);
  expect(events).toEqual(
    silent.map(() => ({ type: 'refused', reason: 'TLS_HANDSHAKE', address: '127.0.0.1' })),
  );
});
