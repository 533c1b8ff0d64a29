import { defineCommand } from '../command.js';
import { usage } from '../fail.js';
import { optional, parseId, parseProduct } from '../parse.js';
import { cancellable, identity } from '../session.js';
import { momentWords } from '../words.js';

export const borrowReturn = defineCommand({
  usage: 'return [id]',
  describe: 'Return borrowed seats early: one, those of a product, or all of this context',
  positionals: { id: { type: 'string', describe: 'id as in `berth borrow list`' } },
  options: { product: { type: 'string', describe: 'those of this product' } },
  examples: [
    ['berth borrow return', 'everything this computer borrowed from the server of this context'],
    ['berth borrow return --product render', 'the seats of one product'],
  ],
  run: async (context, args) => {
    if (args.id !== undefined && args.product !== undefined) {
      throw usage(
        'An id and --product exclude each other.',
        'Give one of them, or neither to return everything.',
      );
    }
    const id = optional(args.id, (text) => parseId(text, 'ID'));
    const product = optional(args.product, (text) => parseProduct(text, '--product'));
    const returned = await cancellable(
      context,
      context.sdk.returnBorrows({ ...identity(context), id, product }),
    );
    const items = returned.map(({ id, product, leaseIds, freeAtMs }) => ({
      id,
      product,
      leaseIds,
      freeAtMs,
    }));
    const sentences = items.map(
      (item) =>
        `Returned ${item.id} (${item.product}); its seat is free ${momentWords(item.freeAtMs, context.nowMs())}.`,
    );
    return {
      document: { items, next: null },
      text: '',
      notes: sentences.length === 0 ? ['Nothing is borrowed here.'] : sentences,
    };
  },
});
