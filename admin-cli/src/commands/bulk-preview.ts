import type { BulkKind } from '@berth/protocol';
import { bulkOptions, kindPositional } from '../bulk.js';
import { previewTable } from '../bulk-run.js';
import { defineCommand } from '../command.js';

export const bulkPreview = defineCommand({
  usage: 'preview <kind>',
  describe: 'Say what would become of each row of a table, and change nothing',
  positionals: kindPositional,
  options: {
    ...bulkOptions,
    out: {
      type: 'string',
      describe: 'write the rows with their verdicts to this new file, to edit and apply',
    },
  },
  examples: [
    ['berth bulk preview invite --csv people.csv', 'which rows are wrong, and why'],
    ['berth bulk preview assign --csv people.csv --products render,comp --out seats.csv', 'a file to edit'],
    ['berth bulk apply assign --csv seats.csv', 'and then to apply'],
  ],
  more: 'Rows are judged by the server, one after the other, each as if those before it had been applied. The columns takes (of a revoke: how many seats), verdict, code, reason and line of the file are not read again. A row that was cut short lacks the last of them, and one that is too long or has a quote where none can be has a cell `?` behind it, so that it is refused again until somebody has mended it.',
  exits: [[1, 'some rows would fail; each is shown with its reason, and with --out the file is written']],
  run: (context, args) => previewTable(context, args.kind as BulkKind, args, args.out),
});
