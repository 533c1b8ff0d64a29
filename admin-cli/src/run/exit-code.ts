import { constants } from 'node:os';
import type { Context } from '../context.js';
import { Failure, failureText } from '../fail.js';
import { quote } from '../parse.js';
import type { Outcome } from './watch.js';

/** Exit codes that shells gave a meaning to long ago (POSIX 2.8.2). */
const notFound = 127;
const notExecutable = 126;
const diedOfSignal = 128;
/** The exit code of every "no seat" (issue 2, part 10). */
const noSeat = 7;

/** The exit code of `berth run`; says on stderr why the command could not be started. */
export function exitCodeOf(
  outcome: Outcome,
  context: Pick<Context, 'stderr' | 'nowMs'>,
  command: string,
): number {
  if ('exitCode' in outcome) return outcome.exitCode;
  if ('signal' in outcome) return diedOfSignal + constants.signals[outcome.signal];
  if ('lost' in outcome) return noSeat;
  const { code, message } = outcome.startError;
  const missing = code === 'ENOENT';
  const failure = new Failure('FILE_UNREADABLE', {
    message: missing
      ? `The command ${quote(command)} is not found.`
      : `The command ${quote(command)} cannot be run: ${message}.`,
    next: missing
      ? 'Check the name, the PATH and the first line of the script. The seat is given back.'
      : 'Check that it is a program and that you may run it. The seat is given back.',
  });
  context.stderr.write(failureText(failure, context));
  return missing ? notFound : notExecutable;
}
