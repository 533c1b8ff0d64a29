import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { addressOf, type Field, repeat, type Tally } from './attack.js';

export interface SwarmOptions {
  /** So many sockets are wanted open at once. */
  readonly sockets: number;
  /** From so many addresses. */
  readonly addresses: number;
  /** Which ones, unless the attackers' own. */
  readonly address?: (at: number) => string;
  /** New ones begun each 50 ms at most. */
  readonly burst?: number;
  /** @returns a socket that has begun to connect */
  readonly start: (field: Field, from: string) => Socket;
}

/** Keeps as many sockets open as the server lets it, and comes back with each that is cut. */
export async function swarm(field: Field, tally: Tally, options: SwarmOptions): Promise<void> {
  const { sockets, addresses, burst = 250, start, address = addressOf } = options;
  const open = new Set<Socket>();
  let [next, standing] = [0, 0];
  await repeat(field.over, 50, () => {
    for (let begun = 0; begun < burst && open.size < sockets; begun++) {
      const socket = start(field, address(next++ % addresses));
      let isIn = false;
      open.add(socket);
      tally.add('sockets begun');
      socket.on('error', () => undefined);
      socket.once('connect', () => {
        isIn = true;
        standing++;
      });
      socket.once('close', () => {
        open.delete(socket);
        if (isIn) standing--;
      });
    }
    tally.most('open at once', standing);
  });
  for (const socket of open) socket.destroy();
}

export function tcp({ host, port }: Field, localAddress: string): Socket {
  return connectTcp({ host, port, localAddress });
}

export function tls({ host, port }: Field, localAddress: string): TLSSocket {
  // The typings do not know that these options go to the TCP socket too.
  const options = { host, port, localAddress, rejectUnauthorized: false };
  return connectTls(options);
}
