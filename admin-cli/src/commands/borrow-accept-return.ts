import { defineCommand } from '../command.js';
import { Failure } from '../fail.js';
import { acceptReturn, readOfflineFile } from '../offline.js';

export const borrowAcceptReturn = defineCommand({
  usage: 'accept-return <file>',
  describe: 'As an admin: take back what a machine returned in a file',
  positionals: {
    file: { type: 'string', demandOption: true, describe: 'what `berth borrow return --out` wrote' },
  },
  options: {
    'dry-run': {
      type: 'boolean',
      default: false,
      describe: 'say what would be returned, and change nothing',
    },
  },
  examples: [
    ['berth borrow accept-return return.json --dry-run', 'which leases it returns'],
    ['berth borrow accept-return return.json', 'its seats are free, as the entitlement says'],
  ],
  more: 'Harmless to repeat: what has ended already counts as returned.',
  run: async (context, args) => {
    const file = await readOfflineFile(context, args.file);
    if (file.berth === 'borrow-return') return await acceptReturn(context, file, args['dry-run']);
    throw new Failure('BORROW_FILE_INVALID', {
      message: `This is a ${file.berth === 'borrow-grant' ? 'grant' : 'request'}, not a return.`,
    });
  },
});
