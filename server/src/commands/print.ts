import { errors } from '@berth/protocol';
import { writeAll } from '../ops/stdio.js';
import { StartError } from '../start-error.js';

/** What to say when stdout cannot take it: what was done all the same, and what to do next. */
export interface Lost {
  readonly done?: string;
  readonly next: string;
}

const asked: Lost = { next: errors.OUTPUT_LOST.next };

/**
 * A text for stdout. A reader that went away has seen enough, unless what is printed tells what was done.
 * @throws StartError when it cannot be written, as `berth` does
 */
export function print(text: string, lost: Lost = asked): void {
  let reason: string;
  try {
    if (writeAll(1, text) || lost.done === undefined) return;
    reason = 'its reader went away';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    reason = code === 'ENOSPC' ? 'the disk is full' : message;
  }
  const after = lost.done === undefined ? '' : ` ${lost.done}`;
  throw new StartError('OUTPUT_LOST', `stdout cannot be written: ${reason}.${after}`, lost.next);
}

/** What became of a command, for people or as one JSON object. */
export function printReport(
  { json }: { readonly json?: boolean | undefined },
  report: object,
  text: string,
  lost?: Lost,
): void {
  print(json === true ? `${JSON.stringify(report)}\n` : text, lost);
}
