import { once } from 'node:events';
import type { Server } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { AcceptedSockets } from '@berth/server/transport/accepted-sockets';
import { Admission } from '@berth/server/transport/admission';
import { HandshakePace } from '@berth/server/transport/handshake-pace';
import { defaultLimits } from '@berth/server/transport/limits';
import { expect, it, onTestFinished } from 'vitest';

it('a peer that resets while it waits for its handshake is gone, and nothing else happens', async () => {
  const limits = { ...defaultLimits, tlsHandshakesPerSecond: 0.001 };
  const server = createServer();
  const begun: unknown[] = [];
  server.on('connection', (socket) => begun.push(socket));
  const monoMs = (): number => performance.now();
  const accepted = new AcceptedSockets(
    new Admission(limits),
    new HandshakePace(limits, monoMs, () => false),
    limits,
    monoMs,
    () => {},
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
  for (const peer of peers) peer.write('hello');
  await expect.poll(() => accepted.size, { timeout: 15_000 }).toBe(peers.length);
  await expect.poll(() => begun.length, { timeout: 15_000 }).toBe(1);
  // An error that nobody listens to would end this process: the runner reports it.
  for (const peer of peers) peer.resetAndDestroy();
  await expect.poll(() => accepted.size, { timeout: 15_000 }).toBe(0);
});
