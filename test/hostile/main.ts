import { parseArgs } from 'node:util';
import { askedFor, numberOf, words } from '../asked.js';
import type { Arrived } from './arrivals.js';
import { type Attack, USUAL_SECONDS } from './attack.js';
import { attacks } from './attacks.js';
import { Battlefield, type Verdict } from './battlefield.js';
import { loadAverage } from './measure.js';

/** Issue 4: what must hold while somebody attacks. */
const P99_MS = 100;
const RSS_MIB = 512;
/** What one attack may add to the journal a second: a hundred checkouts and their releases, of some 700 bytes each. */
const JOURNAL_BYTES_PER_SECOND = 256 * 1024;
const LOG_BYTES_PER_SECOND = 256 * 1024;
/** Of those who come in while somebody attacks, within 5 s each. */
const CAME_IN = 0.9;
/** Quiet time before each attack, for the baseline. */
const QUIET_SECONDS = 3;

const head =
  'attack                p50  p99 ms    max  base p99  own  CPU %  RSS MiB files journal B  log B  newcomers, first-timers in 5 s (p99 ms)';

const values = askedFor(help(), () => {
  const { values: given } = parseArgs({
    args: words(),
    options: {
      attack: { type: 'string', multiple: true },
      seconds: { type: 'string', default: String(USUAL_SECONDS) },
      priority: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    ...given,
    chosen: choose(given.attack),
    seconds: numberOf('seconds', given.seconds, { least: 2, most: 600, fraction: true }),
  };
});

async function main(chosen: readonly Attack[], seconds: number): Promise<number> {
  const load = loadAverage();
  const field = await Battlefield.open(values.priority);
  const verdicts: Verdict[] = [];
  try {
    tell(
      `load average ${load} at the start; ${seconds} s an attack, ${QUIET_SECONDS} s of quiet before each\n${head}`,
    );
    for (const attack of chosen) {
      const verdict = await field.endure(attack, seconds, QUIET_SECONDS);
      verdicts.push(verdict);
      tell(row(verdict));
      for (const line of [...verdict.problems, ...overLimits(verdict)]) tell(`    ${line}`);
      tell(`    ${said(verdict)}`);
      if (!field.serverRuns) break;
    }
  } finally {
    await field.close();
  }
  const rows = verdicts.map((verdict) => {
    const { attack, honestP99Ms, baselineP99Ms, serverCpuPercent, rssMiB, journalBytes, stolen } = verdict;
    const { newcomers, firstTimers } = verdict.honest;
    return {
      ...{ attack, honestP99Ms, baselineP99Ms, serverCpuPercent, rssMiB, journalBytes, stolen },
      ...{ newcomers, firstTimers, ok: isOk(verdict) },
    };
  });
  const ok = rows.length === chosen.length && rows.every((each) => each.ok);
  console.log(JSON.stringify({ ok, seconds, loadAtStart: load, loadAtEnd: loadAverage(), attacks: rows }));
  return ok ? 0 : 1;
}

function choose(names: readonly string[] | undefined): readonly Attack[] {
  const unknown = names?.find((name) => !attacks.some((attack) => attack.name === name));
  if (unknown !== undefined) throw new Error(`There is no attack ${unknown}. --help names them.`);
  return names === undefined ? attacks : attacks.filter(({ name }) => names.includes(name));
}

function isOk(verdict: Verdict): boolean {
  return verdict.problems.length === 0 && overLimits(verdict).length === 0;
}

function overLimits(verdict: Verdict): string[] {
  const { attack, honestP99Ms, rssMiB, journalBytes, logBytes, lastedSeconds, honest } = verdict;
  const { newcomers, firstTimers } = honest;
  const isShared = attacks.some(({ name, sharesAddress }) => name === attack && sharesAddress);
  return [
    ...(honestP99Ms < P99_MS ? [] : [`honest renewals: p99 ${honestP99Ms} ms`]),
    ...(rssMiB < RSS_MIB ? [] : [`memory: ${rssMiB} MiB`]),
    ...(journalBytes < JOURNAL_BYTES_PER_SECOND * lastedSeconds ? [] : [`journal: ${journalBytes} bytes`]),
    ...(logBytes < LOG_BYTES_PER_SECOND * lastedSeconds ? [] : [`log: ${logBytes} bytes`]),
    ...(isShared || cameIn(newcomers) ? [] : [`newcomers: ${newcomers.served} of ${newcomers.tried} in 5 s`]),
    ...(cameIn(firstTimers) ? [] : [`first-timers: ${firstTimers.served} of ${firstTimers.tried} in 5 s`]),
  ];
}

function cameIn({ served, tried }: Arrived): boolean {
  return served > 0 && served >= tried * CAME_IN;
}

function row(verdict: Verdict): string {
  const { attack, honest, baselineP99Ms, rssMiB, openFiles, journalBytes, logBytes, serverCpuPercent } =
    verdict;
  const { p50Ms, p99Ms, maxMs, ownDelayP99Ms, newcomers, firstTimers } = honest;
  const cells = [
    attack.padEnd(19),
    ...[
      p50Ms,
      p99Ms,
      maxMs,
      baselineP99Ms,
      ownDelayP99Ms,
      serverCpuPercent,
      rssMiB,
      openFiles,
      journalBytes,
      logBytes,
    ].map((cell) => String(cell).padStart(7)),
    ...[newcomers, firstTimers].map((who) => `${who.served}/${who.tried} (${who.p99Ms})`.padStart(15)),
    isOk(verdict) ? 'ok' : 'NOT OK',
  ];
  return cells.join(' ');
}

function said({ outcome }: Verdict): string {
  return Object.entries(outcome.counts)
    .map(([what, count]) => `${what}: ${count}`)
    .join(', ');
}

function tell(line: string): void {
  if (!values.json) console.log(line);
}

function help(): string {
  return [
    'npm run hostile -- [--attack NAME]… [--seconds N] [--priority] [--json]',
    '',
    'Attacks a real berthd over TLS on loopback, one attack after the other, while 20 honest clients renew ten times a second in a',
    'process of their own. Each must keep: honest renewals p99 < 100 ms, resident memory < 512 MiB, a journal and a log that grow',
    'slowly, every seat with its owner, and nine in ten of the honest who come in within 5 s. The last line is JSON; the exit code is 0 when all did.',
    '',
    '  --attack NAME   only this one; may be given again',
    `  --seconds N     so long each, 2 to 600 (default ${USUAL_SECONDS})`,
    '  --priority      on a machine that is busy with other things: its own processes first (needs root)',
    '  --json          nothing but the last line',
    '',
    ...attacks.map(({ name, what }) => `  ${name.padEnd(19)} ${what}`),
    '',
    'Examples:',
    '  npm run hostile',
    '  npm run hostile -- --attack never-read --attack waiters --seconds 30',
    '  npm run --silent hostile -- --json | tail -n 1 | jq .attacks',
  ].join('\n');
}

process.exitCode = await main(values.chosen, values.seconds);
