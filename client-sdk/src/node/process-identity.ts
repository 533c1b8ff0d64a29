import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../host.js';

/** `host/pid/random`: the last part tells this process from an earlier one with the same number (a container's first is always 1). */
export function nodeProcess(): ProcessIdentity {
  const host = hostname().replaceAll('/', '-');
  const { pid } = process;
  const id = `${host}/${pid}/${processMark}`;
  return {
    id,
    pid,
    isAlive(other) {
      const [otherHost, otherPid] = other.split('/');
      if (other === id) return true;
      if (otherHost !== host) return null;
      const number = Number(otherPid);
      if (number === pid || !Number.isSafeInteger(number) || number <= 0) return false;
      return isRunning(number);
    },
  };
}

// Drawn once for the process, however many hosts it makes.
const processMark = randomBytes(9).toString('base64url');

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
