import { readFile } from 'node:fs/promises';

/** Fewer can be tried out, at a fifth of a second for each. */
export const LEAST_PASSPHRASE = 12;

/** The first line of a file, as `berth backup` reads it. Rejects with the reason, which names the file. */
export async function readPassphrase(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  const line = text.split(/\r?\n/, 1)[0]!;
  if (line.length < LEAST_PASSPHRASE)
    throw new Error(
      `the passphrase in ${path} has ${line.length} characters, not at least ${LEAST_PASSPHRASE}`,
    );
  return line;
}
