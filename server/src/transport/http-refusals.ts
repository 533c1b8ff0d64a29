import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

interface HttpRefusal {
  readonly status: number;
  readonly text: string;
  readonly next: string;
}

/** Why an HTTP request or an upgrade is refused, before there is a WebSocket that could carry an error of the protocol. */
export const httpRefusals = {
  UPGRADE_INVALID: {
    status: 400,
    text: 'This is not a WebSocket handshake of RFC 6455, version 13.',
    next: 'Use a WebSocket client; berth and the SDK have one built in.',
  },
  SUBPROTOCOL_REQUIRED: {
    status: 400,
    text: 'The WebSocket subprotocol berth.v1 was not offered.',
    next: 'Offer `Sec-WebSocket-Protocol: berth.v1`; if the client speaks another version, update client or server.',
  },
  NONCE_INVALID: {
    status: 400,
    text: 'The query must have one nonce of 22 base64url characters.',
    next: 'Ask for /ca?nonce=<16 random bytes in base64url>.',
  },
  HEADERS_INVALID: {
    status: 400,
    text: 'A header that signs the request is missing, malformed or there twice.',
    next: 'Send Berth-Device, Berth-Challenge, Berth-Nonce and Berth-Signature; see PROTOCOL.md section 13.',
  },
  ORIGIN_REFUSED: {
    status: 403,
    text: 'Requests from a web page are not accepted.',
    next: 'Use berth or the SDK; a web page of another origin may not use this server.',
  },
  PATH_UNKNOWN: {
    status: 404,
    text: 'There is nothing at this path.',
    next: 'WebSocket: /v1/lease, /v1/admin. GET: /livez, /readyz, /metrics, /ca, /v1/challenge. POST: /v1/checkout, /v1/renew, /v1/release.',
  },
  METHOD_REFUSED: {
    status: 405,
    text: 'This path is not for that HTTP method.',
    next: 'Use the method that the header `Allow` names.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    text: 'The body is larger than 16 KiB.',
    next: 'Ask for fewer things at once.',
  },
  ADMIN_ELSEWHERE: {
    status: 421,
    text: 'Administration has an address of its own on this server.',
    next: 'berth finds it by itself with a device that has joined; else ask IT for the address (admin.listen).',
  },
  URL_TOO_LONG: { status: 414, text: 'The address is too long.', next: 'Shorten path and query.' },
  CONTENT_TYPE_REFUSED: {
    status: 415,
    text: 'The body must be JSON.',
    next: 'Send `Content-Type: application/json`.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    text: 'This address sends requests too fast.',
    next: 'Wait a moment and try again.',
  },
  INTERNAL: {
    status: 500,
    text: 'The server failed to answer.',
    next: 'Try again; if it stays, look in the log of berthd.',
  },
  DRAINING: {
    status: 503,
    text: 'The server is shutting down.',
    next: 'Try again in a moment; leases stay valid meanwhile.',
  },
} as const satisfies Record<string, HttpRefusal>;

export type HttpRefusalCode = keyof typeof httpRefusals;

export function refusalBody(code: HttpRefusalCode): string {
  const { text, next } = httpRefusals[code];
  return JSON.stringify({ code, message: text, next });
}

/** Answers an upgrade request with a refusal: there is no ServerResponse for those, only the socket. */
export function refuseUpgrade(socket: Duplex, code: HttpRefusalCode): void {
  const body = refusalBody(code);
  const { status } = httpRefusals[code];
  end(socket, status, ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`], body);
}

/** Of what Node's parser does not take, by its code; everything else is 400. */
const brokenRequests: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers what is not HTTP, or too much of it, as Node itself would; but Node destroys the socket with what it has just written, and the peer of a TLS socket
 * whose first bytes were read before TLS began (accepted-sockets.ts) never hears why.
 */
export function refuseBroken({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  // Further faults of the same bytes: the first is being answered.
  if (!socket.writable) return;
  // Perhaps in the middle of an answer: another cannot be told from it.
  if (socket.bytesWritten > 0) socket.destroy();
  else end(socket, brokenRequests[code] ?? 400, []);
}

function end(socket: Duplex, status: number, headers: readonly string[], body = ''): void {
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Connection: close', ...headers];
  // Without an 'error' listener a reset by the peer would end the process; destroyed at 'finish', since the peer need not end.
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
