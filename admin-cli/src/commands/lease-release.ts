import type { ResultOf } from '@berth/protocol';
import { limits } from '@berth/protocol';
import { type Args, defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import type { Context } from '../context.js';
import { usage } from '../fail.js';
import { given, optional, parseDurationSeconds, parseId, quote } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentWords, spanWords } from '../words.js';

const positionals = {
  id: { type: 'string', demandOption: true, describe: 'id as in `berth lease list`' },
} as const;
const options = {
  in: { type: 'string', describe: 'not now but after so long, such as 5m; the plugin is warned at once' },
  message: { type: 'string', describe: 'shown to the person at the plugin' },
  reason: { type: 'string', describe: 'the same as --message' },
  cancel: { type: 'boolean', describe: 'call off a release that was set with --in' },
} as const;
type ReleaseArgs = Args<typeof positionals, typeof options>;

export const leaseRelease = defineCommand({
  usage: 'release <id>',
  describe: 'Take a seat away from whoever holds it',
  positionals,
  options,
  examples: [
    ['berth lease release l7k2m --message "The workstation is being replaced"', 'end it and say why'],
    [
      'berth lease release l7k2m --in 5m --message "Needed for the night run"',
      'warn first, end it in five minutes',
    ],
    ['berth lease release l7k2m --cancel', 'call that off'],
  ],
  more: 'The plugin is told at once; the seat is free when it has stopped, or at the end of its window. With --in the moment stands in `berth lease list` and outlives a restart of the server; giving it again moves it. A seat that lingers after its release is free at once. A borrow cannot be taken away.',
  run: async (context, args) => {
    const lease = parseId(args.id, 'ID');
    return args.cancel === true ? keep(context, lease, args) : release(context, lease, args);
  },
});

async function release(context: Context, lease: string, args: ReleaseArgs) {
  if (args.message !== undefined && args.reason !== undefined)
    throw usage('--message and --reason are the same; give one of them.');
  const inSeconds = optional(args.in, delayOf);
  const when = inSeconds === undefined ? '' : ` in ${spanWords(inSeconds * 1000)}`;
  await confirm(context, `Take the seat of lease ${lease} away from whoever uses it${when}?`);
  const key = context.sdk.newIdempotencyKey();
  const reason = args.message ?? args.reason;
  const document = await withAdmin(context, (admin) =>
    admin.call('lease.revoke', given({ key, lease, reason, inSeconds })),
  );
  return { document, text: '', notes: [sentence(document, context.nowMs())] };
}

async function keep(context: Context, lease: string, args: ReleaseArgs) {
  if (args.in !== undefined || args.message !== undefined || args.reason !== undefined)
    throw usage('--cancel stands alone.');
  const document = await withAdmin(context, (admin) =>
    admin.call('lease.keep', { key: context.sdk.newIdempotencyKey(), lease }),
  );
  const note = document.kept
    ? `The release of ${lease} is called off.`
    : `No release of ${lease} was set; nothing changed.`;
  return { document, text: '', notes: [note] };
}

function delayOf(text: string): number {
  const seconds = parseDurationSeconds(text, '--in');
  if (seconds >= 1 && seconds <= limits.releaseInSeconds) return seconds;
  throw usage(`--in ${quote(text)} is not from 1s to ${limits.releaseInSeconds / 86_400}d.`);
}

function sentence({ lease, releaseAtMs, freeAtMs }: ResultOf<'lease.revoke'>, nowMs: number): string {
  const free = `Its seat is free ${momentWords(freeAtMs, nowMs)} at the latest.`;
  if (releaseAtMs === null) return `Revoked ${lease}. ${free}`;
  return `The plugin of ${lease} is told that its seat ends ${momentWords(releaseAtMs, nowMs)}. ${free}`;
}
