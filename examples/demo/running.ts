import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Line = Readonly<Record<string, unknown>>;

/** A process of its own, what it has said so far, and its end. */
export class Running {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: { value: Ended | null } = { value: null };
  #stdout = '';
  #stderr = '';
  #heard = 0;

  constructor(argv: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, argv, { env });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        const ended = { code, signal, stdout: this.#stdout, stderr: this.#stderr };
        this.#ended.value = ended;
        resolve(ended);
      });
    });
    this.ended.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }
  get isRunning(): boolean {
    return this.#ended.value === null;
  }

  /** All it has said on stdout as lines of JSON. */
  get lines(): Line[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf('\n') + 1).split('\n');
    return whole.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }
  closeInput(): void {
    this.#child.stdin.end();
  }
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The next line, after those heard before, that is wanted. */
  async hear(what: string, isWanted: (line: Line) => boolean, withinMs = 20_000): Promise<Line> {
    const endMs = performance.now() + withinMs;
    for (;;) {
      const { lines } = this;
      const at = lines.findIndex((line, index) => index >= this.#heard && isWanted(line));
      if (at >= 0) {
        this.#heard = at + 1;
        return lines[at]!;
      }
      if (!this.isRunning)
        throw new Error(`process ${this.pid} ended before ${what}: ${this.#stderr.trim()}`);
      if (performance.now() > endMs) throw new Error(`process ${this.pid} did not say in time: ${what}`);
      await pause(20);
    }
  }
}

/** Looks again and again until it is so. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  withinMs: number,
  everyMs = 250,
): Promise<number> {
  const startMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startMs > withinMs)
      throw new Error(`it did not happen within ${withinMs} ms: ${what}`);
    await pause(everyMs);
  }
  return performance.now() - startMs;
}
