import type { Context } from './context.js';
import { type Failure, failureJson, failureText, toFailure } from './fail.js';
import type { Answer } from './output.js';
import { parseEmail } from './parse.js';

/** What became of one e-mail address of several: each succeeds or fails alone. */
type Row = { readonly email: string; readonly ok: boolean } & Readonly<Record<string, unknown>>;

/** How one of them is said: alone on stdout, and as a note. */
export interface Said {
  readonly document: object;
  /** For stdout; left out: nothing. */
  readonly text?: string;
  readonly note: string;
}

/**
 * Does the same for every address, one after the other. One alone answers as it always did; several get a report, `items` with one row each
 * and `failed`, and the exit code 1 if some failed.
 */
export async function forEach(
  context: Context,
  typed: readonly string[],
  work: (email: string) => Promise<Said>,
): Promise<Answer> {
  const only = typed.length === 1 ? typed[0] : undefined;
  if (only !== undefined) {
    const { document, text = '', note } = await work(parseEmail(only));
    return { document, text, notes: [note] };
  }
  const items: Row[] = [];
  const [lines, notes]: [string[], string[]] = [[], []];
  const done = new Set<string>();
  for (const each of typed) {
    try {
      const email = parseEmail(each);
      if (done.has(email)) continue;
      done.add(email);
      const { document, text, note } = await work(email);
      items.push({ ...document, email, ok: true });
      if (text !== undefined) lines.push(`${email}\t${text}`);
      notes.push(note);
    } catch (error) {
      const failure = toFailure(error);
      if (endsAll(failure)) throw failure;
      items.push({ email: each.trim(), ok: false, error: failureJson(failure) });
      notes.push(`${each.trim()}: ${failureText(failure, context).trimEnd()}`);
    }
  }
  const failed = items.filter(({ ok }) => !ok).length;
  if (failed > 0) notes.push(`${failed} of ${items.length} failed.`);
  return { document: { items, failed }, text: lines.join('\n'), notes, exitCode: failed > 0 ? 1 : 0 };
}

/** What has nothing to do with the address: the next one would fail in the same way. */
function endsAll({ code }: Failure): boolean {
  return [
    'CANCELLED',
    'UNREACHABLE',
    'CONNECTION_LOST',
    'TIMEOUT',
    'NOT_JOINED',
    'DISK_LOW',
    'DRAINING',
  ].includes(code);
}
