import { limits, type ParamsOf } from '@berth/protocol';
import type { By, Command, Denial, RequestKey, Settled } from '../domain/commands.js';
import { keptAnswer } from '../domain/decide/decide.js';
import type { Pruned } from '../domain/pruned.js';
import { organisationOf, type State } from '../domain/state.js';
import type { Base } from '../store/base.js';
import type { Journal } from '../store/journal.js';
import type { Position } from '../store/position.js';
import type { Dump, StateStore } from '../store/state-store.js';
import type { AuditLog } from './audit-log.js';
import { gone, heldBy, noBase, noEnd, otherHash, stopping, tooYoung } from './prune-refusals.js';

export interface PrunerOptions {
  readonly state: State;
  readonly journal: Pick<
    Journal,
    | 'endOfSegment'
    | 'roomForBase'
    | 'rebase'
    | 'adopt'
    | 'prune'
    | 'tidyBases'
    | 'segments'
    | 'base'
    | 'named'
  >;
  readonly audit: Pick<AuditLog, 'segments' | 'removing'>;
  /** Written out and then read as it was at one moment. */
  readonly store: Pick<StateStore, 'flush' | 'dump'>;
  /** Who makes backups of the same files. */
  readonly backups: { readonly isRead: boolean; alone<T>(work: () => Promise<T>): Promise<T> };
  /** Whether records that the start did not read are still being verified; `damaged`: something was found. */
  readonly older: () => 'reading' | 'damaged' | null;
  readonly submit: <T extends 'prune' | 'renewBase'>(command: Command<T>) => Promise<Settled<T>>;
  /** Signs a checkpoint of this position. */
  readonly sign: (position: Position) => string;
  readonly wallMs: () => number;
  /** Have to stay free on the disk. */
  readonly spareBytes: () => number;
  /** The store failed: the process must end (DESIGN 2). */
  readonly onFatal: (error: unknown) => void;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
}

const STOPPING = 'the server is being stopped';
const NOT_MADE = 'a base of the journal could not be made: what there is stays as it is';

type Judged = Pick<ParamsOf<'audit.prune'>, 'until' | 'head' | 'recent'>;

/** What may go: up to the end of a file, from the first record that is there. */
interface Extent {
  readonly end: Position;
  readonly from: number;
  readonly bytes: number;
}

/** What is asked for, and by whom. */
export type PruneRequest = Judged & {
  readonly by: By;
  readonly request: RequestKey;
};

/** What became of a base that was found to be damaged. `made` is false where another one had taken its place already. */
export type Mended =
  | { readonly ok: true; readonly made: boolean }
  /** `why`: in words, where it was tried. */
  | { readonly ok: false; readonly why?: string };

/**
 * Removes records that were exported from the journal (decision 0018). In this order, so that a kill at any point leaves a folder that is
 * true: the base, without which nothing may be missing; the record of who did it; then the files, oldest first.
 */
export class Pruner {
  readonly #options: PrunerOptions;
  #stopped = false;

  constructor(options: PrunerOptions) {
    this.#options = options;
  }

  /** The position of record `seq`, if it is the last of a file that is not written any more; else why not. @throws JournalCorrupt */
  async endOf(seq: number): Promise<Position | Denial> {
    const end = await this.#options.journal.endOfSegment(seq);
    return (
      end ??
      noEnd(
        seq,
        this.#options.journal.segments.map(({ firstSeq }) => firstSeq),
      )
    );
  }

  /** What `prune` would say now, as far as it can be known before the base is written. Changes nothing. @throws JournalCorrupt, the disk's own errors */
  async preview(asked: Judged): Promise<{ readonly from: number; readonly bytes: number } | Denial> {
    // In turn: what is being removed is not looked into.
    const judged = await this.#options.backups.alone(() => this.#judge(asked));
    if ('ok' in judged) return judged;
    const { from, bytes } = 'pruned' in judged ? judged.pruned : judged;
    return { from, bytes };
  }

  /** @throws JournalCorrupt, the disk's own errors */
  async prune(asked: PruneRequest): Promise<Settled<'prune'>> {
    return await this.#options.backups.alone(() => this.#prune(asked));
  }

  /**
   * Makes the base anew where it was found to be damaged, in the order of a prune: it is as good, since it is written from a stored state that
   * checks. Whoever found it may have read it before another one took its place. @param at the record that the damaged one stands for
   */
  async renew(at: number): Promise<Mended> {
    const { state, backups, journal, submit } = this.#options;
    return await backups.alone(async () => {
      const { pruned } = organisationOf(state);
      if (this.#stopped) return { ok: false, why: STOPPING };
      if (pruned === undefined) return { ok: false, why: 'nothing was pruned' };
      if (journal.named?.at !== at) return { ok: true, made: false };
      const made = await this.#rebase({ seq: pruned.seq, hash: pruned.hash });
      if (typeof made === 'string') return { ok: false, why: made };
      if (this.#stopped) return { ok: false, why: STOPPING };
      const renewed = await submit({ type: 'renewBase', base: namedAs(made) });
      if (!renewed.ok) return { ok: false, why: renewed.message ?? renewed.code };
      journal.adopt(made);
      await this.#tidy();
      return { ok: true, made: true };
    });
  }

  /** What a prune that was killed left: its record is there, and so are files. */
  async finish(): Promise<void> {
    const { state, backups } = this.#options;
    const until = state.tables.organisation.get('self')?.pruned?.seq ?? 0;
    await backups.alone(async () => {
      await this.#tidy();
      await this.#remove(until);
    });
  }

  /** Nothing more is begun; resolves when nothing is under way: whoever reads and writes these files may go then. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#options.backups.alone(async () => {});
  }

  async #prune(asked: PruneRequest): Promise<Settled<'prune'>> {
    const { state, journal, submit, sign } = this.#options;
    const { until, by, request } = asked;
    // Before anything is refused: who asks again after a lost answer has the only copy of what went (I7).
    const kept = keptAnswer<'prune'>(state, 'prune', request);
    if (kept !== null) {
      await this.#remove(organisationOf(state).pruned?.seq ?? 0);
      return kept;
    }
    const judged = await this.#judge(asked);
    if ('ok' in judged) return judged;
    if ('pruned' in judged) {
      await this.#remove(until);
      return { ok: true, outcome: judged };
    }
    const { end, from: first, bytes } = judged;
    const made = await this.#rebase(end);
    if (typeof made === 'string') return this.#stopped ? stopping() : noBase(made);
    // What was written stays: a base that nobody needs yet.
    if (this.#stopped) return stopping();
    // In the hash chain: no other base is ever taken for this one.
    const base = namedAs(made);
    const settled = await submit({
      type: 'prune',
      token: sign(end),
      until: end,
      first,
      bytes,
      base,
      by,
      request,
    });
    if (!settled.ok) return settled;
    journal.adopt(made);
    await this.#tidy();
    if (!this.#stopped) await this.#remove(until);
    return settled;
  }

  /** What would go, what went already, or why nothing does. One place for both who asks ahead and who means it. */
  async #judge({ until, head, recent = false }: Judged): Promise<Extent | { pruned: Pruned } | Denial> {
    const { state, journal, backups, older, wallMs, spareBytes } = this.#options;
    const known = organisationOf(state).pruned;
    const hash = Buffer.from(head, 'base64url').toString('hex');
    if (known?.seq === until && known.hash === hash) return { pruned: known };
    if (known !== undefined && until <= known.seq) return gone(known.seq);
    if (this.#stopped) return stopping();
    const held = heldBy(backups.isRead, older());
    if (held !== null) return held;
    const end = await this.endOf(until);
    if ('ok' in end) return end;
    if (end.hash !== hash) return otherHash(until);
    const { bytes, untilMs } = await this.#extentOf(until);
    const age = untilMs === null ? null : wallMs() - untilMs;
    if (!recent && age !== null && age < limits.pruneAgeMs) return tooYoung(untilMs!);
    const full = await journal.roomForBase(spareBytes()).catch(reasonOf);
    return full === null ? { end, from: journal.segments[0]!.firstSeq, bytes } : noBase(full);
  }

  /** Of all files up to a record: their bytes, and the last moment in them. */
  async #extentOf(until: number): Promise<{ bytes: number; untilMs: number | null }> {
    let [bytes, untilMs]: [number, number | null] = [0, null];
    for (let from: number | null = 0; from !== null; ) {
      const found = await this.#options.audit.segments(from, limits.auditSegments, this.#options.wallMs());
      for (const segment of found.segments) {
        if (segment.last.seq > until) return { bytes, untilMs };
        bytes += segment.bytes;
        if (segment.untilMs !== null) untilMs = Math.max(untilMs ?? 0, segment.untilMs);
      }
      from = found.next;
    }
    return { bytes, untilMs };
  }

  /** Everything that the records up to `until` led to is durable in the base before one of them may be missing. In words, why there is none. */
  async #rebase(until: Position): Promise<Base | string> {
    const { store, journal, spareBytes, onFatal, log } = this.#options;
    try {
      await store.flush();
    } catch (error) {
      onFatal(error);
      throw error;
    }
    try {
      const dump: Dump = (sink) =>
        store.dump(async (rows) => {
          if (this.#stopped) throw new Error(STOPPING);
          await sink(rows);
        });
      const base = await journal.rebase(until, dump, spareBytes());
      if (typeof base !== 'string') return base;
      const why = `the stored state does not check: ${base}`;
      log.warn({ why }, NOT_MADE);
      return why;
    } catch (error) {
      if (!this.#stopped) log.warn({ err: error }, NOT_MADE);
      return reasonOf(error);
    }
  }

  /** Only once the new base is acknowledged: until then the one before it is what a rebuild needs. */
  async #tidy(): Promise<void> {
    const { journal, backups, log } = this.#options;
    // It may be part of a backup: the next prune, or the next start, removes it.
    if (backups.isRead) return;
    await journal.tidyBases().catch((error: unknown) => {
      log.warn({ err: error }, 'what a prune left beside the journal could not be removed');
    });
  }

  async #remove(until: number): Promise<void> {
    const { audit, journal, backups, log } = this.#options;
    if (until === 0 || (journal.base?.until.seq ?? 0) < until) return;
    // What an earlier try left may be part of a backup: the next prune, or the next start, removes it.
    if (backups.isRead) return;
    try {
      const removed = await audit.removing(() => journal.prune(until));
      if (removed.length > 0)
        log.info({ until, files: removed.length }, 'older records of the journal were pruned');
    } catch (error) {
      // They are given up already: the next start, or the next prune, removes them.
      log.warn({ err: error, until }, 'a file of the journal that was pruned could not be removed');
    }
  }
}

function namedAs({ at: { seq, hash }, sha256 }: Base): Pruned['base'] {
  return { at: seq, hash, sha256 };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
