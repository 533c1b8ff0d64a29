import type { AdminConnection } from '@berth/client';
import { limits } from '@berth/protocol';
import { applyTable, csvOption, eitherCsv, previewTable } from '../bulk-run.js';
import { defineCommand } from '../command.js';
import { asks, confirm } from '../confirm.js';
import type { Context } from '../context.js';
import { dryRun, dryRunOption, memberCalled, membersCalled, verdicts, whomWords } from '../dry-run.js';
import type { Answer } from '../output.js';
import { parseUser } from '../parse.js';
import { pendingOptions, removalNote, whenOf, wouldStayNote } from '../pending.js';
import { withAdmin, withAdminForSteps } from '../session.js';
import { forEach, wouldForEach } from '../several.js';

export const userRemove = defineCommand({
  usage: 'remove [email..]',
  describe: 'Remove users with all their devices; their leases end',
  positionals: {
    email: { type: 'string', array: true, describe: 'e-mail address or login name, or several' },
  },
  options: { ...pendingOptions, ...dryRunOption, ...csvOption },
  examples: [
    ['berth user remove anna@studio.example --dry-run', 'what she holds, and what is set aside for her'],
    ['berth user remove anna@studio.example --yes', 'remove her without being asked'],
    ['berth user remove anna@studio.example bo@studio.example', 'several; each succeeds or fails alone'],
    [
      'berth user remove --csv gone.csv --yes',
      'a table with the column email, as `berth bulk apply remove` does',
    ],
    [
      'berth user remove anna@studio.example --pending --yes',
      'and if she has borrowed: as soon as it is back',
    ],
  ],
  more: 'Refused while seats are allocated to the user (`berth license revoke` first) or borrowed by them. With --pending a removal that only a borrow forbids waits for its end by itself; until then the user gets nothing new. Of several addresses each succeeds or fails alone; if some failed the exit code is 1. Where the connection is lost, or on Ctrl-C, the report says so of those that are left, and the exit code is that of the reason.',
  exits: [[8, 'seats are allocated to the user, or borrowed by them']],
  run: async (context, args) => {
    const csv = eitherCsv(args.email, args.csv, { cancel: args.cancel });
    if (csv !== null) {
      const { pending } = args;
      if (args['dry-run']) return await previewTable(context, 'remove', { csv, pending }, undefined);
      return await applyTable(context, 'remove', { csv, pending, again: false });
    }
    const emails = args.email!.map(String);
    const when = whenOf(args);
    if (args['dry-run'])
      return await (args.cancel ? wouldStay(context, emails) : wouldRemove(context, emails, args.pending));
    if (!args.cancel && asks(context))
      await confirm(
        context,
        `Remove ${await whomToAsk(context, emails)}? Their devices are locked out and their seats end.`,
      );
    return await withAdminForSteps(context, (admin) =>
      forEach(
        context,
        emails,
        async (email) => {
          const key = context.sdk.newIdempotencyKey();
          const document = await admin.call('user.remove', { key, email, ...when });
          return { document, note: removalNote(document.email, document, args, context.nowMs()) };
        },
        parseUser,
      ),
    );
  },
});

/** Of whom a removal is pending that would be taken back. */
async function wouldStay(context: Context, emails: readonly string[]): Promise<Answer> {
  const ask = async (admin: AdminConnection, email: string) => {
    const document = await admin.call('user.remove.preview', { email, cancel: true });
    return { document, note: wouldStayNote(document.email, document) };
  };
  return await withAdminForSteps(context, (admin) =>
    wouldForEach(context, emails, (email) => ask(admin, email), parseUser),
  );
}

/** Of several each is judged alone, and whoever is named twice once, as when they are removed. */
async function wouldRemove(context: Context, typed: readonly string[], pending: boolean): Promise<Answer> {
  const several = typed.length > 1;
  const called = several ? [...new Set(typed.map(userOrAsTyped))] : typed.map(parseUser);
  const rows = called.map((each) => [each]);
  return await dryRun(
    context,
    (scopes) => `remove ${scopes.length < called.length ? these(called) : scopes.map(whomWords).join(', ')}`,
    (admin) => membersCalled(admin, called),
    async (admin) => ({
      ...(await verdicts(context, admin, { kind: 'remove', header: ['email'], rows, pending })),
      several,
    }),
  );
}

/** What is no address the server refuses, with the others. */
function userOrAsTyped(text: string): string {
  try {
    return parseUser(text);
  } catch {
    return text.trim().slice(0, limits.bulkCellChars);
  }
}

/** Whose a login name is has to be seen before somebody agrees. */
async function whomToAsk(context: Context, typed: readonly string[]): Promise<string> {
  const [only, ...others] = typed;
  if (only === undefined || others.length > 0) return these(typed);
  const called = parseUser(only);
  if (called.includes('@')) return called;
  return whomWords(await withAdmin(context, (admin) => memberCalled(admin, called)));
}

const these = (typed: readonly string[]): string => `these ${typed.length} users`;
