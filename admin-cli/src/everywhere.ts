// What every command has.

/** The options that every command has. */
export const globalOptions = {
  json: { type: 'boolean', default: false, describe: 'print one JSON object on stdout' },
  yes: {
    type: 'boolean',
    default: false,
    alias: 'y',
    describe: 'do not ask before removing or revoking (only a person at a terminal is asked)',
  },
  'no-input': { type: 'boolean', default: false, describe: 'never ask anything' },
  context: { type: 'string', requiresArg: true, describe: 'which joined server to use' },
  home: {
    type: 'string',
    requiresArg: true,
    describe: 'folder of contexts, keys and borrows, as BERTH_HOME',
  },
} as const;

/** Those that yargs has by itself. */
export const textOptions = {
  help: { type: 'boolean', alias: 'h', describe: 'show the help of a command' },
  version: { type: 'boolean', describe: 'show the version' },
} as const;

/** The exit codes of the error catalogue, a word and a sentence each. */
export const exitCodes = [
  [0, 'ok', 'It was done.'],
  [
    1,
    'failure',
    'It failed; the code of the error says why. So does a file that is not there, cannot be read or written, or would be replaced.',
  ],
  [2, 'usage', 'The command line, a value or what is in a file is wrong; nothing was sent or changed.'],
  [3, 'cancelled', 'Ctrl-C, or no to a question.'],
  [4, 'not allowed', 'The role or the key of this device is not enough.'],
  [5, 'unreachable', 'No server could be reached, or it does not serve now.'],
  [6, 'not found', 'There is nothing of that name.'],
  [7, 'no seat', 'There is no seat, or it was lost.'],
  [8, 'blocked', 'Something must end or change first, such as a borrow.'],
] as const;
