import type { Share } from '@berth/protocol';
import { fileNameOf } from './borrow-file.js';
import type { Files, Host } from './host.js';
import { newKey, randomBetween } from './random.js';
import { object, oneOf, orNull, parseJson, type ShapeOf, text, whole } from './shape.js';
import { timing } from './timing.js';
import { sleep } from './waiting.js';

/** `asking`: made by somebody who still looks whether he is alone. */
const markShape = object({ process: text, seenAtMs: whole, stage: orNull(oneOf('asking')) });
type Stage = ShapeOf<typeof markShape>['stage'];

/** A use that was begun: the marks to keep fresh and to remove. */
export interface BorrowUse {
  readonly marks: readonly string[];
}

/**
 * Which processes of this device use which borrowed seat: one small file a use in `state/<context>/uses/<seat>/`. Without a server
 * nobody else can tell that a seat is in use (a return must wait) or, with `share: process`, that it is taken. Each mark has a name that
 * only its maker uses, so that whoever removes the mark of a dead process cannot hit one that was made since.
 */
export class BorrowUses {
  readonly #host: Host;
  readonly #files: Files;
  readonly #folder: string;
  /** Marks of this process that were not ended: refreshing must not bring one back. */
  readonly #open = new Set<string>();

  constructor(host: Host, files: Files, context: string) {
    this.#host = host;
    this.#files = files;
    this.#folder = `state/${context}/uses`;
  }

  /** Marks seats as in use. `null` when another process has one of them for itself. */
  async begin(seats: readonly string[], share: Share): Promise<BorrowUse | null> {
    const marks: string[] = [];
    for (const seat of seats) {
      const folder = this.#folderOf(seat);
      const mark = share === 'process' ? await this.#alone(folder) : await this.#mark(folder, null);
      if (mark === null) {
        await this.end({ marks });
        return null;
      }
      marks.push(mark);
    }
    return { marks };
  }

  async end({ marks }: BorrowUse): Promise<void> {
    for (const mark of marks) this.#open.delete(mark);
    for (const mark of marks) await this.#files.remove(mark);
  }

  /** Says again that the use goes on: for processes on other computers that share the folder and cannot look. */
  async refresh({ marks }: BorrowUse): Promise<void> {
    for (const mark of marks) {
      if (!this.#open.has(mark)) continue;
      await this.#files.write(mark, this.#content(null));
      if (!this.#open.has(mark)) await this.#files.remove(mark);
    }
  }

  /** True while a process that lives uses one of the seats. Forgets marks of processes that ended. */
  async inUse(seats: readonly string[]): Promise<boolean> {
    for (const seat of seats) {
      if ((await this.#others(this.#folderOf(seat), null)) !== 'none') return true;
    }
    return false;
  }

  /**
   * For `share: process`: marks first and looks around then, so that of two who begin in the same instant at least one sees the other and
   * gives way. Exclusive creation of one name would do until its maker dies: its removal and the next creation are two steps.
   * `null` when somebody else has the seat.
   */
  async #alone(folder: string): Promise<string | null> {
    for (let triesLeft = timing.useTries; ; triesLeft--) {
      const mark = await this.#mark(folder, 'asking');
      const others = await this.#others(folder, mark);
      if (others === 'none') {
        await this.#files.write(mark, this.#content(null));
        return mark;
      }
      await this.end({ marks: [mark] });
      if (others === 'using' || triesLeft <= 1) return null;
      // Both may have given way.
      await sleep(this.#host, randomBetween(this.#host, timing.useAgainMinMs, timing.useAgainMaxMs));
    }
  }

  async #mark(folder: string, stage: Stage): Promise<string> {
    const mark = `${folder}/${newKey(this.#host)}.json`;
    await this.#files.create(mark, this.#content(stage));
    this.#open.add(mark);
    return mark;
  }

  /** What other marks of a seat say. Forgets those of processes that ended. */
  async #others(folder: string, own: string | null): Promise<'none' | 'asking' | 'using'> {
    let found: 'none' | 'asking' = 'none';
    for (const name of await this.#files.list(folder)) {
      const path = `${folder}/${name}`;
      if (path === own) continue;
      const mark = await this.#live(path);
      if (mark === null) await this.#files.remove(path);
      else if (mark.stage === null) return 'using';
      else found = 'asking';
    }
    return found;
  }

  #folderOf(seat: string): string {
    return `${this.#folder}/${fileNameOf(seat)}`;
  }

  #content(stage: Stage): string {
    const content = { process: this.#host.process.id, seenAtMs: this.#host.clock.wallMs() };
    return `${JSON.stringify(stage === null ? content : { ...content, stage })}\n`;
  }

  /** `null` when its process has ended. */
  async #live(path: string): Promise<ShapeOf<typeof markShape> | null> {
    const json = await this.#files.read(path);
    const mark = json === null ? undefined : parseJson(json, markShape);
    if (mark === undefined) return null;
    const ageMs = this.#host.clock.wallMs() - mark.seenAtMs;
    const alive = await this.#host.process.isAlive(mark.process);
    return (alive ?? Math.abs(ageMs) < timing.useMarkMs) ? mark : null;
  }
}
