import { writeSync } from 'node:fs';

/**
 * Writes by itself, not through process.stdout: when it returns, the system has all of it, and a failure is thrown here instead of
 * ending the process from an event that nobody waits for. @param fd 1 or 2
 * @returns false when the reader has gone away. @throws what else the system says, such as that the disk is full
 */
export function writeAll(fd: 1 | 2, text: string): boolean {
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

/** Of what stderr does not take nobody can be told. */
export const stderr = {
  write(text: string): void {
    try {
      writeAll(2, text);
    } catch {}
  },
};

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
