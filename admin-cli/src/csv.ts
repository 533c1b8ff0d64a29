import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { Failure } from './fail.js';

/** A table as it is in a file: what the cells mean is for the server to say. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
}

const delimiters = [',', ';', '\t'] as const;

interface Found {
  readonly info: { readonly lines: number };
  readonly record: string[];
}

const readOptions = (text: string) => ({
  bom: true,
  delimiter: delimiterOf(text),
  info: true,
  relax_column_count: true,
  skip_empty_lines: true,
  trim: true,
});

/**
 * Reads a table as spreadsheets write it: with or without a byte-order mark, any end of line, `;` `,` or tab between cells, quotes, padding, blank
 * lines. @throws Failure CSV_INVALID
 */
export function readCsv(text: string, name: string): Table {
  const other = otherEncoding(text);
  if (other !== null) throw invalid(name, other, 'Save it as "CSV UTF-8".');
  try {
    const found = rowsOf(text, {});
    const [head, ...rows] = found.filter(({ record }) => record.some((cell) => cell !== ''));
    if (head === undefined) throw invalid(name, 'it is empty');
    return {
      header: head.record,
      rows: rows.map(({ info, record }) => ({ line: info.lines, cells: record })),
    };
  } catch (error) {
    if (error instanceof CsvError) throw invalid(name, wordsOf(error, text), quotesNext);
    throw error;
  }
}

const quotesNext =
  'A quote within a cell is written twice, and the cell has quotes around it: "Anna ""Ann"" Ek". Nothing was read: mend the line and try again.';

/** Where a quote has gone wrong, as an editor or a spreadsheet counts. */
function wordsOf(error: CsvError, text: string): string {
  const { lines, index, records } = error as unknown as { lines: number; index: number; records: number };
  const cell = `line ${lines}, cell ${index + 1}`;
  switch (error.code) {
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE':
      return `in ${cell}, there is text behind a closing quote`;
    case 'INVALID_OPENING_QUOTE':
      return `in ${cell}, a quote stands within a cell that has no quotes around it`;
    case 'CSV_QUOTE_NOT_CLOSED':
      return `the quote that begins in line ${linesOf(text, records) + 1}, cell ${index + 1}, is closed nowhere`;
    default:
      return error.message;
  }
}

/** The lines that the first rows take. */
function linesOf(text: string, rows: number): number {
  if (rows === 0) return 0;
  return rowsOf(text, { to: rows }).at(-1)!.info.lines;
}

/** csv-parse makes an error for each row that is longer or shorter than the first, and throws none: their stacks were most of its time. */
function rowsOf(text: string, more: { readonly to?: number }): Found[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parse(text, { ...readOptions(text), ...more }) as unknown as Found[];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The one that the first line has most of, outside of quotes, within which that line may be several. */
function delimiterOf(text: string): string {
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
