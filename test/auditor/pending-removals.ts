import type { Entry, EntryOf } from './history.js';
import type { JournalRead } from './journal-reader.js';
import type { EntitlementRow } from './ledger.js';

/** Entitlements of which a removal was pending when the backup was made that the journal goes on from; `null`: nobody knows. */
export function pendingInBackup(journal: JournalRead | undefined): ReadonlySet<string> | null {
  if (journal === undefined || journal.fault !== null) return null;
  const removing = new Set<string>();
  let atRestore: ReadonlySet<string> | null = null;
  for (const { changes } of journal.records)
    for (const change of changes) {
      const { type, id } = change;
      if (type === 'entitlement.removing' && change.removing === null) removing.delete(String(id));
      else if (type === 'entitlement.removing') removing.add(String(id));
      else if (type === 'entitlement.put') {
        const { claims, removing: isRemoving } = change.entitlement as EntitlementRow;
        if (isRemoving === undefined) removing.delete(claims.jti);
        else removing.add(claims.jti);
      }
      // Who finds its folder rolled back begins anew too, but was made of no backup.
      const { cause } = (change.restore ?? {}) as { readonly cause?: string };
      if (type === 'organisation.restored' && cause !== 'rolledBack') atRestore = new Set(removing);
    }
  return atRestore;
}

/** Removals that nobody has heard the end of, by who asked. */
export class Unanswered {
  readonly #asked = new Set<string>();
  /** By the key of the request. */
  readonly #byKey = new Map<string, string>();

  look(entry: Entry): void {
    const { event, process } = entry;
    if (event === 'removing') this.#asked.add(`${process} ${entry.id}`);
    if (event === 'removed' || event === 'kept') this.#asked.delete(`${process} ${entry.id}`);
    // One that is left pending has an answer too.
    if (event === 'request' && entry.method === 'entitlement.remove' && entry.key !== undefined)
      this.#byKey.set(entry.key, `${process} ${String(entry.office?.id)}`);
    if (event === 'result') this.#asked.delete(this.#byKey.get(entry.key) ?? '');
  }

  of(id: string): boolean {
    return [...this.#asked].some((asked) => asked.endsWith(` ${id}`));
  }
}

/**
 * Whether a removal that was answered before a restore is asked for with its key after that: a server that does not know the key carries it out, one that knows it
 * only says once more what it said.
 */
export function askedAgain(
  all: readonly Entry[],
  withoutEchoes: readonly Entry[],
): (id: string, since: EntryOf<'restored'>) => boolean {
  const heard = new Set(withoutEchoes);
  const echoes = all.filter((entry) => entry.event === 'removing' && !heard.has(entry));
  return (id, { t }) => echoes.some((entry) => entry.event === 'removing' && entry.id === id && entry.t >= t);
}
