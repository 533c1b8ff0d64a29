import type { Context } from './context.js';
import { Failure } from './fail.js';
import { cancellable } from './session.js';

/**
 * Asks before something is taken away from people. Only a person at a terminal is asked: a script without one, `--yes` and
 * `--no-input` go ahead.
 */
export async function confirm(context: Context, question: string): Promise<void> {
  if (!asks(context)) return;
  const { stdin } = context;
  const answer = await cancellable(context, stdin.ask(`${question} [y/N] `, context.signal));
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new Failure('CANCELLED');
}

/** True when somebody is there to be asked. */
export function asks({ settings, stdin, stderr }: Context): boolean {
  return !(settings.yes || settings.noInput) && stdin.isTty && stderr.isTty;
}
