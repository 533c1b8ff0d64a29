import type { Context, Host, Output, Progress } from './context.js';
import { clean, cut } from './output.js';
import { spanWords } from './words.js';

/** A command that takes no longer than this has nothing to tell. */
const patienceMs = 1000;
const redrawMs = 500;

/**
 * A line on the terminal while a command takes longer than a second: what it does and for how long. It is gone before anything else is
 * written or asked, and never there without a terminal.
 */
export class ProgressLine implements Progress {
  readonly #host: Host;
  readonly #fromMs: number;
  #doing = 'working';
  #drawn = false;
  /** Until this is 0 again somebody is being asked, or it is over. */
  #quiet = 0;
  #cancel: () => void;

  constructor(host: Host) {
    this.#host = host;
    this.#fromMs = host.nowMs();
    this.#cancel = host.stderr.isTty ? host.processes.after(patienceMs, () => this.#draw()) : () => undefined;
  }

  /** The host, whose output and questions make the line give way. */
  get host(): Host & Pick<Context, 'progress'> {
    const { stdin, stdout, stderr } = this.#host;
    return {
      ...this.#host,
      stdin: {
        isTty: stdin.isTty,
        readAll: () => this.#aside(() => stdin.readAll()),
        ask: (question, signal) => this.#aside(() => stdin.ask(question, signal)),
        askHidden: (question, signal) => this.#aside(() => stdin.askHidden(question, signal)),
      },
      stdout: this.#givingWay(stdout),
      stderr: this.#givingWay(stderr),
      progress: this,
    };
  }

  say(doing: string): void {
    this.#doing = doing;
    if (this.#drawn) this.#write();
  }

  end(): void {
    this.#quiet += 1;
    this.#cancel();
    this.#erase();
  }

  #draw(): void {
    if (this.#quiet > 0) return;
    this.#write();
    // A terminal that cannot take a line back is told once.
    if (!this.#isDumb) this.#cancel = this.#host.processes.after(redrawMs, () => this.#draw());
  }

  #write(): void {
    const { stderr, nowMs } = this.#host;
    const text = clean(`berth: ${this.#doing}, ${spanWords(nowMs() - this.#fromMs)}`);
    const line = cut(text, (stderr.columns ?? 80) - 1);
    stderr.write(this.#isDumb ? `${line}\n` : `\r\u001b[K${line}`);
    this.#drawn = !this.#isDumb;
  }

  #erase(): void {
    if (this.#drawn) this.#host.stderr.write('\r\u001b[K');
    this.#drawn = false;
  }

  get #isDumb(): boolean {
    return this.#host.env.TERM === 'dumb';
  }

  async #aside<T>(work: () => Promise<T>): Promise<T> {
    this.#quiet += 1;
    this.#cancel();
    this.#erase();
    try {
      return await work();
    } finally {
      this.#quiet -= 1;
      if (this.#quiet === 0 && this.#host.stderr.isTty)
        this.#cancel = this.#host.processes.after(patienceMs, () => this.#draw());
    }
  }

  #givingWay(output: Output): Output {
    return {
      isTty: output.isTty,
      get columns() {
        return output.columns;
      },
      colours: output.colours,
      get readerGone() {
        return output.readerGone;
      },
      write: (text) => {
        this.#erase();
        output.write(text);
      },
    };
  }
}
