import type { Files, Host } from './host.js';
import { newKey } from './random.js';
import { listOf, object, oneOf, orNull, parseJson, type ShapeOf, text, whole } from './shape.js';
import { timing } from './timing.js';
import { sleep, unattended } from './waiting.js';

const wantShape = object({ products: listOf(text), seats: whole });
const askedShape = object({ key: text, nonce: text, wants: listOf(wantShape), askedAtMs: whole });

/** A checkout without an answer yet: what is needed to ask it again, exactly as it was asked. */
export type Asked = ShapeOf<typeof askedShape>;

const recordShape = object({
  process: text,
  seenAtMs: whole,
  /** `closed`: the client gave all of them back and the server has not confirmed it, so nobody uses them. */
  client: oneOf('open', 'closed'),
  leases: listOf(text),
  /** Missing in files that older versions wrote. */
  asked: orNull(listOf(askedShape)),
});

/** Checkouts without an answer that are kept: a client has few under way, and a server that answers none gives nothing. */
const ASKED_KEPT = 16;

/** Leases that nobody uses any more but that the server may still count, and the file that names them. */
export interface Orphans {
  readonly path: string;
  readonly leases: readonly string[];
  /** Checkouts whose answer nobody heard: the server may have granted them. */
  readonly asked: readonly Asked[];
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
  readonly #asked = new Map<string, Asked>();
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

  /**
   * Before a checkout is sent: a process that dies before it has heard the answer leaves a seat that nobody knows of but by this. On disk
   * when it resolves; a folder that cannot be written costs the record and not the seat.
   */
  asking({ key, nonce, wants }: Omit<Asked, 'askedAtMs'>): Promise<void> {
    this.#asked.set(key, { key, nonce, wants, askedAtMs: Math.round(this.#host.clock.wallMs()) });
    return this.#save();
  }

  /** While a checkout waits in line a seat may yet stand for it, however long ago it was first asked. Ends with the signal. */
  async keepAsking(key: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(this.#host, timing.askedMs / 2, signal);
      const asked = this.#asked.get(key);
      if (asked === undefined) return;
      await this.asking(asked);
    }
  }

  /** The checkout got these, or it is certain that it got nothing. On disk when it resolves. */
  answered(key: string, leases: readonly string[]): Promise<void> {
    this.#asked.delete(key);
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
    if (record === undefined) return { path, leases: [], asked: [] };
    const alive = await this.#host.process.isAlive(record.process);
    const asked = record.asked ?? [];
    if (alive === false || record.client === 'closed') return { path, leases: record.leases, asked };
    const ageMs = Math.abs(this.#host.clock.wallMs() - record.seenAtMs);
    return alive === null && ageMs > timing.ghostRecordMs ? { path, leases: [], asked: [] } : null;
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
    const seenAtMs = Math.round(this.#host.clock.wallMs());
    const leases = [...this.#leases];
    const asked = this.#unanswered(seenAtMs);
    if (leases.length + asked.length > 0) {
      this.#exists = true;
      const record = { process: this.#host.process.id, seenAtMs, client: this.#client, leases, asked };
      await this.#files.write(this.#path, `${JSON.stringify(record)}\n`, 'process');
    } else if (this.#exists) {
      await this.#files.remove(this.#path);
      this.#exists = false;
    }
  }

  /** Those that a seat may still stand for. */
  #unanswered(nowMs: number): Asked[] {
    for (const { key, askedAtMs } of this.#asked.values()) {
      if (Math.abs(nowMs - askedAtMs) > timing.askedMs) this.#asked.delete(key);
    }
    return [...this.#asked.values()].slice(-ASKED_KEPT);
  }
}
