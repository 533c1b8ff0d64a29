import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { atEnd } from './at-end.js';
import { until, within } from './waiting.js';

export interface Exit {
  /** 128 + signal when it died of one, as a shell says it. */
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Start {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** A real process with its output; ended by its pid and by nothing else, at the latest when this process ends. */
export class Started {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcessWithoutNullStreams;
  #stdout = '';
  /** How much of stdout is in #said: whole lines. */
  #heard = 0;
  readonly #said: Record<string, unknown>[] = [];
  #stderr = '';
  #exit: Exit | null = null;

  constructor({ argv, env = {}, cwd }: Start) {
    const [command, ...args] = argv;
    this.#child = spawn(command!, args, {
      env: environment(env),
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.pid = this.#child.pid ?? -1;
    const outlived = atEnd(() => this.#child.kill('SIGKILL'));
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    // What is written to a process that has just died is lost, as it should be.
    this.#child.stdin.on('error', () => undefined);
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', outlived);
      this.#child.once('close', (code, signal) => {
        const number = signal === null ? (code ?? 1) : 128 + (signalNumbers[signal] ?? 0);
        this.#exit = { code: number, signal, stdout: this.#stdout, stderr: this.#stderr };
        resolve(this.#exit);
      });
    });
    this.exited.catch(() => undefined);
  }

  get stdout(): string {
    return this.#stdout;
  }
  get stderr(): string {
    return this.#stderr;
  }
  get running(): boolean {
    return this.#exit === null;
  }

  /** Each line of stdout that is a JSON object; those who wait ask often, so each line is read once. */
  get said(): readonly Record<string, unknown>[] {
    const end = this.#stdout.lastIndexOf('\n') + 1;
    const lines = this.#stdout.slice(this.#heard, end).split('\n');
    this.#heard = end;
    for (const line of lines) if (line.startsWith('{')) this.#said.push(JSON.parse(line));
    return this.#said;
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  endInput(text = ''): void {
    this.#child.stdin.end(text);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGKILL, and gone. */
  async kill(): Promise<Exit> {
    if (this.#exit !== null) return this.#exit;
    this.#child.kill('SIGKILL');
    return within(`the end of process ${this.pid}`, this.exited);
  }

  /** The first line of stdout that is a JSON object with these members. */
  async hear(wanted: Record<string, unknown>, withinMs?: number): Promise<Record<string, unknown>> {
    const isWanted = (line: Record<string, unknown>) =>
      Object.entries(wanted).every(([name, value]) => line[name] === value);
    return until(
      `${JSON.stringify(wanted)} from process ${this.pid}`,
      () => {
        const found = this.said.find(isWanted);
        if (found === undefined && this.#exit !== null)
          throw new Error(`It ended (${this.#exit.code}) first:\n${this.#stdout}\n${this.#stderr}`);
        return found;
      },
      withinMs,
    );
  }
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGTERM: 15,
};

/** Ours, without what would make a server or a plugin behave otherwise than on a real machine. */
function environment(extra: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(BERTH|VITEST|NODE_OPTIONS|FORCE_COLOR|NODE_ENV)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...extra };
}
