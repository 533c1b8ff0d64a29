import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CHALLENGE_PATH, encodeBase64Url, type HttpChallenge, SUBPROTOCOL, signToken } from '@berth/protocol';
import { addressOf } from './accepted-sockets.js';
import type { Gate } from './api.js';
import type { EmitEvent } from './events.js';
import { HttpRates } from './http-rates.js';
import { type HttpRefusalCode, httpRefusals, refusalBody } from './http-refusals.js';
import type { TransportLimits } from './limits.js';
import { isOriginAllowed, splitUrl } from './request-head.js';
import type { Turns } from './turns.js';

export interface HealthAnswer {
  readonly ok: boolean;
  /** For people. */
  readonly reason: string;
  /** Codes of what is wrong although the answer is ok. */
  readonly warnings?: readonly string[];
}

/** What plain HTTP shows; asked at each request. */
export interface HttpSource {
  live(): HealthAnswer;
  ready(): HealthAnswer;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** The authority that signed our certificate: what a client trusts after it has checked the signature over it. */
  readonly caPem: string;
}

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

type MakePage = (query: string) => Page | HttpRefusalCode | Promise<Page>;

export interface HttpPagesOptions {
  readonly gate: Gate;
  readonly source: HttpSource;
  readonly limits: TransportLimits;
  readonly allowedOrigins: readonly string[];
  readonly emit: EmitEvent;
  /** Addresses take turns, among each other and with the frames of devices. */
  readonly turns: Pick<Turns, 'run'>;
  /** The challenge that signed requests answer; left out where none are taken. */
  readonly challenge?: () => string;
}

/** The pattern of `Nonce` in the protocol: 16 bytes in base64url. */
const nonceForm = /^[A-Za-z0-9_-]{22}$/;

/** Plain HTTP on the TLS port: health for supervisors, metrics for Prometheus, the authority for clients that join. */
export class HttpPages {
  readonly #options: HttpPagesOptions;
  readonly #rates: HttpRates;
  readonly #pages: Map<string, MakePage>;
  #metrics: { readonly atMs: number; readonly page: Promise<Page> } | null = null;

  constructor(options: HttpPagesOptions) {
    this.#options = options;
    const { source, limits, gate } = options;
    this.#rates = new HttpRates(limits, limits.httpPagesPerSecond, gate.monoMs());
    this.#pages = new Map<string, MakePage>([
      ['/livez', () => healthPage(source.live())],
      ['/readyz', () => healthPage(source.ready())],
      ['/metrics', () => this.#rendered()],
      ['/ca', (query) => this.#authority(query)],
    ]);
    const { challenge } = options;
    if (challenge !== undefined) this.#pages.set(CHALLENGE_PATH, () => this.#challenge(challenge()));
  }

  /** Answers every failure itself. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const { turns } = this.#options;
    const address = addressOf(request.socket) ?? 'unknown';
    turns.run(address, () => {
      // Gone while it waited for its turn.
      if (request.socket.destroyed) return;
      const answer = this.#answer(request);
      if (!(answer instanceof Promise)) this.#reply(request, response, answer, address);
      else
        answer.then(
          (page) => this.#reply(request, response, page, address),
          (error: unknown) => this.#reply(request, response, this.#failed(error), address),
        );
    });
  }

  #reply(
    request: IncomingMessage,
    response: ServerResponse,
    answer: Page | HttpRefusalCode,
    address: string,
  ): void {
    // CORS: a page of an allowed origin may read the answer, no other may.
    const { origin } = request.headers;
    if (origin !== undefined && isOriginAllowed(request, this.#options.allowedOrigins)) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('vary', 'origin');
    }
    if (typeof answer === 'string') {
      this.#options.emit({ type: 'refused', reason: answer, address });
      if (answer === 'METHOD_REFUSED') response.setHeader('allow', 'GET, HEAD');
      write(response, refusalPage(answer), true);
    } else {
      write(response, answer, hasBody(request));
    }
  }

  #answer(request: IncomingMessage): Page | HttpRefusalCode | Promise<Page> {
    const refusal = this.#refusal(request);
    if (refusal !== null) return refusal;
    const { path, query } = splitUrl(request);
    const page = this.#pages.get(path);
    if (page === undefined) return 'PATH_UNKNOWN';
    try {
      return page(query);
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): HttpRefusalCode {
    this.#options.emit({ type: 'handlerError', method: null, error });
    return 'INTERNAL';
  }

  #refusal(request: IncomingMessage): HttpRefusalCode | null {
    const { gate, limits, allowedOrigins } = this.#options;
    if ((request.url ?? '').length > limits.urlChars) return 'URL_TOO_LONG';
    if (request.method !== 'GET' && request.method !== 'HEAD') return 'METHOD_REFUSED';
    if (!isOriginAllowed(request, allowedOrigins)) return 'ORIGIN_REFUSED';
    const address = addressOf(request.socket);
    return address !== null && this.#rates.take(address, gate.monoMs()) ? null : 'TOO_MANY_REQUESTS';
  }

  /** What was rendered a moment ago, for as many as ask. */
  #rendered(): Promise<Page> {
    const { gate, source, limits } = this.#options;
    const nowMs = gate.monoMs();
    if (this.#metrics === null || nowMs - this.#metrics.atMs >= limits.metricsMs)
      this.#metrics = { atMs: nowMs, page: source.metrics().then((text) => ({ status: 200, ...text })) };
    return this.#metrics.page;
  }

  /** PROTOCOL 13.1: what the first frame of a socket says. */
  #challenge(nonce: string): Page {
    const { gate } = this.#options;
    const challenge: HttpChallenge = {
      versions: [SUBPROTOCOL],
      server: gate.server,
      nonce,
      nowMs: gate.nowMs(),
    };
    return jsonPage(200, JSON.stringify(challenge));
  }

  /** PROTOCOL 2.2: the authority, signed by the key that the join link pins; the nonce makes an old answer worthless. */
  #authority(query: string): Page | HttpRefusalCode {
    const { gate, source } = this.#options;
    const [nonce, ...more] = new URLSearchParams(query).getAll('nonce');
    if (nonce === undefined || more.length > 0 || !nonceForm.test(nonce)) return 'NONCE_INVALID';
    const sha256 = encodeBase64Url(createHash('sha256').update(source.caPem, 'utf8').digest());
    const claims = { nonce, sha256, iat: Math.floor(gate.nowMs() / 1000) };
    const token = signToken('authority', claims, (message) => gate.sign(message));
    return jsonPage(200, JSON.stringify({ ca: source.caPem, token }));
  }
}

function healthPage({ ok, reason, warnings }: HealthAnswer): Page {
  const answer = { status: ok ? 'ok' : 'unavailable', reason, warnings };
  return jsonPage(ok ? 200 : 503, JSON.stringify(answer));
}

export function refusalPage(code: HttpRefusalCode): Page {
  return jsonPage(httpRefusals[code].status, refusalBody(code));
}

function jsonPage(status: number, body: string): Page {
  return { status, contentType: 'application/json', body };
}

/** Nothing here takes a body: the socket is closed rather than the body read. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

export function write(response: ServerResponse, { status, contentType, body }: Page, close: boolean): void {
  if (close) response.setHeader('connection', 'close');
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
