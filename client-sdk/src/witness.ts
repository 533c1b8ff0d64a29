import type { ParamsOf } from '@berth/protocol';
import type { Files, Host } from './host.js';
import { object, parseJson, text, whole } from './shape.js';
import { timing } from './timing.js';
import type { CheckedLease } from './token-check.js';

const witnessShape = object({ epoch: text, seq: whole, head: text });
/** Files of older versions have none. */
const tokenShape = object({ token: text });

/** With the lease that names it: a server that has no such record believes that and nothing else. */
type Witness = NonNullable<ParamsOf<'session.open'>['witness']>;

/**
 * The highest journal position seen in a lease of this server (I9, I10): presented when a session opens, so that a server whose data
 * folder was rolled back finds out. Epochs have no order; a new one comes from a restore and is the later one.
 */
export class WitnessFile {
  readonly #host: Host;
  readonly #files: Files;
  readonly #path: string;
  #highest: Witness | undefined;
  #written: Witness | undefined;
  #writtenAtMs = Number.NEGATIVE_INFINITY;

  private constructor(host: Host, files: Files, path: string) {
    this.#host = host;
    this.#files = files;
    this.#path = path;
  }

  static async open(host: Host, files: Files, context: string): Promise<WitnessFile> {
    const file = new WitnessFile(host, files, `state/${context}/witness.json`);
    file.#highest = file.#written = await file.#stored();
    return file;
  }

  get highest(): Witness | undefined {
    return this.#highest;
  }

  /** Remembers the position a verified lease names; writes it now and then. */
  see({ claims, pair }: CheckedLease): void {
    const { epoch, seq, head } = claims;
    this.#highest = higher(this.#highest, { epoch, seq, head, token: pair.lease });
    if (this.#host.clock.monoMs() - this.#writtenAtMs < timing.witnessMs) return;
    void this.save();
  }

  /** Writes it if it has changed. A witness that cannot be written is kept in memory only: it must not cost a seat. */
  async save(): Promise<void> {
    if (this.#highest === undefined || this.#highest === this.#written) return;
    this.#writtenAtMs = this.#host.clock.monoMs();
    try {
      // Another process of this device may have seen more.
      const highest = higher(await this.#stored(), this.#highest);
      await this.#files.write(this.#path, `${JSON.stringify(highest)}\n`);
      this.#written = this.#highest;
    } catch {
      this.#written = undefined;
    }
  }

  async #stored(): Promise<Witness | undefined> {
    const json = await this.#files.read(this.#path).catch(() => null);
    const witness = json === null ? undefined : parseJson(json, witnessShape);
    return witness && { ...witness, ...parseJson(json!, tokenShape) };
  }
}

function higher(known: Witness | undefined, seen: Witness): Witness {
  return known?.epoch === seen.epoch && known.seq >= seen.seq ? known : seen;
}
