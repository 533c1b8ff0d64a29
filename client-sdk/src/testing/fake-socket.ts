import {
  checkParams,
  decodeFrame,
  type ErrorCode,
  encodeError,
  encodeNotification,
  encodeResult,
  errors,
  isMethod,
  type Method,
  type ParamsOf,
  type Push,
  type PushParams,
  type ResultOf,
} from '@berth/protocol';
import type { SocketEvents } from '../host.js';

/** What the server makes of a request. */
export type Reply<M extends Method> = ResultOf<M> | Refusal;
export interface Refusal {
  readonly error: ErrorCode;
  readonly message?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}
/** `null`: no answer as long as the connection lasts. */
export type Answer<M extends Method> = Reply<M> | null | Promise<Reply<M> | null>;

export interface FakeSocketOwner {
  answer<M extends Method>(method: M, params: ParamsOf<M>, socket: FakeSocket): Answer<M>;
  closed(socket: FakeSocket): void;
}

/** The server's end of one connection: real frames, checked as a server checks them. */
export class FakeSocket {
  /** Leases bound to this session. */
  readonly leases = new Set<string>();
  readonly path: string;
  readonly nonce: string;
  readonly #owner: FakeSocketOwner;
  readonly #events: SocketEvents;
  #isOpen = true;

  constructor(owner: FakeSocketOwner, path: string, nonce: string, events: SocketEvents) {
    this.#owner = owner;
    this.path = path;
    this.nonce = nonce;
    this.#events = events;
  }

  push<P extends Push>(name: P, params: PushParams<P>): void {
    this.#send(encodeNotification(name, params));
  }

  close(code: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#owner.closed(this);
    queueMicrotask(() => this.#events.onClose(code));
  }

  receive(text: string): void {
    const frame = decodeFrame(text);
    if (frame.type !== 'request') return;
    const { id, method, params } = frame;
    if (isMethod(method)) void this.#serve(id, method, params);
    else this.#refuse(id, { error: 'METHOD_UNKNOWN' });
  }

  async #serve<M extends Method>(id: number | string, method: M, raw: unknown): Promise<void> {
    const checked = checkParams(method, raw);
    if (!checked.ok) return this.#refuse(id, { error: 'PARAMS_INVALID', data: { field: checked.field } });
    const reply = await this.#owner.answer(method, checked.value, this);
    if (reply === null) return;
    if (isRefusal(reply)) this.#refuse(id, reply);
    else this.#send(encodeResult(id, reply));
  }

  #refuse(id: number | string, { error, message, data }: Refusal): void {
    const { number, text, next } = errors[error];
    this.#send(encodeError(id, number, message ?? text, { code: error, next, ...data }));
  }

  #send(text: string): void {
    queueMicrotask(() => {
      if (this.#isOpen) this.#events.onMessage(text);
    });
  }
}

function isRefusal(reply: object): reply is Refusal {
  return 'error' in reply;
}
