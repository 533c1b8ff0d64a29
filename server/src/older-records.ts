import { basename } from 'node:path';
import type { Mended } from './audit/pruner.js';
import { later } from './later.js';
import type { Log } from './ops/log.js';
import { baseSeq } from './store/base-format.js';
import type { FileSystem } from './store/files.js';
import { JournalCorrupt } from './store/journal-errors.js';
import { type PartlyRead, verifyOlder } from './store/older-records.js';

/** Between two turns of a millisecond: about a twentieth of one core, and a million records in some three minutes. */
const PAUSE_MS = 20;

const RENEWED =
  'The disk may be failing: look at it, and make a backup (berth backup create); see docs/site-it.md, Audit.';

/** The error itself speaks to whoever cannot start. */
const NEXT =
  'Leave the state folder alone; put this one file back from a backup while the server is stopped, then berthd check (docs/site-it.md, Audit).';

export interface OlderRecordsOptions {
  readonly files: FileSystem;
  readonly journal: PartlyRead;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Makes a new base in the place of the damaged one, which stands for record `at`. */
  readonly renewBase: (at: number) => Promise<Mended>;
  /** Left out: as the server does. */
  readonly after?: typeof later;
}

/**
 * Reads, while the server serves, what its start did not (decision 0015). A finding stops nobody: the state is proved by other means, and
 * stopping would take seats from artists for the sake of what is past. It is told for as long as the process lives, and found anew by the next; of
 * a base, until another one has its place.
 */
export class OlderRecords {
  readonly #options: OlderRecordsOptions;
  #verified = 0;
  #damaged: 'base' | 'record' | null = null;
  #renewed = false;
  #isReading = false;
  #stopped = false;
  #wake: () => void = () => {};
  #reading: Promise<void> = Promise.resolve();

  constructor(options: OlderRecordsOptions) {
    this.#options = options;
  }

  /** How many the start did not read and nobody has since. */
  get unread(): number {
    const { verifiedAfter, segments } = this.#options.journal;
    // What was pruned is nobody's to read.
    const missing = (segments[0]?.firstSeq ?? 1) - 1;
    return Math.max(0, verifiedAfter.seq - Math.max(missing, this.#verified));
  }

  /** For `/readyz`; `null`: nothing was found. */
  get trouble(): 'JOURNAL_DAMAGED' | 'BASE_RENEWED' | null {
    if (this.#damaged !== null) return 'JOURNAL_DAMAGED';
    return this.#renewed ? 'BASE_RENEWED' : null;
  }

  /** True while files of the journal are being read. */
  get reading(): boolean {
    return this.#isReading;
  }

  /** Resolves when all was read, something was found, or `stop` was called. */
  start(): Promise<void> {
    this.#reading = this.#read();
    return this.#reading;
  }

  /** Waits for a read that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#reading;
  }

  /** What does not check is the base, and another one takes its place: whoever reads goes on. Else it is something else, or it could not be made. */
  async mend(error: unknown): Promise<Mended> {
    const { log, renewBase } = this.#options;
    const at = damagedBase(error);
    if (at === null || this.#stopped) return { ok: false };
    const mended = await renewBase(at);
    if (mended.ok) this.#readAgain();
    if (!mended.ok || !mended.made) return mended;
    this.#renewed = true;
    log.warn(
      { err: error, code: 'BASE_RENEWED', next: RENEWED },
      'the base of the journal was damaged, and was made anew from the state',
    );
    return mended;
  }

  /** The damage was of a base, and another one has its place: what is behind it was not read. */
  #readAgain(): void {
    if (this.#damaged !== 'base' || this.#stopped) return;
    this.#damaged = null;
    void this.start();
  }

  async #read(): Promise<void> {
    const { journal, log } = this.#options;
    // The base of a journal that was pruned is read at no start that finds its state.
    if (this.unread === 0 && (journal.segments[0]?.firstSeq ?? 1) === 1) return;
    this.#isReading = true;
    let why: string | undefined;
    try {
      await this.#verify().catch(async (error: unknown) => {
        const mended = await this.mend(error);
        if (!mended.ok) {
          why = mended.why;
          throw error;
        }
        await this.#verify();
      });
      if (!this.#stopped)
        log.info({ until: this.#verified }, 'the older records of the journal were verified');
    } catch (error) {
      this.#damaged = damagedBase(error) === null ? 'record' : 'base';
      log.error(
        { err: error, code: 'JOURNAL_DAMAGED', notRenewed: why, next: NEXT },
        'an older record of the journal, or its base, is damaged: the state is right and is served, the audit log is not whole',
      );
    } finally {
      this.#isReading = false;
    }
  }

  async #verify(): Promise<void> {
    const { files, journal } = this.#options;
    await verifyOlder(files, journal, (verified) => this.#pause(verified));
  }

  #pause(verified: number): Promise<boolean> {
    this.#verified = verified;
    if (this.#stopped) return Promise.resolve(false);
    const { after = later } = this.#options;
    return new Promise((resolve) => {
      const callOff = after(PAUSE_MS, () => resolve(!this.#stopped));
      this.#wake = () => {
        callOff();
        resolve(false);
      };
    });
  }
}

/** The record that the base stands for in which it was found; null: it is something else. */
function damagedBase(error: unknown): number | null {
  return error instanceof JournalCorrupt ? baseSeq(basename(error.file)) : null;
}
