import { readFile } from 'node:fs/promises';

/** Fewer can be tried out, at a fifth of a second for each. */
const LEAST_PASSPHRASE = 12;

/** The first line of a file, as `berth backup` reads it. Rejects with the disk's own errors. */
export async function firstLine(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).split(/\r?\n/, 1)[0]!;
}

/** One to seal with. Rejects with the reason, which names the file. */
export async function readPassphrase(path: string): Promise<string> {
  const line = await firstLine(path);
  if (line.length < LEAST_PASSPHRASE)
    throw new Error(
      `the passphrase in ${path} has ${line.length} characters, not at least ${LEAST_PASSPHRASE}`,
    );
  return line;
}
