import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Admission, Ticket } from './admission.js';
import type { EmitEvent } from './events.js';
import type { HandshakePace } from './handshake-pace.js';
import type { TransportLimits } from './limits.js';

/** The TCP sockets of a listener, admitted before TLS begins. */
export class AcceptedSockets {
  readonly #admission: Admission;
  readonly #pace: HandshakePace;
  readonly #limits: Pick<TransportLimits, 'handshakeMs'>;
  readonly #emit: EmitEvent;
  readonly #monoMs: () => number;
  readonly #open = new Map<string, { readonly socket: Socket; readonly ticket: Ticket }>();

  constructor(
    admission: Admission,
    pace: HandshakePace,
    limits: Pick<TransportLimits, 'handshakeMs'>,
    monoMs: () => number,
    emit: EmitEvent,
  ) {
    this.#admission = admission;
    this.#pace = pace;
    this.#limits = limits;
    this.#monoMs = monoMs;
    this.#emit = emit;
  }

  /**
   * Stands between `server` and its own listeners for new connections: a socket that is refused must not reach the one that starts
   * TLS, and a listener cannot keep an event from the next.
   */
  guard(server: Server): void {
    const startTls = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      // A peer that resets while it waits: without a listener that is the end of the process. `close` follows.
      socket.on('error', ignore);
      const ticket = this.#admit(socket);
      if (ticket === null) socket.destroy();
      else
        this.#whenHeard(socket, ticket, () => {
          for (const start of startTls) Reflect.apply(start, server, [socket]);
        });
    });
    server.on('drop', (drop) => {
      this.#emit({
        type: 'refused',
        reason: 'SOCKET_LIMIT',
        address: plainAddress(drop?.remoteAddress ?? 'unknown'),
      });
    });
  }

  /**
   * Starts TLS at its turn in the pace, once the peer's hello is read: nearly all of the handshake is computed with it. Of sockets that are started before,
   * any number could bring theirs in one turn of the event loop, and a renewal waits for all of them. What remains unpaced is the second hello of a peer
   * that offered no key of a kind we have.
   */
  #whenHeard(socket: Socket, { address }: Ticket, start: () => void): void {
    let reason: 'TLS_HANDSHAKE' | 'HANDSHAKE_RATE' = 'TLS_HANDSHAKE';
    // Half of the time: who waited for all of it would be cut as soon as it is served.
    const tooLate = setTimeout(() => {
      this.#emit({ type: 'refused', reason, address });
      socket.destroy();
    }, this.#limits.handshakeMs / 2);
    let leave: () => void = ignore;
    const end = (): void => {
      clearTimeout(tooLate);
      leave();
    };
    socket.on('close', end);
    const heard: Buffer[] = [];
    const look = (): void => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) {
        // It ended instead.
        socket.destroy();
        return;
      }
      heard.push(bytes);
      const hello = heard.length === 1 ? bytes : Buffer.concat(heard);
      if (!isWhole(hello)) return;
      socket.off('readable', look);
      // Put back, not before: each look would be told of it again.
      socket.unshift(hello);
      // From here on it is the server that takes its time.
      reason = 'HANDSHAKE_RATE';
      leave = this.#pace.begin(address, () => {
        clearTimeout(tooLate);
        // With it goes all that was kept for the wait: a session may last for days.
        socket.off('close', end);
        if (!socket.destroyed) start();
      });
    };
    socket.on('readable', look);
  }

  /** The ticket of the TCP socket under a TLS socket; `null` when it is gone. */
  ticketOf(socket: Socket): Ticket | null {
    const key = endpointsOf(socket);
    return key === null ? null : (this.#open.get(key)?.ticket ?? null);
  }

  get size(): number {
    return this.#open.size;
  }

  destroyAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  #admit(socket: Socket): Ticket | null {
    const [key, address] = [endpointsOf(socket), addressOf(socket)];
    // The peer was gone before we looked.
    if (key === null || address === null) return null;
    const ticket = this.#admission.admit(address, this.#monoMs(), () => {
      this.#emit({ type: 'refused', reason: 'UNAUTHENTICATED_SOCKETS', address });
      socket.destroy();
    });
    if (typeof ticket === 'string') {
      this.#emit({ type: 'refused', reason: ticket, address });
      return null;
    }
    this.#open.set(key, { socket, ticket });
    socket.on('close', () => {
      this.#open.delete(key);
      ticket.release();
    });
    return ticket;
  }
}

function ignore(): void {}

const TLS_HANDSHAKE = 22;
const TLS_HEADER_BYTES = 5;
/** RFC 8446 5.1: of a record that is not encrypted. */
const TLS_RECORD_BYTES = 2 ** 14;

/** Whether that is the first TLS record of a peer. What is no handshake is for TLS to refuse, at once. */
function isWhole(hello: Buffer): boolean {
  if (hello[0] !== TLS_HANDSHAKE) return true;
  if (hello.length < TLS_HEADER_BYTES) return false;
  const length = hello.readUInt16BE(3);
  return length > TLS_RECORD_BYTES || hello.length >= TLS_HEADER_BYTES + length;
}

/** The address of the peer; `null` once it is gone. An IPv4 peer has the same address on an IPv6 socket as on any other. */
export function addressOf(socket: Socket): string | null {
  return socket.remoteAddress === undefined ? null : plainAddress(socket.remoteAddress);
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

/** Both ends of a socket: what a TLS socket and the TCP socket under it have in common, and no other socket has. */
function endpointsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | null {
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
