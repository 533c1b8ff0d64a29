import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { loadAverage } from '../hostile/measure.js';
import { markdownTable } from '../markdown-table.js';
import { root } from '../system/paths.js';
import { costModel } from './cost-model.js';
import { chartsOf, svgOf } from './curves.js';
import type { Row } from './report.js';

/** Between which lines of the page each part is. */
const places = {
  figures: ['<!-- figures: written by `npm run bench -- --write-docs` -->', '<!-- end of figures -->'],
  model: ['<!-- model: written from the figures by the same command -->', '<!-- end of model -->'],
} as const;

const page = join(root, 'docs/performance.md');
const images = join(root, 'docs/img');

/** Under what the figures were measured. */
export interface Circumstances {
  readonly loadAtStart: number;
  readonly runs: number;
  readonly ms: number;
}

/** Puts the figures into docs/performance.md, in place of those that are there. */
export function writeDocs(
  rows: readonly Row[],
  failed: readonly string[],
  circumstances: Circumstances,
): void {
  const missing = failed.length === 0 ? [] : [`Without the suites that failed: ${failed.join(', ')}.`];
  put('figures', [machine(circumstances), ...missing, table(rows)].join('\n\n'));
  writeModel(rows);
}

/** The cost model and the pictures, from the same rows as the table. */
export function writeModel(rows: readonly Row[]): void {
  mkdirSync(images, { recursive: true });
  const charts = chartsOf(rows);
  for (const chart of charts) writeFileSync(join(images, chart.file), svgOf(chart));
  const shown = charts.map(({ file, title, x }) => `![${title} by ${x}](img/${file})`);
  put('model', [costModel(rows), ...shown].join('\n\n'));
}

function put(place: keyof typeof places, text: string): void {
  const [begin, end] = places[place];
  const before = readFileSync(page, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`${page} has no place for the ${place}: "${begin}" and "${end}".`);
  writeFileSync(page, `${before.slice(0, from)}${begin}\n\n${text}\n\n${before.slice(to)}`);
}

function machine({ loadAtStart, runs, ms }: Circumstances): string {
  const [first] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
  }).trim();
  return [
    `Code of ${commit}, Node ${process.version}, ${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${gib} GiB, one machine for server and`,
    `load client. Load average ${loadAtStart} before, ${loadAverage()} after${loadAtStart > cpus().length ? ': **a busy machine**, whose wall-clock figures say little' : ''}. ${runs} runs of ${ms / 1000} s each; in brackets the least and the most.`,
  ].join('\n');
}

function table(rows: readonly Row[]): string {
  const names = [
    'suite',
    'case',
    'connections',
    'ops/s',
    'p50 ms',
    'p99 ms',
    'CPU µs/op',
    'RSS MiB',
    'of limit',
  ];
  const cells = rows.map((row) => [
    row.suite,
    [row.case, ...Object.entries(row.facts ?? {}).map(([name, value]) => `${name}: ${value}`)].join('; '),
    row.connections === 0 ? '' : String(row.connections),
    ranged(row.opsPerSec, row.opsPerSecMinMax),
    String(row.p50Ms),
    ranged(row.p99Ms, row.p99MsMinMax),
    ranged(row.serverCpuUsPerOp, row.serverCpuUsPerOpMinMax),
    String(row.rssMiB),
    row.ofLimit === undefined ? '' : `${row.ofLimit.opsPerSec} (CPU ${row.ofLimit.serverCpuUsPerOp})`,
  ]);
  return markdownTable(names, cells);
}

function ranged(value: number, [min, max]: readonly [number, number]): string {
  return min === max ? String(value) : `${value} (${min}–${max})`;
}
