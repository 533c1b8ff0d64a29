import {
  type CloseReason,
  checkPush,
  checkResult,
  closeCodes,
  decodeFrame,
  type ErrorCode,
  encodeRequest,
  isPush,
  limits,
  type Method,
  type ParamsOf,
  type Push,
  type PushParams,
  type ResultOf,
  SUBPROTOCOL,
} from '@berth/protocol';
import { BerthError } from './errors.js';
import type { CancelTimer, Host, Socket } from './host.js';
import { notOfTheProtocol, serverError } from './server-error.js';
import { timing } from './timing.js';
import { type Deferred, deferred, unattended, within } from './waiting.js';

/** One method a push: a missing one does not compile. The challenge is the connection's own affair. */
export type PushHandlers = {
  readonly [P in Exclude<Push, 'session.challenge'>]: (params: PushParams<P>) => void;
};

export interface ConnectionTarget {
  /** `wss://host:port/v1/…` */
  readonly url: string;
  readonly caPem: string;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly timer: CancelTimer;
  settle(value: unknown): void;
  fail(error: BerthError): void;
}

/** Requests and pushes over one socket, from its opening to its end. It is never reopened: see link.ts. */
export class Connection {
  readonly #host: Host;
  readonly #pushes: PushHandlers;
  readonly #challenge: Deferred<PushParams<'session.challenge'>> = deferred();
  readonly #ended: Deferred<BerthError> = deferred();
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | null = null;
  #end: BerthError | null = null;
  #lastId = 0;
  /** The server was restored, and asks to be shown what it signed for this device. */
  readmits = false;

  private constructor(host: Host, pushes: PushHandlers) {
    this.#host = host;
    this.#pushes = pushes;
    unattended(this.#challenge.promise);
  }

  /** @throws BerthError UNREACHABLE, CERTIFICATE_UNTRUSTED, TIMEOUT or CANCELLED */
  static async open(host: Host, target: ConnectionTarget, pushes: PushHandlers): Promise<Connection> {
    const connection = new Connection(host, pushes);
    connection.#socket = await host.openSocket(
      target.url,
      {
        subprotocol: SUBPROTOCOL,
        caPem: target.caPem,
        timeoutMs: timing.openMs,
        maxFrameBytes: limits.replyBytes,
        signal: target.signal,
      },
      {
        onMessage: (text) => connection.#receive(text),
        onClose: (code) => connection.#finish(endOf(code)),
      },
    );
    return connection;
  }

  /** The first frame of the server. @throws BerthError TIMEOUT, CONNECTION_LOST */
  challenge(): Promise<PushParams<'session.challenge'>> {
    const late = () => new BerthError('TIMEOUT', { message: 'The server sent no challenge.' });
    return within(this.#host, this.#challenge.promise, timing.handshakeMs, late);
  }

  /** Resolves, with the reason, when the connection has ended. */
  get ended(): Promise<BerthError> {
    return this.#ended.promise;
  }

  get isOpen(): boolean {
    return this.#socket !== null && this.#end === null;
  }

  /** Why it ended, or `null`. Requests that it cost fail with the same object. */
  get endReason(): BerthError | null {
    return this.#end;
  }

  exporter(): Uint8Array | null {
    return this.#socket?.exporter() ?? null;
  }

  /** @throws BerthError what the server answered, TIMEOUT after `limitMs`, or why the connection ended */
  call<M extends Method>(method: M, params: ParamsOf<M>, limitMs: number): Promise<ResultOf<M>> {
    const socket = this.#socket;
    if (this.#end !== null || socket === null) {
      return Promise.reject(this.#end ?? new BerthError('CONNECTION_LOST'));
    }
    const id = ++this.#lastId;
    const answer = deferred<ResultOf<M>>();
    const timer = this.#host.setTimer(() => {
      this.#waiting.delete(id);
      answer.reject(new BerthError('TIMEOUT', { detail: { method } }));
    }, limitMs);
    this.#waiting.set(id, {
      timer,
      settle: (value) => {
        const checked = checkResult(method, value);
        if (checked.ok) answer.resolve(checked.value);
        else answer.reject(notOfTheProtocol(method, checked.field));
      },
      fail: (error) => answer.reject(error),
    });
    socket.send(encodeRequest(id, method, params));
    return answer.promise;
  }

  /** Ends it now; requests in flight fail with the reason. */
  close(reason: BerthError): void {
    this.#finish(reason);
  }

  #receive(text: string): void {
    if (this.#end !== null) return;
    const frame = decodeFrame(text);
    if (frame.type === 'notification') this.#push(frame.method, frame.params);
    if (frame.type === 'result') this.#answered(frame.id, (waiting) => waiting.settle(frame.result));
    // An error without an id names no request: that one will run into its limit.
    if (frame.type === 'error') this.#answered(frame.id, (waiting) => waiting.fail(serverError(frame)));
  }

  #answered(id: number | string | null, settle: (waiting: Waiting) => void): void {
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined;
    if (waiting === undefined || typeof id !== 'number') return;
    this.#waiting.delete(id);
    waiting.timer();
    settle(waiting);
  }

  /** Unknown pushes are of a newer server and are ignored (PROTOCOL 3). */
  #push(name: string, params: unknown): void {
    if (!isPush(name)) return;
    if (name === 'session.challenge') this.#challenged(params);
    else this.#dispatch(name, params);
  }

  #challenged(params: unknown): void {
    const name = 'session.challenge';
    const checked = checkPush(name, params);
    if (checked.ok) this.#challenge.resolve(checked.value);
    else this.#challenge.reject(notOfTheProtocol(name, checked.field));
  }

  #dispatch<P extends keyof PushHandlers>(name: P, params: unknown): void {
    const checked = checkPush(name, params);
    if (checked.ok) this.#pushes[name](checked.value);
  }

  #finish(reason: BerthError): void {
    if (this.#end !== null) return;
    this.#end = reason;
    this.#ended.resolve(reason);
    this.#challenge.reject(reason);
    for (const waiting of this.#waiting.values()) {
      waiting.timer();
      waiting.fail(reason);
    }
    this.#waiting.clear();
    this.#socket?.close();
  }
}

/** Close codes after which this identity need not try again by itself (PROTOCOL 3.4). */
const finalCodes: { readonly [R in CloseReason]?: ErrorCode } = {
  REFUSED: 'NOT_ALLOWED',
  SUPERSEDED: 'SUPERSEDED',
  DEVICE_REMOVED: 'DEVICE_UNKNOWN',
};

function endOf(number: number): BerthError {
  for (const reason of Object.keys(closeCodes) as CloseReason[]) {
    const row = closeCodes[reason];
    if (row.number !== number) continue;
    return new BerthError(finalCodes[reason] ?? 'CONNECTION_LOST', {
      message: row.text,
      detail: { closeCode: number, reconnect: row.reconnect },
    });
  }
  // Codes of a later version that a client cannot mend are 4400 and above.
  return new BerthError('CONNECTION_LOST', { detail: { closeCode: number, reconnect: number < 4400 } });
}
