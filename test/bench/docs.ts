import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from '../markdown-table.js';
import { root } from '../system/paths.js';
import type { Circumstances } from './circumstances.js';
import { costModel } from './cost-model.js';
import { chartsOf, svgOf } from './curves.js';
import type { Row } from './report.js';
import { rounded } from './statistics.js';

/** Between which lines of the page each part is. */
const places = {
  figures: ['<!-- figures: written by `npm run bench -- --write-docs` -->', '<!-- end of figures -->'],
  model: ['<!-- model: written from the figures by the same command -->', '<!-- end of model -->'],
} as const;

const page = join(root, 'docs/performance.md');
const images = join(root, 'docs/img');

/** Table, model and pictures of docs/performance.md, all from the same rows, in place of those that are there. */
export function writeDocs(rows: readonly Row[]): void {
  mkdirSync(images, { recursive: true });
  const charts = chartsOf(rows);
  for (const chart of charts) writeFileSync(join(images, chart.file), svgOf(chart));
  const shown = charts.map(({ file, title, x }) => `![${title} by ${x}](img/${file})`);
  put('figures', [measuredOn(rows), table(rows)].join('\n\n'));
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

/** Under what the rows were measured, by what they say themselves. */
export function measuredOn(rows: readonly Row[]): string {
  const on = rows.flatMap((row) => (row.on === undefined ? [] : [row.on]));
  const each = (of: (one: Circumstances) => string | number): string =>
    [...new Set(on.map((one) => String(of(one))))].join(' and ');
  const runs = [...new Set(rows.map((row) => row.runs))].sort((a, b) => a - b).join(' or ');
  const brackets = `${runs} runs of each; in brackets the least and the most.`;
  const unknown = on.length === rows.length ? '' : ' Of some rows commit, machine and load are not known.';
  if (on.length === 0) return `Commit, machine and load are not known. ${brackets}`;
  const loads = on.map(({ load }) => load);
  const [least, most] = [Math.min(...loads), Math.max(...loads)];
  const busy = on.some(({ load, cores }) => load > 2 * cores);
  return [
    `Code of ${each(({ commit }) => commit)}, ${each(({ node }) => node)}, ${each(({ machine }) => machine)}, one machine for server and load client.${unknown}`,
    `Load average ${least} to ${most}${busy ? ': **a busy machine**, whose wall-clock figures say little' : ''}. The clock ran for ${each(({ seconds }) => seconds)} s in each run. ${brackets}`,
  ].join('\n');
}

export function table(rows: readonly Row[]): string {
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
    String(rounded(row.p50Ms)),
    ranged(row.p99Ms, row.p99MsMinMax),
    ranged(row.serverCpuUsPerOp, row.serverCpuUsPerOpMinMax),
    String(row.rssMiB),
    row.ofLimit === undefined ? '' : `${row.ofLimit.opsPerSec} (CPU ${row.ofLimit.serverCpuUsPerOp})`,
  ]);
  return markdownTable(names, cells);
}

function ranged(value: number, [min, max]: readonly [number, number]): string {
  const [median, least, most] = [value, min, max].map(rounded);
  return least === most ? String(median) : `${median} (${least}–${most})`;
}
