import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BerthError } from '@berth/client';
import { CHALLENGE_PATH } from '@berth/protocol';
import type { AcceptedSockets } from '@berth/server/transport/accepted-sockets';
import type { Gate } from '@berth/server/transport/api';
import type { Dispatcher } from '@berth/server/transport/dispatch';
import { HttpPages } from '@berth/server/transport/http-pages';
import { defaultLimits } from '@berth/server/transport/limits';
import type { SessionRegistry } from '@berth/server/transport/session-registry';
import { SignedRequests } from '@berth/server/transport/signed-requests';
import type { HostParts } from './sim-host.js';

/** As they cross the wire. Names of headers in small letters. */
export interface HttpQuestion {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one process of the server answers over plain HTTPS (PROTOCOL 13): all of it the real thing but the stream. */
export class HttpDoor {
  readonly #signed: SignedRequests;
  readonly #pages: HttpPages;

  constructor(gate: Gate, dispatcher: Dispatcher, registry: SessionRegistry) {
    const accepted = { ticketOf: () => null } as unknown as AcceptedSockets;
    const turns = { run: (_: string, job: () => void) => job() };
    const common = { gate, limits: defaultLimits, allowedOrigins: [], emit: () => {}, turns };
    const fine = () => ({ ok: true, reason: '' });
    const source = {
      ...{ live: fine, ready: fine, caPem: '' },
      metrics: async () => ({ contentType: 'text/plain', body: '' }),
    };
    this.#signed = new SignedRequests({ ...common, dispatcher, registry, accepted });
    this.#pages = new HttpPages({ ...common, source, challenge: () => this.#signed.challenge });
  }

  answer(question: HttpQuestion, address: string): Promise<HttpAnswer> {
    const request = requestOf(question, address);
    return new Promise((resolve) => {
      const response = new Response(resolve) as unknown as ServerResponse;
      if (question.path === CHALLENGE_PATH) this.#pages.handle(request, response);
      else this.#signed.handle(request, response);
    });
  }
}

/** What is read of a request that has arrived as a whole. */
function requestOf({ method, path, headers, body }: HttpQuestion, address: string): IncomingMessage {
  const request = {
    method,
    url: path,
    headers,
    socket: { remoteAddress: address },
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(body);
    },
  };
  return request as unknown as IncomingMessage;
}

/** What is written of an answer. */
class Response extends EventEmitter {
  readonly #done: (answer: HttpAnswer) => void;
  readonly #headers: Record<string, string> = {};
  #status = 0;

  constructor(done: (answer: HttpAnswer) => void) {
    super();
    this.#done = done;
  }

  setHeader(name: string, value: string): void {
    this.#headers[name.toLowerCase()] = value;
  }

  writeHead(status: number): void {
    this.#status = status;
  }

  end(body: string): void {
    this.#done({ status: this.#status, headers: this.#headers, body });
    this.emit('close');
  }
}

/** Longer than any answer takes unless it was lost, ms. */
const PATIENCE_MS = 10_000;

/** A question over a connection of its own. @throws BerthError UNREACHABLE, TIMEOUT: then nobody knows whether it arrived */
export async function exchange(parts: HostParts, question: HttpQuestion): Promise<HttpAnswer> {
  const { time, network, server, owner, line } = parts;
  if (line.downUntilMs > time.nowMs || server.isSilent) {
    await time.sleep(PATIENCE_MS, owner);
    throw new BerthError('TIMEOUT');
  }
  await time.sleep(3 * network.latencyMs(), owner);
  const { door } = server;
  if (door === null) throw new BerthError('UNREACHABLE');
  const process = server.owner;
  return new Promise((resolve, reject) => {
    time.after(PATIENCE_MS, owner, () => reject(new BerthError('TIMEOUT')));
    const ask = (answered: (answer: HttpAnswer) => void): void => {
      network.onServerFrame();
      void door.answer(question, line.address).then((answer) => process.dead || answered(answer));
    };
    carry(parts, process, () => ask((answer) => carry(parts, owner, () => resolve(answer))));
    // Somebody in between says it once more: it has been answered already, and what comes is lost.
    if (network.duplicates()) carry(parts, process, () => ask(() => {}));
  });
}

/** Takes its time, longer while the line is down, or is lost. */
function carry({ time, network, line }: HostParts, to: HostParts['owner'], arrive: () => void): void {
  if (network.drops()) return;
  const arrives = (): void => {
    const downMs = line.downUntilMs - time.nowMs;
    if (downMs > 0) time.after(downMs, to, arrives);
    else arrive();
  };
  time.after(network.latencyMs() + network.delayMs(), to, arrives);
}
