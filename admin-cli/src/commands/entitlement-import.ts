import type { AdminConnection } from '@berth/client';
import { parseToken, type ResultOf } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { Failure, failureJson, failureText, isMethodUnknown, toFailure, usage } from '../fail.js';
import { readText } from '../files.js';
import { quote } from '../parse.js';
import { withAdmin } from '../session.js';
import { seatWords } from '../words.js';

export const entitlementImport = defineCommand({
  usage: 'import <files..>',
  describe: 'Import what a vendor signed for this server: entitlements, and endorsements of a new key',
  positionals: {
    files: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'files from the vendor; - for stdin',
    },
  },
  options: {
    'dry-run': { type: 'boolean', default: false, describe: 'say what each would bring, and change nothing' },
  },
  examples: [
    ['berth entitlement import render.ent', 'one file'],
    ['berth entitlement import *.ent --dry-run', 'what the server would say to each'],
    ['berth entitlement import *.ent', 'many; each is imported or refused by itself'],
    ['cat render.ent | berth entitlement import -', 'from stdin'],
  ],
  more: 'Importing the same file again changes nothing. The highest revision of an entitlement counts. A file may also be, or begin with, the endorsement of a new vendor key (`berth vendor endorse`). With --dry-run each is judged as if it were the only one: what an endorsement before it would change is not counted.',
  run: async (context, args) => {
    const dryRun = args['dry-run'];
    const read = await readTokens(context, args.files);
    const results: Result[] = read.every((one) => 'failure' in one)
      ? read
      : await withAdmin(context, (admin) => importAll(context, admin, read, dryRun));
    const failures = results.flatMap((result) => (result.failure === undefined ? [] : [result.failure]));
    const [first] = failures;
    // One entitlement that fails is simply a failed command; of several, each has its own answer.
    if (first !== undefined && results.length === 1) throw first;
    for (const { file, failure } of results)
      if (failure !== undefined) context.stderr.write(failureText(ofFile(file, failure), context));
    return {
      document: {
        ...(dryRun ? { dryRun } : {}),
        items: results.map(resultJson),
        next: null,
        ...(first === undefined ? {} : { error: failureJson(first) }),
      },
      text: '',
      notes: [
        ...results.flatMap((result) =>
          result.done === undefined ? [] : [sentence(result.file, result.done, dryRun)],
        ),
        ...(dryRun ? ['Nothing was changed.'] : []),
      ],
      exitCode: first?.exitCode ?? 0,
    };
  },
});

interface FromFile {
  readonly file: string;
  readonly token: string;
}
/** What cannot be read is refused by itself, like what the server refuses. */
type Read = FromFile | { readonly file: string; readonly failure: Failure };
type Imported = ResultOf<'entitlement.import'> | ResultOf<'endorsement.import'>;
interface Result {
  readonly file: string;
  readonly done?: Imported;
  readonly failure?: Failure;
}

/** Of several files it is said which was refused; a message of our own names it already. */
function ofFile(file: string, failure: Failure): Failure {
  const { code, message, next, exitCode, detail } = failure;
  if (message.includes(quote(file))) return failure;
  return new Failure(code, { message: `${quote(file)}: ${message}`, next, exitCode, detail });
}

async function readTokens(context: Context, files: readonly string[]): Promise<Read[]> {
  if (files.length === 0) throw usage('No file is given.');
  const read: Read[] = [];
  for (const file of files) {
    try {
      read.push(...(await tokensIn(context, file)).map((token) => ({ file, token })));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      read.push({ file, failure: error });
    }
  }
  return read;
}

/** A file may hold several, one on a line: so that files can be concatenated. */
async function tokensIn(context: Context, file: string): Promise<string[]> {
  const words = (await readText(context, file)).split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) throw new Failure('ENTITLEMENT_INVALID', { message: `${quote(file)} is empty.` });
  if (words.length > 1 && !words.every((word) => isEndorsement(word) || parseToken('entitlement', word).ok))
    throw new Failure('ENTITLEMENT_INVALID', { message: `${quote(file)} is not a valid entitlement.` });
  return words;
}

async function importAll(
  context: Context,
  admin: AdminConnection,
  read: readonly Read[],
  dryRun: boolean,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [at, one] of read.entries()) {
    if ('failure' in one) {
      results.push(one);
      continue;
    }
    const { file, token } = one;
    context.progress.say(`importing ${file} (${at + 1} of ${read.length})`);
    try {
      results.push({ file, done: await importOne(context, admin, { file, token }, dryRun) });
    } catch (error) {
      const failure = toFailure(error);
      // Cancelled, gone, or not known there: the rest would fail alike.
      if (failure.exitCode === 3 || failure.exitCode === 5 || isMethodUnknown(failure)) throw failure;
      results.push({ file, failure });
    }
  }
  return results;
}

/** What has not even the form of an entitlement is refused here, by name, instead of as a malformed request. */
async function importOne(
  context: Context,
  admin: AdminConnection,
  { file, token }: FromFile,
  dryRun: boolean,
): Promise<Imported> {
  const key = context.sdk.newIdempotencyKey();
  if (isEndorsement(token)) {
    if (dryRun) return await admin.call('endorsement.import.preview', { endorsement: token });
    return await admin.call('endorsement.import', { key, endorsement: token });
  }
  const parsed = parseToken('entitlement', token);
  if (!parsed.ok) {
    throw new Failure('ENTITLEMENT_INVALID', {
      message: `${quote(file)} is not a valid entitlement (${parsed.fault}).`,
    });
  }
  if (dryRun) return await admin.call('entitlement.import.preview', { entitlement: token });
  return await admin.call('entitlement.import', { key, entitlement: token });
}

/** A file may hold a vendor's endorsement of its new key, alone or in front of what that key signed. */
function isEndorsement(token: string): boolean {
  return parseToken('endorsement', token).ok;
}

function resultJson({ file, done, failure }: Result): object {
  return failure === undefined ? { file, ...done } : { file, error: failureJson(failure) };
}

function sentence(file: string, done: Imported, dryRun: boolean): string {
  if ('endorsement' in done) return rotation(file, done, dryRun);
  const { entitlement, changed } = done;
  const { id, rev, product, seats, from, until } = entitlement;
  const what = `${id} rev ${rev}: ${seatWords(seats)} of ${product}, ${from} to ${until}`;
  if (changed) return `${dryRun ? 'Would import' : 'Imported'} ${file}: ${what}.`;
  return dryRun
    ? `Would change nothing by ${file}: ${what} was imported before.`
    : `Nothing changed by ${file}: ${what} was imported before.`;
}

function rotation(
  file: string,
  { endorsement, moved, changed }: ResultOf<'endorsement.import'>,
  dryRun: boolean,
): string {
  if (!changed && dryRun) return `Would change nothing by ${file}: the endorsement was imported before.`;
  if (!changed) return `Nothing changed by ${file}: the endorsement was imported before.`;
  const what = moved.length === 0 ? 'no product here moves' : `${moved.join(', ')} now belongs to it`;
  return `${dryRun ? 'Would import' : 'Imported'} ${file}: the vendor key ${endorsement.successor} is endorsed by ${endorsement.vendor}; ${what}.`;
}
