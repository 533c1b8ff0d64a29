import type { BulkKind } from '@berth/protocol';
import { columnsOf, kindPositional } from '../bulk.js';
import { defineCommand } from '../command.js';
import { writeCsv } from '../csv.js';

const examples: Record<BulkKind, readonly string[]> = {
  invite: ['anna@studio.example', 'Anna Ek', 'user'],
  remove: ['anna@studio.example'],
  assign: ['anna@studio.example', 'render', '1', ''],
  revoke: ['anna@studio.example', 'render', '', ''],
  credit: ['anna@studio.example', '100', 'month'],
};

/** As the server reads them (bulk-table.ts of the server). */
const spellingWords =
  'Capitals do not matter in titles, addresses and product ids. These titles are read as well: mail, e-mail, e-mail address, email address and user for email; seats and qty for quantity; expiry and expiration date for expires; credits and credit limit for limit; period for per.';

export const bulkTemplate = defineCommand({
  usage: 'template <kind>',
  describe: 'Print a table to fill in, with one row as an example',
  positionals: kindPositional,
  examples: [
    ['berth bulk template invite > people.csv', 'to fill in and apply'],
    ['berth bulk template assign', 'which columns there are'],
  ],
  more: `${spellingWords} A column of another name is not read; one that is nearly called like one that is missing is refused. Only email is needed. An empty cell takes the default: the role user; one seat, or of a revoke all of them, which it may also say with the word all; the entitlement that ends last. A revoke without a product takes every product. A row of credit needs its limit too: a number, for each day, month or year, or in all (total, the default), or unlimited or disabled. A row of assign means "has at least this many with this expiry"; one of invite "is a member, with this name and role where it says them": it changes neither of somebody who has joined (berth user set).`,
  run: async (_context, args) => {
    const kind = args.kind as BulkKind;
    const text = writeCsv(columnsOf(kind), [examples[kind]]);
    return { document: { kind, columns: columnsOf(kind), csv: text }, text };
  },
});
