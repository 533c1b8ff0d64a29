import type { SuiteFacts } from './asked.js';
import { missingIn } from './cost-model.js';
import { chartsOf } from './curves.js';
import type { Row, Title } from './report.js';
import { rounded } from './statistics.js';

/** The pictures of the page, with so many lines each. */
const PICTURES = [2, 2, 2] as const;

/** @returns the rows that `--json` has said, enough of them for a whole page; or in one line what is wrong */
export function rowsIn(text: string, suites: readonly SuiteFacts[]): Row[] | string {
  const rows: Row[] = [];
  const seen = new Set<string>();
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const row = rowIn(line);
    if (row === null)
      return `line ${at + 1} is none that --json has said. Give the lines of its stdout alone.`;
    if (!isWithin(row))
      return `line ${at + 1} has a median outside its least and its most: it was rounded otherwise. Measure it again.`;
    const title = nameOf(row);
    if (seen.has(title)) return `${title}: there are two lines of it. Keep one.`;
    seen.add(title);
    rows.push(row);
  }
  const missing = lackOf(rows, suites);
  return missing === null ? rows : `the lines have no ${missing}. Run every suite, whole, with --json.`;
}

function nameOf(of: Title): string {
  return `${of.suite}, ${of.case}, ${of.connections} connections`;
}

/** @returns what the page needs and these are not enough for */
export function lackOf(rows: readonly Row[], suites: readonly SuiteFacts[]): string | null {
  const suite = suites.find(({ name }) => !rows.some((row) => row.suite === name));
  if (suite !== undefined) return `suite ${suite.name}`;
  const cost = missingIn(rows);
  if (cost !== null) return cost;
  const untold = untoldIn(rows);
  if (untold !== null) return untold;
  const charts = chartsOf(rows);
  const isWhole =
    charts.length === PICTURES.length && charts.every(({ lines }, at) => lines.length === PICTURES[at]);
  return isWhole ? null : 'two points for each line of the pictures (checkout, limit and scale)';
}

/** Whoever reads that something is a part of the bare loop must be able to look up what that did. */
function untoldIn(rows: readonly Row[]): string | null {
  const told = new Set(rows.map(nameOf));
  const parts = rows.flatMap(({ ofLimit }) => (ofLimit?.bare === undefined ? [] : [nameOf(ofLimit.bare)]));
  return parts.find((name) => !told.has(name)) ?? null;
}

const numbers = ['connections', 'opsPerSec', 'p50Ms', 'p99Ms', 'serverCpuUsPerOp', 'rssMiB', 'runs'] as const;
const ranges = ['opsPerSecMinMax', 'p99MsMinMax', 'serverCpuUsPerOpMinMax'] as const;

function rowIn(line: string): Row | null {
  const row = parsed(line) as Readonly<Partial<Record<keyof Row, unknown>>> | null;
  const isRow =
    typeof row === 'object' &&
    row !== null &&
    typeof row.suite === 'string' &&
    typeof row.case === 'string' &&
    numbers.every((name) => Number.isFinite(row[name])) &&
    ranges.every((name) => isRange(row[name]));
  return isRow ? (row as Row) : null;
}

/** With as many digits as the page has. */
function isWithin(row: Row): boolean {
  const measured = [
    [row.opsPerSec, row.opsPerSecMinMax],
    [row.p99Ms, row.p99MsMinMax],
    [row.serverCpuUsPerOp, row.serverCpuUsPerOpMinMax],
  ] as const;
  return measured.every(([value, [min, max]]) => {
    const median = rounded(value);
    return rounded(min) <= median && median <= rounded(max);
  });
}

function isRange(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
