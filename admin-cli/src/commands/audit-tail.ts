import type { AdminConnection } from '@berth/client';
import type { AuditEntry } from '@berth/protocol';
import { filterOptions, parseFilter } from '../audit/audit-filter.js';
import { entryLine } from '../audit/audit-text.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { clean } from '../output.js';
import { optional, parseCount } from '../parse.js';
import { cancellable, withAdminForSteps } from '../session.js';

/** How often the server is asked for what is new, ms. */
const everyMs = 1000;

export const auditTail = defineCommand({
  usage: 'tail',
  describe: 'Show what is done as it happens, until Ctrl-C',
  options: {
    ...filterOptions,
    lines: { type: 'string', default: '10', describe: 'so many of the last ones first' },
    count: { type: 'string', describe: 'end after so many in all' },
  },
  examples: [
    ['berth audit tail', 'everything, from now on and the last ten before'],
    ['berth audit tail --kind lease --product render --lines 0', 'who takes and gives back seats of render'],
    ['berth audit tail --count 1 --lines 0 --json', 'wait for the next thing that happens, for a script'],
  ],
  more: 'One line for each act: when, who, device and address, the command, what changed. New ones appear within about a second. Ctrl-C ends it with exit code 0. With --json all of them are printed at the end.',
  run: async (context, args) => {
    const filter = parseFilter(args);
    const lines = parseCount(args.lines, '--lines', 0, 100);
    const count = optional(args.count, (text) => parseCount(text, '--count', 1, 100_000)) ?? null;
    const items = await withAdminForSteps(context, (admin) =>
      follow(context, admin, { filter, lines, count }),
    );
    return { document: { items, next: null }, text: '' };
  },
});

interface Wanted {
  readonly filter: ReturnType<typeof parseFilter>;
  readonly lines: number;
  readonly count: number | null;
}

async function follow(
  context: Context,
  admin: AdminConnection,
  { filter, lines, count }: Wanted,
): Promise<AuditEntry[]> {
  const kept: AuditEntry[] = [];
  let shown = 0;
  const show = (entries: readonly AuditEntry[]): boolean => {
    for (const entry of entries) {
      if (context.settings.json) kept.push(entry);
      else context.stdout.write(`${clean(entryLine(entry))}\n`);
      shown += 1;
      if (shown === count) return true;
    }
    return false;
  };
  const last = await admin.call('audit.list', { ...filter, limit: Math.max(1, lines) });
  if (show(last.items.slice(0, lines).reverse())) return kept;
  for (let after = last.at; !context.signal.aborted; ) {
    const { items, at } = await admin.call('audit.list', { ...filter, after });
    if (show(items)) return kept;
    if (at === after && !(await pause(context))) break;
    after = at;
  }
  return kept;
}

/** @returns false when Ctrl-C came first: who watches has seen enough, and nothing went wrong. */
async function pause(context: Context): Promise<boolean> {
  const over = new Promise<void>((resolve) => {
    context.processes.after(everyMs, resolve);
  });
  return await cancellable(context, over).then(
    () => true,
    () => false,
  );
}
