import type { Work } from './command.js';
import { readCommandLine } from './command-line.js';
import { complete, completeWord } from './completion/complete.js';
import type { Context, Host } from './context.js';
import { type Failure, failureJson, failureText, toFailure } from './fail.js';
import { OutputLost } from './files.js';
import { nodeContext, onInterrupt } from './node-context.js';
import { type Answer, json, print } from './output.js';
import { ProgressLine } from './progress.js';

/** After a command has ended, whatever still keeps the process alive is a leak; it gets this long. */
const leakMs = 1000;
const cancelledExit = 3;

/** `berth`, as bin/berth.js starts it: sets process.exitCode and lets the process end by itself. */
export async function start(): Promise<void> {
  const controller = new AbortController();
  onInterrupt(controller, cancelledExit);
  // Timers and idle sockets of the SDK do not keep the process alive; a command that waits for a seat must.
  const alive = setInterval(() => undefined, 2 ** 30);
  process.exitCode = await main(process.argv.slice(2), nodeContext(controller.signal));
  clearInterval(alive);
  setTimeout(() => process.exit(), leakMs).unref();
}

/** One command from its words to its exit code. Never rejects. */
export async function main(typed: readonly string[], host: Host): Promise<number> {
  if (typed[0] === completeWord) {
    await complete(typed.slice(1), host);
    return 0;
  }
  const asJson = wantsJson(typed);
  let ownsStdout = true;
  try {
    const request = await readCommandLine(typed, host.stdout.columns);
    if ('text' in request) {
      host.stdout.write(asJson ? json({ [request.about]: request.text }) : `${request.text.trimEnd()}\n`);
      return 0;
    }
    ownsStdout = request.work.ownsStdout;
    const { settings } = request;
    // The terminal of `berth run` belongs to the command that it runs.
    const progress = ownsStdout ? new ProgressLine(host) : null;
    const context = { ...(progress?.host ?? { ...host, progress: silent }), settings };
    const answer = await request.work.run(context).finally(() => progress?.end());
    if (typeof answer === 'number') return answer;
    printAll(answer, context, request.work);
    return answer.exitCode ?? 0;
  } catch (error) {
    const failure = toFailure(error);
    if (host.env.BERTH_DEBUG && error instanceof Error) host.stderr.write(`${error.stack}\n`);
    report(failure, host, asJson && ownsStdout);
    return failure.exitCode;
  }
}

/** @throws OutputLost that says what was done all the same */
function printAll(answer: Answer, context: Context, { lost }: Work): void {
  try {
    print(answer, context);
  } catch (error) {
    throw error instanceof OutputLost ? error.after(lost) : error;
  }
}

const silent = { say: () => undefined };

/** A failure is said to people on stderr always, and to a program on stdout when it asked for JSON. */
function report(failure: Failure, host: Host, asJson: boolean): void {
  host.stderr.write(failureText(failure, host));
  if (!asJson || failure instanceof OutputLost) return;
  try {
    host.stdout.write(json({ error: failureJson(failure) }));
  } catch (error) {
    if (!(error instanceof OutputLost)) throw error;
  }
}

/** Also when the command line cannot be read any further. */
function wantsJson(typed: readonly string[]): boolean {
  const dashes = typed.indexOf('--');
  const ours = dashes < 0 ? typed : typed.slice(0, dashes);
  return ours.some((word) => word === '--json' || word === '--json=true');
}
