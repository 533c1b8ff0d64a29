import type { Files, Host } from './host.js';
import { newKey } from './random.js';
import { listOf, object, oneOf, parseJson, text, whole } from './shape.js';
import { timing } from './timing.js';
import { unattended } from './waiting.js';

const recordShape = object({
  process: text,
  seenAtMs: whole,
  /** `closed`: the client gave all of them back and the server has not confirmed it, so nobody uses them. */
  client: oneOf('open', 'closed'),
  leases: listOf(text),
});

/** Leases that nobody uses any more but that the server may still count, and the file that names them. */
export interface Orphans {
  readonly path: string;
  readonly leases: readonly string[];
}

/**
 * Which online leases this client has, in a file of its own under `state/<context>/leases/`: when its process dies without giving them
 * back, the next one of the device does (ghosts.ts). It need not survive a loss of power: it speaks of a process of this boot.
 */
export class LeaseRecord {
  readonly #host: Host;
  readonly #files: Files;
  readonly #folder: string;
  readonly #path: string;
  readonly #leases = new Set<string>();
  #client: 'open' | 'closed' = 'open';
  #written: Promise<void> = Promise.resolve();
  #isStale = false;
  #exists = false;

  constructor(host: Host, files: Files, context: string) {
    this.#host = host;
    this.#files = files;
    this.#folder = `state/${context}/leases`;
    this.#path = `${this.#folder}/${newKey(host)}.json`;
  }

  /** On disk when it resolves; a folder that cannot be written costs the record and not the seat. */
  add(leases: readonly string[]): Promise<void> {
    for (const id of leases) this.#leases.add(id);
    return this.#save();
  }

  /** The server has confirmed that they ended, or their windows are over, or they are a borrow now. */
  remove(leases: readonly string[]): void {
    if (this.#client === 'closed') return;
    const before = this.#leases.size;
    for (const id of leases) this.#leases.delete(id);
    if (this.#leases.size !== before) unattended(this.#save());
  }

  /** Nothing is used any more. What is still in the record was given back in vain: the next client may do it, in this process too. */
  close(): Promise<void> {
    this.#client = 'closed';
    return this.#save();
  }

  /** What other processes left behind: only of those that certainly run no more, and what a client gave back in vain. */
  async orphans(): Promise<Orphans[]> {
    const found: Orphans[] = [];
    for (const name of await this.#files.list(this.#folder)) {
      const path = `${this.#folder}/${name}`;
      const orphans = path === this.#path ? null : await this.#judge(path);
      if (orphans !== null) found.push(orphans);
    }
    return found;
  }

  async forget({ path }: Orphans): Promise<void> {
    await this.#files.remove(path);
  }

  async #judge(path: string): Promise<Orphans | null> {
    const json = await this.#files.read(path);
    if (json === null) return null;
    const record = parseJson(json, recordShape);
    if (record === undefined) return { path, leases: [] };
    const alive = await this.#host.process.isAlive(record.process);
    if (alive === false || record.client === 'closed') return { path, leases: record.leases };
    const ageMs = Math.abs(this.#host.clock.wallMs() - record.seenAtMs);
    return alive === null && ageMs > timing.ghostRecordMs ? { path, leases: [] } : null;
  }

  /** One write at a time; what changes meanwhile is in the next. */
  #save(): Promise<void> {
    if (this.#isStale) return this.#written;
    this.#isStale = true;
    this.#written = this.#written.then(() => this.#write()).catch(() => undefined);
    return this.#written;
  }

  async #write(): Promise<void> {
    this.#isStale = false;
    const leases = [...this.#leases];
    if (leases.length > 0) {
      this.#exists = true;
      const seenAtMs = Math.round(this.#host.clock.wallMs());
      const record = { process: this.#host.process.id, seenAtMs, client: this.#client, leases };
      await this.#files.write(this.#path, `${JSON.stringify(record)}\n`, 'process');
    } else if (this.#exists) {
      await this.#files.remove(this.#path);
      this.#exists = false;
    }
  }
}
