import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { setApart, type WrongQuote, type WrongRow } from './csv-quotes.js';
import { Failure } from './fail.js';

/** A table as it is in a file: what the cells mean is for the server to say. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly TableRow[];
}

export interface TableRow {
  /** Of the file, from 1: the last one that it takes, or that of its wrong quote. */
  readonly line: number;
  readonly cells: readonly string[];
  readonly quote?: WrongQuote;
}

/** The first line that Excel writes and reads for the delimiter alone: it is no row of the table. */
const separatorLine = /^\ufeff?"?sep=([^\w\s"]|\t)"?[ \t;,]*(?=\n|$)/i;

const delimiters = [',', ';', '\t'] as const;

/**
 * Reads a table as spreadsheets write it: with or without a byte-order mark, any end of line, `;` `,` or tab between cells or what a first line
 * `sep=` says, quotes, padding, blank lines. A row with a quote where none can be says so. @throws Failure CSV_INVALID
 */
export function readCsv(text: string, name: string): Table {
  const other = otherEncoding(text);
  if (other !== null) throw invalid(name, other, 'Save it as "CSV UTF-8".');
  try {
    const lines = text.replaceAll(/\r\n?/g, '\n');
    const delimiter = delimiterOf(lines);
    // The end of that line stays: the others keep their numbers.
    const { rest, wrong } = setApart(lines.replace(separatorLine, ''), delimiter);
    const [head, ...rows] = parsed(rest, delimiter);
    const first = wrong[0];
    if (first !== undefined && (head === undefined || first.line < head.line))
      throw invalid(name, wordsOf(first), quotesNext);
    if (head === undefined) throw invalid(name, 'it is empty');
    return { header: head.cells, rows: [...rows, ...wrong].sort((a, b) => a.line - b.line) };
  } catch (error) {
    if (error instanceof CsvError) throw invalid(name, error.message);
    throw error;
  }
}

const quotesNext =
  'A quote within a cell is written twice, and the cell has quotes around it: "Anna ""Ann"" Ek". The first line names the columns, so nothing was read.';

function wordsOf({ line, quote: { is, cell } }: WrongRow): string {
  return is === 'open'
    ? `the quote that begins line ${line}, cell ${cell}, is not closed`
    : `in line ${line}, cell ${cell}, a quote stands within the text`;
}

/** What no text has (`otherEncoding`). */
const MARK = '\0';
const marked = /\n\0(\d+)\n/g;

/**
 * csv-parse makes an error, and throws it away, of each record that is longer or shorter than the first: where many are, that was most of its time. So
 * it is given the table as one record, where the end of a line is another separator, and behind it, or behind several, a cell of ours that says how many.
 */
function parsed(text: string, delimiter: string): TableRow[] {
  const separators = { delimiter: [delimiter, '\n'], record_delimiter: MARK.repeat(2) };
  const lines = `${text}\n`.replaceAll(/\n+/g, (ends) => `\n${MARK}${ends.length}\n`);
  const [found = []] = parse(lines, { bom: true, trim: true, ...separators });
  const rows: TableRow[] = [];
  let cells: string[] = [];
  let line = 1;
  const newlines = (_: string, count: string): string => {
    line += Number(count);
    return '\n'.repeat(Number(count));
  };
  for (const cell of found) {
    if (!cell.startsWith(MARK)) {
      cells.push(cell.replaceAll(marked, newlines));
      continue;
    }
    if (cells.some((each) => each !== '')) rows.push({ line, cells });
    cells = [];
    line += Number(cell.slice(1));
  }
  return rows;
}

/** The one that the file itself says, or that the first line has most of, outside of quotes, within which that line may be several. */
function delimiterOf(text: string): string {
  const said = separatorLine.exec(text)?.[1];
  if (said !== undefined) return said;
  const unquoted = text.replace(/^\ufeff?[\r\n]*/, '').replaceAll(/"[^"]*"?/g, '');
  const [first = ''] = unquoted.split(/[\r\n]/, 1);
  const count = (delimiter: string): number => first.split(delimiter).length;
  return [...delimiters].sort((a, b) => count(b) - count(a))[0]!;
}

/** What a spreadsheet wrote that is not UTF-8: decoded, it has the mark of what nobody could read. Names must not be lost without a word. */
function otherEncoding(text: string): string | null {
  if (text.includes('\0')) return 'it is UTF-16 or no text at all';
  const at = text.indexOf('\ufffd');
  if (at < 0) return null;
  return `it is not UTF-8, as line ${text.slice(0, at).split(/\r\n?|\n/).length} shows`;
}

function invalid(name: string, why: string, next?: string): Failure {
  const message = `${name} is no table that can be read: ${why}.`;
  return new Failure('CSV_INVALID', next === undefined ? { message } : { message, next });
}

/**
 * Writes a table that a spreadsheet can open and nobody's name can run in: a cell that begins like a formula gets an apostrophe, which a
 * spreadsheet does not show.
 */
export function writeCsv(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return stringify([[...header], ...rows.map((row) => [...row])], {
    escape_formulas: true,
    record_delimiter: 'windows',
    // Also what only some spreadsheets take for a separator, and what a reader would trim.
    quoted_match: /[;\t\r\n]|^\s|\s$/,
  });
}
