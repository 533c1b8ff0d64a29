import type { Context, Output } from './context.js';
import { late } from './late.js';

/** What a command has to say. `document` is stdout with `--json`; else `text` is stdout; `notes` are for stderr, either way. */
export interface Answer {
  readonly document: object;
  readonly text: string | ((screen: Output) => string);
  readonly notes?: readonly string[];
  /** When the command did its work and still has bad news: 0 unless said. */
  readonly exitCode?: number;
}

/** One page or everything of a list: every `--json` list has this shape (issue 2, part 10). */
export interface List<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Said below the titles of an empty list, which alone look as if something was forgotten. A script sees that itself. */
export const NOTHING = 'Nothing is listed.';

export function print(answer: Answer, context: Pick<Context, 'stdout' | 'stderr' | 'settings'>): void {
  const { stdout, stderr, settings } = context;
  for (const note of answer.notes ?? [])
    if (!settings.json || note !== NOTHING) stderr.write(`${clean(note)}\n`);
  if (settings.json) {
    stdout.write(json(answer.document));
    return;
  }
  const text = typeof answer.text === 'string' ? answer.text : answer.text(stdout);
  if (text !== '') stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function json(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string | number;
  /**
   * `low`: gives way before the others; `high`: what one looks for, gives way after them. `reference`: whole or not at all. `id`: never shortened; said only where
   * the title does not say it. Whatever it is, a column that says nothing in any row gives way first; the first one never does.
   */
  readonly weight?: 'low' | 'reference' | 'high' | 'id';
}

/** Columns of these titles are ids: half an e-mail or half an id is of no use to anybody. The first column is one anyway. */
const idTitles = new Set(['', 'ID', 'EMAIL', 'USER', 'PRODUCT']);
/** Ids of something else than the row: whole or not at all, and rather not than that a text or a number goes. */
const referenceTitles = new Set(['ENTITLEMENT', 'TOKEN', 'NUMBER']);
/** An id may be cut to this before something that one looks for is left out: whoever reads the table knows their own. */
const ID_LEAST = 16;
/** A text that one looks for is shortened to this before a less important column is left out, and further only when none is left. */
const HIGH_LEAST = 24;
/** A cell that says nothing. */
const isEmpty = (text: string): boolean => text === '' || text === '0' || text === '-';

/**
 * Columns that line up, numbers to the right. On a terminal that is too narrow the least important texts are shortened (`low` ones first,
 * then from the right, `high` ones last), and when that is not enough whole columns are left out, and named below: first those that say
 * nothing in any row, then `low` ones, then ids that are not what the table is a list of.
 */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], screen: Output): string {
  const cells = rows.map((row) => columns.map((column) => clean(String(column.cell(row)))));
  const right = columns.map(
    (column) => rows.length > 0 && rows.every((r) => typeof column.cell(r) === 'number'),
  );
  const measured = columns.map((column, at) => measure(column, at, cells, right[at]!));
  const widths = fit(measured, screen.columns);
  const line = (row: readonly string[]) =>
    [...widths]
      .map(([at, width]) => pad(cut(row[at]!, width), width, right[at]!))
      .join('  ')
      .trimEnd();
  const titles = columns.map((column) => column.title);
  const missing = (empty: boolean): string =>
    titles.filter((_, at) => !widths.has(at) && measured[at]!.empty === empty).join(', ');
  const notes = [
    missing(true) && `Not shown, 0 or empty in every row: ${missing(true)}.`,
    missing(false) && `Not shown: ${missing(false)} (see a wider terminal, or --json).`,
  ].filter((note) => note !== '');
  return [paint(screen, 'bold', line(titles)), ...cells.map(line), ...notes].join('\n');
}

interface Measured {
  readonly width: number;
  /** As far as it can be shortened. */
  readonly least: number;
  /** As far as it is shortened while less important columns are there. */
  readonly readable: number;
  readonly weight: 'low' | 'reference' | 'normal' | 'high' | 'id';
  /** It says nothing in any row. */
  readonly empty: boolean;
}

/** A shortened number or date says something else, or nothing: such columns are shown whole or not at all. */
const rigid = /^(?:\d{4}-\d\d-\d\d.*|-?\d*)$/;

function measure(
  { title, weight }: Pick<Column<never>, 'title' | 'weight'>,
  at: number,
  cells: readonly (readonly string[])[],
  isNumber: boolean,
): Measured {
  const texts = cells.map((row) => row[at]!);
  const width = Math.max(...[title, ...texts].map(textWidth));
  const kind = weight ?? weightOf(title, at);
  const whole = kind === 'id' || kind === 'reference' || isNumber || texts.every((text) => rigid.test(text));
  const least = whole ? width : Math.min(width, Math.max(textWidth(title), 8));
  const readable = kind === 'high' ? Math.max(least, Math.min(width, HIGH_LEAST)) : least;
  const empty = at !== 0 && texts.length > 0 && texts.every(isEmpty);
  return { width, least, readable, weight: kind, empty };
}

function weightOf(title: string, at: number): Measured['weight'] {
  if (at === 0 || idTitles.has(title)) return 'id';
  return referenceTitles.has(title) ? 'reference' : 'normal';
}

/** The width of each column that is shown, by its place. */
function fit(columns: readonly Measured[], room: number | undefined): Map<number, number> {
  const places = columns.map((_, at) => at);
  const giving = (['low', 'reference', 'normal', 'high'] as const).flatMap((weight) =>
    places.filter((at) => columns[at]!.weight === weight).reverse(),
  );
  const ids = places.filter((at) => columns[at]!.weight === 'id');
  const empty = [...giving, ...ids].filter((at) => columns[at]!.empty);
  const said = giving.filter((at) => !columns[at]!.empty);
  const excess = (widths: ReadonlyMap<number, number>): number =>
    room === undefined ? 0 : sum([...widths.values()]) + 2 * (widths.size - 1) - room;
  const natural = (out: readonly number[]) =>
    new Map(places.filter((at) => !out.includes(at)).map((at) => [at, columns[at]!.width]));
  for (let left = 0; left < empty.length; left++) {
    const widths = natural(empty.slice(0, left));
    if (excess(widths) <= 0) return widths;
  }
  for (let left = 0; ; left++) {
    const widths = natural([...empty, ...said.slice(0, left)]);
    for (const at of said.slice(left)) shorten(widths, at, columns[at]!.readable, excess(widths));
    if (excess(widths) > 0 && columns[said[left]!]?.weight === 'high') {
      for (const at of said.slice(left)) shorten(widths, at, columns[at]!.least, excess(widths));
      for (const at of ids) if (widths.has(at)) shorten(widths, at, ID_LEAST, excess(widths));
    }
    if (excess(widths) <= 0 || left === said.length) return widths;
  }
}

function shorten(widths: Map<number, number>, at: number, least: number, excess: number): void {
  const width = widths.get(at)!;
  widths.set(at, width - Math.max(0, Math.min(excess, width - least)));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** `name  value` lines, the names lined up; fields without a value are left out. */
export function fields(rows: readonly (readonly [string, string | number | null | undefined])[]): string {
  const said = rows.filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(...said.map(([name]) => name.length));
  return said.map(([name, value]) => `${name.padEnd(width)}  ${clean(String(value))}`).join('\n');
}

/** Control characters but for the end of a line, and those that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is meant.
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A name that a stranger chose must not drive the terminal it is shown on. */
export function clean(text: string): string {
  return text.replace(controls, '\ufffd');
}

const segmenter = late(() => new Intl.Segmenter());
const wide =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation})/u;

/** Columns a text takes on a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of segmenter().segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/** As much of a text as fits, and a sign that there was more. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  for (const { segment } of segmenter().segment(text)) {
    if (textWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

function pad(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)));
  return right ? space + text : text + space;
}

const colours = { bold: '1', red: '31' } as const;

export function paint(screen: Output, colour: keyof typeof colours, text: string): string {
  return screen.colours ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text;
}
