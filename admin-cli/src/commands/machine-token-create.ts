import { limits } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { usage } from '../fail.js';
import { given, optional, parseCount, parseDay, parseDurationSeconds, parseName, quote } from '../parse.js';
import { withAdmin } from '../session.js';
import { untilWords } from '../words.js';

export const machineTokenCreate = defineCommand({
  usage: 'create',
  describe: 'Print a link with which machines join by themselves',
  options: {
    uses: { type: 'string', default: '1', describe: 'how many machines may join with it' },
    expires: {
      type: 'string',
      describe: 'how long it is good: 30d, or its last day, YYYY-MM-DD; until it is revoked when left out',
    },
    group: { type: 'string', describe: 'shown beside the names of the machines: farm, lab' },
    name: { type: 'string', describe: 'what the token is called in the list' },
  },
  examples: [
    [
      'berth machine token create --uses 40 --group farm --expires 30d',
      'forty render nodes; the link is alone on stdout',
    ],
    ['BERTH_JOIN="$LINK" berth run --product render -- render scene.usd', 'on a node: it joins first, once'],
  ],
  more: 'The link is shown this once. A node finds it in BERTH_JOIN, or in the file that BERTH_JOIN_FILE names (mode 0600), and joins when it first needs a seat. A machine uses shared seats only, and no admin commands.',
  lost: 'Free some space. The link is not shown again: revoke this token (`berth machine token list`, `revoke`), and create another.',
  run: async (context, args) => {
    const params = given({
      key: context.sdk.newIdempotencyKey(),
      uses: parseCount(args.uses, '--uses', 1, limits.machineTokenUses),
      group: optional(args.group, parseName),
      name: optional(args.name, parseName),
      ...lifeOf(args.expires, context.nowMs()),
    });
    const document = await withAdmin(context, (admin) => admin.call('machine.token.create', params));
    const { id, maxUses, expiresAtMs } = document.token;
    const machines = maxUses === 1 ? '1 machine' : `${maxUses} machines`;
    const until =
      expiresAtMs === null ? 'until it is revoked' : `until ${untilWords(expiresAtMs, context.nowMs())}`;
    const notes = [`Machine token ${id}: good for ${machines}, ${until}. The link is not shown again.`];
    return { document, text: document.link, notes };
  },
});

function lifeOf(text: string | undefined, nowMs: number): { seconds?: number; expires?: string } {
  if (text === undefined) return {};
  const given = text.trim();
  if (/^\d{4}-/.test(given)) return { expires: parseDay(given, '--expires') };
  if (!/^(?:0|(?:\d+[smhdw])+)$/.test(given)) {
    const day = new Date(nowMs + 30 * 86_400_000).toISOString().slice(0, 10);
    throw usage(
      `--expires ${quote(text)} is neither a length of time nor a day.`,
      `Write how long, such as 12h or 30d, or the last day as YYYY-MM-DD, such as ${day}.`,
    );
  }
  const seconds = parseDurationSeconds(given, '--expires');
  return { seconds: parseCount(String(seconds), '--expires (in seconds)', 1, limits.borrowSeconds) };
}
