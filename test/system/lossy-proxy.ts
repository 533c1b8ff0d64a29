import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.js';

/**
 * Stands between plugins and the server and is what a bad network is: every connection works for a while, then goes deaf, so that
 * requests still arrive and answers are lost, then breaks. TLS goes through it untouched. Without it a lost answer is as rare as a
 * kill inside one millisecond; with it every few seconds some plugin has to repeat a request that was served (I7).
 */
export class LossyProxy {
  readonly port: number;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(listener: Server, port: number) {
    this.#listener = listener;
    this.port = port;
  }

  static async open(serverPort: number, random: Random): Promise<LossyProxy> {
    const listener = createServer();
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(0, '127.0.0.1', resolve);
    });
    const address = listener.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const proxy = new LossyProxy(listener, port);
    listener.on('connection', (client) => proxy.#carry(client, serverPort, random));
    return proxy;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#listener.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #carry(client: Socket, serverPort: number, random: Random): void {
    const server = connect(serverPort, '127.0.0.1');
    let deaf = false;
    const end = (): void => {
      clearTimeout(timer);
      for (const socket of [client, server]) {
        socket.destroy();
        this.#sockets.delete(socket);
      }
    };
    const goDeaf = (): void => {
      deaf = true;
      timer = setTimeout(end, random.between(50, 400));
    };
    let timer = setTimeout(goDeaf, random.between(500, 4000));
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay().on('error', end).on('close', end);
    }
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      if (!deaf) client.write(bytes);
    });
  }
}
