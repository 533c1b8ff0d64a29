import { limits, type ParamsOf } from '@berth/protocol';
import {
  type By,
  type Command,
  type Denial,
  deny,
  type RequestKey,
  type Settled,
} from '../domain/commands.js';
import { keptAnswer } from '../domain/decide/decide.js';
import { organisationOf, type State } from '../domain/state.js';
import type { Base } from '../store/base.js';
import type { Journal } from '../store/journal.js';
import type { Position } from '../store/position.js';
import type { Dump, StateStore } from '../store/state-store.js';
import type { AuditLog } from './audit-log.js';

export interface PrunerOptions {
  readonly state: State;
  readonly journal: Pick<
    Journal,
    'endOfSegment' | 'rebase' | 'adopt' | 'prune' | 'tidyBases' | 'segments' | 'base'
  >;
  readonly audit: Pick<AuditLog, 'segments' | 'removing'>;
  /** Written out and then read as it was at one moment. */
  readonly store: Pick<StateStore, 'flush' | 'dump'>;
  /** Who makes backups of the same files. */
  readonly backups: { readonly isRead: boolean; alone<T>(work: () => Promise<T>): Promise<T> };
  /** Whether records that the start did not read are still being verified; `damaged`: something was found. */
  readonly older: () => 'reading' | 'damaged' | null;
  readonly submit: (command: Command<'prune'>) => Promise<Settled<'prune'>>;
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

/** What is asked for, and by whom. */
export type PruneRequest = Pick<ParamsOf<'audit.prune'>, 'until' | 'head' | 'recent'> & {
  readonly by: By;
  readonly request: RequestKey;
};

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

  /** @throws JournalCorrupt, the disk's own errors */
  async prune(asked: PruneRequest): Promise<Settled<'prune'>> {
    return await this.#options.backups.alone(() => this.#prune(asked));
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

  async #prune({ until, head, recent = false, by, request }: PruneRequest): Promise<Settled<'prune'>> {
    const { state, journal, submit, sign } = this.#options;
    // Before anything is refused: who asks again after a lost answer has the only copy of what went (I7).
    const kept = keptAnswer<'prune'>(state, 'prune', request);
    if (kept !== null) {
      await this.#remove(organisationOf(state).pruned?.seq ?? 0);
      return kept;
    }
    const known = organisationOf(state).pruned;
    const hash = Buffer.from(head, 'base64url').toString('hex');
    if (known?.seq === until && known.hash === hash) {
      await this.#remove(until);
      return { ok: true, outcome: { pruned: known } };
    }
    if (known !== undefined && until <= known.seq) return gone(known.seq);
    if (this.#stopped) return stopping();
    const busy = this.#busy();
    if (busy !== null) return busy;
    const end = await this.endOf(until);
    if ('ok' in end) return end;
    if (end.hash !== hash) return otherHash(until);
    const { bytes, untilMs } = await this.#extentOf(until);
    const age = untilMs === null ? null : this.#options.wallMs() - untilMs;
    if (!recent && age !== null && age < limits.pruneAgeMs) return tooYoung(untilMs!);
    const first = journal.segments[0]!.firstSeq;
    const made = await this.#rebase(end);
    if ('ok' in made) return made;
    // What was written stays: a base that nobody needs yet.
    if (this.#stopped) return stopping();
    // In the hash chain: no other base is ever taken for this one.
    const base = { at: made.at.seq, hash: made.at.hash, sha256: made.sha256 };
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

  #busy(): Denial | null {
    const { backups, older } = this.#options;
    const is = older();
    if (backups.isRead)
      return deny('PRUNE_BUSY', 'A backup is being made of the files of the journal.', { rule: 'BACKUP' });
    if (is === 'reading')
      return deny('PRUNE_BUSY', 'The older records are still being verified since the start.', {
        rule: 'VERIFYING',
      });
    return is === 'damaged'
      ? deny(
          'PRUNE_REFUSED',
          'An older record of the journal, or its base, is damaged: nothing of it is removed.',
          { rule: 'DAMAGED' },
          'Put the file back from a backup first (docs/site-it.md, Audit).',
        )
      : null;
  }

  /** Of all files up to a record: their bytes, and the last moment in them. */
  async #extentOf(until: number): Promise<{ bytes: number; untilMs: number | null }> {
    let [bytes, untilMs]: [number, number | null] = [0, null];
    for (let from: number | null = 0; from !== null; ) {
      const found = await this.#options.audit.segments(from, limits.auditSegments);
      for (const segment of found.segments) {
        if (segment.last.seq > until) return { bytes, untilMs };
        bytes += segment.bytes;
        if (segment.untilMs !== null) untilMs = Math.max(untilMs ?? 0, segment.untilMs);
      }
      from = found.next;
    }
    return { bytes, untilMs };
  }

  /** Everything that the records up to `until` led to is durable in the base before one of them may be missing. */
  async #rebase(until: Position): Promise<Base | Denial> {
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
          if (this.#stopped) throw new Error('the server is being stopped');
          await sink(rows);
        });
      const base = await journal.rebase(until, dump, spareBytes());
      if (typeof base !== 'string') return base;
      return noBase(`the stored state does not check: ${base}`);
    } catch (error) {
      if (this.#stopped) return stopping();
      log.warn({ err: error }, 'the base of the journal could not be written; nothing was pruned');
      return noBase(error instanceof Error ? error.message : String(error));
    }
  }

  /** Only once the new base is acknowledged: until then the one before it is what a rebuild needs. */
  async #tidy(): Promise<void> {
    const { journal, log } = this.#options;
    await journal.tidyBases().catch((error: unknown) => {
      log.warn({ err: error }, 'what a prune left beside the journal could not be removed');
    });
  }

  async #remove(until: number): Promise<void> {
    const { audit, journal, log } = this.#options;
    if (until === 0 || (journal.base?.until.seq ?? 0) < until) return;
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

/** No refusal: the next server is asked the same. */
function stopping(): Denial {
  return deny('DRAINING');
}

function gone(seq: number): Denial {
  return deny(
    'PRUNE_REFUSED',
    `Records up to ${seq} were pruned already.`,
    { rule: 'PRUNED', seq },
    'Nothing is left to do for these.',
  );
}

/** @param firsts the first record of each file */
function noEnd(seq: number, firsts: readonly number[]): Denial {
  const ends = firsts.slice(1).map((first) => first - 1);
  return deny(
    'PRUNE_REFUSED',
    `Record ${seq} is not the last of a file of the journal that is not written any more.`,
    { rule: 'SEGMENT', ends: ends.slice(-20) },
    ends.length === 0
      ? 'The journal has one file, which is still written: nothing of it can go.'
      : `These are: ${ends.slice(-20).join(', ')}.`,
  );
}

function otherHash(seq: number): Denial {
  return deny(
    'PRUNE_REFUSED',
    `Record ${seq} has another hash here: what was exported is not this journal.`,
    { rule: 'HEAD' },
    'Export it again. If that is refused too, keep both files and report this.',
  );
}

function tooYoung(untilMs: number): Denial {
  const days = limits.pruneAgeMs / 86_400_000;
  return deny(
    'PRUNE_REFUSED',
    `Some of these records are of ${new Date(untilMs).toISOString().slice(0, 10)}, less than ${days} days ago.`,
    { rule: 'RECENT', untilMs },
    'Take an earlier date, or say that it is meant: --recent.',
  );
}

function noBase(reason: string): Denial {
  return deny(
    'PRUNE_REFUSED',
    `The base from which the journal goes on could not be made: ${reason}. Nothing was pruned.`,
    { rule: 'BASE' },
    'Check the disk and its free space; a state that does not check is rebuilt by a restart of berthd.',
  );
}
