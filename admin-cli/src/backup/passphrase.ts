import type { Context } from '../context.js';
import { type Failure, usage } from '../fail.js';
import { readText } from '../files.js';
import { quote } from '../parse.js';
import { cancellable } from '../session.js';
import { shellQuote } from '../words.js';

/** Fewer characters can be tried out. */
const LEAST = 12;
const VARIABLE = 'BERTH_BACKUP_PASSPHRASE';

/** The option of every command that opens or seals a backup. A passphrase is no argument: those of a process can be read by everybody. */
export const passphraseOption = {
  'passphrase-file': {
    type: 'string',
    describe: `file whose first line is the passphrase; else ${VARIABLE}, else it is asked for`,
  },
} as const;

/** @param isNew a person types it twice, and it must be long enough */
export async function readPassphrase(
  context: Context,
  file: string | undefined,
  isNew: boolean,
): Promise<string> {
  const passphrase = await given(context, file, isNew);
  if (isNew && passphrase.length < LEAST) throw tooShort(passphrase);
  return passphrase;
}

function tooShort({ length }: string): Failure {
  return usage(
    `The passphrase has ${length} characters; it takes at least ${LEAST}.`,
    'Take a longer one: several words are easy to keep.',
  );
}

async function given(context: Context, file: string | undefined, isNew: boolean): Promise<string> {
  if (file !== undefined) {
    const line = (await readText(context, file)).split(/\r?\n/, 1)[0]!;
    if (line === '')
      throw usage(`The first line of ${quote(file)} is empty.`, 'Write the passphrase into its first line.');
    const mode = await context.files.mode(file);
    if (mode !== null && (mode & 0o044) !== 0)
      context.stderr.write(`Others may read ${quote(file)}: chmod 600 ${shellQuote(file)}\n`);
    return line;
  }
  const variable = context.env[VARIABLE];
  if (variable !== undefined && variable !== '') return variable;
  const { stdin, stderr, settings, signal } = context;
  if (!stdin.isTty || !stderr.isTty || settings.noInput)
    throw usage(
      'The passphrase of the backup is missing.',
      `Give --passphrase-file FILE, or set ${VARIABLE}.`,
    );
  const ask = (question: string): Promise<string> => cancellable(context, stdin.askHidden(question, signal));
  const first = await ask('Passphrase of the backup: ');
  if (isNew && first.length < LEAST) throw tooShort(first);
  if (isNew && (await ask('Once more: ')) !== first)
    throw usage('The two are not the same.', 'Try again; nothing was made.');
  return first;
}
