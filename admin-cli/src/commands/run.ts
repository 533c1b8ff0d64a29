import type { BundlePart, Client, ExtensionNotice } from '@berth/client';
import { defineCommand } from '../command.js';
import type { Child, Context } from '../context.js';
import { usage } from '../fail.js';
import { remarkJoinFile } from '../join-file.js';
import { clean } from '../output.js';
import { parseSeats } from '../parse.js';
import { bundleWords, parseBundle, parseWaitMs, tellPlace } from '../run/bundle.js';
import { exitCodeOf } from '../run/exit-code.js';
import { watch } from '../run/watch.js';
import { asPlugin, cancellable, identity } from '../session.js';
import { vendorKeyOption, vendorKeysOf } from '../vendor-keys.js';
import { momentWords, spanWords } from '../words.js';

/** After so long without an answer the person at the shell is told that we wait. */
const patienceMs = 1000;
export const run = defineCommand({
  usage: 'run',
  describe: 'Run a command that needs seats: take them, run it, give them back',
  ownsStdout: false,
  options: {
    product: {
      type: 'string',
      array: true,
      nargs: 1,
      demandOption: true,
      describe:
        'product id, or several with commas: the first that has a seat. Given again: that one too, all or none',
    },
    seats: { type: 'string', default: '1', describe: 'how many seats of each product; PRODUCT:N for one' },
    wait: { type: 'string', default: '0s', describe: 'how long to wait in line for a seat: 30s, 10m' },
    'on-lost': {
      type: 'string',
      choices: ['kill', 'warn'],
      default: 'kill',
      describe: 'what to do when the seat is lost: stop the command, or only say so',
    },
    ...vendorKeyOption,
  },
  examples: [
    ['berth run --product render -- render scene.usd', 'run it under one seat'],
    ['berth run --product render --wait 10m -- ./nightly.sh', 'wait in line for up to ten minutes'],
    [
      'berth run --product gui --product render:2 -- studio scene.usd',
      'a bundle: one gui and two render seats, or none',
    ],
    [
      'berth run --product render-node,workstation -- render scene.usd',
      'a workstation seat only when there is no render-node seat',
    ],
  ],
  more: 'With --wait the server keeps a line: first come, first served. Ctrl-C leaves it. stdin and stdout are those of the command. The seat counts as in use for as long as the command runs: it is never idle. On a render node that has not joined, the link in BERTH_JOIN, or in the file that BERTH_JOIN_FILE names, is used first.',
  exits: [
    [3, 'Ctrl-C while waiting for a seat'],
    [7, 'no seat, or it was lost'],
    [126, 'the command is not executable'],
    [127, 'the command is not found'],
    [128, 'and above: 128 + the signal of which the command died; else its own exit code'],
  ],
  run: async (context, args) => {
    const [command, ...words] = context.settings.afterDashes;
    if (command === undefined || command === '') {
      throw usage('There is no command to run.', 'Put it after --: berth run --product P -- COMMAND …');
    }
    const bundle = parseBundle(args.product, parseSeats(args.seats));
    const vendorKeys = await vendorKeysOf(context, args['vendor-key']);
    const waitMs = parseWaitMs(args.wait);
    const onLost = args['on-lost'] === 'warn' ? 'warn' : 'kill';
    const signals = takeSignals(context);
    const inner = { ...context, signal: signals.signal };
    try {
      await remarkJoinFile(context);
      const client = await cancellable(
        inner,
        context.sdk.connect({
          ...identity(inner),
          product: bundle[0]!.product,
          vendorKeys,
          onExtension: tellExtension(context),
        }),
      );
      try {
        const job: Job = { bundle, waitMs, onLost, signals, command, words };
        return await asPlugin(inner, () => underSeat(inner, client, job));
      } finally {
        await client.close();
      }
    } finally {
      signals.giveBack();
    }
  },
});

/** The command goes on either way: whoever watches it is told. */
function tellExtension(context: Context): (notice: ExtensionNotice) => void {
  return (notice) => {
    const until = momentWords(notice.borrow.expiresAtMs, context.nowMs());
    const text = notice.extended
      ? `The borrow was extended; it ends ${until}.`
      : `${notice.code} The borrow was not extended and ends ${until}: ${notice.message}`;
    context.stderr.write(`berth: ${clean(text)}\n`);
  };
}

interface Signals {
  /** Aborted by the first signal that comes before there is a child to pass it to. */
  readonly signal: AbortSignal;
  passTo(child: Child): void;
  giveBack(): void;
}

/** Signals cancel until the command runs; then they are the command's, and we wait for what it makes of them. */
function takeSignals(context: Context): Signals {
  const controller = new AbortController();
  let child: Child | undefined;
  const giveBack = context.processes.onSignals((signal) => {
    if (child === undefined) controller.abort();
    // The terminal has sent these two to the command already; a second Ctrl-C means "now!" to many programs.
    else if (!child.sharesTerminal || (signal !== 'SIGINT' && signal !== 'SIGQUIT')) child.kill(signal);
  });
  return {
    signal: controller.signal,
    passTo: (started) => {
      child = started;
    },
    giveBack,
  };
}

interface Job {
  readonly bundle: readonly BundlePart[];
  readonly waitMs: number;
  readonly onLost: 'kill' | 'warn';
  readonly signals: Signals;
  readonly command: string;
  readonly words: readonly string[];
}

async function underSeat(context: Context, client: Client, job: Job): Promise<number> {
  const { bundle, waitMs, onLost, signals, command, words } = job;
  const stopTelling = context.processes.after(patienceMs, () => {
    if (waitMs > 0 && !context.stderr.isTty)
      context.stderr.write(`berth: waiting up to ${spanWords(waitMs)} for ${bundleWords(bundle)}\n`);
  });
  const checkout = client.checkout({
    ...(bundle.length > 1 ? { bundle } : bundle[0]),
    wait: waitMs,
    signal: context.signal,
    onQueued: (notice) => tellPlace(context, bundle, notice),
  });
  const seat = await cancellable(context, checkout).finally(stopTelling);
  // Closing the client gives the seat back, revoked or not, and waits for the answer no longer than is decent.
  const child = context.processes.start(command, words);
  signals.passTo(child);
  return exitCodeOf(await watch(context, seat, child, onLost), context, command);
}
