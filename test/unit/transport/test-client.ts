// A client of `berth.v1` on a real `ws` socket that lets a test do everything wrong.
import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import {
  BINDING_BYTES,
  BINDING_LABEL,
  checkPush,
  checkResult,
  decodeFrame,
  type Frame,
  type Method,
  type ParamsOf,
  type PathName,
  type Push,
  type PushParams,
  paths,
  type ResultOf,
  type SignatureContext,
  SUBPROTOCOL,
  type Transcript,
  transcriptBytes,
} from '@berth/protocol';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { caPem, type KeyPair, type Rig } from './rig.js';

export interface Reply {
  readonly id: number | string | null;
  /** Undefined for an error. */
  readonly result: unknown;
  /** Undefined for a result. */
  readonly code: string | undefined;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type Wanted = (frame: Frame) => boolean;

export class TestClient {
  readonly socket: WebSocket;
  readonly tls: TLSSocket;
  readonly closed: Promise<number>;
  readonly path: PathName;
  challenge!: PushParams<'session.challenge'>;
  #frames: Frame[] = [];
  #waiting: (() => void)[] = [];
  #nextId = 1;

  private constructor(socket: WebSocket, tls: TLSSocket, path: PathName, frames: Frame[]) {
    this.socket = socket;
    this.tls = tls;
    this.path = path;
    this.#frames = frames;
    socket.on('message', () => this.#look());
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        resolve(code);
        this.#look();
      });
    });
  }

  /** Connected, and the challenge read. */
  static async connect(rig: Rig, path: PathName = 'lease', options: ClientOptions = {}): Promise<TestClient> {
    const { port } = rig.listener;
    const socket = new WebSocket(`wss://127.0.0.1:${port}${paths[path]}`, SUBPROTOCOL, {
      ca: caPem,
      ...options,
    });
    onTestFinished(() => socket.terminate());
    const frames: Frame[] = [];
    // Before anything is awaited: the challenge may come in the same packet as the upgrade.
    socket.on('message', (data) => frames.push(decodeFrame(String(data))));
    const tls = await new Promise<TLSSocket>((resolve, reject) => {
      socket.once('upgrade', (response) => resolve(response.socket as TLSSocket));
      socket.once('error', reject);
    });
    socket.on('error', () => {});
    const client = new TestClient(socket, tls, path, frames);
    client.challenge = await client.push('session.challenge');
    return client;
  }

  /** Connected, with an open session. */
  static async open(
    rig: Rig,
    keys: KeyPair,
    path: PathName = 'lease',
    options: ClientOptions = {},
  ): Promise<TestClient> {
    const client = await TestClient.connect(rig, path, options);
    const reply = await client.request('session.open', client.openParams(keys));
    if (reply.code !== undefined) throw new Error(`session.open: ${reply.code}`);
    return client;
  }

  exporter(): Uint8Array {
    return this.tls.exportKeyingMaterial(BINDING_BYTES, BINDING_LABEL, Buffer.alloc(0));
  }

  transcript(deviceKey: string, clientNonce: string, changed: Partial<Transcript> = {}): Transcript {
    return {
      path: paths[this.path],
      serverKey: this.challenge.server.key,
      deviceKey,
      serverNonce: this.challenge.nonce,
      clientNonce,
      binding: this.exporter(),
      token: '',
      ...changed,
    };
  }

  signature(keys: KeyPair, context: SignatureContext, transcript: Transcript): string {
    return Buffer.from(keys.sign(transcriptBytes(context, transcript))).toString('base64url');
  }

  openParams(keys: KeyPair, changed: Partial<Transcript> = {}): ParamsOf<'session.open'> {
    const nonce = newNonce();
    const signature = this.signature(keys, 'deviceOpens', this.transcript(keys.text, nonce, changed));
    return { deviceKey: keys.text, nonce, binding: 'tls-exporter', signature };
  }

  /** Sends and waits for the answer to it. */
  async request(method: string, params: unknown = {}): Promise<Reply> {
    return this.reply(this.post(method, params));
  }

  /** Sends; the id to wait for. */
  post(method: string, params: unknown = {}): number {
    const id = this.#nextId++;
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return id;
  }

  async call<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    const reply = await this.request(method, params);
    const checked = checkResult(method, reply.result);
    if (!checked.ok) throw new Error(`${method}: ${reply.code ?? `${checked.field} ${checked.message}`}`);
    return checked.value;
  }

  /** @param id of the request; null for the answer to a frame without one. */
  async reply(id: number | string | null): Promise<Reply> {
    const frame = await this.#take(
      (candidate) => (candidate.type === 'result' || candidate.type === 'error') && candidate.id === id,
    );
    if (frame.type === 'result') return { id, result: frame.result, code: undefined, message: '', data: {} };
    if (frame.type !== 'error') throw new Error('unreachable');
    const data = frame.data as Record<string, unknown>;
    return { id, result: undefined, code: String(data.code), message: frame.message, data };
  }

  async push<P extends Push>(name: P): Promise<PushParams<P>> {
    const frame = await this.#take(
      (candidate) => candidate.type === 'notification' && candidate.method === name,
    );
    const checked = checkPush(name, frame.type === 'notification' ? frame.params : null);
    if (!checked.ok) throw new Error(`${name}: ${checked.field} ${checked.message}`);
    return checked.value;
  }

  /** Frames that came and that nobody took. */
  get untaken(): readonly Frame[] {
    return this.#frames;
  }

  async #take(wanted: Wanted): Promise<Frame> {
    for (;;) {
      const at = this.#frames.findIndex(wanted);
      if (at >= 0) return this.#frames.splice(at, 1)[0]!;
      if (this.socket.readyState === WebSocket.CLOSED)
        throw new Error('The socket closed before the frame came');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #look(): void {
    for (const look of this.#waiting.splice(0)) look();
  }
}

export function newNonce(): string {
  return randomBytes(16).toString('base64url');
}
