import { type PoolSettings, poolDefaults, type ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { dryRunOption } from '../dry-run.js';
import { usage } from '../fail.js';
import { type Answer, fields } from '../output.js';
import { given, parseProduct } from '../parse.js';
import { poolOptions, settingRows } from '../pool-options.js';
import { withAdmin } from '../session.js';
import { momentWords } from '../words.js';

const settingOptions = Object.fromEntries(
  poolOptions.map(({ option, describe }) => [option, { type: 'string', describe } as const]),
);

export const poolSet = defineCommand({
  usage: 'set <product>',
  describe: 'Change how the seats of a product are handed out',
  positionals: {
    product: { type: 'string', demandOption: true, describe: 'product id as in `berth status`' },
  },
  options: { ...settingOptions, ...dryRunOption },
  examples: [
    ['berth pool set render --idle-seconds 1800', 'take back what has been idle for half an hour'],
    ['berth pool set render --linger-seconds 60', 'a plugin that restarts within a minute finds its seat'],
    ['berth pool set render --borrow-cap 5 --borrow-cap-per-user 1', 'keep seats at home'],
    ['berth pool set render --linger-seconds off --dry-run', 'how many seats that linger would be free'],
    ['berth pool set render --idle-seconds off --linger-seconds off', 'as at the beginning'],
  ],
  more: 'What is not named stays as it is. Only a plugin can tell that it is idle: `berth run` never does. A borrowed seat is never taken back: a lower cap refuses new borrows, and extensions while more than that is borrowed. If somebody else changes the same between the look and the change, nothing is changed and the command says what it is now (CHANGED_MEANWHILE).',
  run: async (context, args) => {
    const product = parseProduct(args.product, 'PRODUCT');
    const settings = settingsIn(args);
    if (args['dry-run']) return await wouldSet(context, product, settings);
    const key = context.sdk.newIdempotencyKey();
    const { document, before } = await withAdmin(context, async (admin) => {
      const { items } = await admin.call('pool.show', { product });
      const was = items[0]?.settings;
      return {
        before: items[0],
        document: await admin.call('pool.set', given({ key, product, ...settings, was })),
      };
    });
    const note = document.changed ? `Changed the pool of ${product}.` : `Nothing to change in ${product}.`;
    const freed =
      document.lingersEnded === undefined ? [] : [`Free by it: ${lingering(document.lingersEnded)}.`];
    const notes = [note, ...freed, ...(document.changed ? overNote(settings, before, context.nowMs()) : [])];
    return { document, text: fields(settingRows(document.settings, poolDefaults)), notes };
  },
});

async function wouldSet(context: Context, product: string, settings: Partial<PoolSettings>): Promise<Answer> {
  const would = await withAdmin(context, (admin) => admin.call('pool.set.preview', { product, ...settings }));
  const notes = [
    would.changed ? `Would change the pool of ${product}.` : `Nothing to change in ${product}.`,
    ...(would.lingersEnded === undefined ? [] : [`Would be free by it: ${lingering(would.lingersEnded)}.`]),
    'Nothing was changed.',
  ];
  const text = fields(settingRows(would.settings, poolDefaults));
  return { document: { dryRun: true, ...would }, text, notes };
}

const lingering = (seats: number): string =>
  `${seats} ${seats === 1 ? 'seat that lingers' : 'seats that linger'}`;

/** Whoever comes a moment after another admin undoes what that one did: they are told what it was. */
function overNote(
  set: Partial<PoolSettings>,
  before: ResultOf<'pool.show'>['items'][number] | undefined,
  nowMs: number,
): string[] {
  if (before?.changed === undefined) return [];
  const { settings, changed } = before;
  const was = poolOptions
    .filter(({ name }) => set[name] !== undefined && set[name] !== settings[name])
    .map(({ option, name, words }) => `${option} ${words(settings[name])}`);
  return [`Before: ${was.join(', ')}; last changed ${momentWords(changed.atMs, nowMs)} by ${changed.by}.`];
}

/** @throws Failure USAGE when nothing is to be set */
function settingsIn(args: Readonly<Record<string, unknown>>): Partial<PoolSettings> {
  const settings: Partial<PoolSettings> = {};
  for (const { option, name, parse } of poolOptions) {
    const text = args[option];
    if (typeof text === 'string') settings[name] = parse(text, `--${option}`);
  }
  if (Object.keys(settings).length > 0) return settings;
  const names = poolOptions.map(({ option }) => `--${option}`).join(', ');
  throw usage('There is nothing to set.', `Give at least one of: ${names}.`);
}
