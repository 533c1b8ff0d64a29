/**
 * `-` as an argument means stdin or stdout, but yargs reads it as an option without a name and drops it. It is given to yargs as a
 * word that nobody can type (no argument holds a NUL) and made `-` again behind it.
 */
const mark = '\u0000-';

export function hideDashes(words: readonly string[]): string[] {
  return words.map((word) => (word === '-' ? mark : word));
}

export function showDashes(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const show = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(show) : value === mark ? '-' : value;
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, show(value)]));
}
