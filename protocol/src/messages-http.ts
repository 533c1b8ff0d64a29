import { limits } from './limits.js';
import { requests } from './messages.js';
import { Id, KeyText, Nonce, SignatureText } from './schemas.js';
import Type, { type Static } from './typebox.js';

// The lease path for hosts without WebSockets (PROTOCOL 13): the same messages, one request each, signed by itself.

/** Where a client gets the challenge that its requests answer. */
export const CHALLENGE_PATH = '/v1/challenge';

/** What can be asked with a signed `POST`, and which message of the table it is. Handlers and errors are those of the message. */
export const httpRequests = {
  '/v1/checkout': {
    method: 'lease.checkout',
    params: Type.Object({
      ...requests['lease.checkout'].params.properties,
      /** There is no queue over HTTP: an answer comes at once. */
      waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 0 })),
    }),
    result: requests['lease.checkout'].result,
    text: 'Takes seats, or joins a seat. The leases are bound to no session: each renewal names them.',
  },
  '/v1/renew': {
    method: 'lease.renew',
    params: Type.Object({
      ...requests['lease.renew'].params.properties,
      leases: Type.Array(Id, { minItems: 1, maxItems: limits.leasesPerSession }),
    }),
    result: requests['lease.renew'].result,
    text: 'The heartbeat: renews the leases that it names.',
  },
  '/v1/release': {
    method: 'lease.release',
    params: requests['lease.release'].params,
    result: requests['lease.release'].result,
    text: 'Gives leases back.',
  },
} as const;

export type HttpPath = keyof typeof httpRequests;
export type HttpMethodOf<P extends HttpPath> = (typeof httpRequests)[P]['method'];

export function isHttpPath(text: string): text is HttpPath {
  return Object.hasOwn(httpRequests, text);
}

/** The headers of a signed request, by what they hold. Names of headers know no case. */
export const requestHeaders = {
  device: 'Berth-Device',
  challenge: 'Berth-Challenge',
  nonce: 'Berth-Nonce',
  signature: 'Berth-Signature',
} as const;

/** What the headers of a signed request hold. */
export const HttpHead = Type.Object({
  /** The device's lease key: who signs. */
  device: KeyText,
  /** The server's nonce, from `/v1/challenge` or the last answer. */
  challenge: Nonce,
  /** The client's: 16 random bytes for each request that is sent, also for a retry. */
  nonce: Nonce,
  signature: SignatureText,
});
export type HttpHead = Static<typeof HttpHead>;

/** The answer to `GET /v1/challenge`: what `session.challenge` says on a socket. */
export const HttpChallenge = Type.Object({
  versions: Type.Array(Type.String()),
  server: Type.Object({ id: Id, key: KeyText }),
  nonce: Nonce,
  nowMs: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
});
export type HttpChallenge = Static<typeof HttpChallenge>;
