import type { Log } from '../ops/log.js';
import { stderr } from '../ops/stdio.js';
import type { Server } from '../server.js';

/** SIGTERM: clients get this long to finish what is in flight, ms; the process is gone within 10 s. */
const DRAIN_MS = 5_000;
const STOP_AT_THE_LATEST_MS = 9_500;

/** Serves until SIGTERM or SIGINT, and stops in good order. */
export async function untilStopped(server: Server, log: Log): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      if (server.health.phase === 'draining') return;
      log.info({ signal }, 'stopping');
      setTimeout(() => process.exit(1), STOP_AT_THE_LATEST_MS).unref();
      server.stop(DRAIN_MS).then(resolve, (error: unknown) => die(error, log));
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

/** Fail-stop: no further reply, no further write. A supervisor starts it again; nothing acknowledged is lost (DESIGN 2). */
export function die(error: unknown, log: Log): never {
  log.fatal({ err: error }, 'stopped: an invariant or a write failed; nothing acknowledged is lost');
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'INTERNAL';
  stderr.write(`berthd: ${code} ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
