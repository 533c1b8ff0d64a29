import { limits as wire } from '@berth/protocol';
import { SETTINGS } from '../ops/config-table.js';

// A limit on everything a stranger or a broken client can spend here, each with its reason (STYLE 9). Those that both ends of the
// wire must agree on come from the protocol, those that IT may change from the table of settings, where their reasons are.

export const defaultLimits = {
  /** Sockets in all: 10,000 devices with room for a reconnect storm; each costs about 50 KiB with TLS. */
  sockets: 20_000,
  socketsPerAddress: SETTINGS['limits.sockets-per-address'].default,
  unauthenticatedSockets: SETTINGS['limits.unauthenticated-sockets'].default,
  /** Sockets without a session of one address: one stranger cannot take the whole of the line above. */
  unauthenticatedPerAddress: 32,
  tlsHandshakesPerAddressPerSecond: SETTINGS['limits.handshakes-per-second-per-address'].default,
  /** From all addresses, while the event loop keeps up: at 1.1 ms each two thirds of a core (decision 0014). Who comes beyond that waits. */
  tlsHandshakesPerSecond: 600,
  /** Plain HTTP requests of one address: each `/ca` costs a signature, each `/metrics` a rendering. */
  httpRequestsPerAddressPerSecond: 50,
  /** Of these, so many a second count for nothing below: a monitor or a render node is answered whatever others do. */
  httpCalmPerAddressPerSecond: 5,
  /** Pages asked for by all addresses beyond that: 0.2 ms each, 6 % of a core. */
  httpPagesPerSecond: 300,
  /** Signed requests of all addresses beyond that: 0.3 ms each with both signatures. 10,000 devices renew 250 times a second. */
  httpSignedPerSecond: 1_000,
  /** `/metrics` is rendered this often at most, whoever asks: 5 ms with thousands of sockets, and nobody scrapes so often. */
  metricsMs: 1_000,
  /** A renewal signs every lease of its session, 0.1 ms each with what is around it: so many count as one more request. */
  signaturesPerRequest: 4,
  /** Over all sockets of a device; twice as many may come at once. */
  requestsPerDevicePerSecond: SETTINGS['limits.requests-per-second-per-device'].default,
  /** Malformed, excessive or unauthenticated frames of one socket; more is not a mistake any more (FLOOD). */
  faultsPerSecond: 10,
  faultBurst: 100,
  /** What a failed `session.open` or `device.enrol` counts: ten guesses, then one a second. */
  failedOpenFaults: 10,
  handshakeMs: wire.handshakeMs,
  inFlightPerSocket: wire.inFlightPerSocket,
  /** Frames of one socket that wait for their turn before no more is read from it: what one burst of a host that starts has. */
  framesWaiting: 128,
  /** How long frames are answered before sockets are read again: a renewal waits for a few of these at most. */
  turnMs: 5,
  requestBytes: wire.requestBytes,
  replyBytes: wire.replyBytes,
  bufferedBytes: wire.bufferedBytes,
  pingMs: wire.pingMs,
  /** Fragments of one message: no client of ours fragments; 16 KiB in more parts than this is an attack on bookkeeping. */
  fragments: 32,
  /** How long a closed socket may take to say goodbye before it is destroyed. */
  closeMs: 2_000,
  /** Clients of a draining server come back spread over this time, or longer when they are more than the handshakes of that time. */
  drainSpreadMs: 10_000,
  /** Plain HTTP: from connecting to the end of the headers. */
  headersMs: 5_000,
  /** Plain HTTP: from connecting to the end of the request. */
  requestMs: 10_000,
  /** Plain HTTP: an idle kept-alive socket; also how long a reader of an answer may stand still. */
  keepAliveMs: 5_000,
  /** Plain HTTP: request line and headers together. A browser's cookies do not belong here. */
  headerBytes: 8 * 1024,
  headerCount: 64,
  /** Plain HTTP: path and query; the longest honest one is `/ca?nonce=` and 22 characters. */
  urlChars: 1024,
  /** Plain HTTP: requests on one kept-alive socket. */
  requestsPerHttpSocket: 100,
  /** Signed requests: how long a challenge is given out; it is accepted for as long again. Half of it must pass for a client to sign twice. */
  challengeMs: 300_000,
  /** Signed requests: nonces remembered of one device for one challenge: 13 requests a second all the time. */
  httpNoncesPerDevice: 4_096,
  /** Signed requests: nonces remembered for one challenge before the next one comes early; about 20 MiB. 10,000 devices need 75,000. */
  httpNoncesKept: 200_000,
  /** Signed requests of one device being answered at once: a socket has its own places, here all its connections share these. */
  httpInFlightPerDevice: 16,
} as const;

export type TransportLimits = { readonly [K in keyof typeof defaultLimits]: number };
