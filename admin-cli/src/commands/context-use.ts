import { defineCommand } from '../command.js';

export const contextUse = defineCommand({
  usage: 'use <name>',
  describe: 'Make a joined server the current one',
  positionals: { name: { type: 'string', demandOption: true, describe: 'name as in `berth context list`' } },
  examples: [['berth context use studio', 'from now on commands talk to studio']],
  run: async (context, args) => {
    await context.sdk.identities(context.settings.home).use(args.name);
    return { document: { current: args.name }, text: '', notes: [`Context "${args.name}" is now current.`] };
  },
});
