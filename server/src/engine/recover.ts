import assert from 'node:assert/strict';
import { join } from 'node:path';
import { evolve } from '../domain/evolve.js';
import { loadState } from '../domain/load.js';
import { emptyState, type State } from '../domain/state.js';
import { type Base, baseMissing, type NamedBase, readBase, verifyBase } from '../store/base.js';
import type { FileSystem } from '../store/files.js';
import { type Cut, Journal, JournalCorrupt, type JournalRecord, START } from '../store/journal.js';
import { segmentName } from '../store/journal-format.js';
import { KnownHashes } from '../store/known-hashes.js';
import { decodeChanges, decodeRows, takeChangedRows } from '../store/records.js';
import type { StateStore } from '../store/state-store.js';

export interface RecoverOptions {
  readonly files: FileSystem;
  readonly folder: string;
  readonly store: StateStore;
  readonly segmentBytes?: number;
  /** The monotonic clock: every online lease is held for one full window from here (I4). */
  readonly monoMs: number;
  readonly readOnly?: boolean;
  /**
   * With a state that checks, so many of the last records are verified and, whatever it is, all from the segment on that holds the one the state stands for
   * (decision 0015). Left out: the whole journal is.
   */
  readonly reread?: number;
  readonly onCut: (cut: Cut) => void;
  /** The state was not usable and was rebuilt from the journal. */
  readonly onRebuilt: (reason: string) => void;
}

export interface Recovered {
  readonly state: State;
  readonly journal: Journal;
  /** Of its records, for what clients have seen. */
  readonly hashes: KnownHashes;
  /** Journal records replayed on top of the stored state. */
  readonly replayed: number;
}

/**
 * The stored state checks, but stands for a record that this journal does not have: the state is written only after the journal is durable, so
 * the journal was lost, swapped or rolled back. Rebuilding the state would drop what was acknowledged. Nothing was changed.
 */
export class NotOneHistory extends Error {
  override readonly name = 'NotOneHistory';
  readonly code = 'JOURNAL_ROLLED_BACK';
  readonly next =
    'Put the journal folder back as it was, or restore a backup of the whole folder. Do not delete the state folder: it shows what is missing.';

  constructor(stateSeq: number, journalSeq: number | null) {
    super(
      journalSeq === null
        ? `The state stands for record ${stateSeq}, and the journal has another record ${stateSeq}: they are not of one history.`
        : `The state stands for record ${stateSeq}, but the journal ends at record ${journalSeq}: records are missing.`,
    );
  }
}

/**
 * Brings back the state: load it, check it, verify the journal (all of it, or what `reread` asks for), replay what came after. A state that does not check is rebuilt
 * from the journal (DESIGN 2), or, where that was pruned, from its base and what follows it (decision 0018). Throws JournalCorrupt, FormatNewer, NotOneHistory.
 */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { files, folder, store, monoMs, onCut, segmentBytes, readOnly = false, reread } = options;
  const loaded = await store.load();
  let broken = loaded.ok ? null : loaded.reason;
  let state = loaded.ok && loaded.seq > 0 ? loadState(decodeRows(loaded.rows), monoMs) : emptyState();
  const from = loaded.ok ? loaded.seq : 0;
  const { pruned } = state.tables.organisation.get('self') ?? {};
  let replayed = 0;
  const hashes = new KnownHashes();
  let isBound = from === 0;
  let applied = from;
  const onRecord = (record: JournalRecord): void => {
    hashes.note(record);
    if (record.seq === from && loaded.ok && record.hash !== loaded.hash) throw new NotOneHistory(from, null);
    isBound ||= record.seq === from;
    // What does not follow is not applied: a journal that was pruned may begin behind the state.
    if (record.seq !== applied + 1 || broken !== null) return;
    replay(state, record, monoMs);
    applied = record.seq;
    replayed += 1;
  };
  const journal = await Journal.open({
    files,
    folder,
    onRecord,
    onCut,
    readOnly,
    ...(broken !== null || reread === undefined
      ? {}
      : { from: (head: number) => Math.min(from, head - reread) }),
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
    ...(pruned === undefined ? {} : { pruned }),
  });
  if (from > journal.position.seq) {
    await journal.close();
    throw new NotOneHistory(from, journal.position.seq);
  }
  const { verifiedAfter: before } = journal;
  if (before.seq > from)
    broken ??= `it stands for record ${from}, and the journal begins behind record ${before.seq}`;
  if (loaded.ok && from > 0 && before.seq === from) {
    if (before.hash !== loaded.hash) throw new NotOneHistory(from, null);
    isBound = true;
  }
  // What was not read is held by this alone: the state names the record, and the record all before it.
  assert(isBound || broken !== null, 'the record that the state stands for was read');
  if (broken === null) await bindBase(journal, state, reread === undefined);
  if (reread === undefined && broken === null) await proveBase(files, journal);
  if (broken !== null) {
    options.onRebuilt(broken);
    ({ state, replayed } = await rebuild(files, journal, monoMs, readOnly ? null : store));
  }
  const rows = takeChangedRows(state);
  if (!readOnly && rows.size > 0) store.put(journal.position, rows);
  return { state, journal, hashes, replayed };
}

/**
 * Whatever a base says, which anybody can make who has the folder: only what the journal itself says was pruned may be missing, since that record
 * is durable before a file goes. Throws JournalCorrupt, and the journal is closed then.
 */
async function requirePruned(journal: Journal, state: State): Promise<void> {
  const { segments, verifiedAfter, folder } = journal;
  const missing = missingOf(journal);
  const { seq, hash } = state.tables.organisation.get('self')?.pruned ?? START;
  const isForeign = verifiedAfter.seq === missing && missing === seq && verifiedAfter.hash !== hash;
  if (missing <= seq && !isForeign) return;
  await journal.close();
  if (isForeign) throw new JournalCorrupt({ file: segments[0]!.file, seq: seq + 1, reason: 'CHAIN' });
  const file = join(folder, segmentName(seq + 1));
  throw new JournalCorrupt({ file, seq: seq + 1, reason: 'SEGMENT_MISSING' });
}

/** Throws JournalCorrupt. @param must the base has to be there; else whoever reads the older records tells that it is not */
async function bindBase(journal: Journal, state: State, must: boolean): Promise<void> {
  await requirePruned(journal, state);
  const { base: newest } = journal;
  const isThere = await journal.bind(namedBy(state)).catch((error: unknown) => {
    if (!must && error instanceof JournalCorrupt) return true;
    throw error;
  });
  if (isThere || !must || missingOf(journal) === 0) return;
  throw newest === null ? baseMissing(journal.folder, missingOf(journal), journal.named) : foreign(newest);
}

/** The base is all that is left of what was pruned. Throws JournalCorrupt. */
async function proveBase(files: FileSystem, { base }: Journal): Promise<void> {
  if (base !== null) await verifyBase(files, base, async () => true);
}

function missingOf({ segments }: Journal): number {
  return (segments[0]?.firstSeq ?? 1) - 1;
}

function namedBy(state: State): NamedBase | null {
  return state.tables.organisation.get('self')?.pruned?.base ?? null;
}

function foreign({ file, at }: Base): JournalCorrupt {
  return new JournalCorrupt({ file, seq: at.seq, reason: 'BASE_FOREIGN' });
}

/** From the base and the records behind it; from the first record where there is none. Throws JournalCorrupt, and the store is as it was then. */
async function rebuild(
  files: FileSystem,
  journal: Journal,
  monoMs: number,
  store: StateStore | null,
): Promise<{ state: State; replayed: number }> {
  const missing = missingOf(journal);
  // What can be replayed is believed before any base.
  let used = missing === 0 ? null : journal.base;
  if (missing > 0 && used === null) throw baseMissing(journal.folder, missing, journal.named);
  let built = await replayFrom(files, journal, used, monoMs);
  await requirePruned(journal, built.state);
  const isThere = await journal.bind(namedBy(built.state));
  if (used !== null && journal.base !== used) {
    if (!isThere || journal.base === null) throw foreign(used);
    // The newest was left of a prune that was killed before its record was durable; the one before it is there.
    used = journal.base;
    built = await replayFrom(files, journal, used, monoMs);
    await requirePruned(journal, built.state);
    await journal.bind(namedBy(built.state));
    if (journal.base !== used) throw foreign(used);
  }
  await store?.reset();
  const { state, rows, replayed } = built;
  if (used !== null && rows !== null)
    store?.put(used.at, new Map([...rows].map(([key, value]) => [key, JSON.parse(value) as unknown])));
  return { state, replayed };
}

async function replayFrom(
  files: FileSystem,
  journal: Journal,
  base: Base | null,
  monoMs: number,
): Promise<{ state: State; rows: Map<string, string> | null; replayed: number }> {
  const rows = base === null ? null : await readBase(files, base);
  const state = rows === null ? emptyState() : loadState(decodeRows(rows), monoMs);
  let replayed = 0;
  for await (const record of journal.read((base?.at.seq ?? 0) + 1)) {
    replay(state, record, monoMs);
    replayed += 1;
  }
  return { state, rows, replayed };
}

function replay(state: State, record: JournalRecord, monoMs: number): void {
  for (const change of decodeChanges(record.payload)) evolve(state, change, monoMs);
}
