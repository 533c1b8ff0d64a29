export interface Bounds {
  readonly least: number;
  readonly most: number;
  /** Left out: whole numbers alone. */
  readonly fraction?: boolean;
}

/** Seeds are what fits 32 bits. */
export const SEEDS: Bounds = { least: 0, most: 2 ** 32 - 1 };

/** The number that an option is given as. @throws Error with one sentence about it */
export function numberOf(name: string, text: string, { least, most, fraction = false }: Bounds): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most && (fraction || Number.isInteger(value))) return value;
  throw new Error(
    `--${name} ${text}: it must be ${fraction ? 'a' : 'a whole'} number from ${least} to ${most}.`,
  );
}

/**
 * What stands behind the script's name, for `parseArgs`: a number below zero is the value of the option before it, to be judged like any other, and no
 * option called `-1`.
 */
export function words(argv: readonly string[] = process.argv.slice(2)): string[] {
  const joined: string[] = [];
  for (const word of argv) {
    const before = joined.at(-1);
    if (/^-\d/.test(word) && before !== undefined && /^--[^=]+$/.test(before))
      joined.push(`${joined.pop()}=${word}`);
    else joined.push(word);
  }
  return joined;
}

/**
 * What a script is asked for. Ends the process instead when that is its help (exit code 0), or wrong (one sentence, exit code 2: nothing was
 * looked at, and nobody may take it for a result).
 * @param read throws an Error when the words are wrong
 */
export function askedFor<W extends { readonly help: boolean }>(help: string, read: () => W): W {
  let wanted: W;
  try {
    wanted = read();
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nNext: the same command with --help`,
    );
    process.exit(2);
  }
  if (!wanted.help) return wanted;
  console.log(help);
  process.exit(0);
}
