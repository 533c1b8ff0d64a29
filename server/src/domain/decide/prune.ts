import type { Change } from '../changes.js';
import type { Command, Context, Decision } from '../commands.js';
import { organisationOf, type State } from '../state.js';

/** The base is damaged, and another one stands for what went. Who let go of what, and when, is as it was. */
export function renewBase(
  state: State,
  { base }: Command<'renewBase'>,
  { now }: Context,
): Decision<'renewBase'> {
  const known = organisationOf(state).pruned;
  if (known === undefined) return { ok: true, changes: [], outcome: {} };
  const pruned = { ...known, base, renewedAtMs: now.wallMs };
  return { ok: true, changes: [{ type: 'journal.pruned', pruned }], outcome: {} };
}

/** Asked again for the same records, it is the same answer (I7). That they may go is for the caller to know, who has the files. */
export function prune(
  state: State,
  { token, until: { seq, hash }, first, bytes, base, by }: Command<'prune'>,
  { now }: Context,
): Decision<'prune'> {
  const known = organisationOf(state).pruned;
  if (known?.seq === seq) return { ok: true, changes: [], outcome: { pruned: known } };
  const pruned = { seq, hash, from: first, bytes, base, atMs: now.wallMs, by: by.email };
  // In one record: whoever reads what is left has the server's word for what came before it.
  const changes: Change[] = [
    { type: 'journal.checkpoint', token },
    { type: 'journal.pruned', pruned },
  ];
  return { ok: true, changes, outcome: { pruned } };
}
