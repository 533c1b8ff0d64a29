import { expect, test } from 'vitest';
import type { Circumstances } from '../../bench/circumstances.js';
import { costModel } from '../../bench/cost-model.js';
import { chartsOf, svgOf } from '../../bench/curves.js';
import { measuredOn, table } from '../../bench/docs.js';
import { rowsIn } from '../../bench/lines.js';
import type { Row } from '../../bench/report.js';

function row(suite: string, title: string, connections: number, serverCpuUsPerOp: number): Row {
  return {
    ...{ suite, case: title, connections, serverCpuUsPerOp, opsPerSec: 1000, p50Ms: 1, p99Ms: 2, rssMiB: 90 },
    ...{ runs: 3, opsPerSecMinMax: [900, 1100], p99MsMinMax: [2, 3], serverCpuUsPerOpMinMax: [1, 9999] },
  };
}

const facts = { 'KiB resident a session': 50, 'MiB without sessions': 100 };
const rows = [
  ...[1, 32, 128].map((connections) => row('checkout', 'a seat', connections, 300)),
  row('release', 'a seat', 128, 200),
  { ...row('sessions', 'heartbeats at D/3', 10_000, 1000), facts },
  row('scale', '100 seats, 1 user', 32, 400),
  row('scale', '100000 seats, 1 user', 32, 500),
  row('scale', '100 seats, 1000 users', 32, 420),
  { ...row('scale', '100 seats, 100000 users', 32, 450), rssMiB: 590 },
];

test('the model of one box says what its rows add up to, and that something is missing', () => {
  const model = costModel(rows);
  // 10,000 heartbeats in 40 s of 1 ms each; the rest of half a core for takings and givings of 0.5 ms.
  const line = model.split('\n').find((text) => text.startsWith('| 10000 '));
  expect(line?.split('|').map((cell) => cell.trim())).toEqual(['', '10000', '25 %', '588', '500', '180', '']);
  expect(costModel(rows.filter(({ suite }) => suite !== 'release'))).toContain('release');
  // 500 MiB more with 100,000 users.
  expect(model).toMatch(/^\| 100000 +\| 500 +\| 450 +\|$/m);
  expect(model).toContain('A user of the last row is 5.12 KiB');
});

test('a curve has a point for each row, and none is drawn of one point', () => {
  const charts = chartsOf(rows);
  expect(charts.map(({ file, lines }) => [file, lines.map(({ points }) => points.length)])).toEqual([
    ['connections-ops.svg', [3]],
    ['connections-cpu.svg', [3]],
    ['scale-cpu.svg', [2, 3]],
  ]);
  const svg = svgOf(charts[2]!);
  // From the left edge to the right one, 400 and 500 of 800.
  expect(svg).toContain('<polyline points="288,156 624,127"');
});

const suites = ['limit', 'checkout', 'release', 'sessions', 'scale'].map((name) => ({
  ...{ name, what: '', connections: [] },
}));
const whole = [...[1, 128].map((connections) => row('limit', 'append and sign', connections, 100)), ...rows];
const linesOf = (all: readonly Row[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join('');

test('lines that were said make a page when they have all of it, each once', () => {
  expect(rowsIn(linesOf(whole), suites)).toEqual(whole);
  expect(rowsIn(linesOf(rows), suites)).toContain('suite limit');
  expect(rowsIn(linesOf([whole[0]!, ...rows]), suites)).toContain('two points');
  for (const gone of rows.slice(2)) {
    const left = whole.filter((one) => one !== gone);
    expect(typeof rowsIn(linesOf(left), suites), `without ${gone.suite}, ${gone.case}`).toBe('string');
  }
  expect(rowsIn(linesOf([...whole, whole[3]!]), suites)).toContain('two lines');
  expect(rowsIn(`${linesOf(whole)}{"suite":"checkout"}\n`, suites)).toContain(`line ${whole.length + 1} `);
  expect(rowsIn(`npm warn\n${linesOf(whole)}`, suites)).toContain('line 1 ');
});

test('a page says under what its rows were measured, and where that is not known', () => {
  const on: Circumstances = {
    ...{ commit: 'abc', node: 'Node v20', machine: '2 cores', cores: 2, load: 1, seconds: 1 },
  };
  const known = whole.map((one, at) => ({ ...one, on: { ...on, load: 1 + at / 10 } }));
  expect(measuredOn(known)).toContain('Code of abc, Node v20, 2 cores');
  expect(measuredOn(known)).not.toContain('busy');
  expect(measuredOn([{ ...known[0]!, on: { ...on, load: 5 } }])).toContain('busy');
  expect(measuredOn([known[0]!, whole[1]!])).toContain('Of some rows');
  expect(measuredOn(whole)).toContain('not known');
});

test('a median in the table is rounded as its range is, and what is above zero is never 0', () => {
  const odd = {
    ...{
      ...row('boot', 'much', 0, 10_612_345),
      opsPerSec: 0.08443,
      opsPerSecMinMax: [0.06, 0.0894] as const,
    },
    ...{
      p50Ms: 0.00049,
      p99Ms: 1139,
      p99MsMinMax: [1070, 1240] as const,
      serverCpuUsPerOpMinMax: [1, 2] as const,
    },
  };
  const cells = table([odd])
    .split('\n')
    .at(-1)!
    .split('|')
    .map((cell) => cell.trim());
  expect(cells.slice(4, 8)).toEqual([
    '0.0844 (0.06–0.0894)',
    '0.00049',
    '1140 (1070–1240)',
    '10600000 (1–2)',
  ]);
});

test('lines whose medians were rounded otherwise than their ranges make no page', () => {
  const boot = { ...row('boot', 'empty', 0, 300), opsPerSec: 2, opsPerSecMinMax: [1.59, 1.66] as const };
  expect(rowsIn(linesOf([...whole, boot]), suites)).toContain(
    `line ${whole.length + 1} has a median outside`,
  );
  const older = { ...boot, opsPerSec: 1139.4, opsPerSecMinMax: [1140, 1240] as const };
  expect(rowsIn(linesOf([...whole, older]), suites), 'equal in three digits').toHaveLength(whole.length + 1);
});

test('a page has the row of each bare loop that something is told as a part of', () => {
  const bare = { suite: 'limit', case: 'sign', connections: 1, opsPerSec: 900, serverCpuUsPerOp: 150 };
  const renew = {
    ...row('renew', 'a lease', 1, 300),
    ofLimit: { opsPerSec: 0.9, serverCpuUsPerOp: 2, bare },
  };
  expect(rowsIn(linesOf([...whole, renew]), suites)).toContain('no limit, sign, 1 connections');
  expect(rowsIn(linesOf([...whole, renew, row('limit', 'sign', 1, 150)]), suites)).toHaveLength(
    whole.length + 2,
  );
});
