import type { AdminConnection } from '@berth/client';
import type { ResultOf } from '@berth/protocol';
import { applyTable, csvOption, eitherCsv, previewTable } from '../bulk-run.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { usage } from '../fail.js';
import type { Answer } from '../output.js';
import { given, optional, parseEmail, parseName } from '../parse.js';
import { withAdminForSteps } from '../session.js';
import { forEach, type Said, wouldForEach } from '../several.js';
import { momentWords } from '../words.js';

export const userInvite = defineCommand({
  usage: 'invite [email..]',
  describe: 'Make people members and print the links with which they join',
  positionals: {
    email: { type: 'string', array: true, describe: 'e-mail address, or several' },
  },
  options: {
    name: { type: 'string', describe: 'name of the person' },
    role: { type: 'string', describe: 'owner, admin, viewer or user (default: user)' },
    device: { type: 'boolean', describe: 'a further device of somebody who is a member already' },
    resend: { type: 'boolean', describe: 'a new link for somebody who is invited already; the old one ends' },
    cancel: { type: 'boolean', describe: 'end the link; the member stays until `berth user remove`' },
    ...csvOption,
    'dry-run': {
      type: 'boolean',
      default: false,
      describe: 'say what would become of each of them, and change nothing',
    },
  },
  examples: [
    ['berth user invite anna@studio.example --name "Anna Ek"', 'a user; the link is alone on stdout'],
    [
      'berth user invite anna@studio.example cem@studio.example',
      'several; a line with address and link each',
    ],
    [
      'berth user invite anna@studio.example cem@studio.example --dry-run',
      'who would be refused, and why; nobody is invited',
    ],
    ['berth user invite bo@studio.example --role admin', 'somebody who may run this command too'],
    ['berth user invite bo@studio.example --device', 'a link for another computer of the same person'],
    [
      'berth user invite --csv people.csv',
      'a table with the columns email, name, role; the links go by mail',
    ],
    ['berth user invite bo@studio.example --resend', 'the link was lost: a new one'],
  ],
  more: 'The link works once and for one device. With --csv it is what `berth bulk apply invite` does: each row has its link by mail, and `berth mail show` has it too. Of several addresses each succeeds or fails alone; if some failed the exit code is 1. Where the connection is lost, or on Ctrl-C, the report says so of those that are left, and the exit code is that of the reason.',
  lost: 'Free some space. They are invited, and a new link is: berth user invite EMAIL --resend',
  run: async (context, args) => {
    const { device, resend, cancel, role } = args;
    const csv = eitherCsv(args.email, args.csv, { device, resend, cancel, role, name: args.name });
    const dry = args['dry-run'];
    if (csv !== null && dry) return await previewTable(context, 'invite', { csv, pending: false }, undefined);
    if (csv !== null) return await applyTable(context, 'invite', { csv, pending: false, again: false });
    if ([device, resend, cancel].filter((each) => each === true).length > 1)
      throw usage('--device, --resend and --cancel exclude each other.', 'Give one of them.');
    if ((device || resend || cancel) && (role !== undefined || args.name !== undefined))
      throw usage(
        '--device, --resend and --cancel change no role or name.',
        'Change them with `berth user set EMAIL`.',
      );
    const emails = args.email!.map(String);
    if (args.name !== undefined && emails.length > 1)
      throw usage('--name is the name of one person.', 'Invite them one by one, or leave the name out.');
    const name = optional(args.name, parseName);
    if (emails.length === 1) parseEmail(emails[0]!);
    const asked = { name, role, device, resend };
    if (dry) return await wouldInvite(context, emails, asked, cancel === true);
    return await withAdminForSteps(context, (admin) =>
      forEach(context, emails, (email) =>
        cancel ? cancelInvitation(context, admin, email) : invite(context, admin, given({ email, ...asked })),
      ),
    );
  },
});

interface Asked {
  readonly name: string | undefined;
  readonly role: string | undefined;
  readonly device: boolean | undefined;
  readonly resend: boolean | undefined;
}

/** What the server would say to each. */
async function wouldInvite(
  context: Context,
  emails: readonly string[],
  asked: Asked,
  cancel: boolean,
): Promise<Answer> {
  return await withAdminForSteps(context, (admin) =>
    wouldForEach(context, emails, async (email) => {
      if (!cancel) {
        const document = await admin.call('user.invite.preview', given({ email, ...asked }));
        return { document, note: wouldNote(document, context.nowMs()) };
      }
      const document = await admin.call('user.invitation.cancel.preview', { email });
      const open = document.cancelled > 0;
      return {
        document,
        note: open ? `Would cancel the link of ${document.email}.` : `No link of ${document.email} is open.`,
      };
    }),
  );
}

function wouldNote({ user, expiresAtMs, replaced }: ResultOf<'user.invite.preview'>, nowMs: number): string {
  const again = replaced === true ? ' They have a link already, which would work no more.' : '';
  return `Would invite ${user.email} (${user.role}).${again} The link would end ${momentWords(expiresAtMs, nowMs)}.`;
}

async function invite(
  context: Context,
  admin: AdminConnection,
  asked: { email: string; name?: string; role?: string; device?: boolean; resend?: boolean },
): Promise<Said> {
  const document = await admin.call('user.invite', { key: context.sdk.newIdempotencyKey(), ...asked });
  const { user, link, expiresAtMs, replaced } = document;
  const until = momentWords(expiresAtMs, context.nowMs());
  const again = replaced === true ? ` They had a link already, which works no more.` : '';
  const note = `Invited ${user.email} (${user.role}).${again} The link works once and ends ${until}: berth join LINK`;
  return { document, text: link, note };
}

async function cancelInvitation(context: Context, admin: AdminConnection, email: string): Promise<Said> {
  const key = context.sdk.newIdempotencyKey();
  const document = await admin.call('user.invitation.cancel', { key, email });
  const note =
    document.cancelled === 0
      ? `No link of ${email} was open.`
      : `Cancelled the link of ${email}, who stays a member: berth user remove ${email}`;
  return { document, note };
}
