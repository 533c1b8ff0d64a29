import type { Context } from './context.js';
import { type Failure, failureJson, failureText, isMethodUnknown, toFailure } from './fail.js';
import type { Answer } from './output.js';
import { parseEmail } from './parse.js';
import { cancellable } from './session.js';

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
 * and `failed`, and the exit code 1 if some failed. What ends all ends the work and not the report: a link that was made is made once.
 */
export async function forEach(
  context: Context,
  typed: readonly string[],
  work: (email: string) => Promise<Said>,
  parse: (typed: string) => string = parseEmail,
): Promise<Answer> {
  const only = typed.length === 1 ? typed[0] : undefined;
  if (only !== undefined) {
    const { document, text = '', note } = await cancellable(context, work(parse(only)));
    return { document, text, notes: [note] };
  }
  const items: Row[] = [];
  const [lines, notes]: [string[], string[]] = [[], []];
  const done = new Set<string>();
  let end: Failure | null = null;
  for (const each of typed) {
    try {
      const email = parse(each);
      if (done.has(email)) continue;
      done.add(email);
      if (end !== null) throw end;
      const { document, text, note } = await cancellable(context, work(email));
      items.push({ email, ...document, ok: true });
      if (text !== undefined) lines.push(`${email}\t${text}`);
      notes.push(note);
    } catch (error) {
      // Nothing was done for anybody, nor would be.
      if (isMethodUnknown(error)) throw error;
      const failure = toFailure(error);
      if (endsAll(failure)) end ??= failure;
      items.push({ email: each.trim(), ok: false, error: failureJson(failure) });
      notes.push(`${each.trim()}: ${noteOf(failure, context)}`);
    }
  }
  const failed = items.filter(({ ok }) => !ok).length;
  if (failed > 0) notes.push(`${failed} of ${items.length} failed.`);
  const document = { items, next: null, failed };
  return { document, text: lines.join('\n'), notes, exitCode: end?.exitCode ?? (failed > 0 ? 1 : 0) };
}

/** The same of what would become of each. */
export async function wouldForEach(...asked: Parameters<typeof forEach>): Promise<Answer> {
  const { document, notes = [], ...answer } = await forEach(...asked);
  return { ...answer, document: { dryRun: true, ...document }, notes: [...notes, 'Nothing was changed.'] };
}

/** As a failure is said, within a note: without colours, which a note has none of. */
function noteOf(failure: Failure, { nowMs, stderr }: Context): string {
  return failureText(failure, { nowMs, stderr: { ...stderr, colours: false } })
    .replace(/^berth: /, '')
    .trimEnd();
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
