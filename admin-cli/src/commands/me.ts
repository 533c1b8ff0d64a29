import type { ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Output } from '../context.js';
import { creditWords } from '../credits.js';
import { fields, table } from '../output.js';
import { pendingCell } from '../pending.js';
import { withLease } from '../session.js';
import { untilWords } from '../words.js';

type Mine = ResultOf<'user.me'>;

export const me = defineCommand({
  usage: 'me',
  describe: 'Show what you hold: your seats, personal and from the organisation, leases, borrows, credits',
  examples: [
    ['berth me', 'yours'],
    ['berth me --json', 'for a script'],
  ],
  more: 'Set aside: seats that nobody else may take. Shared: seats of the organisation that every member may use while floating sharing is on.',
  run: async (context) => {
    const document = await withLease(context, (lease) => lease.call('user.me', {}));
    const nothing = document.allocations.length === 0 && document.leases.length === 0;
    return {
      document,
      text: (screen) => describe(document, screen, context.nowMs()),
      notes: [
        ...(nothing ? ['Nothing is set aside for you and you have no seat in hand.'] : []),
        ...(document.more ? ['There is more than is shown.'] : []),
      ],
    };
  },
});

function describe(
  { user, removing, allocations, leases, shared, credits }: Mine,
  screen: Output,
  nowMs: number,
): string {
  const parts = [
    fields([
      ['you', `${user.email} (${user.role})`],
      ['name', user.name],
      ['removal', removing && `pending ${pendingCell(removing, nowMs)}, asked by ${removing.by}`],
      ['credits', credits && creditWords(credits)],
    ]),
  ];
  if (allocations.length > 0) parts.push(allocationTable(allocations, screen, nowMs));
  if (leases.length > 0)
    parts.push(
      table(
        leases,
        [
          { title: 'IN HAND', cell: (row) => row.product },
          { title: 'SEATS', cell: (row) => row.seats },
          { title: 'KIND', cell: (row) => (row.kind === 'borrow' ? 'borrowed' : row.state) },
          { title: 'DEVICE', cell: (row) => row.device },
          { title: 'OF', cell: (row) => (row.allocated ? 'yours' : 'shared') },
          { title: 'UNTIL', cell: (row) => untilWords(row.expiresAtMs, nowMs) },
        ],
        screen,
      ),
    );
  if (shared.length > 0)
    parts.push(
      table(
        shared,
        [
          { title: 'SHARED', cell: (row) => row.product },
          { title: 'SEATS', cell: (row) => row.shared },
          { title: 'FREE', cell: (row) => row.free },
          { title: 'SHARING', cell: (row) => (row.floatingSharing ? 'on' : 'off') },
        ],
        screen,
      ),
    );
  return parts.join('\n\n');
}

function allocationTable(allocations: Mine['allocations'], screen: Output, nowMs: number): string {
  return table(
    allocations,
    [
      { title: 'SET ASIDE', cell: (row) => row.product },
      { title: 'QUANTITY', cell: (row) => row.quantity },
      { title: 'FROM', cell: (row) => (row.personal ? 'personal' : 'organisation') },
      { title: 'EXPIRES', cell: (row) => row.expires },
      { title: 'IN USE', cell: (row) => row.inUse },
      { title: 'BORROWED', cell: (row) => row.borrowed },
      { title: 'REVOKE PENDING', weight: 'high', cell: (row) => pendingCell(row.revoking, nowMs) },
    ],
    screen,
  );
}
