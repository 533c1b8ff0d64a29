import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { audit, auditDurability, readJournal, type Verdict } from '../auditor/auditor.js';
import type { Entry } from '../auditor/history.js';
import type { JournalRead } from '../auditor/journal-reader.js';
import { GrowingLogs } from './logs.js';
import { faultsOf } from './reopen.js';

/** What was seen of the journal after a kill, to compare the next one with. */
interface Mark {
  readonly seq: number;
  readonly hash: string;
}

/** A dead server's folder, and what clients wrote down until then and nobody has judged yet. */
export interface Remains {
  readonly copy: string;
  readonly told: readonly Entry[];
}

/** Looks at a generation after each kill and, with everything the auditor has, at its end. */
export class Judge {
  readonly #logs: GrowingLogs;
  #mark: Mark = { seq: 0, hash: '' };

  constructor(
    readonly folder: string,
    readonly keys: { readonly vendorKey: string; readonly serverKey: string },
    readonly data = join(folder, 'data'),
  ) {
    this.#logs = new GrowingLogs(join(folder, 'logs'));
  }

  /** Keeps what the kill left, and what clients had been told by then, so that the next server can start at once. */
  async setAside(round: number): Promise<Remains> {
    const told = this.#logs.more();
    const copy = join(this.folder, `killed-${round}`);
    await cp(this.data, copy, { recursive: true });
    return { copy, told };
  }

  /**
   * After each kill: the folder opens as a server would open it, its journal continues what it was before, and everything that clients were
   * told since is in it (I6, I7). @returns what is wrong
   */
  async afterKill({ copy, told }: Remains): Promise<string[]> {
    const journal = readJournal(copy);
    const found = auditDurability({ entries: told, ...this.keys, journal });
    const broken = [
      ...this.#continues(journal),
      ...found.map(({ rule, text }) => `${rule} ${text}`),
      ...(await faultsOf(copy)),
    ];
    if (broken.length === 0) await rm(copy, { recursive: true });
    return broken;
  }

  /** Everything since the beginning of the generation against the journal as it is now. The server must be stopped. */
  atEnd(): Verdict {
    this.#logs.more();
    return audit({
      entries: this.#logs.entries,
      ...this.keys,
      journal: readJournal(this.data),
    });
  }

  #continues(journal: JournalRead): string[] {
    const before = this.#mark;
    const last = journal.records.at(-1);
    this.#mark = { seq: last?.seq ?? 0, hash: last?.hash ?? '' };
    if (journal.fault !== null) return [journal.fault];
    if (before.seq === 0 || journal.records[before.seq - 1]?.hash === before.hash) return [];
    return [`record ${before.seq}, there after an earlier kill, is not in the journal any more`];
  }
}
