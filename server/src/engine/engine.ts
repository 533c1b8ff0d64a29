import { rules, type Witness } from '@berth/protocol';
import { type Act, actOf } from '../domain/acts.js';
import { type Change, type ChangeType, isVolatile } from '../domain/changes.js';
import type { Command, CommandType, Context, Decision, Denial, Settled } from '../domain/commands.js';
import { mayBeServed } from '../domain/decide/checkout.js';
import { type Left, leftIn } from '../domain/decide/choose.js';
import { clockSeen, decide } from '../domain/decide/decide.js';
import { canPass, nextFreeAtMs } from '../domain/decide/denial.js';
import { mayBeDue, takeDue } from '../domain/due.js';
import { evolve } from '../domain/evolve.js';
import type { Now, State } from '../domain/state.js';
import { touched } from '../domain/touched.js';
import type { Position } from '../store/position.js';
import { encodeChanges, takeChangedRows } from '../store/records.js';
import type { ChangedRows } from '../store/state-store.js';
import type { JournalWriter } from './journal-writer.js';
import type { Place } from './place-teller.js';
import { type Waiter, WaitingLine } from './waiting-line.js';

export interface EngineOptions {
  readonly state: State;
  readonly journal: JournalWriter;
  readonly clock: { now(): Now };
  /** Fresh random ids starting with the letter. */
  readonly newId: (letter: string) => string;
  /** D for new online leases, seconds. */
  readonly leaseSeconds: number;
  readonly diskLow: () => boolean;
  /** Called once a group commit is durable, before its replies leave: rows for the state store, changes for pushes. */
  readonly onCommitted: (commit: Commit) => void;
  /** A commit failed. The process must stop at once (DESIGN 2): no reply of it will ever leave. */
  readonly onFatal: (error: unknown) => void;
}

export interface Commit {
  readonly position: Position;
  readonly changes: readonly Change[];
  readonly rows: ChangedRows;
  readonly seconds: number;
}

export interface Wait {
  readonly waitMs: number;
  /** Aborted when the connection ends. The place is kept for a while, in case the client comes back with the same key. */
  readonly signal: AbortSignal;
  readonly onPlace: (place: Place) => void;
}

interface Batch {
  readonly changes: Change[];
  /** The types among them. */
  readonly types: Set<ChangeType>;
  /** The rows that they touch, by id; `null`: any. */
  touched: Set<string> | null;
  readonly acts: Act[];
  readonly durable: Promise<void>;
  readonly settle: () => void;
}

/**
 * The single writer: command -> decide -> evolve -> pending batch -> durable -> reply. While one batch is synced, the next fills
 * (group commit). Nothing that was decided on changes that are not yet durable leaves before they are: not even a denial. A renewal
 * says what it rests on, so that it does not wait for the commits of others (decision 0004).
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #state: State;
  #pending: Batch | null = null;
  #inFlight: Batch | null = null;
  #witness: Witness | null = null;
  /** Accepts nothing more. */
  #stopped = false;
  /** And answers nothing more. */
  #failed = false;
  readonly #line = new WaitingLine();
  /** The latest that the wall clock said since the last tick. */
  #wallMs = Number.NEGATIVE_INFINITY;
  /** Nobody waits any more: the server is going away. */
  #dismissed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#state = options.state;
  }

  /** Decides and applies a command at once; resolves when everything it did, and everything it rests on, is durable. */
  async submit<T extends CommandType>(command: Command<T>): Promise<Settled<T>> {
    if (this.#stopped) return never();
    const now = this.#options.clock.now();
    this.#expireDue(now);
    const decision = this.#apply(command, now);
    await this.#seenIsDurable(decision.ok ? decision.saw : undefined);
    return decision.ok ? { ok: true, outcome: decision.outcome } : decision;
  }

  /**
   * A checkout that waits in line if there is no seat: it resolves when it is served, when its time is over, when it is cancelled or when
   * the server goes away. A seat that comes free is its in the same commit. The same checkout asked again while it waits stands in the
   * same place and gets the same answer (I7).
   */
  async submitWaiting(command: Command<'checkout'>, wait: Wait): Promise<Settled<'checkout'>> {
    if (this.#stopped) return never();
    const now = this.#options.clock.now();
    this.#expireDue(now);
    const settled = await this.#takeOrWait(command, wait, now);
    await this.#seenIsDurable();
    return settled.ok ? { ok: true, outcome: settled.outcome } : settled;
  }

  #takeOrWait(
    command: Command<'checkout'>,
    wait: Wait,
    now: Now,
  ): Settled<'checkout'> | Promise<Settled<'checkout'>> {
    const standing = this.#line.find(command);
    if (standing !== undefined && standing.command.request.hash !== command.request.hash)
      return { ok: false, code: 'KEY_REUSED' };
    // In the same turn as the denial: a seat that comes free a moment later finds the waiter in line.
    const decision = this.#apply(command, now, this.#line.ahead(command));
    if (decision.ok) this.#line.answered(command, decision);
    if (decision.ok || !canPass(decision) || wait.signal.aborted) return decision;
    if (this.#dismissed) return { ok: false, code: 'DRAINING' };
    if (standing === undefined && !this.#line.hasRoom(command.by.device)) return lineFull(decision);
    return this.#waitInLine(command, decision, wait, now);
  }

  #waitInLine(
    command: Command<'checkout'>,
    denial: Denial,
    wait: Wait,
    now: Now,
  ): Promise<Settled<'checkout'>> {
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#line.leave(waiter, this.#options.clock.now().monoMs);
        resolve(denial);
      };
      const settle = (settled: Settled<'checkout'>): void => {
        wait.signal.removeEventListener('abort', leave);
        resolve(settled);
      };
      const waiter: Waiter = { command, untilMs: now.monoMs + wait.waitMs, settle, onPlace: wait.onPlace };
      wait.signal.addEventListener('abort', leave, { once: true });
      this.#line.join(waiter, denial, now.monoMs, (product) => nextFreeAtMs(this.#state, product, now));
    });
  }

  /** The client of a waiting checkout does not want it any more. @returns whether it waited */
  cancelWaiting(device: string, key: string): boolean {
    return this.#line.cancel(device, key);
  }

  /** Ends every wait: the server is going away. */
  dismissWaiting(): void {
    this.#dismissed = true;
    this.#line.dismiss({ ok: false, code: 'DRAINING' });
  }

  /** Product -> checkouts that wait for it, for metrics. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#line.waiting;
  }

  /** Reads the state as of now; resolves when everything it saw is durable. `view` must return plain data, no rows to edit. */
  async read<R>(view: (state: State, now: Now) => R): Promise<R> {
    if (this.#stopped) return never();
    const now = this.#options.clock.now();
    this.#expireDue(now);
    const result = view(this.#state, now);
    await this.#seenIsDurable();
    return result;
  }

  /**
   * As `read`, for a view that sees nothing but what changes of these types make: it waits only for a commit that has one. What is asked of an answer whose own
   * commit is durable does not wait for the next one too (decision 0004).
   */
  readOf<R>(types: ReadonlySet<ChangeType>, view: (state: State, now: Now) => R): R | Promise<R> {
    const sees = (batch: Batch | null): boolean =>
      batch !== null && [...types].some((type) => batch.types.has(type));
    return this.#stopped || sees(this.#pending) || sees(this.#inFlight)
      ? this.read(view)
      : view(this.#state, this.#options.clock.now());
  }

  /** As `read`, and with what a decision is given: for a decision that is not carried out. */
  async ask<R>(view: (state: State, context: Context) => R): Promise<R> {
    return await this.read((state, now) => view(state, this.#context(now, this.#line.kept)));
  }

  /** What `submit` would answer now to a command without a key: decided as it would be, and not carried out. */
  async would<T extends CommandType>(command: Command<T>): Promise<Settled<T>> {
    return await this.ask((state, context) => {
      const decision = decide(state, command, context);
      return decision.ok ? { ok: true, outcome: decision.outcome } : decision;
    });
  }

  /** Ends what is due; the ticker calls it when nothing else happens. */
  tick(): void {
    if (this.#stopped) return;
    const now = this.#options.clock.now();
    this.#expireDue(now);
    // What a clock that was ahead took for about to end has time for a lease again.
    if (now.wallMs < this.#wallMs) this.#line.stalled = true;
    this.#wallMs = now.wallMs;
    if (this.#line.stalled) this.#serveLine(now);
    this.#line.giveUp(now.monoMs, (command) => this.#apply(command, now, this.#line.ahead(command)));
    this.#line.tell(now.monoMs, (product) => nextFreeAtMs(this.#state, product, now));
  }

  /** Accepts nothing more and waits for what is pending. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await (this.#pending ?? this.#inFlight)?.durable;
  }

  get position(): Position {
    return this.#options.journal.position;
  }

  /** The last durable position as leases carry it (I10). */
  get witness(): Witness {
    const { seq, hash } = this.position;
    if (this.#witness?.seq !== seq) {
      const epoch = this.#state.tables.organisation.get('self')?.epoch ?? '';
      this.#witness = { epoch, seq, head: Buffer.from(hash, 'hex').toString('base64url') };
    }
    return this.#witness;
  }

  #expireDue(now: Now): void {
    if (!mayBeDue(this.#state, now)) return;
    for (const due of takeDue(this.#state, now)) this.#apply({ type: 'expire', due }, now);
  }

  #apply<T extends CommandType>(command: Command<T>, now: Now, awaited = this.#line.kept): Decision<T> {
    this.#wallMs = Math.max(this.#wallMs, now.wallMs);
    const decision = decide(this.#state, command, this.#context(now, awaited));
    if (!decision.ok) return decision;
    const durable = decision.changes.filter((change) => !isVolatile(change));
    // Before they are applied: what was there before them is gone then.
    const act = durable.length === 0 ? null : actOf(this.#state, command, durable, now);
    const rows = durable.map((change) => touched(this.#state, change));
    this.#evolve(decision.changes, now);
    if (act !== null) this.#enqueue(durable, rows, act, now);
    if (durable.some(mayRipen)) this.#settlePending(now);
    // Whoever gave seats up for others may have taken fewer: the next tick looks, since this may be the line being served.
    if (durable.some(isGivenUp)) this.#line.stalled = true;
    if (this.#line.size > 0 && durable.some((change) => mayFree(change))) this.#serveLine(now);
    return decision;
  }

  #context(now: Now, awaited: Context['awaited']): Context {
    const { newId, leaseSeconds, diskLow } = this.#options;
    return { now, witness: this.witness, newId, leaseSeconds, diskLow: diskLow(), awaited };
  }

  /** In the same turn as the change that ended a borrow, so in the same commit (I8). */
  #settlePending(now: Now): void {
    for (let more = true; more && this.#state.derived.pending.size > 0; ) {
      const decision = this.#apply({ type: 'settlePending' }, now);
      more = decision.ok && decision.changes.length > 0;
    }
  }

  /** In the same turn as the change that freed a seat, so in the same commit. */
  #serveLine(now: Now): void {
    const known = new Map<string, Left>();
    const leftOf = (product: string): Left => {
      const left = known.get(product) ?? leftIn(this.#state, product, now);
      known.set(product, left);
      return left;
    };
    this.#line.serve((command, ahead) => {
      if (!mayBeServed(this.#state, command, ahead, leftOf)) return null;
      const decision = this.#apply(command, now, ahead);
      if (decision.ok) known.clear();
      return decision;
    }, now.monoMs);
  }

  #evolve(changes: readonly Change[], now: Now): void {
    try {
      for (const change of changes) evolve(this.#state, change, now.monoMs);
    } catch (error) {
      // evolve cannot fail; if it does, the state in memory is not to be trusted any more (DESIGN 1).
      this.#stopped = true;
      this.#failed = true;
      this.#options.onFatal(error);
      throw error;
    }
  }

  #enqueue(
    changes: readonly Change[],
    rows: readonly (readonly string[] | null)[],
    act: Omit<Act, 'first'>,
    now: Now,
  ): void {
    const seen = clockSeen(this.#state, now.steadyWallMs);
    if (seen !== null) evolve(this.#state, seen, now.monoMs);
    if (this.#pending === null) {
      this.#pending = newBatch();
      // After the current turn: every command of the same burst of frames shares the commit.
      if (this.#inFlight === null) queueMicrotask(() => void this.#commitAll());
    }
    this.#pending.acts.push({ first: this.#pending.changes.length, ...act });
    this.#pending.changes.push(...changes, ...(seen === null ? [] : [seen]));
    for (const { type } of changes) this.#pending.types.add(type);
    for (const ids of rows) touch(this.#pending, ids);
  }

  async #commitAll(): Promise<void> {
    if (this.#inFlight !== null) return;
    try {
      while (this.#pending !== null) {
        this.#inFlight = this.#pending;
        this.#pending = null;
        await this.#commit(this.#inFlight);
        this.#inFlight.settle();
      }
      this.#inFlight = null;
    } catch (error) {
      this.#stopped = true; // and #inFlight stays: whoever waits for it waits for ever
      this.#failed = true;
      this.#options.onFatal(error);
    }
  }

  async #commit(batch: Batch): Promise<void> {
    // The rows as they are now belong to exactly this batch: the next one has not begun.
    const rows = takeChangedRows(this.#state);
    const startedMs = this.#options.clock.now().monoMs;
    const position = await this.#options.journal.append(encodeChanges(batch.changes, batch.acts));
    const seconds = (this.#options.clock.now().monoMs - startedMs) / 1000;
    this.#options.onCommitted({ position, changes: batch.changes, rows, seconds });
  }

  /** @param saw the rows that an answer rests on: it waits only for what touches one of them. Left out: for everything. */
  async #seenIsDurable(saw?: readonly string[]): Promise<void> {
    const rests = (batch: Batch): boolean =>
      saw === undefined || batch.touched === null || saw.some((id) => batch.touched?.has(id));
    // The later one first: it is durable after the other.
    await [this.#pending, this.#inFlight].find((batch) => batch !== null && rests(batch))?.durable;
    if (this.#failed) await never();
  }
}

function touch(batch: Batch, ids: readonly string[] | null): void {
  if (ids === null) batch.touched = null;
  else for (const id of ids) batch.touched?.add(id);
}

/** True for a change after which a pending revoke or removal may have nothing to wait for any more. */
function mayRipen(change: Change): boolean {
  if (change.type === 'lease.ended') return change.reason === 'returned' || change.reason === 'expired';
  return change.type === 'entitlement.put' || change.type === 'entitlement.state';
}

/** Changes that bring nobody in line a seat. After any other they are tried again; so serving the line never begins anew. */
const freesNothing: ReadonlySet<ChangeType> = new Set<ChangeType>([
  'seat.taken',
  'seat.resumed',
  'lease.granted',
  'request.kept',
  'request.dropped',
  'clock.seen',
  'session.superseded',
  'journal.checkpoint',
  'journal.pruned',
]);

function mayFree(change: Change): boolean {
  return !freesNothing.has(change.type) && !isGivenUp(change);
}

function isGivenUp(change: Change): boolean {
  return change.type === 'seat.freed' && change.reason === 'given up';
}

function lineFull(denial: Denial): Denial {
  return { ...denial, message: rules.LINE_FULL, detail: { ...denial.detail, rule: 'LINE_FULL' } };
}

function newBatch(): Batch {
  let settle = (): void => {};
  const durable = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { changes: [], types: new Set(), touched: new Set(), acts: [], durable, settle };
}

/** Fail-stop: once a write failed, nobody gets an answer any more (DESIGN 2). */
function never(): Promise<never> {
  return new Promise(() => {});
}
