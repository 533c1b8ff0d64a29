import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { Failure, usage } from '../fail.js';
import { fileExists, writeText } from '../files.js';
import type { Answer } from '../output.js';
import { given, optional, parseId, parseProduct } from '../parse.js';
import { cancellable, identity } from '../session.js';
import { momentWords } from '../words.js';

export const borrowReturn = defineCommand({
  usage: 'return [id]',
  describe: 'Return borrowed seats early: one, those of a product, or all of this context',
  positionals: { id: { type: 'string', describe: 'id as in `berth borrow list`' } },
  options: {
    product: { type: 'string', describe: 'those of this product' },
    out: {
      type: 'string',
      describe: 'without a server: write what an admin accepts with `berth borrow accept-return`',
    },
    'dry-run': {
      type: 'boolean',
      default: false,
      describe: 'say what would be returned, and change nothing',
    },
  },
  examples: [
    ['berth borrow return --dry-run', 'what that would be, without asking the server'],
    ['berth borrow return', 'everything this computer borrowed from the server of this context'],
    ['berth borrow return --product render', 'the seats of one product'],
    ['berth borrow return --out return.json', 'on a machine that no network reaches'],
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
    if (args.out !== undefined && (await context.files.exists(args.out))) throw fileExists(args.out);
    if (args['dry-run']) return await wouldReturn(context, given({ id, product }), args.out);
    if (args.out !== undefined) return await returnInFile(context, args.out, given({ id, product }));
    const returned = await cancellable(
      context,
      context.sdk.returnBorrows({ ...identity(context), id, product }),
    );
    requireSome(returned, product);
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

async function returnInFile(
  context: Context,
  out: string,
  which: { id?: string; product?: string },
): Promise<Answer> {
  const { contextName, home } = context.settings;
  const { file, borrows } = await context.sdk.returnBorrowsOffline({ context: contextName, home, ...which });
  await writeText(context, out, file, { mode: 0o600, exclusive: true });
  const items = borrows.map(({ id, product, leaseIds, freeAtMs }) => ({ id, product, leaseIds, freeAtMs }));
  const sentences = items.map(({ id, product }) => `${id} (${product}) is not used here any more.`);
  const next = `Wrote ${out}. An admin takes it back with: berth borrow accept-return ${out}`;
  return { document: { out, items }, text: '', notes: [...sentences, next] };
}

async function wouldReturn(
  context: Context,
  which: { id?: string; product?: string },
  out: string | undefined,
): Promise<Answer> {
  const inFile = out !== undefined;
  const borrows = await context.sdk.borrowsToReturn({ ...identity(context), ...which, inFile });
  requireSome(borrows, which.product);
  const items = borrows.map(({ id, product, leaseIds }) => ({ id, product, leaseIds }));
  const sentences = borrows.map(({ id, product, earlyReturn, freeAtMs }) => {
    if (inFile) return `${id} (${product}) would not be used here any more.`;
    const free = earlyReturn === 'at-once' ? 'at once' : momentWords(freeAtMs, context.nowMs());
    return `Would return ${id} (${product}); its seat would be free ${free}.`;
  });
  const notes = sentences.length === 0 ? ['Nothing is borrowed here.'] : sentences;
  return {
    document: { dryRun: true, ...given({ out }), items, next: null },
    text: '',
    notes: [...notes, 'Nothing was changed.'],
  };
}

function requireSome(borrows: readonly unknown[], product: string | undefined): void {
  if (product !== undefined && borrows.length === 0)
    throw new Failure('BORROW_UNKNOWN', { message: `Nothing of ${product} is borrowed on this computer.` });
}
