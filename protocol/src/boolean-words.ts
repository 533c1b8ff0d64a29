/** A word that is no value of a boolean option. */
export interface WrongBoolean {
  /** As it was typed: `--dry-run`, `-y`. */
  readonly option: string;
  readonly value: string;
}

/**
 * The first boolean option that was given a value other than `=true` or `=false`. yargs takes any other text for `false` without a word, and takes
 * `true` or `false` as the next word for its value: with `--dry-run=1` and with `--dry-run false` the thing would be done.
 * @param words of a command line; those behind `--` are not looked at. @param names of the boolean options; those of one letter have one dash
 */
export function wrongBoolean(words: readonly string[], names: ReadonlySet<string>): WrongBoolean | null {
  const dashes = words.indexOf('--');
  const ours = dashes < 0 ? words : words.slice(0, dashes);
  for (const [at, word] of ours.entries()) {
    const { option, value } = optionIn(word);
    if (!names.has(option.replace(/^--?/, ''))) continue;
    if (value === undefined) {
      const next = ours[at + 1];
      if (next !== undefined && isTaken(next, option)) return { option, value: next };
    } else if (value !== 'true' && value !== 'false') return { option, value };
  }
  return null;
}

function optionIn(word: string): { option: string; value: string | undefined } {
  const [, long = '', value] = /^(--[^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  if (long !== '') return { option: long, value };
  // Of letters together (`-yh`) the last one has the value.
  const [, letter = '', equals, digits] = /^-[a-z]*([a-z])(?:=(.*)|([^a-z=].*))?$/is.exec(word) ?? [];
  return { option: `-${letter}`, value: equals ?? digits };
}

/** What yargs takes for a value, or what looks like one that is not. */
function isTaken(next: string, option: string): boolean {
  return /^(?:true|false)$/i.test(next) || (!option.startsWith('--') && /^-?\d/.test(next));
}
