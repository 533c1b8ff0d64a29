import type { Command, CommandType, Settled } from '@berth/server/domain/commands';
import { decide } from '@berth/server/domain/decide/decide';
import { requestId, type State } from '@berth/server/domain/state';
import { type Commit, Engine, type EngineOptions, type Wait } from '@berth/server/engine/engine';
import type { JournalWriter } from '@berth/server/engine/journal-writer';
import type { Owner } from './sim-time.js';
import { WatchedLine } from './watched-line.js';

interface Watch {
  /** The process of the server: of one that is gone nobody hears. */
  readonly owner: Owner;
  readonly onWrong: (text: string) => void;
}

type View<R> = Parameters<typeof Engine.prototype.read<R>>[0];

/** The real engine, with somebody who sees what its callers cannot: what an answer rests on, for whom a seat is taken from the line, and who is left in it. */
export class WatchedEngine extends Engine {
  readonly #reads: WatchedReads;
  readonly #waits: WatchedWaits;
  readonly #places: WatchedLine;
  readonly #options: EngineOptions;

  constructor({ owner, onWrong, ...options }: EngineOptions & Watch) {
    const onViolation = (text: string): void => {
      if (!owner.dead) onWrong(text);
    };
    const reads = new WatchedReads(options.state, onViolation);
    const waits = new WatchedWaits(onViolation);
    super({
      ...options,
      journal: reads.over(options.journal),
      newId: (letter) => waits.made(letter, options.newId(letter)),
      onCommitted: (commit) => {
        waits.committed(commit);
        reads.stores(commit.rows);
        options.onCommitted(commit);
      },
    });
    this.#reads = reads;
    this.#waits = waits;
    this.#places = new WatchedLine(onViolation);
    this.#options = options;
  }

  override submit<T extends CommandType>(command: Command<T>): Promise<Settled<T>> {
    return this.#reads.refusal(this.#waits.during(requestOf(command), () => super.submit(command)));
  }

  override submitWaiting(command: Command<'checkout'>, wait: Wait): Promise<Settled<'checkout'>> {
    const id = requestOf(command)!;
    return this.#reads.waited(wait, (seen) => {
      const watched = this.#places.stands(id, command, seen);
      const settled = this.#waits.during(id, () =>
        this.#waits.open(id, watched, super.submitWaiting(command, watched)),
      );
      return settled.finally(() => this.#places.left(id, watched));
    });
  }

  override tick(): void {
    super.tick();
    this.#places.look((command) => this.#wouldGrant(command));
  }

  /** Asked by somebody whom nobody stands before. Nothing of it is carried out, and its ids are nobody's. */
  #wouldGrant(command: Command<'checkout'>): boolean {
    const { state, clock, leaseSeconds, diskLow } = this.#options;
    const newId = (letter: string): string => `${letter}-of-nobody`;
    const asked = { now: clock.now(), witness: this.witness, newId, leaseSeconds, diskLow: diskLow() };
    return decide(state, command, { ...asked, awaited: new Map() }).ok;
  }

  override async read<R>(view: View<R>): Promise<R> {
    let saw = 0;
    const answer = await super.read((state, now) => {
      saw = this.#reads.decided;
      return view(state, now);
    });
    this.#reads.leaves(saw);
    return answer;
  }
}

function requestOf<T extends CommandType>(command: Command<T>): string | null {
  if (command.type !== 'checkout') return null;
  const { device, key } = (command as unknown as Command<'checkout'>).request;
  return requestId(device, key);
}

interface Watched {
  has(id: string): boolean;
  set(id: string, row: never): void;
  delete(id: string): void;
}

/**
 * I6: an answer leaves when all that the state had as it was made is durable, and what is stored of the state is what its record led to. Records are counted
 * from the start of the process.
 */
export class WatchedReads {
  readonly #onViolation: (text: string) => void;
  #begun = 0;
  #durable = 0;
  /** Rows that have changed and that no record has, as they are now; `null`: deleted. */
  #ahead = new Map<string, unknown>();
  /** Those of the record that is being written. */
  #written = new Map<string, unknown>();

  constructor({ tables }: State, onViolation: (text: string) => void) {
    this.#onViolation = onViolation;
    for (const [name, table] of Object.entries(tables)) this.#watch(name, table);
  }

  /** A row changes in no other way. */
  #watch(name: string, table: Watched): void {
    const set = table.set.bind(table);
    const remove = table.delete.bind(table);
    table.set = (id, row) => {
      this.#ahead.set(`${name}/${id}`, row);
      set(id, row);
    };
    table.delete = (id) => {
      if (table.has(id)) this.#ahead.set(`${name}/${id}`, null);
      remove(id);
    };
  }

  /** The record that has the last change of a row; it may be still to be written. */
  get decided(): number {
    return this.#begun + (this.#ahead.size > 0 ? 1 : 0);
  }

  over(journal: JournalWriter): JournalWriter {
    return {
      get position() {
        return journal.position;
      },
      append: async (payload) => {
        this.#begun++;
        this.#written = this.#ahead;
        this.#ahead = new Map();
        const position = await journal.append(payload);
        this.#durable++;
        return position;
      },
    };
  }

  /** A denial rests on all that is there as it is decided: in the turn in which this is called. */
  async refusal<R extends { readonly ok: boolean }>(settled: Promise<R>): Promise<R> {
    const saw = this.decided;
    const answer = await settled;
    if (!answer.ok) this.leaves(saw);
    return answer;
  }

  /** The denial of one that waits rests on all that is there as its wait ends: in that turn the engine listens to its connection no more. */
  async waited<R extends { readonly ok: boolean }>(wait: Wait, ask: (wait: Wait) => Promise<R>): Promise<R> {
    let saw = 0;
    const signal = new Proxy(wait.signal, {
      get: (target, name) => {
        if (name === 'removeEventListener') saw = this.decided;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const settled = ask({ ...wait, signal });
    saw = this.decided;
    const answer = await settled;
    if (!answer.ok) this.leaves(saw);
    return answer;
  }

  /** A start goes on from what was stored and replays what follows: a row of a later record, stored as of this one, would be there without it. */
  stores(rows: ReadonlyMap<string, unknown>): void {
    const other = [...rows].find(([key, row]) => this.#written.get(key) !== row);
    if (other !== undefined || rows.size !== this.#written.size)
      this.#onViolation(`I6: ${other?.[0] ?? 'a row'} is stored otherwise than its record left it`);
  }

  leaves(saw: number): void {
    if (this.#durable < saw) this.#onViolation('I6: an answer leaves before what it tells of is durable');
  }
}

/** PROTOCOL 8.1: a place in line is passed over while nobody waits for its answer. */
export class WatchedWaits {
  readonly #onViolation: (text: string) => void;
  /** By the id of the request: whose connections have not ended. */
  readonly #open = new Map<string, Set<Wait>>();
  /** Lease -> the requests that somebody waited for as its id was made. */
  readonly #attended = new Map<string, ReadonlySet<string>>();
  /** The request that is decided right now. */
  #asking: string | null = null;

  constructor(onViolation: (text: string) => void) {
    this.#onViolation = onViolation;
  }

  during<R>(id: string | null, ask: () => R): R {
    this.#asking = id;
    try {
      return ask();
    } finally {
      this.#asking = null;
    }
  }

  async open<R>(id: string, wait: Wait, settled: Promise<R>): Promise<R> {
    const waits = this.#open.get(id) ?? new Set();
    this.#open.set(id, waits.add(wait));
    try {
      return await settled;
    } finally {
      waits.delete(wait);
    }
  }

  /** Whoever decides to grant makes an id of a lease first. */
  made(letter: string, id: string): string {
    if (letter === 'l' && this.#open.size > 0) this.#attended.set(id, this.#attendedNow());
    return id;
  }

  #attendedNow(): Set<string> {
    const attended = new Set<string>();
    if (this.#asking !== null) attended.add(this.#asking);
    for (const [id, waits] of this.#open)
      if ([...waits].some(({ signal }) => !signal.aborted)) attended.add(id);
    return attended;
  }

  committed({ changes }: Commit): void {
    for (const change of changes) {
      if (change.type !== 'request.kept' || change.request.method !== 'checkout') continue;
      const { id, leases } = change.request;
      const attended = this.#attended.get(leases[0] ?? '');
      if (this.#open.has(id) && attended?.has(id) === false)
        this.#onViolation(`the wait "${id}" is granted while nobody waits for its answer`);
      this.#open.delete(id);
    }
    for (const change of changes)
      if (change.type === 'lease.granted') this.#attended.delete(change.lease.claims.jti);
  }
}
