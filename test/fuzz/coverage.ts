import { type Profiler, Session } from 'node:inspector';

type Script = Profiler.ScriptCoverage;

/** Which code of the covered scripts has ever run, by V8's own count of blocks. Taken for a batch of inputs: each look costs milliseconds. */
export class Coverage {
  readonly #session = new Session();
  readonly #covers: readonly string[];
  /** Script -> a byte for each character: 1 once it has run. */
  readonly #seen = new Map<string, Uint8Array>();

  constructor(covers: readonly string[]) {
    this.#covers = covers;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.resume();
  }

  /** Characters of code that have run. */
  get covered(): number {
    let sum = 0;
    for (const seen of this.#seen.values()) for (const byte of seen) sum += byte;
    return sum;
  }

  /**
   * Code that ran since the last look and never before, in characters.
   * @param remember false: it counts as new the next time as well
   */
  fresh(remember = true): number {
    let found = 0;
    for (const script of this.#take()) {
      if (this.#covers.some((part) => script.url.includes(part))) found += this.#look(script, remember);
    }
    return found;
  }

  /** Counting makes code slow: not while time is measured. */
  pause(): void {
    this.#post('Profiler.stopPreciseCoverage');
  }

  resume(): void {
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  close(): void {
    this.#session.disconnect();
  }

  #post(method: 'Profiler.enable' | 'Profiler.stopPreciseCoverage'): void {
    this.#session.post(method);
  }

  #take(): readonly Script[] {
    let scripts: readonly Script[] = [];
    // Called at once, before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (_error, answer) => {
      scripts = answer?.result ?? [];
    });
    return scripts;
  }

  #look({ url, functions }: Script, remember: boolean): number {
    let found = 0;
    for (const { ranges } of functions) {
      const [whole] = ranges;
      if (whole === undefined || whole.count === 0) continue;
      const ran = new Uint8Array(whole.endOffset - whole.startOffset);
      // From the outside in: each range says more precisely what the one around it said.
      for (const { startOffset, endOffset, count } of ranges)
        ran.fill(count > 0 ? 1 : 0, startOffset - whole.startOffset, endOffset - whole.startOffset);
      const seen = this.#upTo(url, whole.endOffset);
      for (let i = 0; i < ran.length; i++) {
        if (ran[i] === 0 || seen[whole.startOffset + i] === 1) continue;
        if (remember) seen[whole.startOffset + i] = 1;
        found++;
      }
    }
    return found;
  }

  #upTo(url: string, end: number): Uint8Array {
    const seen = this.#seen.get(url) ?? new Uint8Array(0);
    if (seen.length >= end) return seen;
    const longer = new Uint8Array(Math.max(end, seen.length * 2));
    longer.set(seen);
    this.#seen.set(url, longer);
    return longer;
  }
}
