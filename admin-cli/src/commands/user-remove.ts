import { applyTable, csvOption, eitherCsv, previewTable } from '../bulk-run.js';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { dryRun, dryRunOption, memberCalled, verdicts } from '../dry-run.js';
import { parseUser } from '../parse.js';
import { pendingOptions, removalNote, whenOf } from '../pending.js';
import { withAdminForSteps } from '../session.js';
import { forEach } from '../several.js';

export const userRemove = defineCommand({
  usage: 'remove [email..]',
  describe: 'Remove users with all their devices; their leases end',
  positionals: {
    email: { type: 'string', array: true, describe: 'e-mail address, or several' },
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
    const whom = emails.length === 1 ? parseUser(emails[0]!) : `these ${emails.length} users`;
    if (args['dry-run']) {
      const called = emails.map(parseUser);
      const { pending } = args;
      const table = {
        kind: 'remove' as const,
        header: ['email'],
        rows: called.map((each) => [each]),
        pending,
      };
      return await dryRun(
        context,
        `remove ${whom}`,
        async (admin) =>
          Promise.all(called.map(async (each) => ({ email: await memberCalled(admin, each) }))),
        (admin) => verdicts(context, admin, table),
      );
    }
    if (!args.cancel)
      await confirm(context, `Remove ${whom}? Their devices are locked out and their seats end.`);
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
