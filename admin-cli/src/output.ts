import type { Context, Output } from './context.js';

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

export function print(answer: Answer, context: Pick<Context, 'stdout' | 'stderr' | 'settings'>): void {
  const { stdout, stderr, settings } = context;
  for (const note of answer.notes ?? []) stderr.write(`${clean(note)}\n`);
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
}

/** Columns that line up, numbers to the right. On a terminal the widest columns give way until a row fits one line. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], screen: Output): string {
  const cells = rows.map((row) => columns.map((column) => clean(String(column.cell(row)))));
  const right = columns.map(
    (column) => rows.length > 0 && rows.every((r) => typeof column.cell(r) === 'number'),
  );
  const titles = columns.map((column) => column.title);
  const widths = fit(
    titles.map((title, at) => Math.max(...[title, ...cells.map((row) => row[at]!)].map(textWidth))),
    titles.map(textWidth),
    screen.columns,
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, at) => pad(cut(text, widths[at]!), widths[at]!, right[at]!))
      .join('  ')
      .trimEnd();
  return [paint(screen, 'bold', line(titles)), ...cells.map(line)].join('\n');
}

/** Takes width from the widest column, again and again, but never below its title. */
function fit(widths: readonly number[], least: readonly number[], columns: number | undefined): number[] {
  const fitted = [...widths];
  let excess = columns === undefined ? 0 : sum(fitted) + 2 * (fitted.length - 1) - columns;
  while (excess > 0) {
    const spare = fitted.map((width, at) => (width > Math.max(least[at]!, 8) ? width : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    fitted[widest]! -= 1;
    excess -= 1;
  }
  return fitted;
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

const segmenter = new Intl.Segmenter();
const wide =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation})/u;

/** Columns a text takes on a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  for (const { segment } of segmenter.segment(text)) {
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
