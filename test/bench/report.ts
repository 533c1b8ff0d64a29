import type { Circumstances } from './circumstances.js';
import type { Measured } from './orders.js';
import { rounded, type Spread, spreadOf } from './statistics.js';

/** One line of JSON. The first eight names are a contract with whoever reads the lines. */
export interface Row {
  readonly suite: string;
  readonly case: string;
  readonly connections: number;
  readonly opsPerSec: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpuUsPerOp: number;
  readonly rssMiB: number;
  readonly runs: number;
  /** The least and the most of the runs. */
  readonly opsPerSecMinMax: readonly [number, number];
  readonly p99MsMinMax: readonly [number, number];
  readonly serverCpuUsPerOpMinMax: readonly [number, number];
  /** Parts of the bare loop's figures in the same run; left out: it is that loop, or there is none like it. */
  readonly ofLimit?: {
    readonly opsPerSec: number;
    readonly serverCpuUsPerOp: number;
    /** What it is a part of: the loop's own medians in turn with the case, under the name that its row of suite `limit` has. */
    readonly bare: Title & { readonly opsPerSec: number; readonly serverCpuUsPerOp: number };
  };
  /** What else was seen, by name. */
  readonly facts?: Readonly<Record<string, number | string>>;
  /** Under what it was measured. */
  readonly on?: Circumstances;
}

/** What the rows of a case are called. */
export interface Title {
  readonly suite: string;
  readonly case: string;
  readonly connections: number;
}

/** Runs of the bare loop, and what they are called. */
export interface Bare {
  readonly title: Title;
  readonly runs: readonly Measured[];
}

/** @param bare the loop that the case is told as a part of, its runs in turn with those */
export function rowOf(
  title: Title,
  runs: readonly Measured[],
  bare: Bare | null = null,
  facts?: Row['facts'],
): Row {
  const ops = spreadOf(runs.map(opsPerSec));
  const cpu = spreadOf(runs.map(cpuUsPerOp));
  const p99 = spreadOf(runs.map(({ p99Ms }) => p99Ms));
  const row: Row = {
    ...title,
    ...{ opsPerSec: rounded(ops.median), p50Ms: rounded(spreadOf(runs.map((r) => r.p50Ms)).median) },
    ...{ p99Ms: rounded(p99.median), serverCpuUsPerOp: rounded(cpu.median) },
    ...{ rssMiB: Math.max(...runs.map(({ rssMiB }) => rssMiB)), runs: runs.length },
    ...{ opsPerSecMinMax: minMax(ops), p99MsMinMax: minMax(p99), serverCpuUsPerOpMinMax: minMax(cpu) },
    ...(facts === undefined ? {} : { facts }),
  };
  if (bare === null) return row;
  const part = (of: (run: Measured) => number) =>
    rounded(spreadOf(runs.map((run, at) => of(run) / of(bare.runs[at]!))).median);
  const median = (of: (run: Measured) => number) => rounded(spreadOf(bare.runs.map(of)).median);
  const figures = { opsPerSec: median(opsPerSec), serverCpuUsPerOp: median(cpuUsPerOp) };
  const ofLimit = { opsPerSec: part(opsPerSec), serverCpuUsPerOp: part(cpuUsPerOp) };
  return { ...row, ofLimit: { ...ofLimit, bare: { ...bare.title, ...figures } } };
}

function opsPerSec({ operations, ms }: Measured): number {
  return operations / (ms / 1000);
}

function cpuUsPerOp({ operations, serverCpuNs }: Measured): number {
  return serverCpuNs / 1000 / operations;
}

function minMax({ min, max }: Spread): [number, number] {
  return [rounded(min), rounded(max)];
}

export const head =
  'suite     case                        conns    ops/s (min..max)          p50     p99 ms  CPU us/op (min..max)    RSS MiB  of limit: ops/s, CPU';

/** For people. */
export function lineOf(row: Row): string {
  const { ofLimit, facts } = row;
  const cells = [
    row.suite.padEnd(9),
    row.case.padEnd(27),
    String(row.connections).padStart(5),
    `${row.opsPerSec}`.padStart(8),
    `(${row.opsPerSecMinMax.join('..')})`.padEnd(17),
    `${row.p50Ms}`.padStart(7),
    `${row.p99Ms}`.padStart(8),
    `${row.serverCpuUsPerOp}`.padStart(10),
    `(${row.serverCpuUsPerOpMinMax.join('..')})`.padEnd(16),
    String(row.rssMiB).padStart(5),
    ofLimit === undefined ? '' : `      ${ofLimit.opsPerSec}, ${ofLimit.serverCpuUsPerOp}`,
  ];
  const said = Object.entries(facts ?? {}).map(([name, value]) => `${name}: ${value}`);
  return [cells.join(' '), ...(said.length === 0 ? [] : [`          ${said.join(', ')}`])].join('\n');
}
