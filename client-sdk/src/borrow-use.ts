import type { Share } from '@berth/protocol';
import { fileNameOf } from './borrow-file.js';
import type { Files, Host } from './host.js';
import { newKey } from './random.js';
import { object, parseJson, text, whole } from './shape.js';
import { timing } from './timing.js';

const markShape = object({ process: text, seenAtMs: whole });

/** A use that was begun: the marks to keep fresh and to remove. */
export interface BorrowUse {
  readonly marks: readonly string[];
}

/**
 * Which processes of this device use which borrowed seat: one small file a use in `state/<context>/uses/<seat>/`. Without a server
 * nobody else can tell that a seat is in use (a return must wait) or, with `share: process`, that it is taken.
 */
export class BorrowUses {
  readonly #host: Host;
  readonly #files: Files;
  readonly #folder: string;

  constructor(host: Host, files: Files, context: string) {
    this.#host = host;
    this.#files = files;
    this.#folder = `state/${context}/uses`;
  }

  /** Marks seats as in use. `null` when another process has one of them for itself. */
  async begin(seats: readonly string[], share: Share): Promise<BorrowUse | null> {
    const marks: string[] = [];
    for (const seat of seats) {
      const name = share === 'process' ? 'only' : newKey(this.#host);
      const mark = `${this.#folder}/${fileNameOf(seat)}/${name}.json`;
      if (!(await this.#create(mark))) {
        await this.end({ marks });
        return null;
      }
      marks.push(mark);
    }
    return { marks };
  }

  async end({ marks }: BorrowUse): Promise<void> {
    for (const mark of marks) await this.#files.remove(mark);
  }

  /** Says again that the use goes on: for processes on other computers that share the folder and cannot look. */
  async refresh({ marks }: BorrowUse): Promise<void> {
    for (const mark of marks) await this.#files.write(mark, this.#content());
  }

  /** True while a process that lives uses one of the seats. Forgets marks of processes that ended. */
  async inUse(seats: readonly string[]): Promise<boolean> {
    for (const seat of seats) {
      const folder = `${this.#folder}/${fileNameOf(seat)}`;
      for (const name of await this.#files.list(folder)) {
        if (await this.#isLive(`${folder}/${name}`)) return true;
        await this.#files.remove(`${folder}/${name}`);
      }
    }
    return false;
  }

  async #create(mark: string): Promise<boolean> {
    if (await this.#files.create(mark, this.#content())) return true;
    if (await this.#isLive(mark)) return false;
    await this.#files.remove(mark);
    return this.#files.create(mark, this.#content());
  }

  #content(): string {
    const content = { process: this.#host.process.id, seenAtMs: this.#host.clock.wallMs() };
    return `${JSON.stringify(content)}\n`;
  }

  async #isLive(path: string): Promise<boolean> {
    const json = await this.#files.read(path);
    const mark = json === null ? undefined : parseJson(json, markShape);
    if (mark === undefined) return false;
    const ageMs = this.#host.clock.wallMs() - mark.seenAtMs;
    const alive = await this.#host.process.isAlive(mark.process);
    return alive ?? Math.abs(ageMs) < timing.useMarkMs;
  }
}
