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
  const { users, seatKib } = costs;
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
    `What users cost, with 100 seats and 32 connections (the MiB come on top of those above):`,
    '',
    markdownTable(
      ['users', 'MiB resident more than with one', 'CPU µs of a checkout'],
      users.map((each) => [String(each.users), String(each.mibMore), String(each.checkoutUs)]),
    ),
    '',
    `A user of the last row is ${rounded((1024 * users.at(-1)!.mibMore) / users.at(-1)!.users)} KiB, a seat in use ${seatKib} KiB, of 100,000.`,
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
  readonly users: readonly {
    readonly users: number;
    readonly mibMore: number;
    readonly checkoutUs: number;
  }[];
  readonly seatKib: number;
}

/** @returns what the model needs and the rows have not */
export function missingIn(rows: readonly Row[]): string | null {
  const costs = costsOf(rows);
  return typeof costs === 'string' ? costs : null;
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
  const scale = scaleOf(rows);
  if (typeof scale === 'string') return scale;
  return {
    ...scale,
    ...{ checkoutUs: checkout.serverCpuUsPerOp, releaseUs: release.serverCpuUsPerOp },
    ...{ heartbeatUs: sessions.serverCpuUsPerOp, sessionKib: kib, emptyMib: mib },
  };
}

/** What is there beside a checkout, by the suite `scale`. */
function scaleOf(rows: readonly Row[]): Pick<Costs, 'users' | 'seatKib'> | string {
  const find = (title: string) => rows.find((row) => row.suite === 'scale' && row.case === title);
  const titles = ['100 seats, 1 user', '100 seats, 1000 users', '100 seats, 100000 users'] as const;
  const seatsTitle = '100000 seats, 1 user';
  const [one, some, many, seats] = [...titles, seatsTitle].map(find);
  if (one === undefined) return `scale with ${titles[0]}`;
  if (some === undefined) return `scale with ${titles[1]}`;
  if (many === undefined) return `scale with ${titles[2]}`;
  if (seats === undefined) return `scale with ${seatsTitle}`;
  const of = (users: number, { rssMiB, serverCpuUsPerOp }: Row) => ({
    ...{ users, mibMore: Math.round(rssMiB - one.rssMiB), checkoutUs: serverCpuUsPerOp },
  });
  return {
    users: [of(1, one), of(1000, some), of(100_000, many)],
    seatKib: rounded((1024 * (seats.rssMiB - one.rssMiB)) / 99_900),
  };
}
