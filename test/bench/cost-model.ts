import { markdownTable } from '../markdown-table.js';
import type { Row } from './report.js';
import { rounded } from './statistics.js';

/** A third of the 120 s that a lease lasts by default. */
const HEARTBEAT_S = 40;
const US_A_SECOND = 1_000_000;
/** What the model leaves of the core for bursts, expiries, administration and the state written behind. */
const USED_PART = 0.5;

/** What one box carries, worked out from the rows of the table beside it, so that the two never disagree. */
export function costModel(rows: readonly Row[]): string {
  const costs = costsOf(rows);
  if (typeof costs === 'string') return `Not worked out: the figures have no ${costs}.`;
  const { checkoutUs, releaseUs, heartbeatUs, sessionKib, emptyMib } = costs;
  const seatUs = checkoutUs + releaseUs;
  const heartbeatsUs = heartbeatUs / HEARTBEAT_S;
  const cells = [1_000, 10_000, 20_000].map((sessions) => {
    const leftUs = USED_PART * US_A_SECOND - sessions * heartbeatsUs;
    return [
      String(sessions),
      `${rounded((100 * sessions * heartbeatsUs) / US_A_SECOND)} %`,
      `${Math.round(emptyMib + (sessions * sessionKib) / 1024)}`,
      leftUs > 0 ? String(rounded(leftUs / seatUs)) : 'none',
      leftUs > 0 ? String(rounded((leftUs / seatUs) * (3600 / sessions))) : 'none',
    ];
  });
  const names = [
    'sessions with a seat',
    'a core for their heartbeats',
    'MiB resident',
    'seats taken and given back each second beside it',
    'of each session an hour',
  ];
  return [
    `A seat taken costs ${checkoutUs} µs of CPU (128 connections), given back ${releaseUs} µs, a heartbeat of a session that is quiet between two ${heartbeatUs} µs, one every ${HEARTBEAT_S} s. A session is ${sessionKib} KiB, the server without any ${emptyMib} MiB.`,
    `With half of one core kept for bursts and everything else, a box carries:`,
    '',
    markdownTable(names, cells),
    '',
    `Heartbeats alone fill a core with ${rounded(US_A_SECOND / heartbeatsUs)} sessions, checkouts and releases alone with ${rounded(US_A_SECOND / seatUs)} of each a second.`,
  ].join('\n');
}

interface Costs {
  readonly checkoutUs: number;
  readonly releaseUs: number;
  readonly heartbeatUs: number;
  readonly sessionKib: number;
  readonly emptyMib: number;
}

/** @returns what is missing, where something is */
function costsOf(rows: readonly Row[]): Costs | string {
  const find = (suite: string, connections?: number): Row | undefined =>
    rows.find((row) => row.suite === suite && (connections === undefined || row.connections === connections));
  const [checkout, release, sessions] = [find('checkout', 128), find('release', 128), find('sessions')];
  if (checkout === undefined) return 'checkout at 128 connections';
  if (release === undefined) return 'release';
  const [kib, mib] = [sessions?.facts?.['KiB resident a session'], sessions?.facts?.['MiB without sessions']];
  if (sessions === undefined || typeof kib !== 'number' || typeof mib !== 'number') return 'sessions';
  return {
    ...{ checkoutUs: checkout.serverCpuUsPerOp, releaseUs: release.serverCpuUsPerOp },
    ...{ heartbeatUs: sessions.serverCpuUsPerOp, sessionKib: kib, emptyMib: mib },
  };
}
