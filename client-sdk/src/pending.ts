import { extensionShape } from './borrow-file.js';
import { BerthError } from './errors.js';
import type { Files, Host } from './host.js';
import { listOf, object, orNull, parseJson, type Shape, type ShapeOf, text, whole } from './shape.js';
import { timing } from './timing.js';

const owner = { key: text, owner: text, createdAtMs: whole };

const takeShape = object({
  ...owner,
  product: text,
  seats: whole,
  seconds: whole,
  wallMs: whole,
  nonce: text,
  extend: orNull(extensionShape),
});
const returnShape = object({ ...owner, stops: listOf(text), leases: listOf(text) });

/** A `borrow.take` whose result is not on disk yet, exactly as it was sent. */
export type PendingTake = ShapeOf<typeof takeShape>;
/** A `borrow.return` that the server has not confirmed yet. Its leases are no longer used: the stops are signed. */
export type PendingReturn = ShapeOf<typeof returnShape>;

interface Kinds {
  readonly take: PendingTake;
  readonly return: PendingReturn;
}
const shapes: { readonly [K in keyof Kinds]: Shape<Kinds[K]> } = { take: takeShape, return: returnShape };

/**
 * Requests about borrows that are under way, in `state/<context>/pending/`: written before they are sent, so that after a crash the
 * same request is repeated and no second seat is taken (I7).
 */
export class PendingRequests {
  readonly #host: Host;
  readonly #files: Files;
  readonly #folder: string;
  /** Keys this process works on at the moment. */
  readonly #mine = new Set<string>();
  /** Keys this process has given up on for now. */
  readonly #left = new Set<string>();

  constructor(host: Host, files: Files, context: string) {
    this.#host = host;
    this.#files = files;
    this.#folder = `state/${context}/pending`;
  }

  /** @throws BerthError FOLDER_UNWRITABLE */
  async begin<K extends keyof Kinds>(
    kind: K,
    request: Omit<Kinds[K], 'owner' | 'createdAtMs'>,
  ): Promise<void> {
    const { key } = request;
    if (typeof key !== 'string') throw new BerthError('INTERNAL');
    this.#mine.add(key);
    const createdAtMs = this.#host.clock.wallMs();
    const content = { ...request, owner: this.#host.process.id, createdAtMs };
    await this.#files.write(this.#path(kind, key), `${JSON.stringify(content)}\n`);
  }

  /** It has its answer, and what follows from it is on disk. */
  async end(kind: keyof Kinds, key: string): Promise<void> {
    await this.#files.remove(this.#path(kind, key));
    this.#mine.delete(key);
  }

  /** This process gives up on it for now: it is repeated when there is a connection again. */
  leave(key: string): void {
    this.#mine.delete(key);
    this.#left.add(key);
  }

  /** What nobody works on: left by a process that ended, or by this one. Claims it for this process. */
  async claim<K extends keyof Kinds>(
    kind: K,
    wanted: (request: Kinds[K]) => boolean = () => true,
  ): Promise<Kinds[K][]> {
    const claimed: Kinds[K][] = [];
    for (const request of await this.all(kind)) {
      const { key } = request;
      if (this.#mine.has(key) || !wanted(request) || !(await this.#isOrphan(request))) continue;
      // Asked again: another claim of this process may have been faster.
      if (this.#mine.has(key)) continue;
      this.#left.delete(key);
      this.#mine.add(key);
      claimed.push(request);
    }
    return claimed;
  }

  async all<K extends keyof Kinds>(kind: K): Promise<Kinds[K][]> {
    const names = (await this.#files.list(this.#folder)).filter(
      (name) => name.startsWith(`${kind}-`) && name.endsWith('.json'),
    );
    const requests: Kinds[K][] = [];
    for (const name of names) {
      const json = await this.#files.read(`${this.#folder}/${name}`);
      const request = json === null ? undefined : parseJson(json, shapes[kind]);
      if (request !== undefined) requests.push(request);
    }
    return requests;
  }

  async #isOrphan(request: { key: string; owner: string; createdAtMs: number }): Promise<boolean> {
    if (this.#left.has(request.key) || (await this.#host.process.isAlive(request.owner)) === false)
      return true;
    // Nobody works on one request for this long: its process hangs, or runs on a computer we cannot see.
    return this.#host.clock.wallMs() - request.createdAtMs > timing.pendingOwnerMs;
  }

  #path(kind: keyof Kinds, key: string): string {
    return `${this.#folder}/${kind}-${key}.json`;
  }
}
