import type { Change } from '@berth/server/domain/changes';
import { evolve } from '@berth/server/domain/evolve';
import { emptyState, type State } from '@berth/server/domain/state';
import type { JournalRead } from '../auditor/journal-reader.js';

/**
 * A state that was rebuilt from the base of a pruned journal is the one that all its records lead to, those that went as well (decision 0018). What a base
 * lacks shows to clients seldom and late, so it is looked for row by row. @returns the first row that differs, in words; `null`: none does
 */
export function unlikeJournal(state: State, { records, fault }: JournalRead): string | null {
  // What is not whole is for the auditor to tell.
  if (fault !== null) return null;
  const whole = emptyState();
  for (const { changes } of records) for (const change of changes) evolve(whole, change as Change, 0);
  const [is, due] = [rowsOf(state), rowsOf(whole)];
  const key = [...new Set([...due.keys(), ...is.keys()])].find((each) => is.get(each) !== due.get(each));
  if (key === undefined) return null;
  return `${key} is ${is.get(key) ?? 'missing'}, and all records lead to ${due.get(key) ?? 'no such row'}`;
}

/** As they are stored, by `<table>/<id>`. */
function rowsOf({ tables }: State): Map<string, string> {
  return new Map(
    Object.entries(tables).flatMap(([name, table]) =>
      [...table.entries()].map(([id, row]): [string, string] => [`${name}/${id}`, JSON.stringify(row)]),
    ),
  );
}
