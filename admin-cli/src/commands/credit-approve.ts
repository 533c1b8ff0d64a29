import type { CreditAccess } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { creditWords, grantOptions, optionalGrant } from '../credits.js';
import type { Answer } from '../output.js';
import { given, parseUser } from '../parse.js';
import { withAdmin } from '../session.js';

export const noteOption = {
  type: 'string',
  describe: 'what to tell whoever asked; at most 400 characters',
} as const;

export const creditApprove = defineCommand({
  usage: 'approve <email> [credits]',
  describe: 'Give somebody who asked for credits what they asked for, or something else',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'who asked: e-mail address, or a login name' },
    credits: {
      type: 'string',
      describe:
        'what they may spend then: the most, or `unlimited`; as much more as was asked for when left out',
    },
  },
  options: { ...grantOptions, note: noteOption },
  examples: [
    ['berth credit approve anna@studio.example', 'as much more as she asked for'],
    ['berth credit approve anna@studio.example 500 --per month', 'five hundred a month'],
  ],
  more: 'Whoever asked is told by mail.',
  run: (context, args) =>
    answerRequest(context, { ...args, approve: true, grant: optionalGrant(args.credits, args.per) }),
});

/** Says yes or no. */
export async function answerRequest(
  context: Context,
  asked: { email: string; approve: boolean; grant?: CreditAccess | undefined; note: string | undefined },
): Promise<Answer> {
  const { approve, grant, note } = asked;
  const params = given({
    ...{ key: context.sdk.newIdempotencyKey(), email: parseUser(asked.email), approve, grant, note },
  });
  const document = await withAdmin(context, (admin) => admin.call('credit.decide', params));
  const { email, approved, credits } = document;
  const notes = [`${approved ? 'Approved' : 'Denied'}. ${email}: ${creditWords(credits)}.`];
  return { document, text: '', notes };
}
