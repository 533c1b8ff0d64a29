import { defineCommand } from '../command.js';
import { fields } from '../output.js';
import { withAdmin } from '../session.js';

export const orgShow = defineCommand({
  usage: 'show',
  describe: 'Show the organisation: users, products, credits, floating sharing',
  examples: [
    ['berth org show', 'the numbers'],
    ['berth org show --json', 'for a script'],
  ],
  run: async (context) => {
    const document = await withAdmin(context, (admin) => admin.call('organisation.show', {}));
    const { name, users, invited, products, sharing, credits, serverId, version } = document;
    const state = sharing === 0 ? 'off' : sharing === products ? 'on' : `on for ${sharing} of ${products}`;
    const text = fields([
      ['organisation', name],
      ['users', invited === 0 ? users : `${users} (${invited} invited)`],
      ['products', products],
      ['credits', credits],
      ['floating sharing', products === 0 ? 'no product yet' : state],
      ['server', `${serverId} (berthd ${version})`],
    ]);
    return { document, text };
  },
});
