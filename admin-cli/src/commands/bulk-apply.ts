import type { BulkKind } from '@berth/protocol';
import { bulkOptions, kindPositional } from '../bulk.js';
import { applyTable, previewTable } from '../bulk-run.js';
import { defineCommand } from '../command.js';
import { dryRunOption } from '../dry-run.js';

export const bulkApply = defineCommand({
  usage: 'apply <kind>',
  describe: 'Do what each row of a table asks for; each row succeeds or fails alone',
  positionals: kindPositional,
  options: {
    ...bulkOptions,
    ...dryRunOption,
    again: {
      type: 'boolean',
      default: false,
      describe: 'a new job, although these rows were applied before',
    },
  },
  examples: [
    ['berth bulk apply invite --csv people.csv', 'everybody of a table'],
    ['berth bulk apply remove --csv gone.csv --dry-run', 'the same as `berth bulk preview`'],
    ['berth bulk apply remove --csv gone.csv --yes', 'without being asked'],
    ['berth bulk report j-7k2m --failures --csv > failed.csv', 'and what failed, to mend and apply'],
  ],
  more: 'The server does it, and goes on where it was if it is stopped in the middle: the command may be ended, `berth bulk list` shows the job. The same rows again are the same job, with its report of then, also of rows that failed, unless --again. A quote within a cell is written twice, with quotes around the whole cell: one that stands elsewhere, or is not closed, costs its own line (QUOTE_STRAY, QUOTE_OPEN), and those behind it are read by themselves; in the first line it refuses the table. If a row failed the exit code is 1.',
  exits: [[1, 'some rows failed; the report says which and why']],
  run: (context, args) => {
    const kind = args.kind as BulkKind;
    return args['dry-run'] ? previewTable(context, kind, args, undefined) : applyTable(context, kind, args);
  },
});
