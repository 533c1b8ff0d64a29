/** The log: one JSON object per line on standard output, secrets removed. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { type Clock, systemClock } from './clock.js';
import type { Config } from './config.js';
import { stderr, writeAll } from './stdio.js';

export type Log = Logger;
export type LogLevel = Config['logLevel'];

/** Values under these names never reach the log. pino matches paths, so each depth is spelled out. */
const SECRET_NAMES = ['token', 'key', 'secret', 'privateKey', 'keyPem'] as const;
/** `{ token }`, `{ a: { token } }`, `{ a: { b: { token } } }`: deeper objects do not belong on a log line. */
const SECRET_PATHS = ['', '*.', '*.*.'].flatMap((prefix) => SECRET_NAMES.map((name) => prefix + name));

/**
 * @param options.destination where lines go. Unless given: standard output, written synchronously, so that the last
 * line before `process.exit` or a failed assertion is there too. The price is that a blocked reader blocks the server;
 * journald and containers read, and what is logged is not per request at the default level. A disk that is full of logs ends no server.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
  readonly clock?: Pick<Clock, 'now'>;
}): Log {
  const clock = options.clock ?? systemClock;
  const now = (): string => new Date(clock.now().wallMs).toISOString();
  return pino(
    {
      level: options.level,
      // No host name: the collector knows it, and a container's is noise.
      base: { pid: process.pid },
      timestamp: () => `,"time":"${now()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: '[secret]' },
    },
    options.destination ?? new LogOutput(now),
  );
}

/** Lines that cannot be written are lost: stderr says so once, and the log how many, once it can be written again. */
export class LogOutput {
  readonly #write: (text: string) => boolean;
  readonly #warn: (text: string) => void;
  readonly #now: () => string;
  #lost = 0;

  /** @param now the time of a line, as JSON has it */
  constructor(now: () => string, write = (text: string): boolean => writeAll(1, text), warn = stderr.write) {
    this.#now = now;
    this.#write = write;
    this.#warn = warn;
  }

  write(line: string): void {
    try {
      // The end of the line before may be missing.
      const gap =
        this.#lost === 0
          ? ''
          : `\n{"level":"warn","time":"${this.#now()}","pid":${process.pid},"lost":${this.#lost},"msg":"lines of the log could not be written"}\n`;
      if (this.#write(`${gap}${line}`)) this.#lost = 0;
      else this.#lose('its reader went away');
    } catch (error) {
      this.#lose((error as Error).message);
    }
  }

  #lose(reason: string): void {
    if (this.#lost === 0)
      this.#warn(`berthd: the log cannot be written, and the server goes on without: ${reason}\n`);
    this.#lost += 1;
  }
}

/** The log of one part of the server, so that its lines can be filtered. */
export function componentLog(log: Log, component: string): Log {
  const child = log.child({ component });
  parts.set(log, [...(parts.get(log) ?? []), child]);
  return child;
}

/** pino gives a child the level that its parent has when it is made, and never again. */
const parts = new WeakMap<Log, readonly Log[]>();

/** From now on, for the log and its parts. */
export function setLogLevel(log: Log, level: LogLevel): void {
  log.level = level;
  for (const part of parts.get(log) ?? []) part.level = level;
}
