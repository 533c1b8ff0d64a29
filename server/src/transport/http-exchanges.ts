import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressOf } from './accepted-sockets.js';
import type { EmitEvent } from './events.js';

/**
 * One request of a connection at a time (PROTOCOL 2.1). Node makes requests of everything that has come in one piece, hundreds of them in
 * one turn of the event loop, before any renewal is read; when the connection ends, it makes an error of each that has no answer.
 */
export class HttpExchanges {
  readonly #latest = new WeakMap<Socket, ServerResponse>();
  readonly #emit: EmitEvent;

  constructor(emit: EmitEvent) {
    this.#emit = emit;
  }

  /** @returns whether the request is to be answered; if not, its connection is gone. */
  begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const before = this.#latest.get(socket);
    if (before === undefined || before.writableEnded) {
      this.#latest.set(socket, response);
      return true;
    }
    this.#emit({ type: 'refused', reason: 'HTTP_PIPELINED', address: addressOf(socket) ?? 'unknown' });
    stopParsing(socket);
    socket.destroy();
    return false;
  }
}

/** What the parser takes as an upgrade: the rest of what it was given is none of its business. */
const UPGRADE = 2;

/**
 * A socket that is destroyed is not read any more, but what was read is parsed to its end. Node has no word for stopping that: this is what
 * its own listener says to an upgrade. Where a later Node has it no more, the rest is parsed as before.
 */
function stopParsing(socket: Socket & { readonly parser?: { onIncoming?: unknown } | null }): void {
  const { parser } = socket;
  if (typeof parser?.onIncoming === 'function') parser.onIncoming = () => UPGRADE;
}
