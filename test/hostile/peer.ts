import type { TLSSocket } from 'node:tls';
import {
  type Method,
  type ParamsOf,
  type PathName,
  parseJoinLink,
  paths,
  SUBPROTOCOL,
} from '@berth/protocol';
import { WebSocket } from 'ws';
import { type Challenge, type Keys, newKeys, newNonce, signTranscript } from '../system/device-keys.js';

/** Where the server is. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** What the server sent. */
export interface Frame {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly code: number;
    readonly message?: string;
    readonly data: { readonly code: string };
  };
}

export interface PeerOptions {
  /** The address it comes from: any of 127.0.0.0/8. */
  readonly from?: string;
  readonly path?: PathName;
  /** False: it never answers a ping. */
  readonly autoPong?: boolean;
  readonly onFrame?: (frame: Frame) => void;
  /** Aborted when it gives up: the socket is gone, and whatever it asked has no answer. */
  readonly signal?: AbortSignal;
}

/** What the server said of frames of this process that do not fit their schema: a mistake of whoever wrote the attack. */
export const refusedForShape = new Set<string>();

/** One WebSocket to the server, honest or not: answers come without polling, so that their time can be told. */
export class Peer {
  readonly closed: Promise<number>;
  isClosed = false;
  readonly #waiting = new Map<number, (frame: Frame) => void>();
  #nextId = 1;

  private constructor(
    readonly socket: WebSocket,
    readonly tls: TLSSocket,
    readonly path: PathName,
    readonly challenge: Challenge,
    onFrame: ((frame: Frame) => void) | undefined,
  ) {
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (codeOf(frame) === 'PARAMS_INVALID') refusedForShape.add(frame.error?.message ?? '');
      onFrame?.(frame);
      if (typeof frame.id !== 'number') return;
      const take = this.#waiting.get(frame.id);
      this.#waiting.delete(frame.id);
      take?.(frame);
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        this.isClosed = true;
        for (const take of this.#waiting.values()) take(gone);
        this.#waiting.clear();
        resolve(code);
      });
    });
  }

  /** Connected, upgraded, challenged. @throws when the server turns it away */
  static connect({ host, port }: Target, options: PeerOptions = {}): Promise<Peer> {
    const { from, path = 'lease', autoPong = true, onFrame, signal } = options;
    const socket = new WebSocket(`wss://${host}:${port}${paths[path]}`, SUBPROTOCOL, {
      rejectUnauthorized: false,
      autoPong,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    const giveUp = () => socket.terminate();
    signal?.addEventListener('abort', giveUp, { once: true });
    socket.once('close', () => signal?.removeEventListener('abort', giveUp));
    return new Promise((resolve, reject) => {
      let tls: TLSSocket | undefined;
      socket.once('upgrade', (response) => {
        tls = response.socket as TLSSocket;
      });
      socket.on('error', reject);
      socket.once('close', (code) => reject(new Error(`closed with ${code} before the challenge`)));
      socket.once('message', (data) => {
        const { params } = JSON.parse(String(data)) as Frame;
        resolve(new Peer(socket, tls!, path, params as unknown as Challenge, onFrame));
      });
    });
  }

  /** With an open session of this device. */
  static async open(target: Target, keys: Keys, options: PeerOptions = {}): Promise<Peer> {
    const peer = await Peer.connect(target, options);
    const opened = await peer.ask('session.open', peer.opening(keys));
    if (codeOf(opened) !== null) {
      peer.close();
      throw new Error(`session.open: ${codeOf(opened)}`);
    }
    return peer;
  }

  /** A new device, enrolled with this link. */
  static async enrol(target: Target, link: string, from: string, name: string): Promise<Keys> {
    const peer = await Peer.connect(target, { from });
    const keys = newKeys();
    const token = parseJoinLink(link)!.token;
    const nonce = newNonce();
    const signed = { context: 'leaseKeyEnrols', path: peer.path, challenge: peer.challenge } as const;
    const leaseSignature = signTranscript(peer.tls, keys, { ...signed, clientNonce: nonce, token });
    const params = { token, leaseKey: keys.text, deviceName: name, nonce, leaseSignature };
    const enrolled = await peer.ask('device.enrol', params);
    peer.close();
    if (codeOf(enrolled) !== null) throw new Error(`device.enrol: ${codeOf(enrolled)}`);
    return keys;
  }

  /** The parameters of `session.open` for this connection. @param challenge another connection's, for one that lies */
  opening(keys: Keys, challenge = this.challenge): ParamsOf<'session.open'> {
    const nonce = newNonce();
    const { path } = this;
    const signature = signTranscript(this.tls, keys, {
      ...{ context: 'deviceOpens', path, challenge, clientNonce: nonce },
    });
    return { deviceKey: keys.text, nonce, binding: 'tls-exporter', signature };
  }

  /** Asks and waits; the answer of a connection that ended is CONNECTION_LOST. */
  ask<M extends Method>(method: M, params: ParamsOf<M>): Promise<Frame> {
    if (this.isClosed) return Promise.resolve(gone);
    return new Promise((resolve) => this.#waiting.set(this.post(method, params), resolve));
  }

  /** Asks, and waits for nothing. */
  post<M extends Method>(method: M, params: ParamsOf<M>): number {
    const id = this.#nextId++;
    if (this.socket.readyState === WebSocket.OPEN)
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return id;
  }

  close(): void {
    this.socket.terminate();
  }
}

const gone: Frame = { error: { code: 0, data: { code: 'CONNECTION_LOST' } } };

/** The code of a refusal; `null` for a result. */
export function codeOf({ error }: Frame): string | null {
  return error?.data.code ?? null;
}

export interface Claims {
  readonly jti: string;
  readonly seat: string;
  readonly dev: string;
  readonly product: string;
}

/** The leases of an answer, of a grant or of a renewal. */
export function tokensIn({ result }: Frame): string[] {
  const leases = (result?.leases ?? []) as (string | { token?: string })[];
  return leases.flatMap((row) => (typeof row === 'string' ? row : (row.token ?? [])));
}

/** And what is in them. */
export function claimsIn(answer: Frame): Claims[] {
  return tokensIn(answer).map(
    (token) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims,
  );
}
