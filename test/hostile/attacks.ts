import type { Attack } from './attack.js';
import { bigFrames, fragments, neverRead, oneByteWrites } from './attacks/frames.js';
import {
  handshakeFlood,
  handshakeNeighbour,
  openAndClose,
  signatures,
  stalledTls,
} from './attacks/handshakes.js';
import { httpFlood, httpHeaders, httpPipeline, httpReplay, httpSlow } from './attacks/http.js';
import { idleSessions, idleTcp, idleTls, idleWebSockets, oneAddress } from './attacks/idle.js';
import { adminPath, checkoutFlood, foreignLeases, renewalStorm, waiters } from './attacks/seats.js';
import { reconnectStorm } from './attacks/storm.js';

/** Every attack there is, in the order in which they are run. */
export const attacks: readonly Attack[] = [
  ...[idleTcp, idleTls, idleWebSockets, idleSessions, oneAddress],
  ...[stalledTls, handshakeFlood, handshakeNeighbour, openAndClose, signatures, reconnectStorm],
  ...[neverRead, oneByteWrites, fragments, bigFrames],
  ...[checkoutFlood, foreignLeases, adminPath, renewalStorm, waiters],
  ...[httpReplay, httpSlow, httpHeaders, httpFlood, httpPipeline],
];
