import type { Command, Context, Decision } from '../commands.js';
import type { State } from '../state.js';

/** For the audit alone: a key that is used at two addresses may have been copied (DESIGN 4). */
export function noteSuperseded(
  state: State,
  { device: id, from, address: by }: Command<'noteSuperseded'>,
  _context: Context,
): Decision<'noteSuperseded'> {
  const device = state.tables.device.get(id);
  if (device === undefined) return { ok: true, changes: [], outcome: {} };
  const { email } = device;
  return {
    ok: true,
    changes: [{ type: 'session.superseded', device: id, email, from, by }],
    outcome: {},
  };
}
