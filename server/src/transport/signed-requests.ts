import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  checkHttpHead,
  checkHttpParams,
  type ErrorCode,
  encodeBase64Url,
  errors,
  type HttpHead,
  type HttpPath,
  type HttpTranscript,
  httpAnswerBytes,
  httpRequests,
  httpStatusOf,
  httpTranscriptOf,
  isHttpPath,
  isSignedRequest,
  requestHeaders,
} from '@berth/protocol';
import { type AcceptedSockets, addressOf } from './accepted-sockets.js';
import type { Caller, Gate, Identity, Refusal } from './api.js';
import { Challenges } from './challenges.js';
import { factsOf } from './connection.js';
import type { Dispatcher } from './dispatch.js';
import type { EmitEvent } from './events.js';
import { type Body, isJson, readBody, sha256 } from './http-body.js';
import { refusalPage, write } from './http-pages.js';
import { HttpRates } from './http-rates.js';
import type { HttpRefusalCode } from './http-refusals.js';
import type { TransportLimits } from './limits.js';
import { isOriginAllowed, splitUrl } from './request-head.js';
import { mayUsePath } from './session.js';
import type { SessionRegistry } from './session-registry.js';
import type { Turns } from './turns.js';

export interface SignedRequestsOptions {
  readonly gate: Gate;
  readonly limits: TransportLimits;
  readonly dispatcher: Dispatcher;
  readonly registry: SessionRegistry;
  readonly accepted: AcceptedSockets;
  readonly allowedOrigins: readonly string[];
  readonly emit: EmitEvent;
  /** Addresses take turns, among each other and with the frames of devices. */
  readonly turns: Pick<Turns, 'run'>;
}

/** A request that was read whole; its signature has not been looked at yet. */
interface Arrived {
  readonly path: HttpPath;
  readonly head: HttpHead;
  readonly body: Body;
  readonly address: string;
  readonly transcript: HttpTranscript;
}

type Answered = { readonly ok: true; readonly result: unknown } | Refusal;

/**
 * The lease path for hosts without WebSockets (PROTOCOL 13): each request proves its device by itself, and what it asks goes to the
 * same handlers as a frame. Refusals before the signature is known to be of an enrolled device cost no memory.
 */
export class SignedRequests {
  readonly #options: SignedRequestsOptions;
  readonly #challenges: Challenges;
  readonly #rates: HttpRates;
  /** Device key -> requests being answered. */
  readonly #inFlight = new Map<string, number>();
  #open = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: SignedRequestsOptions) {
    const { gate, limits } = options;
    this.#options = options;
    this.#challenges = new Challenges(limits, () => gate.randomText(16), gate.monoMs());
    this.#rates = new HttpRates(limits, limits.httpSignedPerSecond, gate.monoMs());
  }

  /** The challenge that requests have to answer now. */
  get challenge(): string {
    return this.#challenges.current(this.#options.gate.monoMs());
  }

  handles(request: IncomingMessage): boolean {
    return isHttpPath(splitUrl(request).path);
  }

  /** Answers every failure of the request itself; what is left is a fault of ours. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const { emit } = this.#options;
    const handled = this.#handle(request, response);
    handled.catch((error: unknown) => emit({ type: 'handlerError', method: null, error }));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = addressOf(request.socket) ?? 'unknown';
    const arrived = await this.#arrive(request, address);
    if (arrived === 'ABORTED') response.destroy();
    else if (typeof arrived === 'string') this.#refuse(response, arrived, address);
    else await this.#settle(response, arrived, request);
  }

  /** Resolves when every request that was read whole has been answered, or its client is gone. */
  async idle(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async #settle(response: ServerResponse, arrived: Arrived, request: IncomingMessage): Promise<void> {
    this.#open++;
    response.once('close', () => {
      this.#open--;
      if (this.#open === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
    this.#reply(response, arrived, await this.#inTurn(arrived, request));
  }

  /** Its signature is verified when it is its address's turn. */
  #inTurn(arrived: Arrived, request: IncomingMessage): Promise<Answered> {
    return new Promise((resolve, reject) => {
      this.#options.turns.run(arrived.address, () => this.#answer(arrived, request).then(resolve, reject));
    });
  }

  async #arrive(request: IncomingMessage, address: string): Promise<Arrived | HttpRefusalCode | 'ABORTED'> {
    const { gate, limits } = this.#options;
    const refusal = this.#refusal(request, address);
    if (refusal !== null) return refusal;
    const head = checkHttpHead(
      Object.fromEntries(
        Object.entries(requestHeaders).map(([member, name]) => [member, request.headers[name.toLowerCase()]]),
      ),
    );
    if (!head.ok) return 'HEADERS_INVALID';
    const { path } = splitUrl(request);
    const body = await readBody(request, limits.requestBytes);
    if (typeof body === 'string') return body;
    if (!isHttpPath(path)) return 'PATH_UNKNOWN';
    const asked = { method: 'POST', path, serverKey: gate.server.key };
    const transcript = httpTranscriptOf(asked, head.value, body.sha256);
    return { path, head: head.value, body, address, transcript };
  }

  #refusal(request: IncomingMessage, address: string): HttpRefusalCode | null {
    const { gate, limits, allowedOrigins } = this.#options;
    if ((request.url ?? '').length > limits.urlChars) return 'URL_TOO_LONG';
    // What is not signed must not be there.
    if (splitUrl(request).query !== '') return 'PATH_UNKNOWN';
    if (request.method !== 'POST') return 'METHOD_REFUSED';
    if (!isOriginAllowed(request, allowedOrigins)) return 'ORIGIN_REFUSED';
    if (!this.#rates.take(address, gate.monoMs())) return 'TOO_MANY_REQUESTS';
    return isJson(request) ? null : 'CONTENT_TYPE_REFUSED';
  }

  /** PROTOCOL 13.3: the checks in their order. */
  async #answer(arrived: Arrived, request: IncomingMessage): Promise<Answered> {
    const { gate, accepted, limits } = this.#options;
    const { head, transcript } = arrived;
    if (!this.#challenges.isAccepted(head.challenge)) return this.#turnAway(arrived, 'CHALLENGE_STALE');
    // Before the key is looked up: who cannot sign with it does not learn whether it is enrolled here.
    if (!isSignedRequest(transcript, head.signature, gate.verify))
      return this.#turnAway(arrived, 'SIGNATURE_INVALID');
    const identity = gate.identify(head.device, 'lease');
    if (identity === null) return this.#turnAway(arrived, 'DEVICE_UNKNOWN');
    accepted.ticketOf(request.socket)?.authenticate(head.device);
    const verdict = this.#challenges.use(head.challenge, head.device, head.nonce);
    if (verdict === 'replayed') return this.#turnAway(arrived, 'REQUEST_REPLAYED');
    if (verdict === 'too-many') return { ok: false, code: 'RATE_LIMITED' };
    const busy = this.#inFlight.get(head.device) ?? 0;
    if (busy >= limits.httpInFlightPerDevice) return { ok: false, code: 'BUSY' };
    this.#inFlight.set(head.device, busy + 1);
    try {
      return await this.#perform(arrived, identity);
    } finally {
      const left = this.#inFlight.get(head.device)! - 1;
      if (left === 0) this.#inFlight.delete(head.device);
      else this.#inFlight.set(head.device, left);
    }
  }

  #turnAway({ address }: Arrived, code: ErrorCode): Refusal {
    this.#options.emit({ type: 'refused', reason: code, address });
    return { ok: false, code };
  }

  async #perform(arrived: Arrived, identity: Identity): Promise<Answered> {
    const { gate, dispatcher, registry, emit } = this.#options;
    const value = parse(arrived.body.bytes);
    if (value === undefined)
      return { ok: false, code: 'FRAME_INVALID', message: 'The body is not valid JSON.' };
    const { path } = arrived;
    const { method } = httpRequests[path];
    const checked = checkHttpParams(path, value);
    const caller: Caller = {
      session: `h-${gate.randomText(8)}`,
      path: 'lease',
      deviceId: identity.device.id,
      deviceKey: arrived.head.device,
      email: identity.user.email,
      address: arrived.address,
      // Bound to no socket: what a renewal renews is what it names.
      leases: new Set(
        checked.ok && path === '/v1/renew' && 'leases' in checked.value ? checked.value.leases : [],
      ),
    };
    const role = gate.roleOf(caller.email);
    // A key that is used from another address is not in use at the old one any more, as with sessions (DESIGN 4).
    if (role !== null && mayUsePath(role, 'lease'))
      for (const { caller: older } of registry.supersede(caller))
        emit({ type: 'superseded', session: factsOf(older), by: caller.address });
    return dispatcher.perform(method, checked, caller);
  }

  /** Before anything is known of the request that could be signed. */
  #refuse(response: ServerResponse, code: HttpRefusalCode, address: string): void {
    this.#options.emit({ type: 'refused', reason: code, address });
    if (code === 'METHOD_REFUSED') response.setHeader('allow', 'POST');
    if (code === 'TOO_MANY_REQUESTS') response.setHeader('retry-after', '1');
    write(response, refusalPage(code), true);
  }

  /** Signed by the server, refusals too: a client knows that its own server said no. */
  #reply(response: ServerResponse, { transcript }: Arrived, answered: Answered): void {
    const { gate, dispatcher } = this.#options;
    const { answer, body } = this.#encode(answered);
    const status = answer.ok ? 200 : httpStatusOf(answer.code);
    const signature = gate.sign(httpAnswerBytes(transcript, status, sha256(body)));
    response.setHeader(requestHeaders.signature, encodeBase64Url(signature));
    response.setHeader(requestHeaders.challenge, this.challenge);
    const retryAfter = answer.ok ? null : retryAfterSeconds(answer.code);
    if (retryAfter !== null) response.setHeader('retry-after', String(retryAfter));
    if (status === 401) response.setHeader('www-authenticate', 'Berth');
    write(response, { status, contentType: 'application/json', body }, dispatcher.draining);
  }

  #encode(answered: Answered): { readonly answer: Answered; readonly body: string } {
    const body = JSON.stringify(answered.ok ? answered.result : refusalOf(answered));
    if (Buffer.byteLength(body) <= this.#options.limits.replyBytes) return { answer: answered, body };
    const error = new RangeError(`An answer of ${Buffer.byteLength(body)} bytes is larger than any may be`);
    this.#options.emit({ type: 'handlerError', method: null, error });
    const answer: Refusal = { ok: false, code: 'INTERNAL' };
    return { answer, body: JSON.stringify(refusalOf(answer)) };
  }
}

/** As every refusal over HTTP (PROTOCOL 2.1), with the members that `data` of an error frame has. */
function refusalOf({ code, message, next, detail }: Refusal): Record<string, unknown> {
  const row = errors[code];
  return { ...detail, code, message: message ?? row.text, next: next ?? row.next };
}

/** When the same question makes sense again; a stale challenge is answered at once. */
function retryAfterSeconds(code: ErrorCode): number | null {
  if (!errors[code].retryable || code === 'CHALLENGE_STALE') return null;
  return code === 'RATE_LIMITED' || code === 'BUSY' ? 1 : 5;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
