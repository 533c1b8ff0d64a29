import { defineCommand } from '../command.js';
import { accessWords, creditWords, grantOptions, parseGrant } from '../credits.js';
import { beforeNote } from '../last-change.js';
import { given, parseUser } from '../parse.js';
import { withAdmin } from '../session.js';

export const creditLimit = defineCommand({
  usage: 'limit <email> <credits>',
  describe: 'Say how many credits a user may spend: a number, unlimited or disabled',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'e-mail address, or a login name' },
    credits: { type: 'string', demandOption: true, describe: 'the most, or `unlimited`, or `disabled`' },
  },
  options: grantOptions,
  examples: [
    ['berth credit limit anna@studio.example 100 --per month', 'a hundred a month'],
    ['berth credit limit anna@studio.example 500', 'five hundred in all, with those she has spent'],
    ['berth credit limit anna@studio.example unlimited', 'as many as there are'],
    ['berth credit limit anna@studio.example disabled', 'none'],
  ],
  more: 'New members may spend none. What was spent in the period counts. For many users at once: `berth bulk template credit`. If somebody else changes the same between the look and the change, nothing is changed and the command says what it is now (CHANGED_MEANWHILE).',
  run: async (context, args) => {
    const email = parseUser(args.email);
    const grant = parseGrant(args.credits, args.per);
    const { document, before } = await withAdmin(context, async (admin) => {
      const { user, credits } = await admin.call('user.show', { email });
      const was = credits && given({ access: credits.access, limit: credits.limit, per: credits.per });
      const before =
        was &&
        (await beforeNote(context, admin, accessWords(was), { kind: 'credit.access', user: user.email }));
      const key = context.sdk.newIdempotencyKey();
      return { before, document: await admin.call('credit.limit', given({ key, email, ...grant, was })) };
    });
    const { email: who, credits, changed } = document;
    const notes = changed
      ? [`${who}: ${creditWords(credits)}.`, ...(before === undefined ? [] : [before])]
      : [`Nothing changed: ${who} was like that already.`];
    return { document, text: '', notes };
  },
});
