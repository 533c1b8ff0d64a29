import { expect, test } from 'vitest';
import { costModel } from '../../bench/cost-model.js';
import { chartsOf, svgOf } from '../../bench/curves.js';
import type { Row } from '../../bench/report.js';

function row(suite: string, title: string, connections: number, serverCpuUsPerOp: number): Row {
  return {
    ...{ suite, case: title, connections, serverCpuUsPerOp, opsPerSec: 1000, p50Ms: 1, p99Ms: 2, rssMiB: 90 },
    ...{ runs: 3, opsPerSecMinMax: [900, 1100], p99MsMinMax: [2, 3], serverCpuUsPerOpMinMax: [1, 999] },
  };
}

const facts = { 'KiB resident a session': 50, 'MiB without sessions': 100 };
const rows = [
  ...[1, 32, 128].map((connections) => row('checkout', 'a seat', connections, 300)),
  row('release', 'a seat', 128, 200),
  { ...row('sessions', 'heartbeats at D/3', 10_000, 1000), facts },
  row('scale', '100 seats, 1 user', 32, 400),
  row('scale', '100000 seats, 1 user', 32, 500),
  row('scale', '100 seats, 100000 users', 32, 450),
];

test('the model of one box says what its rows add up to, and that something is missing', () => {
  const model = costModel(rows);
  // 10,000 heartbeats in 40 s of 1 ms each; the rest of half a core for takings and givings of 0.5 ms.
  const line = model.split('\n').find((text) => text.startsWith('| 10000 '));
  expect(line?.split('|').map((cell) => cell.trim())).toEqual(['', '10000', '25 %', '588', '500', '180', '']);
  expect(costModel(rows.filter(({ suite }) => suite !== 'release'))).toContain('release');
});

test('a curve has a point for each row, and none is drawn of one point', () => {
  const charts = chartsOf(rows);
  expect(charts.map(({ file, lines }) => [file, lines.map(({ points }) => points.length)])).toEqual([
    ['connections-ops.svg', [3]],
    ['connections-cpu.svg', [3]],
    ['scale-cpu.svg', [2, 2]],
  ]);
  const svg = svgOf(charts[2]!);
  // From the left edge to the right one, 400 and 500 of 800.
  expect(svg).toContain('<polyline points="288,156 624,127"');
});
