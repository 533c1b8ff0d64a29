import { defineCommand } from '../command.js';
import { fields } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseProduct } from '../parse.js';
import { settingRows } from '../pool-options.js';
import { withAdmin } from '../session.js';

export const poolShow = defineCommand({
  usage: 'show [product]',
  describe: 'Show how the seats of a product are handed out, each setting with its default',
  positionals: { product: { type: 'string', describe: 'only this product' } },
  options: pageOptions,
  examples: [
    ['berth pool show', 'all products'],
    ['berth pool show render --json', 'one, for a script: { items: [ { product, settings, defaults } ] }'],
  ],
  more: 'For the seats themselves, see `berth status`.',
  run: async (context, args) => {
    const paging = parsePaging(args);
    const product = optional(args.product, (text) => parseProduct(text, 'PRODUCT'));
    const list = await withAdmin(context, (admin) =>
      listPages(paging, (page) => admin.call('pool.show', given({ ...page, product }))),
    );
    const blocks = list.items.map((item) =>
      fields([['product', item.product], ...settingRows(item.settings, item.defaults)]),
    );
    return { document: list, text: blocks.join('\n\n'), notes: moreNote(list) };
  },
});
