import type { LostNotice, Seat, WarningNotice } from '@berth/client';
import type { Child, ChildEnd, Context } from '../context.js';
import { Failure, failureText } from '../fail.js';
import { clean } from '../output.js';
import { momentWords, untilWords } from '../words.js';

/** What became of a command that ran under a seat. */
export type Outcome = ChildEnd | { readonly lost: LostNotice };

/** From SIGTERM to SIGKILL. The seat may be somebody else's 10 s after it was lost (I2), and 5 s is what issue 2 promises. */
const killAfterMs = 4500;
/** How long to wait for what even SIGKILL does not end at once: a process stuck in the kernel. */
const giveUpAfterMs = 2000;
const pollMs = 50;

/**
 * Waits until the command ends or the seat is lost, and says on stderr what happens to the seat. On a lost seat the command
 * and all it started are stopped, unless `onLost` is `warn`.
 */
export async function watch(
  context: Context,
  seat: Seat,
  child: Child,
  onLost: 'kill' | 'warn',
): Promise<Outcome> {
  const { promise: lost, stop } = listen(context, seat);
  try {
    const first = await Promise.race([child.ended, lost]);
    if (!('lost' in first)) return first;
    tellLost(context, first.lost, onLost);
    if (onLost === 'warn') return await child.ended;
    await stopChild(context, child);
    return first;
  } finally {
    stop();
  }
}

function listen(context: Context, seat: Seat): { promise: Promise<{ lost: LostNotice }>; stop: () => void } {
  const say = (text: string) => context.stderr.write(`berth: ${clean(text)}\n`);
  const subscriptions: (() => void)[] = [];
  const promise = new Promise<{ lost: LostNotice }>((resolve) => {
    subscriptions.push(
      seat.on('lost', (lost) => resolve({ lost })),
      seat.on('grace', ({ code, message, expiresAtMs }) =>
        say(`${code} ${message} The seat is kept until ${untilWords(expiresAtMs, context.nowMs())}.`),
      ),
      seat.on('recovered', () => say('The seat is renewed again.')),
      seat.on('warning', (warning) => say(warningWords(warning, context.nowMs()))),
      seat.on('message', ({ from, text }) => say(`Message from ${from}: ${text}`)),
    );
    // It may have been lost before anybody listened.
    if (seat.lost !== null) resolve({ lost: seat.lost });
  });
  const stop = () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
  return { promise, stop };
}

function warningWords({ code, message, by, endsAtMs }: WarningNotice, nowMs: number): string {
  if (endsAtMs === null) return 'The seat is not taken back after all.';
  const who = by === null ? '' : ` by ${by}`;
  const what = code === 'LEASE_REVOKED' ? `The seat is taken back${who}` : 'The seat ends';
  return `${what} ${momentWords(endsAtMs, nowMs)}: ${message}`;
}

function tellLost(context: Context, lost: LostNotice, onLost: 'kill' | 'warn'): void {
  const by = lost.by === null ? '' : ` (by ${lost.by})`;
  const then =
    onLost === 'warn' ? 'The command runs on without a seat (--on-lost warn).' : 'The command is stopped.';
  const failure = new Failure(lost.code, { message: `${lost.message}${by} ${then}`, next: lost.hint });
  context.stderr.write(failureText(failure, context));
}

/** SIGTERM, then SIGKILL. Ends when nothing of it is left, or when nothing more can be done. */
async function stopChild(context: Context, child: Child): Promise<void> {
  child.kill('SIGTERM');
  child.kill('SIGCONT'); // One that is stopped (Ctrl-Z) would otherwise not see the SIGTERM.
  if (await gone(context, child, killAfterMs)) return;
  child.kill('SIGKILL');
  await gone(context, child, giveUpAfterMs);
}

/** True as soon as nothing of the child runs, false after `withinMs`. */
async function gone(context: Context, child: Child, withinMs: number): Promise<boolean> {
  let late = false;
  const cancel = context.processes.after(withinMs, () => {
    late = true;
  });
  while (child.alive() && !late) await pause(context, pollMs);
  cancel();
  return !child.alive();
}

function pause(context: Context, ms: number): Promise<void> {
  return new Promise((resolve) => {
    context.processes.after(ms, resolve);
  });
}
