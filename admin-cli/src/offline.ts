import { type OfflineFile, parseOfflineFile } from '@berth/protocol';
import type { Context } from './context.js';
import { Failure } from './fail.js';
import { readText } from './files.js';
import type { Answer } from './output.js';
import { quote } from './parse.js';
import { withAdmin } from './session.js';
import { momentWords } from './words.js';

/** Stops in one `borrow.accept` (its schema). */
const STOPS_PER_CALL = 12;

export async function readOfflineFile(context: Context, path: string): Promise<OfflineFile> {
  return offlineFile(await readText(context, path), path);
}

/** The text of a borrow file, decoded. @throws Failure BORROW_FILE_INVALID, naming the file */
export function offlineFile(text: string, path: string): OfflineFile {
  const file = parseOfflineFile(text);
  if (file !== null) return file;
  throw new Failure('BORROW_FILE_INVALID', {
    message: `${quote(path)} is not a borrow file of Berth, or it was changed.`,
  });
}

/** Hands the stops of a machine to the server. @param dryRun only asks what it would say to them */
export async function acceptReturn(
  context: Context,
  { device, stops }: OfflineFile<'borrow-return'>,
  dryRun: boolean,
): Promise<Answer> {
  const items = await withAdmin(context, async (admin) => {
    const returned: { lease: string; freeAtMs: number }[] = [];
    for (let at = 0; at < stops.length; at += STOPS_PER_CALL) {
      const part = { device, stops: stops.slice(at, at + STOPS_PER_CALL) };
      const answer = dryRun
        ? await admin.call('borrow.accept.preview', part)
        : await admin.call('borrow.accept', { key: context.sdk.newIdempotencyKey(), ...part });
      returned.push(...answer.returned);
    }
    return returned;
  });
  const nowMs = context.nowMs();
  const [done, is] = dryRun ? ['Would return', 'would be'] : ['Returned', 'is'];
  const notes = items.map(
    ({ lease, freeAtMs }) => `${done} ${lease}; its seat ${is} free ${momentWords(freeAtMs, nowMs)}.`,
  );
  if (!dryRun) return { document: { items, next: null }, text: '', notes };
  return { document: { dryRun, items, next: null }, text: '', notes: [...notes, 'Nothing was changed.'] };
}
