import type { Borrow, OpenBorrowRequest } from '@berth/client';
import { borrowJson } from '../borrows.js';
import { defineCommand } from '../command.js';
import { toFailure } from '../fail.js';
import { table } from '../output.js';
import { optional, parseProduct } from '../parse.js';
import { identity } from '../session.js';
import { vendorKeyOption, vendorKeysOf } from '../vendor-keys.js';
import { momentCell, momentWords, seatWords, spanWords } from '../words.js';

export const borrowList = defineCommand({
  usage: 'list',
  describe: 'List what this computer has borrowed; verified here, without the server',
  options: { product: { type: 'string', describe: 'only this product' }, ...vendorKeyOption },
  examples: [
    ['berth borrow list', 'works offline'],
    ['berth borrow list --product render --json', 'those of one product, for a script'],
  ],
  more: 'VALID UNTIL is when it can no longer be used here, SEAT FREE AGAIN when the server may give the seat to somebody else if it is not returned. Local time. What was asked for in a file and has no grant yet is said below the list, and in `requests` with --json.',
  run: async (context, args) => {
    const product = optional(args.product, (text) => parseProduct(text, '--product'));
    const vendorKeys = await vendorKeysOf(context, args['vendor-key']);
    const { context: name, home } = identity(context);
    const asked = await context.sdk.listBorrowRequests({ context: name, home });
    const requests = asked.filter((one) => product === undefined || one.product === product);
    const borrows = await context.sdk
      .listBorrows({ context: name, home, product, vendorKeys })
      .catch((error: unknown) => noneYet(error, asked));
    return {
      document: {
        items: borrows.map(borrowJson),
        next: null,
        ...(requests.length === 0 ? {} : { requests }),
      },
      text: (screen) =>
        table(
          borrows,
          [
            { title: 'ID', cell: (row) => row.id },
            { title: 'PRODUCT', cell: (row) => row.product },
            { title: 'SEATS', cell: (row) => row.seats },
            { title: 'STATE', cell: (row) => row.state },
            { title: 'TAKEN', cell: (row) => momentCell(row.takenAtMs) },
            { title: 'VALID UNTIL', cell: (row) => momentCell(row.expiresAtMs) },
            { title: 'SEAT FREE AGAIN', cell: (row) => momentCell(row.freeAtMs) },
            { title: 'EARLY RETURN', cell: (row) => row.earlyReturn },
            { title: 'AUTO-EXTEND', cell: (row) => extendCell(row.autoExtend) },
          ],
          screen,
        ),
      notes: [
        ...borrows.flatMap(({ id, fault }) => (fault === null ? [] : [`${id} does not verify: ${fault}`])),
        ...requests.map((one) => requestNote(one, context.nowMs())),
      ],
    };
  },
});

/** A machine that asked in a file belongs to no server until it has installed its first grant. */
function noneYet(error: unknown, asked: readonly OpenBorrowRequest[]): Borrow[] {
  if (asked.length > 0 && ['NOT_JOINED', 'CONTEXT_UNKNOWN'].includes(toFailure(error).code)) return [];
  throw error;
}

function requestNote({ product, seats, seconds, requestedAtMs }: OpenBorrowRequest, nowMs: number): string {
  const what = `${seatWords(seats)} of ${product} for ${spanWords(seconds * 1000)}`;
  return `Asked ${momentWords(requestedAtMs, nowMs)} for ${what}, no grant is installed: berth borrow install FILE`;
}

function extendCell(autoExtend: Borrow['autoExtend']): string {
  if (autoExtend === null) return 'no';
  const { seconds, beforeSeconds } = autoExtend;
  return `by ${spanWords(seconds * 1000)}, ${spanWords(beforeSeconds * 1000)} before`;
}
