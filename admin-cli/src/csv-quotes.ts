/** A quote that stands where a table can have none. */
export interface WrongQuote {
  /** `stray`: within the text of a cell; `open`: it begins a cell, and none closes it. */
  readonly is: 'stray' | 'open';
  /** Of its row, from 1. */
  readonly cell: number;
}

/** A row with such a quote, its cells as they were typed as far as nobody can read them. */
export interface WrongRow {
  /** Where the quote is, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  readonly quote: WrongQuote;
}

/**
 * Takes the rows with wrong quotes out of a table, all of which csv-parse would refuse for them. (Told to skip records it takes what follows a stray
 * quote for the same cell, or ends without a word where cells are trimmed.) A quote that nothing closes takes its own line with it, and those
 * behind it are read by themselves.
 * @param text its lines end with `\n`
 * @returns `rest`: with blank lines where those rows were, so that the others have the lines that they had
 */
export function setApart(text: string, delimiter: string): { rest: string; wrong: WrongRow[] } {
  const wrong: WrongRow[] = [];
  const rest: string[] = [];
  let kept = 0;
  let line = 1;
  let begin = 0;
  for (let quote = text.indexOf('"'); quote >= 0; quote = text.indexOf('"', begin)) {
    // What is before the line of a quote are rows without any.
    begin = Math.max(begin, text.lastIndexOf('\n', quote) + 1);
    const row = rowAt(text, begin, delimiter);
    if (row.wrong !== undefined) {
      line += endsOfLine(text, kept, begin);
      const lines = endsOfLine(text, begin, row.end);
      const { at, ...quote } = row.wrong;
      wrong.push({ line: line + endsOfLine(text, begin, at), cells: row.cells, quote });
      rest.push(text.slice(kept, begin), '\n'.repeat(lines));
      line += lines;
      kept = row.end;
    }
    begin = row.end;
  }
  return { rest: [...rest, text.slice(kept)].join(''), wrong };
}

interface Row {
  readonly cells: readonly string[];
  /** Behind the end of its line. */
  readonly end: number;
  /** The first of them. */
  readonly wrong?: WrongQuote & { readonly at: number };
}

function rowAt(text: string, begin: number, delimiter: string): Row {
  const cells: string[] = [];
  let wrong: Row['wrong'];
  let at = begin;
  // Looked for once in a line: a line may be the whole file, with a wrong quote in each of its cells.
  let lineEnd = -1;
  const lineEndBehind = (from: number): number => {
    if (lineEnd < from) lineEnd = endOf(text, from, '\n');
    return lineEnd;
  };
  do {
    const cell = cellAt(text, at, delimiter, lineEndBehind);
    cells.push(cell.text);
    if (wrong === undefined && cell.wrong !== undefined) wrong = { ...cell.wrong, cell: cells.length };
    at = cell.end + 1;
  } while (text[at - 1] === delimiter);
  return { cells, end: at, ...(wrong === undefined ? {} : { wrong }) };
}

interface Cell {
  readonly text: string;
  /** Where its separator or the end of its line is. */
  readonly end: number;
  readonly wrong?: { readonly is: WrongQuote['is']; readonly at: number };
}

function cellAt(
  text: string,
  begin: number,
  delimiter: string,
  lineEndBehind: (from: number) => number,
): Cell {
  const start = behind(text, begin, /[^\S\n]/, delimiter);
  if (text[start] !== '"') {
    const end = endOf(text, begin, delimiter);
    const at = text.slice(begin, end).indexOf('"');
    const plain = { text: text.slice(begin, end).trim(), end };
    return at < 0 ? plain : { ...plain, wrong: { is: 'stray', at: begin + at } };
  }
  const close = closing(text, start + 1);
  // Of what is not ASCII behind a quote csv-parse reads a half.
  const end = close < 0 ? -1 : behind(text, close + 1, /[ \t\v\f]/, delimiter);
  if (end >= 0 && (end >= text.length || text[end] === '\n' || text[end] === delimiter))
    return { text: text.slice(start + 1, close).replaceAll('""', '"'), end };
  const stray = close >= 0 && close < lineEndBehind(start);
  const stop = endOf(text, stray ? close : start, delimiter);
  return {
    text: text.slice(start, stop).trim(),
    end: stop,
    wrong: { is: stray ? 'stray' : 'open', at: start },
  };
}

/** The quote that ends a cell, where two are one of its text; -1: none does. */
function closing(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function behind(text: string, from: number, padding: RegExp, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && padding.test(text[at]!)) at++;
  return at;
}

function endOf(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at++;
  return at;
}

function endsOfLine(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
