import type { Context } from '../context.js';
import { usage } from '../fail.js';
import { readText } from '../files.js';
import { quote } from '../parse.js';
import { cancellable } from '../session.js';

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
  if (isNew && passphrase.length < LEAST)
    throw usage(`The passphrase has ${passphrase.length} characters; it takes at least ${LEAST}.`);
  return passphrase;
}

async function given(context: Context, file: string | undefined, isNew: boolean): Promise<string> {
  if (file !== undefined) {
    const line = (await readText(context, file)).split(/\r?\n/, 1)[0]!;
    if (line === '') throw usage(`${quote(file)} begins with no passphrase.`);
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
  if (isNew && (await ask('Once more: ')) !== first) throw usage('The two are not the same.');
  return first;
}
