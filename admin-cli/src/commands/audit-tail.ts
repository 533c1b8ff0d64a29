import type { AdminConnection } from '@berth/client';
import type { AuditEntry, ErrorCode } from '@berth/protocol';
import { filterOptions, parseFilter } from '../audit/audit-filter.js';
import { entryLine } from '../audit/audit-text.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { toFailure } from '../fail.js';
import { clean } from '../output.js';
import { optional, parseCount } from '../parse.js';
import { cancellable, withAdminForSteps } from '../session.js';

/** How often the server is asked for what is new, ms. */
const everyMs = 1000;

/** Between two lines of what was there before, ms: a pipe tells with the next line that its reader has seen enough, and that may be long in coming. */
const readMs = 10;

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
  more: 'One line for each act: when, who, device and address, the command, what changed. New ones appear within about a second. Ctrl-C ends it with exit code 0, and so does the end of who reads it (`| head`). When the server goes away, stderr says so, and it goes on behind the last line once the server is back. With --json all of them are printed at the end.',
  run: async (context, args) => {
    const filter = parseFilter(args);
    const lines = parseCount(args.lines, '--lines', 0, 100);
    const count = optional(args.count, (text) => parseCount(text, '--count', 1, 100_000)) ?? null;
    const tail = new Tail(context, { filter, lines, count });
    await tail.follow();
    const { kept: items } = tail;
    return { document: { items, next: null }, text: '' };
  },
});

interface Wanted {
  readonly filter: ReturnType<typeof parseFilter>;
  readonly lines: number;
  readonly count: number | null;
}

/** What means that the server is away, and may be back: it is being restarted, or the network is broken. */
const away: ReadonlySet<ErrorCode> = new Set([
  'UNREACHABLE',
  'CONNECTION_LOST',
  'TIMEOUT',
  'DRAINING',
  'BUSY',
  'RATE_LIMITED',
]);

/** Follows the journal over as many connections as it takes: where it was is a place of the journal, which none of them owns. */
class Tail {
  /** What was shown, for `--json`. */
  readonly kept: AuditEntry[] = [];
  readonly #context: Context;
  readonly #wanted: Wanted;
  #shown = 0;
  /** The note of it was written. */
  #away = false;
  /** Behind what was shown last; `null` before the first answer. */
  #after: string | null = null;

  constructor(context: Context, wanted: Wanted) {
    this.#context = context;
    this.#wanted = wanted;
  }

  /** Until there is enough, or Ctrl-C. @throws Failure of the first connection, and what no other connection would mend */
  async follow(): Promise<void> {
    for (;;) {
      try {
        await withAdminForSteps(this.#context, async (admin) => {
          await this.#first(admin);
          await this.#rest(admin);
        });
        return;
      } catch (error) {
        const { code, message } = toFailure(error);
        if (this.#after === null) throw error;
        if (this.#context.signal.aborted) return;
        if (!away.has(code)) throw error;
        if (!this.#away)
          this.#context.stderr.write(`${clean(message)} Waiting for the server; Ctrl-C ends it.\n`);
        this.#away = true;
        if (!(await pause(this.#context))) return;
      }
    }
  }

  /** What was there before, on the first connection only. */
  async #first(admin: AdminConnection): Promise<void> {
    if (this.#after !== null) return;
    const { filter, lines } = this.#wanted;
    const { stdout, settings } = this.#context;
    const asked = admin.call('audit.list', { ...filter, limit: Math.max(1, lines) });
    const last = await cancellable(this.#context, asked);
    this.#after = last.at;
    for (const entry of last.items.slice(0, lines).reverse()) {
      this.#show([entry]);
      if (!stdout.isTty && !settings.json && !(await pause(this.#context, readMs))) return;
    }
  }

  async #rest(admin: AdminConnection): Promise<void> {
    const { filter } = this.#wanted;
    while (!this.#over && !this.#context.signal.aborted) {
      const after = this.#after!;
      const asked = admin.call('audit.list', { ...filter, after });
      const { items, at } = await cancellable(this.#context, asked);
      if (this.#away) this.#context.stderr.write('The server is back.\n');
      this.#away = false;
      // Moved on in the turn in which they are shown: none comes twice, and none is left out.
      this.#after = at;
      this.#show(items);
      if (at === after && !(await pause(this.#context))) return;
    }
  }

  get #over(): boolean {
    return this.#shown === this.#wanted.count || this.#context.stdout.readerGone;
  }

  #show(entries: readonly AuditEntry[]): void {
    for (const entry of entries) {
      if (this.#over) return;
      if (this.#context.settings.json) this.kept.push(entry);
      else this.#context.stdout.write(`${clean(entryLine(entry))}\n`);
      this.#shown += 1;
    }
  }
}

/** @returns false when Ctrl-C came first, or nobody reads on: who watches has seen enough, and nothing went wrong. */
async function pause(context: Context, ms = everyMs): Promise<boolean> {
  const over = new Promise<void>((resolve) => {
    context.processes.after(ms, resolve);
  });
  return await cancellable(context, over).then(
    () => !context.stdout.readerGone,
    () => false,
  );
}
