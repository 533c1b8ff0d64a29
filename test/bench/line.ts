import type { WebSocket } from 'ws';

/** `{"jsonrpc":"2.0","` is so long; behind it an answer has `id`, a push has `method`. */
const NAME_AT = 18;
const LETTER_I = 'i'.charCodeAt(0);

/**
 * A socket with an open session, without anything of an SDK: the bench measures the server. One request at a time; an answer is kept as the
 * bytes that came and looked into when the clock stands.
 */
export class Line {
  /** The answer to what was sent last. */
  onAnswer: (answer: Buffer) => void = () => undefined;
  readonly #socket: WebSocket;
  #isClosing = false;

  constructor(
    socket: WebSocket,
    /** The text of the device's key; empty for the bare loop, which has no devices. */
    readonly device: string,
  ) {
    this.#socket = socket;
    socket.removeAllListeners('message');
    socket.on('message', (data) => {
      const bytes = data as Buffer;
      if (bytes[NAME_AT] === LETTER_I) this.onAnswer(bytes);
    });
    socket.once('close', (code) => {
      if (!this.#isClosing) throw new Error(`A connection of the load client was closed with ${code}`);
    });
  }

  send(request: string): void {
    this.#socket.send(request);
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.terminate();
  }
}

let nextId = 1;

/** A request frame. */
export function frame(method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params });
}
