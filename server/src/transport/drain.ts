import { decodeBase64Url } from '@berth/protocol';
import type { Gate } from './api.js';
import type { Connection } from './connection.js';

/** A client comes back no earlier than this: the successor must be up. */
const LEAST_RECONNECT_MS = 1_000;

/**
 * Ends connections in good order: tell them, let the requests in flight be answered, close, wait for the goodbye. Returns after
 * `graceMs` at the latest; who is still there then is for the caller to cut.
 * @param asked resolves when no request over plain HTTP is left to answer
 */
export async function drainConnections(
  connections: ReadonlySet<Connection>,
  asked: Promise<void>,
  gate: Gate,
  spreadMs: number,
  graceMs: number,
): Promise<void> {
  const all = [...connections];
  for (const connection of all) {
    const reconnectAfterMs = LEAST_RECONNECT_MS + Math.floor(randomFraction(gate) * spreadMs);
    connection.push('server.draining', { reconnectAfterMs });
  }
  await withinMs(graceMs, Promise.all([asked, ...all.map((connection) => part(connection))]));
}

async function part(connection: Connection): Promise<void> {
  await connection.idle();
  connection.close('GOING_AWAY');
  await connection.gone;
}

async function withinMs(ms: number, done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done, elapsed]);
  clearTimeout(timer);
}

/** In [0, 1). Thousands of clients that all come back at once would be the next outage. */
function randomFraction(gate: Gate): number {
  const bytes = decodeBase64Url(gate.randomText(4)) ?? new Uint8Array(0);
  return bytes.reduce((value, byte) => value * 256 + byte, 0) / 2 ** 32;
}
