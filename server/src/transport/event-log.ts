import type { EmitEvent, SessionFacts, TransportEvent } from './events.js';
import { KeyedBuckets, TokenBucket } from './token-bucket.js';

type LogMethod = (details: object, message: string) => void;

/** What the transport needs of a log; pino has it. */
export interface TransportLog {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

type Write<T extends TransportEvent['type']> = (event: Extract<TransportEvent, { type: T }>) => void;

/** Strangers decide how often we refuse: their lines must not fill the disk. */
const refusedLines = { perSecond: 5, burst: 20 };

/** So does each device by coming and going: what is more goes to the level `debug`, and the lines of the others are still written. */
const sessionLines = { perSecond: 0.2, burst: 20 };

/** Writes each event at its level. No key, token or signature is in any of them. */
export function eventLog(log: TransportLog, monoMs: () => number): EmitEvent {
  const lines = new TokenBucket(refusedLines, monoMs());
  let suppressed = 0;
  const byDevice = { info: new KeyedBuckets(sessionLines), warn: new KeyedBuckets(sessionLines) };
  let suppressedSessions = 0;
  const ofSession = (level: 'info' | 'warn', session: SessionFacts, more: object, message: string): void => {
    if (!byDevice[level].take(session.deviceId, monoMs())) {
      suppressedSessions++;
      log.debug({ ...session, ...more }, message);
      return;
    }
    log[level]({ ...session, ...more, ...(suppressedSessions === 0 ? {} : { suppressedSessions }) }, message);
    suppressedSessions = 0;
  };
  const writers: { readonly [T in TransportEvent['type']]: Write<T> } = {
    sessionOpened: ({ session, client }) => ofSession('info', session, { client }, 'Session opened'),
    sessionClosed: ({ session, reason, openMs }) =>
      ofSession('info', session, { reason, openMs }, 'Session closed'),
    superseded: ({ session, by }) =>
      ofSession('warn', session, { by }, 'Session superseded from another address'),
    handlerError: ({ method, error }) =>
      log.error({ method, err: error }, 'A request failed by a fault of the server'),
    request: ({ method, code, elapsedMs }) => log.debug({ method, code, elapsedMs }, 'Request answered'),
    refused: ({ reason, address }) => {
      if (!lines.take(monoMs())) {
        suppressed++;
        return;
      }
      log.warn({ reason, address, suppressed }, 'Refused');
      suppressed = 0;
    },
  };
  return (event) => write(writers, event);
}

function write<T extends TransportEvent['type']>(
  writers: { readonly [K in TransportEvent['type']]: Write<K> },
  event: Extract<TransportEvent, { type: T }>,
): void {
  const writer: Write<T> = writers[event.type];
  writer(event);
}
