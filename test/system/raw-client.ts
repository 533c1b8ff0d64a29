import type { TLSSocket } from 'node:tls';
import { type PathName, parseJoinLink, paths, type SignatureContext, SUBPROTOCOL } from '@berth/protocol';
import { WebSocket } from 'ws';
import { type Challenge, type Keys, newKeys, newNonce, signTranscript } from './device-keys.js';
import { until, within } from './waiting.js';

export { newNonce } from './device-keys.js';

/** One frame from the server. */
export interface Heard {
  readonly id?: number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** A client that does what no honest one does: it sends whatever it is given. It trusts any certificate. */
export class RawClient {
  /** Close code and reason, once the server has closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #heard: Heard[] = [];
  #nextId = 1;
  #challenge: Challenge = { server: { key: '' }, nonce: '' };

  private constructor(
    readonly socket: WebSocket,
    private readonly tls: TLSSocket,
    private readonly path: PathName,
  ) {
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  static async connect(address: string, path: PathName = 'lease'): Promise<RawClient> {
    const socket = new WebSocket(`wss://${address}${paths[path]}`, SUBPROTOCOL, {
      rejectUnauthorized: false,
    });
    const early: Heard[] = [];
    socket.on('message', (data) => early.push(JSON.parse(String(data)) as Heard));
    const tls = await new Promise<TLSSocket>((resolve, reject) => {
      socket.once('upgrade', (response) => resolve(response.socket as TLSSocket));
      socket.once('error', reject);
    });
    socket.on('error', () => undefined);
    const client = new RawClient(socket, tls, path);
    // What came with the upgrade, and whatever comes.
    client.#heard.push(...early.splice(0));
    socket.on('message', () => client.#heard.push(...early.splice(0)));
    const challenge = await client.hear(({ method }) => method === 'session.challenge');
    client.#challenge = challenge.params as unknown as Challenge;
    return client;
  }

  /** A device of its own, enrolled with the link, in an open session. */
  static async enrolled(address: string, link: string): Promise<RawClient> {
    const client = await RawClient.connect(address);
    const keys = newKeys();
    const token = parseJoinLink(link)!.token;
    const nonce = newNonce();
    const leaseSignature = client.#sign(keys, 'leaseKeyEnrols', nonce, token);
    const params = { token, leaseKey: keys.text, deviceName: 'raw', nonce, leaseSignature };
    const enrolled = await client.ask('device.enrol', params);
    if (enrolled.error !== undefined) throw new Error(JSON.stringify(enrolled.error));
    const opening = newNonce();
    const signature = client.#sign(keys, 'deviceOpens', opening, '');
    const opened = await client.ask('session.open', {
      ...{ deviceKey: keys.text, nonce: opening, binding: 'tls-exporter', signature },
    });
    if (opened.error !== undefined) throw new Error(JSON.stringify(opened.error));
    return client;
  }

  /** Asks and waits for the answer. */
  async ask(method: string, params: unknown): Promise<Heard> {
    const id = this.#nextId++;
    this.send({ jsonrpc: '2.0', id, method, params });
    return this.hear((frame) => frame.id === id);
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** The first frame that is wanted; it is heard once. */
  async hear(isWanted: (frame: Heard) => boolean): Promise<Heard> {
    return until('a frame of the server', () => {
      const at = this.#heard.findIndex(isWanted);
      if (at >= 0) return this.#heard.splice(at, 1)[0];
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('The server closed the socket');
      return null;
    });
  }

  async end(): Promise<{ code: number; reason: string }> {
    return within('the server to close the socket', this.closed);
  }

  close(): void {
    this.socket.terminate();
  }

  #sign(keys: Keys, context: SignatureContext, clientNonce: string, token: string): string {
    const { path } = this;
    return signTranscript(this.tls, keys, { context, path, challenge: this.#challenge, clientNonce, token });
  }
}
