import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errnoOf } from '../store/errno.js';
import type { FileSystem } from '../store/files.js';
import type { Journal, JournalCut } from '../store/journal.js';
import { corruptReasons, JournalCorrupt } from '../store/journal-errors.js';
import { verifyNamed, verifyOlder } from '../store/older-records.js';
import type { Position } from '../store/position.js';

/** All that a server is, at one moment (DESIGN 2: the journal is the truth). */
export interface BackupCut {
  readonly position: Position;
  /** The small files, whole. */
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  readonly journal: JournalCut['files'];
  readonly base: JournalCut['base'];
}

const TLS_FILE = /^[a-z0-9-]+\.[a-z]+$/;
/** A certificate is written anew once in months: a second look suffices. */
const LOOKS = 5;
/** A backup that reads nothing for so long is not made any more, ms. */
const READ_MS = 60_000;
/** Of a base, before a backup begins: 64 MiB, which takes no time. Whoever asks has half a minute, and one of gigabytes takes more. */
const CHUNKS_SEEN_AT_ONCE = 256;

type BackedUpJournal = Pick<Journal, 'cut' | 'bytesOf' | 'bytesOfBase' | 'segments' | 'named'>;

/** What belongs to a backup, of a data folder whose server goes on. The state and the index of the audit are made of the journal. */
export class BackupSource {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #journal: BackedUpJournal;
  readonly #monoMs: () => number;
  /** Backups that were begun and are not known to be over, by their last record once it is known, and when one last read something. */
  readonly #begun = new Set<{ seq: number | null }>();
  #readAtMs = 0;
  #removing: Promise<unknown> = Promise.resolve();

  constructor(files: FileSystem, folder: string, journal: BackedUpJournal, monoMs: () => number) {
    this.#files = files;
    this.#folder = folder;
    this.#journal = journal;
    this.#monoMs = monoMs;
  }

  /** What a backup that begins now consists of. While files of the journal are removed it waits. Call `over` when it is made, or not. */
  async cut(): Promise<BackupCut> {
    await this.#removing;
    // Those of which nothing was heard for so long are over too.
    if (!this.isRead) this.#begun.clear();
    const begun: { seq: number | null } = { seq: null };
    this.#begun.add(begun);
    this.#readAtMs = this.#monoMs();
    try {
      const files = await this.#smallFiles();
      const { position, files: journal, base } = await this.#journal.cut();
      begun.seq = position.seq;
      return { position, files, journal, base };
    } catch (error) {
      this.#begun.delete(begun);
      throw error;
    }
  }

  /** A backup that ends with record `seq` reads nothing more. Said again (I7), it ends no other one, unless that ends with the same record. */
  over(seq: number): void {
    const over = [...this.#begun].find((begun) => begun.seq === seq);
    if (over !== undefined) this.#begun.delete(over);
  }

  /** True while a backup is being made: none of its files may go. */
  get isRead(): boolean {
    return this.#begun.size > 0 && this.#monoMs() - this.#readAtMs < READ_MS;
  }

  /** Does what removes files of the journal; no backup begins meanwhile. Not while one is made (`isRead`). */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#removing.then(work);
    this.#removing = done.catch(() => {});
    return await done;
  }

  /**
   * What is wrong with the base of a journal that was pruned, in words with its file; null: nothing that can be seen at once, or there is none to
   * be. Without it a backup would be no server, which whoever makes one would learn at its end; there all of a large one is read. Rejects with the disk's own error
   */
  async damage(): Promise<{ readonly words: string; readonly error: Error } | null> {
    try {
      // In turn with a prune, which puts another one in its place.
      await this.alone(() => {
        let left = CHUNKS_SEEN_AT_ONCE;
        const { segments, named } = this.#journal;
        return verifyNamed(this.#files, { segments: [...segments], named }, async () => {
          await nextTurn();
          left -= 1;
          return left > 0;
        });
      });
      return null;
    } catch (error) {
      if (error instanceof JournalCorrupt)
        return { words: `${error.file}: ${corruptReasons[error.reason]}`, error };
      throw error;
    }
  }

  /**
   * Follows the chain up to the last record of a cut: what was damaged on the disk must not become a backup, for which a good one makes room.
   * Rejects with JournalCorrupt, the disk's own error, or the signal's reason.
   */
  async prove({ position }: Pick<BackupCut, 'position'>, signal: AbortSignal): Promise<void> {
    const { segments, named } = this.#journal;
    await verifyOlder(this.#files, { segments: [...segments], verifiedAfter: position, named }, async () => {
      await nextTurn();
      this.#readAtMs = this.#monoMs();
      signal.throwIfAborted();
      return true;
    });
  }

  /** Bytes of a file of the journal; `null`: there is no such file. */
  segment(firstSeq: number, offset: number, length: number): Promise<Uint8Array | null> {
    this.#readAtMs = this.#monoMs();
    return this.#journal.bytesOf(firstSeq, offset, length);
  }

  /** Bytes of the base that stands for record `at`; `null`: there is none, or another. */
  base(at: number, offset: number, length: number): Promise<Uint8Array | null> {
    this.#readAtMs = this.#monoMs();
    return this.#journal.bytesOfBase(at, offset, length);
  }

  /** A certificate and its key are two files: only what was the same twice belongs together. */
  async #smallFiles(): Promise<BackupCut['files']> {
    let before = await this.#readSmall();
    for (let look = 1; look < LOOKS; look += 1) {
      const now = await this.#readSmall();
      if (sameFiles(before, now)) return now;
      before = now;
    }
    throw new Error('the small files of the data folder change all the time');
  }

  async #readSmall(): Promise<BackupCut['files']> {
    const tls = (await this.#files.list(join(this.#folder, 'tls'))).filter((name) => TLS_FILE.test(name));
    const paths = ['berthd.json', 'keys/server.key', ...tls.sort().map((name) => `tls/${name}`)];
    const found = [];
    for (const path of paths) {
      const bytes = await this.#read(join(this.#folder, path));
      if (bytes !== null) found.push({ path, bytes });
    }
    return found;
  }

  /** `null`: it was there when the folder was listed. */
  async #read(path: string): Promise<Uint8Array | null> {
    try {
      const file = await this.#files.open(path, 'read');
      try {
        return await file.read(0, await file.size());
      } finally {
        await file.close();
      }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    }
  }
}

function sameFiles(a: BackupCut['files'], b: BackupCut['files']): boolean {
  return (
    a.length === b.length &&
    a.every(({ path, bytes }, at) => b[at]!.path === path && Buffer.compare(bytes, b[at]!.bytes) === 0)
  );
}
