import { defineCommand } from '../command.js';
import { answerRequest, noteOption } from './credit-approve.js';

export const creditDeny = defineCommand({
  usage: 'deny <email>',
  describe: 'Say no to somebody who asked for credits',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'who asked: e-mail address, or a login name' },
  },
  options: { note: noteOption },
  examples: [
    ['berth credit deny anna@studio.example --note "The budget is spent until January."', 'and why'],
  ],
  more: 'Whoever asked is told by mail.',
  run: (context, args) => answerRequest(context, { ...args, approve: false }),
});
