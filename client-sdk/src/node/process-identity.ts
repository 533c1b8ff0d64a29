import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import type { ProcessIdentity } from '../host.js';

/**
 * `host/pid/mark/boot/start`. Two computers may share a name and a folder, two containers a kernel, and a process number comes again:
 * only within one boot and one space of process numbers does a number say anything, and only its start time says which process it is.
 */
export function nodeProcess(): ProcessIdentity {
  own ??= ownFacts();
  const { host, pid, boot, start } = own;
  const id = `${host}/${pid}/${processMark}/${boot}/${start}`;
  return { id, pid, isAlive: (other) => (other === id ? true : judge(own!, other)) };
}

// Drawn once for the process, however many hosts it makes.
const processMark = randomBytes(9).toString('base64url');

interface Facts {
  readonly host: string;
  readonly pid: number;
  /** Which start of which computer, and which space of process numbers in it. */
  readonly boot: string;
  /** When the process began, in the system's own count; empty where that cannot be looked up for others. */
  readonly start: string;
}
let own: Facts | null = null;

function ownFacts(): Facts {
  const { pid } = process;
  return { host: hostname().replaceAll('/', '-'), pid, boot: bootOf(), start: statOf(pid)?.start ?? '' };
}

/** `false` only when it is certain: a seat is given back on that word. */
function judge(self: Facts, other: string): boolean | null {
  const [host, pidText, , boot = '', start = ''] = other.split('/');
  if (host !== self.host || !isSameBoot(self.boot, boot)) return null;
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  if (pid !== self.pid && !isRunning(pid)) return false;
  // Somebody has that number now: it is the same process if it began at the same time (a second copy of the SDK, or a worker).
  const now = start === '' ? null : statOf(pid);
  if (now !== null) return now.start === start && !now.ended;
  return pid === self.pid ? null : true;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** How far two readings of when the computer started may differ, seconds: its clock is set now and then. */
const BOOT_TOLERANCE_SECONDS = 30;

/** Linux names each start of the kernel; elsewhere the moment it started, by this computer's clock, stands for it. */
function bootOf(): string {
  try {
    const kernel = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${kernel}.${readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '')}`;
  } catch {
    return `~${Math.round(Date.now() / 1000 - uptime())}`;
  }
}

function isSameBoot(mine: string, other: string): boolean {
  if (!mine.startsWith('~') || !other.startsWith('~')) return mine === other;
  return Math.abs(Number(mine.slice(1)) - Number(other.slice(1))) <= BOOT_TOLERANCE_SECONDS;
}

/** From /proc/PID/stat: when it began, in clock ticks since the boot, and whether it only waits for its parent to look (a zombie). */
function statOf(pid: number): { readonly start: string; readonly ended: boolean } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before the last bracket may hold anything, brackets too. The fields are counted from the third on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = '', threads = '', start = ''] = [fields[0], fields[17], fields[19]];
    return start === '' ? null : { start, ended: /^[ZX]/.test(state) && Number(threads) <= 1 };
  } catch {
    return null;
  }
}
