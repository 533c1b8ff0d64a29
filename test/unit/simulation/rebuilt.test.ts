import { decodeCommit } from '@berth/server/store/records';
import { expect, test } from 'vitest';
import type { JournalEntry } from '../../auditor/journal-entry.js';
import { unlikeJournal } from '../../simulation/rebuilt.js';
import { oldStudio } from '../engine/pruned-studio.js';

test('a state that was rebuilt is the one that all records lead to, row by row', async () => {
  const { template } = await oldStudio();
  const { state, journal } = await template.start();
  const records: JournalEntry[] = [];
  for await (const { seq, hash, payload } of journal.read())
    records.push({ seq, hash, changes: decodeCommit(payload).changes });
  const whole = { records, fault: null };
  expect(unlikeJournal(state, whole)).toBeNull();

  const [kept] = [...state.tables.request.keys()];
  const answer = state.tables.request.get(kept!)!;
  state.tables.request.delete(kept!);
  expect(unlikeJournal(state, whole)).toContain(`request/${kept} is missing`);
  // The auditor tells of a journal that is not whole.
  expect(unlikeJournal(state, { records: [], fault: 'a hole' })).toBeNull();

  state.tables.request.set(kept!, answer);
  const [email] = [...state.tables.user.keys()];
  state.tables.user.set(email!, { ...state.tables.user.get(email!)!, role: 'viewer' });
  expect(unlikeJournal(state, whole)).toContain(`user/${email} is {`);
});
