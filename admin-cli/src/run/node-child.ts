import { type ChildProcess, spawn } from 'node:child_process';
import { isatty } from 'node:tty';
import type { Child, ChildEnd } from '../context.js';
import { descendants, runs } from './process-tree.js';

/**
 * Starts a command on our stdin, stdout and stderr.
 *
 * With a terminal on stdin the command stays in our process group: it is then in the foreground, may read the terminal, and
 * gets Ctrl-C and Ctrl-Z from it as if we were not there. Without one it gets a group of its own, so that a signal reaches all
 * of it, also what its parents left behind. The group can only be made together with a session (setsid), which is why an
 * interactive command must not have one.
 */
export function startChild(command: string, args: readonly string[]): Child {
  const sharesTerminal = isatty(0) || process.platform === 'win32';
  try {
    const child = spawn(command, args, { stdio: 'inherit', detached: !sharesTerminal });
    const ended = endOf(child);
    if (child.pid === undefined) return notStarted(ended);
    const started = new NodeChild(child.pid, ended, sharesTerminal);
    if (!sharesTerminal) followJobControl(started);
    endWithUs(started);
    return started;
  } catch (error) {
    // spawn throws for what no operating system takes, such as a NUL in an argument.
    return notStarted(Promise.resolve({ startError: error as NodeJS.ErrnoException }));
  }
}

/** Ctrl-Z would stop only us: hand it on, or the command would run while nobody renews its seat. */
function followJobControl(child: NodeChild): void {
  const stop = () => {
    child.kill('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  };
  const resume = () => child.kill('SIGCONT');
  process.on('SIGTSTP', stop).on('SIGCONT', resume);
  void child.ended.then(() => process.off('SIGTSTP', stop).off('SIGCONT', resume));
}

/** Should we ever crash, the command must not run on: nobody renews its seat any more. */
function endWithUs(child: NodeChild): void {
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  void child.ended.then(() => process.off('exit', end));
}

function endOf(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once('error', (startError) => resolve({ startError }));
    child.once('exit', (exitCode, signal) =>
      resolve(signal === null ? { exitCode: exitCode ?? 1 } : { signal }),
    );
  });
}

function notStarted(ended: Promise<ChildEnd>): Child {
  return { ended, sharesTerminal: false, kill: () => undefined, alive: () => false };
}

class NodeChild implements Child {
  /** Everything that was ever signalled one by one: to find it again when its parent is gone. */
  readonly #known = new Set<number>();

  constructor(
    private readonly pid: number,
    readonly ended: Promise<ChildEnd>,
    readonly sharesTerminal: boolean,
  ) {}

  kill(signal: NodeJS.Signals): void {
    for (const { pid, group } of descendants(this.pid)) {
      // Members of the child's own group are reached through it, and must not be told twice.
      if (this.sharesTerminal || group !== this.pid) this.#known.add(pid);
    }
    for (const target of this.#targets()) send(target, signal);
  }

  alive(): boolean {
    // Signal 0 also finds the dead whom nobody buried, as in a container whose first process does not reap.
    return this.#targets().some((target) => send(target, 0)) && runs(this.pid, this.#known);
  }

  #targets(): number[] {
    if (!this.sharesTerminal) return [-this.pid, ...this.#known];
    return this.#known.size === 0 ? [this.pid] : [...this.#known];
  }
}

/** False when there is nobody to send it to. */
function send(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    // EPERM: it is there, but not ours (it changed its user).
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
