import { createHash } from 'node:crypto';
import type { SigningKey, SocketEvents } from '@berth/client';
import { nativeEd25519 } from '@berth/client/internal';
import {
  checkParams,
  decodeFrame,
  type EntitlementClaims,
  type ErrorCode,
  encodeBase64Url,
  encodeNotification,
  encodeResult,
  errors,
  formatPublicKey,
  isMethod,
  type LeaseClaims,
  type Method,
  type ParamsOf,
  type Push,
  type PushParams,
  type ResultOf,
  signToken,
} from '@berth/protocol';
import { type StandardReply, standardReplies } from './fake-replies.js';
import type { FakeTime } from './fake-time.js';

export function keyFrom(name: string): SigningKey {
  return nativeEd25519.signingKey(new Uint8Array(createHash('sha256').update(name).digest()));
}

/** What a scripted handler makes of a request. `null`: no answer, ever. `'drop'`: the connection breaks instead. */
export type Reply<M extends Method> =
  | ResultOf<M>
  | { error: ErrorCode; data?: Record<string, unknown> }
  | null
  | 'drop'
  /** It is done, but the answer is lost with the connection. */
  | { lost: ResultOf<M> };
type Script<M extends Method> = (params: ParamsOf<M>, socket: ServerSocket) => Reply<M> | Promise<Reply<M>>;
type Scripts = { [M in Method]?: Script<M> };

export interface Request {
  readonly method: Method;
  readonly params: Record<string, unknown>;
  readonly atMs: number;
}

/**
 * Just enough of a server for unit tests of the SDK: signs real tokens, remembers keys, and lets each test script single answers.
 * It does not count seats.
 */
export class FakeServer {
  readonly key = keyFrom('server');
  readonly vendor = keyFrom('vendor');
  readonly keyText = formatPublicKey(this.key.publicKey);
  readonly vendorText = formatPublicKey(this.vendor.publicKey);
  readonly caPem = 'the authority';
  binding: Uint8Array | null = new Uint8Array(32).fill(7);
  leaseSeconds = 120;
  readonly requests: Request[] = [];
  readonly scripts: Scripts = {};
  readonly sockets = new Set<ServerSocket>();
  readonly entitlement: EntitlementClaims;
  readonly time: FakeTime;
  /** Results by idempotency key (I7). */
  readonly results = new Map<string, { body: string; result: unknown }>();
  deviceKey = '';
  #ids = 0;

  constructor(time: FakeTime, entitlement: Partial<EntitlementClaims> = {}) {
    this.time = time;
    const nowSeconds = Math.floor(time.wallMs() / 1000);
    this.entitlement = {
      jti: 'ent-1',
      rev: 1,
      iss: this.vendorText,
      sub: this.keyText,
      product: 'render',
      seats: 10,
      nbf: nowSeconds - 86_400,
      exp: nowSeconds + 90 * 86_400,
      share: 'device',
      borrow: { maxSeconds: 30 * 86_400, seats: 5 },
      earlyReturn: 'at-once',
      display: {},
      ...entitlement,
    };
  }

  get entitlementText(): string {
    return signToken('entitlement', this.entitlement, (message) => this.vendor.sign(message));
  }

  lease(claims: Partial<LeaseClaims> & Pick<LeaseClaims, 'nonce'>, key = this.key): string {
    const iat = Math.floor(this.time.wallMs() / 1000);
    const dur = claims.dur ?? this.leaseSeconds;
    const full: LeaseClaims = {
      jti: `lease-${++this.#ids}`,
      ent: this.entitlement.jti,
      product: this.entitlement.product,
      seat: `seat-${this.#ids}`,
      n: 1,
      kind: 'online',
      dev: this.deviceKey,
      iat,
      exp: iat + dur,
      dur,
      epoch: 'epoch-1',
      seq: this.#ids,
      head: encodeBase64Url(new Uint8Array(32)),
      ...claims,
    };
    return signToken('lease', full, (message) => key.sign(message));
  }

  grant(params: ParamsOf<'lease.checkout'>, claims: Partial<LeaseClaims> = {}): ResultOf<'lease.checkout'> {
    const token = this.lease({ nonce: params.nonce, n: params.wants[0]!.seats, ...claims });
    return { leases: [token], entitlements: [this.entitlementText], joined: false };
  }

  lend(params: ParamsOf<'borrow.take'>, claims: Partial<LeaseClaims> = {}): ResultOf<'borrow.take'> {
    const { nonce, seats, seconds } = params;
    const token = this.lease({ nonce, n: seats, kind: 'borrow', dur: seconds, ...claims });
    const freeAtMs = this.time.wallMs() + seconds * 1000 + 900_000;
    return { leases: [token], entitlements: [this.entitlementText], freeAtMs, earlyReturn: 'at-once' };
  }

  renewals(leases: readonly string[], nonce: string): ResultOf<'lease.renew'> {
    return {
      leases: leases.map((jti) => ({
        lease: jti,
        token: this.lease({ jti, nonce, seat: jti.replace('lease', 'seat') }),
      })),
      entitlements: [],
    };
  }

  authority(nonce: string): string {
    const sha256 = encodeBase64Url(createHash('sha256').update(this.caPem).digest());
    const claims = { nonce, sha256, iat: Math.floor(this.time.wallMs() / 1000) };
    const token = signToken('authority', claims, (message) => this.key.sign(message));
    return JSON.stringify({ ca: this.caPem, token });
  }

  accept(path: string, events: SocketEvents): ServerSocket {
    const socket = new ServerSocket(this, path, events);
    this.sockets.add(socket);
    return socket;
  }

  /** The network breaks. */
  dropAll(code = 1006): void {
    for (const socket of [...this.sockets]) socket.close(code);
  }

  push<P extends Push>(name: P, params: PushParams<P>): void {
    for (const socket of this.sockets) socket.push(name, params);
  }

  of(method: Method): Request[] {
    return this.requests.filter((request) => request.method === method);
  }
}

/** The server's end of one connection. */
export class ServerSocket {
  readonly leases = new Set<string>();
  readonly path: string;
  readonly #server: FakeServer;
  readonly #events: SocketEvents;
  readonly #nonce: string;

  constructor(server: FakeServer, path: string, events: SocketEvents) {
    this.#server = server;
    this.path = path;
    this.#events = events;
    this.#nonce = encodeBase64Url(
      createHash('md5').update(`${server.sockets.size}${server.requests.length}`).digest(),
    );
    const info = { id: 'srv-1', key: server.keyText };
    this.push('session.challenge', {
      versions: ['berth.v1'],
      server: info,
      nonce: this.#nonce,
      nowMs: server.time.wallMs(),
    });
  }

  push<P extends Push>(name: P, params: PushParams<P>): void {
    this.#events.onMessage(encodeNotification(name, params));
  }

  close(code: number): void {
    this.#server.sockets.delete(this);
    this.#events.onClose(code);
  }

  closedByClient(): void {
    this.close(1000);
  }

  receive(text: string): void {
    const frame = decodeFrame(text);
    if (frame.type !== 'request' || !isMethod(frame.method)) throw new Error(`not a request: ${text}`);
    void this.#serve(frame.id, frame.method, frame.params);
  }

  async #serve<M extends Method>(id: number | string, method: M, raw: unknown): Promise<void> {
    const checked = checkParams(method, raw);
    if (!checked.ok) throw new Error(`${method}: ${checked.field} ${checked.message}`);
    const params = checked.value;
    this.#server.requests.push({ method, params: { ...params }, atMs: this.#server.time.monoMs() });
    const reply = await this.#reply(method, params);
    if (reply === null) return;
    if (reply === 'drop') return this.close(1006);
    if ('error' in reply) return this.#error(id, reply.error, reply.data ?? {});
    if ('lost' in reply) {
      this.#remember(params, reply.lost);
      return this.close(1006);
    }
    this.#remember(params, reply);
    this.#events.onMessage(encodeResult(id, reply));
  }

  async #reply<M extends Method>(method: M, params: ParamsOf<M>): Promise<Reply<M>> {
    const kept = 'key' in params ? this.#server.results.get(String(params.key)) : undefined;
    if (kept !== undefined) {
      if (kept.body !== JSON.stringify(params)) return { error: 'KEY_REUSED' };
      return kept.result as ResultOf<M>;
    }
    const script = this.#server.scripts[method] as Script<M> | undefined;
    if (script !== undefined) return script(params, this);
    const standard = standardReplies[method] as StandardReply<M> | undefined;
    if (standard === undefined) throw new Error(`no script for ${method}`);
    return standard(this.#server, params, this);
  }

  #remember(params: object, result: unknown): void {
    if ('key' in params)
      this.#server.results.set(String(params.key), { body: JSON.stringify(params), result });
  }

  #error(id: number | string, code: ErrorCode, data: Record<string, unknown>): void {
    const { number, text, next } = errors[code];
    const error = { code: number, message: text, data: { code, next, ...data } };
    this.#events.onMessage(JSON.stringify({ jsonrpc: '2.0', id, error }));
  }

  get nonce(): string {
    return this.#nonce;
  }
}
