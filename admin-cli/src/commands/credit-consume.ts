import { defineCommand } from '../command.js';
import { parseCredits } from '../credits.js';
import { usage } from '../fail.js';
import { optional, parseProduct, quote } from '../parse.js';
import { withLease } from '../session.js';

export const creditConsume = defineCommand({
  usage: 'consume <product> <credits>',
  describe: 'Spend credits, once for each key: for scripts whose plugin cannot',
  positionals: {
    product: { type: 'string', demandOption: true, describe: 'what for: product id as in `berth status`' },
    credits: { type: 'string', demandOption: true, describe: 'how many' },
  },
  options: {
    key: {
      type: 'string',
      describe:
        'known by it for a week: the same key again spends nothing more; 16 to 64 letters, digits, - and _ (default: a new one)',
    },
  },
  examples: [
    ['berth credit consume render 12', 'twelve'],
    ['berth credit consume render 12 --key render-job-000471', 'twelve, however often the job starts again'],
  ],
  more: 'Only the credits of the vendor of the product are spent.',
  run: async (context, args) => {
    const credits = parseCredits(args.credits);
    const product = parseProduct(args.product, 'PRODUCT');
    const key = optional(args.key, parseKey) ?? context.sdk.newIdempotencyKey();
    const document = await withLease(context, (lease) =>
      lease.call('credit.consume', { key, product, credits }),
    );
    const notes = [`Spent ${document.credits}, receipt ${document.id}; ${document.left} were left then.`];
    return { document: { key, ...document }, text: '', notes };
  },
});

function parseKey(text: string): string {
  if (/^[A-Za-z0-9_-]{16,64}$/.test(text)) return text;
  throw usage(
    `--key ${quote(text)} cannot be a key.`,
    'A key has 16 to 64 letters, digits, hyphens and underscores.',
  );
}
