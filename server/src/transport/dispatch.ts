import {
  type Checked,
  type CloseReason,
  checkParams,
  decodeFrame,
  type ErrorCode,
  encodeError,
  encodeResult,
  errors,
  type Frame,
  isMethod,
  type Method,
  type ParamsOf,
  type RequestFrame,
  type RequestId,
  requests,
  roleAtLeast,
  limits as wire,
} from '@berth/protocol';
import type { Answer, Caller, Flight, Gate, Refusal, SessionMethod } from './api.js';
import type { EmitEvent } from './events.js';
import { RequestFlight } from './flight.js';
import type { TransportLimits } from './limits.js';
import { enrolDevice, invalidParam, type Link, mayUsePath, type Opened, openSession } from './session.js';
import { KeyedBuckets } from './token-bucket.js';

/** What dispatch needs of the socket a frame came from. */
export interface Peer extends Link {
  /** Null until `session.open` succeeded. */
  readonly caller: Caller | null;
  opened(opened: Opened, params: ParamsOf<'session.open'>): void;
  send(text: string): void;
  close(reason: CloseReason): void;
  /** Counts toward FLOOD; false when that closed the socket. */
  fault(cost: number): boolean;
  /** Takes one of the socket's places for requests in flight; false when all are taken. */
  beginRequest(): boolean;
  /** Gives its place back before it is answered. */
  parkRequest(): void;
  endRequest(parked: boolean): void;
  /** Aborted when the socket has ended. */
  readonly ended: AbortSignal;
  push: Flight['push'];
}

/** An answer, and what follows from it for the socket. */
interface Outcome {
  readonly answer: { readonly ok: true; readonly result: unknown } | Refusal;
  readonly faults?: number;
  readonly close?: CloseReason;
}

type OpeningMethod = Exclude<Method, SessionMethod>;
type Opening = {
  readonly [M in OpeningMethod]: (params: ParamsOf<M>, peer: Peer) => Promise<Answer<M>>;
};

/** From the text of a frame to the text of its answer. One for all sockets; never throws, never rejects. */
export class Dispatcher {
  readonly #gate: Gate;
  readonly #limits: TransportLimits;
  readonly #emit: EmitEvent;
  #devices: KeyedBuckets;
  /** What a device asks beyond its rate is answered, up to a point: whoever opens many sockets has no more of it. */
  readonly #excess: KeyedBuckets;
  readonly #opening: Opening;
  #draining = false;

  constructor(gate: Gate, limits: TransportLimits, emit: EmitEvent) {
    this.#gate = gate;
    this.#limits = limits;
    this.#emit = emit;
    this.#devices = deviceBuckets(limits);
    this.#excess = new KeyedBuckets({ perSecond: limits.faultsPerSecond, burst: limits.faultBurst });
    this.#opening = {
      'session.open': async (params, peer) => this.#open(params, peer),
      'device.enrol': (params, peer) => enrolDevice(gate, peer, params),
    };
  }

  /** The limits are another object's to change: what was made from them is made anew. */
  limitsChanged(): void {
    this.#devices = deviceBuckets(this.#limits);
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** From now on every request is answered with DRAINING. */
  drain(): void {
    this.#draining = true;
  }

  receive(text: string, peer: Peer): void {
    const frame = decodeFrame(text);
    if (frame.type === 'request') void this.#request(frame, peer);
    // A client has nothing to notify: ignored, but it costs what a request costs.
    else if (frame.type === 'notification') this.#charge(peer);
    else this.#malformed(frame, peer);
  }

  /** Not JSON, not JSON-RPC, or an answer to a question the server never asks. */
  #malformed(frame: Exclude<Frame, RequestFrame>, peer: Peer): void {
    const code = frame.type === 'invalid' ? frame.code : 'REQUEST_INVALID';
    const id = frame.type === 'invalid' ? frame.id : null;
    peer.send(encodeRefusal(id, { ok: false, code }));
    this.#emit({ type: 'request', method: null, ok: false, code, elapsedMs: 0 });
    peer.fault(1);
  }

  async #request(frame: RequestFrame, peer: Peer): Promise<void> {
    const startedAtMs = this.#gate.monoMs();
    const method = isMethod(frame.method) ? frame.method : null;
    const overload = this.#overload(peer, frame);
    if (overload !== null) {
      this.#conclude(frame, method, overload, peer, startedAtMs);
      return;
    }
    const flight = new RequestFlight(peer);
    const outcome = await this.#outcome(frame, method, peer, flight);
    this.#conclude(frame, method, outcome, peer, startedAtMs);
    // Only now: draining closes the socket as soon as nothing is in flight.
    peer.endRequest(flight.parked);
  }

  /** Null when the request may proceed; it then holds one of the socket's places until its answer was sent. */
  #overload(peer: Peer, { method, params }: RequestFrame): Outcome | null {
    if (this.#draining) return refused('DRAINING');
    if (!this.#charge(peer, this.#costOf(method, params, peer.caller))) return refused('RATE_LIMITED');
    return peer.beginRequest() ? null : refused('BUSY');
  }

  /** To the device, whichever of its sockets it uses; before it is known, to the socket. */
  #charge(peer: Peer, cost = 1): boolean {
    if (peer.caller === null) return peer.fault(1);
    const { deviceKey } = peer.caller;
    const nowMs = this.#gate.monoMs();
    if (this.#devices.take(deviceKey, nowMs, cost)) return true;
    if (this.#excess.take(deviceKey, nowMs)) peer.fault(1);
    else peer.close('FLOOD');
    return false;
  }

  /** In requests. A renewal signs each of its leases, and checks each token that is shown: a frame of 64 costs the server what dozens of other frames do. */
  #costOf(method: string, params: unknown, caller: Caller | null): number {
    if (caller === null || (method !== 'lease.renew' && method !== 'session.resume')) return 1;
    const shown = 2 * lengthOf(params, 'tokens', wire.tokensPerResume);
    const named = method === 'session.resume' ? lengthOf(params, 'leases', wire.leasesPerSession) : 0;
    const signatures = caller.leases.size + named + shown;
    return 1 + Math.floor(signatures / this.#limits.signaturesPerRequest);
  }

  /**
   * A request that needs no socket, from a caller that proved itself (PROTOCOL 13): the same limits a device, the same roles, the same
   * handlers.
   */
  async perform<M extends SessionMethod>(
    method: M,
    checked: Checked<ParamsOf<M>>,
    caller: Caller,
  ): Promise<Answer<M> | Refusal> {
    const startedAtMs = this.#gate.monoMs();
    const answer = await this.#performed(method, checked, caller);
    const code = answer.ok ? null : answer.code;
    this.#emit({
      type: 'request',
      method,
      ok: answer.ok,
      code,
      elapsedMs: this.#gate.monoMs() - startedAtMs,
    });
    return answer;
  }

  async #performed<M extends SessionMethod>(
    method: M,
    checked: Checked<ParamsOf<M>>,
    caller: Caller,
  ): Promise<Answer<M> | Refusal> {
    if (this.#draining) return { ok: false, code: 'DRAINING' };
    const cost = this.#costOf(method, checked.ok ? checked.value : null, caller);
    if (!this.#devices.take(caller.deviceKey, this.#gate.monoMs(), cost))
      return { ok: false, code: 'RATE_LIMITED' };
    const forbidden = this.#forbidden(method, caller);
    if (forbidden !== null && !forbidden.answer.ok) return forbidden.answer;
    try {
      return await this.#handle(method, checked, caller);
    } catch (error) {
      this.#emit({ type: 'handlerError', method, error });
      return { ok: false, code: 'INTERNAL' };
    }
  }

  async #outcome(frame: RequestFrame, method: Method | null, peer: Peer, flight: Flight): Promise<Outcome> {
    try {
      return await this.#answer(frame, method, peer, flight);
    } catch (error) {
      this.#emit({ type: 'handlerError', method, error });
      return refused('INTERNAL');
    }
  }

  #conclude(
    frame: RequestFrame,
    method: Method | null,
    outcome: Outcome,
    peer: Peer,
    startedAtMs: number,
  ): void {
    const code = this.#reply(frame, method, outcome.answer, peer);
    const elapsedMs = this.#gate.monoMs() - startedAtMs;
    this.#emit({ type: 'request', method, ok: code === null, code, elapsedMs });
    if (outcome.faults !== undefined) peer.fault(outcome.faults);
    if (outcome.close !== undefined) peer.close(outcome.close);
  }

  async #answer(frame: RequestFrame, method: Method | null, peer: Peer, flight: Flight): Promise<Outcome> {
    if (method === null || !requests[method].paths.includes(peer.path)) return refused('METHOD_UNKNOWN');
    if (isOpening(method)) {
      const answer = await this.#callOpening(method, frame.params, peer);
      return answer.ok ? { answer } : { answer, faults: this.#limits.failedOpenFaults };
    }
    if (peer.caller === null) return refused('SESSION_REQUIRED');
    const { caller } = peer;
    return (
      this.#forbidden(method, caller) ?? { answer: await this.#call(method, frame.params, caller, flight) }
    );
  }

  /** Roles change while a session is open: they are looked up for each request. */
  #forbidden(method: SessionMethod, caller: Caller): Outcome | null {
    const role = this.#gate.roleOf(caller.email);
    if (role === null) return { ...refused('NOT_ALLOWED'), close: 'DEVICE_REMOVED' };
    const { least } = requests[method];
    const enough = least === 'none' || least === 'device' || roleAtLeast(role, least);
    if (enough && mayUsePath(role, caller.path)) return null;
    // The code's own next step sends an admin to themselves.
    return refused('NOT_ALLOWED', least === 'owner' ? 'Ask an owner of the organisation.' : undefined);
  }

  async #call<M extends SessionMethod>(
    method: M,
    params: unknown,
    caller: Caller,
    flight: Flight,
  ): Promise<Answer<M>> {
    return this.#handle(method, checkParams(method, params), caller, flight);
  }

  async #handle<M extends SessionMethod>(
    method: M,
    checked: Checked<ParamsOf<M>>,
    caller: Caller,
    flight?: Flight,
  ): Promise<Answer<M>> {
    if (!checked.ok) return invalidParam(checked.field, checked.message);
    return this.#gate.handlers[method](checked.value, caller, flight);
  }

  async #callOpening<M extends OpeningMethod>(method: M, params: unknown, peer: Peer): Promise<Answer<M>> {
    const checked = checkParams(method, params);
    if (!checked.ok) return invalidParam(checked.field, checked.message);
    const answer = await this.#opening[method](checked.value, peer);
    if (!answer.ok) this.#emit({ type: 'refused', reason: answer.code, address: peer.address });
    return answer;
  }

  #open(params: ParamsOf<'session.open'>, peer: Peer): Answer<'session.open'> {
    // The nonce of a connection is good for one session.
    if (peer.caller !== null) return { ok: false, code: 'SESSION_OPEN' };
    const opened = openSession(this.#gate, peer, params);
    if (opened.ok) peer.opened(opened, params);
    return opened.ok ? { ok: true, result: opened.result } : opened;
  }

  /** Sends the answer; the code it was sent with, which is INTERNAL when the answer itself cannot be sent. */
  #reply(
    frame: RequestFrame,
    method: Method | null,
    answer: Outcome['answer'],
    peer: Peer,
  ): ErrorCode | null {
    try {
      const text = answer.ok ? encodeResult(frame.id, answer.result) : encodeRefusal(frame.id, answer);
      const bytes = Buffer.byteLength(text);
      if (bytes > this.#limits.replyBytes)
        throw new RangeError(`A reply of ${bytes} bytes does not fit a frame`);
      peer.send(text);
      return answer.ok ? null : answer.code;
    } catch (error) {
      this.#emit({ type: 'handlerError', method, error });
      peer.send(encodeRefusal(frame.id, { ok: false, code: 'INTERNAL' }));
      return 'INTERNAL';
    }
  }
}

/** Of a list in params that nobody has checked yet; no more than a valid one may have. */
function lengthOf(params: unknown, name: string, most: number): number {
  const list =
    typeof params === 'object' && params !== null ? (params as Record<string, unknown>)[name] : null;
  return Array.isArray(list) ? Math.min(list.length, most) : 0;
}

function isOpening(method: Method): method is OpeningMethod {
  return method === 'session.open' || method === 'device.enrol';
}

function refused(code: ErrorCode, next?: string): Outcome {
  return { answer: { ok: false, code, ...(next === undefined ? {} : { next }) } };
}

function encodeRefusal(id: RequestId | null, refusal: Refusal): string {
  const row = errors[refusal.code];
  // `detail` first: it adds members, it does not replace the code.
  const data = { ...refusal.detail, code: refusal.code, next: refusal.next ?? row.next };
  return encodeError(id, row.number, refusal.message ?? row.text, data);
}

/** What a second allows may come twice at once: a host that starts, and one that has been away. */
const BURST_SECONDS = 2;

function deviceBuckets({ requestsPerDevicePerSecond: perSecond }: TransportLimits): KeyedBuckets {
  return new KeyedBuckets({ perSecond, burst: Math.max(1, perSecond * BURST_SECONDS) });
}
