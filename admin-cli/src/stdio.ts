import { on } from 'node:events';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import type { Input, Output } from './context.js';
import { OutputLost, TooLarge } from './files.js';

/** No key, link or token is longer; a larger input is a mistake, or meant to fill the memory. */
export const mostInputBytes = 8 * 1024 * 1024;

/** @param fd 1 or 2. */
export function output(fd: 1 | 2, env: Readonly<Record<string, string | undefined>>): Output {
  const isTty = isatty(fd);
  const stream = () => (fd === 1 ? process.stdout : process.stderr);
  let readerGone = false;
  return {
    isTty,
    get columns() {
      return isTty ? stream().columns : undefined;
    },
    colours: isTty && !env.NO_COLOR && env.TERM !== 'dumb',
    get readerGone() {
      return readerGone;
    },
    write: (text) => {
      if (readerGone) return;
      try {
        readerGone = !writeAll(fd, text);
      } catch (error) {
        // Of what stderr does not take nobody can be told.
        if (fd === 1) throw new OutputLost(error);
        readerGone = true;
      }
    },
  };
}

/**
 * Writes by itself, not through process.stdout: nothing is left to flush at exit, and a pipe that the command of `berth run` shares
 * is not switched to non-blocking under its feet. @returns false when the reader has gone away.
 * @throws what else the system says, such as that the disk is full
 */
function writeAll(fd: number, text: string): boolean {
  let rest: Uint8Array = Buffer.from(text, 'utf8');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'EBADF') return false; // Gone, or closed by our caller: there is nobody to tell.
      if (code !== 'EAGAIN') throw error;
      pause(5); // Somebody made the pipe non-blocking and its reader is slow.
    }
  }
  return true;
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

export const input: Input = {
  isTty: isatty(0),
  readAll: async () => await readLimited(process.stdin),
  ask: async (question, signal) => {
    // terminal: false leaves Ctrl-C to the system, so that it arrives as SIGINT like anywhere else.
    const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    try {
      return await Promise.race([lines.question(question, { signal }), ended]);
    } finally {
      lines.close();
    }
  },
  askHidden: async (question, signal) => {
    try {
      return await typed(question, signal);
    } finally {
      writeAll(2, '\n');
    }
  },
};

/** The text of a stream, to its end. */
export async function readLimited(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > mostInputBytes) throw new TooLarge(`it is larger than ${mostInputBytes / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const CTRL_C = '\u0003';
const ENDS = new Set(['\r', '\n', '\u0004']);
const ERASES = new Set(['\b', '\u007f']);

/** One line as typed: the terminal shows nothing of it, and hands over each key, Ctrl-C too. */
async function typed(question: string, signal: AbortSignal): Promise<string> {
  const { stdin } = process;
  // First of all: whoever answers at once must not see it either.
  stdin.setRawMode(true);
  writeAll(2, question);
  stdin.setEncoding('utf8');
  try {
    let line = '';
    const typing = on(stdin, 'data', { signal, close: ['end'] });
    // A stream that was paused, after the question before, does not flow again by being listened to.
    stdin.resume();
    for await (const [keys] of typing) {
      for (const key of keys as string) {
        if (ENDS.has(key)) return line;
        if (key === CTRL_C) {
          process.kill(process.pid, 'SIGINT');
          return '';
        }
        line = ERASES.has(key) ? line.slice(0, -1) : line + key;
      }
    }
    return line;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}
