import type { ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { creditWords } from '../credits.js';
import { fields, table } from '../output.js';
import { parseUser } from '../parse.js';
import { pendingCell } from '../pending.js';
import { withAdmin } from '../session.js';
import { momentWords } from '../words.js';

export const userShow = defineCommand({
  usage: 'show <email>',
  describe: 'Show one member: role, state, login names, invitation, seats, credits',
  positionals: { email: { type: 'string', demandOption: true, describe: 'e-mail address, or a login name' } },
  examples: [
    ['berth user show anna@studio.example', 'everything about her'],
    ["berth user show 'STUDIO\\lgt07' --json", 'by a login name of a workstation, for a script'],
  ],
  run: async (context, args) => {
    const document = await withAdmin(context, (admin) =>
      admin.call('user.show', { email: parseUser(args.email) }),
    );
    const { allocations } = document;
    return {
      document,
      text: (screen) => {
        const about = describe(document, context.nowMs());
        if (allocations.length === 0) return about;
        const seats = table(
          allocations,
          [
            { title: 'PRODUCT', cell: (row) => row.product },
            { title: 'QUANTITY', cell: (row) => row.quantity },
            { title: 'IN USE', cell: (row) => row.inUse },
            { title: 'BORROWED', weight: 'high', cell: (row) => row.borrowed },
            { title: 'EXPIRES', cell: (row) => row.expires },
            {
              title: 'REVOKE PENDING',
              weight: 'high',
              cell: (row) => pendingCell(row.revoking, context.nowMs()),
            },
          ],
          screen,
        );
        return `${about}\n\n${seats}`;
      },
    };
  },
});

function describe({ user, invitation, changed, credits }: ResultOf<'user.show'>, nowMs: number): string {
  const link =
    invitation === null
      ? undefined
      : `${invitation.expired ? 'ended' : 'open, ends'} ${momentWords(invitation.expiresAtMs, nowMs)}`;
  return fields([
    ['email', user.email],
    ['name', user.name],
    ['role', user.role],
    ['state', user.state],
    ['login names', user.aliases.join(', ')],
    ['devices', user.devices],
    ['credits', credits && creditWords(credits)],
    ['invitation', link],
    ['its mail', invitation?.mail && mailWords(invitation.mail)],
    [
      'removal',
      user.removing && `pending ${pendingCell(user.removing, nowMs)}, asked by ${user.removing.by}`,
    ],
    ['removed', user.removed && `${momentWords(user.removed.atMs, nowMs)} by ${user.removed.by}`],
    ['changed', changed && `${momentWords(changed.atMs, nowMs)} by ${changed.by}`],
  ]);
}

/** A link that never arrived is one that nobody has. */
function mailWords({ id, state, error }: { id: string; state: string; error?: string }): string {
  const why = error === undefined ? '' : `: ${error}`;
  if (state === 'failed') return `was refused${why} (berth mail show ${id}; berth mail retry ${id})`;
  return state === 'sent' ? 'sent' : `${state}${why}`;
}
