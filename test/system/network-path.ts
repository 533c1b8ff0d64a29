import { connect, createServer, type Server, type Socket } from 'node:net';

/** One connection that goes through: the plugin's end and the server's end. */
interface Passage {
  readonly client: Socket;
  readonly server: Socket;
  /** Nothing goes through any more, and nobody is told. */
  silent: boolean;
}

/**
 * The network between a plugin and the server, of real sockets that a test changes: cut, gone silent, or with another address on the
 * plugin's side. TLS goes through it untouched.
 */
export class NetworkPath {
  readonly port: number;
  /** Where the server sees new connections come from. */
  from = '127.0.0.1';
  /** New connections are accepted and then never hear anything: a VPN that is down, a firewall that drops. */
  isBlackHole = false;
  readonly #listener: Server;
  readonly #passages = new Set<Passage>();
  #carried = 0;

  private constructor(listener: Server, port: number) {
    this.#listener = listener;
    this.port = port;
  }

  static async open(serverPort: number): Promise<NetworkPath> {
    const listener = createServer();
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(0, '127.0.0.1', resolve);
    });
    const address = listener.address();
    const path = new NetworkPath(
      listener,
      typeof address === 'object' && address !== null ? address.port : 0,
    );
    listener.on('connection', (client) => path.#carry(client, serverPort));
    return path;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections that were ever carried. */
  get carried(): number {
    return this.#carried;
  }

  /** Every connection breaks, on both ends. */
  cut(): void {
    for (const { client, server } of this.#passages) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#passages.clear();
  }

  /** Every connection breaks on the plugin's end only: the server still believes in it. */
  cutHalf(): void {
    for (const passage of this.#passages) {
      passage.silent = true;
      passage.client.resetAndDestroy();
    }
  }

  /** Every connection there is falls silent in both directions, for good; no end is told. */
  silence(): void {
    for (const passage of this.#passages) passage.silent = true;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#listener.close(resolve));
    this.cut();
    await closed;
  }

  #carry(client: Socket, serverPort: number): void {
    const server = connect({ port: serverPort, host: '127.0.0.1', localAddress: this.from });
    const passage: Passage = { client, server, silent: this.isBlackHole };
    this.#passages.add(passage);
    this.#carried++;
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay();
      one.on('data', (bytes) => {
        if (!passage.silent) other.write(bytes);
      });
      one.on('error', () => undefined);
      one.on('close', () => {
        if (!passage.silent) other.destroy();
      });
    }
  }
}
