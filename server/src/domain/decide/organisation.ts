import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny } from '../commands.js';
import { organisationOf, type State } from '../state.js';

/** Renames the organisation. Two who do it at once: the second is told what it is called now. */
export function setOrganisation(
  state: State,
  { name, was, by }: Command<'setOrganisation'>,
  _context: Context,
): Decision<'setOrganisation'> {
  const before = organisationOf(state).name;
  if (was !== null && was !== before)
    return deny('CHANGED_MEANWHILE', `The organisation was renamed meanwhile: it is called ${before}.`, {
      now: { name: before },
    });
  const changes: Change[] = name === before ? [] : [{ type: 'organisation.renamed', name, by: by.email }];
  return { ok: true, changes, outcome: { name, changed: changes.length > 0 } };
}
