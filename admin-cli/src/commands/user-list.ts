import type { CreditAccessName, MemberInfo, MemberOrder, Role } from '@berth/protocol';
import { isRole, limits, roleOrder } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { accessWords } from '../credits.js';
import { usage } from '../fail.js';
import { type List, table } from '../output.js';
import { listPages, moreNote, pageOptions, parsePaging } from '../pages.js';
import { given, optional, parseCount, parseDay, parseProduct, quote } from '../parse.js';
import { pendingCell } from '../pending.js';
import { withAdmin } from '../session.js';
import { momentWords } from '../words.js';

const orders: readonly MemberOrder[] = ['email', 'name', 'role', 'state', 'devices', 'seats', 'credits'];

export const userList = defineCommand({
  usage: 'list',
  describe: 'List members and invited people, or those who were removed',
  options: {
    search: { type: 'string', describe: 'a part of the e-mail, name or login name, or a role' },
    role: { type: 'string', describe: `only this role: ${roleOrder.join(', ')}` },
    product: { type: 'string', describe: 'only who has seats of it allocated' },
    state: {
      type: 'string',
      choices: ['invited', 'active', 'removed'],
      describe: 'only this state; without it all but removed ones',
    },
    credit: {
      type: 'string',
      choices: ['disabled', 'limited', 'unlimited'],
      describe: 'only who may spend credits so',
    },
    'spent-until': {
      type: 'string',
      describe: 'count the credits they spent up to the end of this day, YYYY-MM-DD; all when left out',
    },
    sort: { type: 'string', choices: orders, describe: 'by what to sort (default: email)' },
    reverse: { type: 'boolean', default: false, describe: 'the other way round' },
    page: { type: 'string', describe: 'only this page, from 1' },
    'page-size': { type: 'string', describe: `rows of a page, at most ${limits.pageRows} (default: 50)` },
    ...pageOptions,
  },
  examples: [
    ['berth user list', 'everybody'],
    ['berth user list --search anna --json', 'some, for a script'],
    ['berth user list --product render --sort seats --reverse', 'who has most seats of a product'],
    ['berth user list --credit limited --sort credits --reverse', 'who has a limit, who spent most first'],
    ['berth user list --state removed', 'who was a member, since when not, and by whom'],
    ['berth user list --page 2 --page-size 20', 'as a portal shows them'],
  ],
  run: async (context, args) => {
    const paging = parsePaging(args);
    const pages = pageOf(args);
    const { search, reverse } = args;
    const filter = given({
      search,
      role: optional(args.role, parseRole),
      product: optional(args.product, (text) => parseProduct(text, '--product')),
      state: args.state as MemberInfo['state'] | undefined,
      credit: args.credit as CreditAccessName | undefined,
      spentUntil: optional(args['spent-until'], (text) => parseDay(text, '--spent-until')),
      sort: args.sort as MemberOrder | undefined,
      descending: reverse || undefined,
    });
    const { list, total } = await withAdmin(context, async (admin) => {
      if (pages === null)
        return { list: await listPages(paging, (page) => admin.call('user.list', { ...page, ...filter })) };
      const { page, limit } = pages;
      const first = await admin.call('user.list', { ...filter, page, limit });
      // A page of very long rows comes in parts.
      const missing = Math.min(limit, (first.total ?? limit) - (page - 1) * limit) - first.items.length;
      if (missing <= 0 || first.next === null) return { list: first, total: first.total };
      const rest = await listPages({ rows: missing, cursor: first.next }, (part) =>
        admin.call('user.list', { ...part, ...filter }),
      );
      return { list: { items: [...first.items, ...rest.items], next: rest.next }, total: first.total };
    });
    return {
      document: { items: list.items, next: list.next, ...(total === undefined ? {} : { total }) },
      text: (screen) => memberTable(list, screen, context.nowMs(), args.state),
      notes: pages === null ? moreNote(list) : pageNote(pages, total ?? list.items.length),
    };
  },
});

function memberTable(
  list: List<MemberInfo>,
  screen: Parameters<typeof table>[2],
  nowMs: number,
  asked: string | undefined,
): string {
  return table(
    list.items,
    [
      { title: 'EMAIL', cell: (row) => row.email },
      { title: 'NAME', cell: (row) => row.name },
      { title: 'ROLE', weight: 'high', cell: (row) => row.role },
      { title: 'STATE', weight: 'high', cell: (row) => row.state },
      { title: 'DEVICES', weight: 'low', cell: (row) => row.devices },
      { title: 'ALLOCATED', cell: (row) => row.products.map((p) => `${p.quantity} ${p.product}`).join(', ') },
      { title: 'CREDITS', cell: ({ credits }) => (credits === undefined ? '' : accessWords(credits)) },
      { title: 'SPENT', cell: ({ credits }) => credits?.spent ?? '' },
      {
        title: 'REMOVED',
        weight: asked === 'removed' ? 'high' : 'low',
        cell: ({ removed }) => (removed ? `${momentWords(removed.atMs, nowMs)} by ${removed.by}` : ''),
      },
      { title: 'REMOVAL PENDING', weight: 'high', cell: (row) => pendingCell(row.removing, nowMs) },
    ],
    screen,
  );
}

/** Page and size; `null`: neither was given. */
function pageOf(args: {
  page: string | undefined;
  'page-size': string | undefined;
  limit: string | undefined;
  cursor: string | undefined;
}): { page: number; limit: number } | null {
  const size = args['page-size'];
  if (args.page === undefined && size === undefined) return null;
  if (args.limit !== undefined || args.cursor !== undefined)
    throw usage('--page and --page-size exclude --limit and --cursor.', 'Give one pair of them.');
  return {
    page: optional(args.page, (text) => parseCount(text, '--page', 1, limits.pageNumber)) ?? 1,
    limit: optional(size, (text) => parseCount(text, '--page-size', 1, limits.pageRows)) ?? 50,
  };
}

function pageNote({ page, limit }: { page: number; limit: number }, total: number): string[] {
  const last = Math.max(1, Math.ceil(total / limit));
  if (page > last) return [`There is no page ${page}: the last one is ${last}; ${total} in all.`];
  return [`Page ${page} of ${last}; ${total} in all.`];
}

export function parseRole(text: string): Role {
  const role = text.trim().toLowerCase();
  if (isRole(role)) return role;
  throw usage(`--role ${quote(text)} is no role.`, `Use one of: ${roleOrder.join(', ')}.`);
}
