/** Why berthd cannot start, for the person who started it: what happened, and what to do next (STYLE 11). */
export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(
    readonly code: string,
    message: string,
    readonly next: string,
    /** 2 for what the command line or the configuration says, 4 for a wrong passphrase as in `berth`, 1 for everything else. */
    readonly exitCode: 1 | 2 | 4 = 1,
  ) {
    super(message);
  }
}

/** One or two lines for a person: `berthd: CODE sentence`, and what to do next. Every error that has a code is shown this way. */
export function reportStartFailure(error: unknown, stderr: { write(text: string): unknown }): void {
  const { code, message, next } = describe(error);
  stderr.write(`berthd: ${code} ${message}\n`);
  if (next !== undefined) stderr.write(`  ${next}\n`);
}

function describe(error: unknown): { code: string; message: string; next?: string } {
  if (!(error instanceof Error)) return { code: 'INTERNAL', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL';
  const next = nextOf(error);
  return {
    code,
    message: code === 'INTERNAL' ? (error.stack ?? error.message) : error.message,
    ...(next === undefined ? {} : { next }),
  };
}

/** The system's own errors (`EIO: i/o error, read '/data/journal/head'`) say what and where, but not what to do. */
function nextOf(error: Error): string | undefined {
  if ('next' in error && typeof error.next === 'string') return error.next;
  if (!('syscall' in error)) return undefined;
  return 'Check the disk, its free space and the permissions, then start again: nothing acknowledged is lost.';
}
