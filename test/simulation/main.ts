import { help, readCommandLine, type Wanted } from './command-line.js';
import { type Job, runAll } from './crew.js';
import { accusation, shortest } from './replay.js';
import { type RunReport, simulate } from './run.js';
import { Totals } from './totals.js';

/** On a terminal every seed is told of, elsewhere every so many. */
const TOLD_EVERY = process.stderr.isTTY ? 1 : 25;

const wanted = readCommandLine(process.argv.slice(2));
if (wanted === 'HELP') process.stdout.write(help);
else if ('wrong' in wanted) {
  process.stderr.write(`${wanted.wrong}\nnpm run simulate -- --help says what there is.\n`);
  process.exitCode = 2;
} else {
  const violations = await run(wanted);
  // A simulation that was cut short leaves promises, not handles.
  process.exit(violations > 0 ? 1 : 0);
}

async function run({ seed, seeds, hours, clients, jobs, json, stacks, restores }: Wanted): Promise<number> {
  const started = { wallMs: performance.now(), cpu: process.cpuUsage() };
  const totals = new Totals();
  const list = Array.from(
    { length: seeds },
    (_, at): Job => ({
      ...{ seed: seed + at, hours, clients, stacks },
      restores,
    }),
  );
  const tell = async (report: RunReport, job: Job): Promise<void> => {
    totals.add(report);
    if (json) console.log(JSON.stringify(report));
    else if (seeds <= TOLD_EVERY) console.log(line(report));
    if (report.violations.length > 0) await accuse(report, job);
    if (totals.seeds % TOLD_EVERY === 0 && totals.seeds < seeds) process.stderr.write(`${totals.line()}\n`);
  };
  if (jobs > 1) await runAll(list, jobs, tell);
  else for (const job of list) await tell(await simulate(job), job);
  const { user, system } = process.cpuUsage(started.cpu);
  const speed = speedOf(totals, {
    seconds: (performance.now() - started.wallMs) / 1000,
    // Of several processes this one knows only its own.
    cpuSeconds: jobs > 1 ? null : (user + system) / 1e6,
  });
  console.log(JSON.stringify({ ...totals.summary(), speed }));
  return totals.violations;
}

/** How many times real time, by the clock and by CPU time. All that was spent is set against the safety phase alone as well: that is the least it can be. */
function speedOf(
  { simulatedHours, safetyHours }: Totals,
  { seconds, cpuSeconds }: { readonly seconds: number; readonly cpuSeconds: number | null },
): Record<string, number> {
  const times = (hours: number, spent: number): number => Math.round((hours * 3600) / spent);
  const byClock = {
    seconds: Math.round(seconds * 10) / 10,
    timesRealTime: times(simulatedHours, seconds),
    ofSafetyAlone: times(safetyHours, seconds),
  };
  if (cpuSeconds === null) return byClock;
  const byCpu = {
    timesByCpu: times(simulatedHours, cpuSeconds),
    ofSafetyByCpu: times(safetyHours, cpuSeconds),
  };
  return { ...byClock, cpuSeconds: Math.round(cpuSeconds * 10) / 10, ...byCpu };
}

function line({ seed, clients, ops, violations, faults, history, simulatedHours }: RunReport): string {
  const thrown = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const hours = simulatedHours.toFixed(1);
  return `seed ${seed}: ${clients} clients, ${hours} h, ${ops} ops, ${thrown} faults, ${violations.length} violations, history ${history.slice(0, 16)}`;
}

async function accuse(report: RunReport, job: Job): Promise<void> {
  const count = report.violations.length;
  process.stderr.write(`seed ${report.seed}: ${count} violations; looking for a shorter replay …\n`);
  process.stderr.write(accusation(await shortest({ job, report }, simulate)));
}
