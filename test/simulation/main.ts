import { help, readCommandLine, type Wanted } from './command-line.js';
import { type Job, runAll } from './crew.js';
import { commandOf, shortest } from './replay.js';
import { type RunReport, simulate } from './run.js';
import { Totals } from './totals.js';

const SHOWN_VIOLATIONS = 10;
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

async function run({ seed, seeds, hours, clients, jobs, json, stacks }: Wanted): Promise<number> {
  const started = { wallMs: performance.now(), cpu: process.cpuUsage() };
  const totals = new Totals();
  const list = Array.from({ length: seeds }, (_, at): Job => ({ seed: seed + at, hours, clients, stacks }));
  const tell = async (report: RunReport, job: Job): Promise<void> => {
    totals.add(report);
    if (json) console.log(JSON.stringify(report));
    else if (seeds <= TOLD_EVERY) console.log(line(report));
    if (report.violations.length > 0) await accuse(report, job);
    if (totals.seeds % TOLD_EVERY === 0 && totals.seeds < seeds) process.stderr.write(`${totals.line()}\n`);
  };
  if (jobs > 1) await runAll(list, jobs, tell);
  else for (const job of list) await tell(await simulate(job), job);
  const seconds = (performance.now() - started.wallMs) / 1000;
  const { user, system } = process.cpuUsage(started.cpu);
  // All of the time spent is set against the hours of the safety phase alone as well: that is the least it can be.
  const rate = (spent: number): string => {
    const [both, safety] = [totals.simulatedHours, totals.safetyHours].map((hours) =>
      Math.round((hours * 3600) / spent),
    );
    return `${both} times real time (${safety} by the safety phase alone)`;
  };
  const ofCpu = jobs > 1 ? '' : `; of CPU time ${rate((user + system) / 1e6)}`;
  process.stderr.write(`${rate(seconds)}${ofCpu}\n`);
  console.log(JSON.stringify(totals.summary()));
  return totals.violations;
}

function line({ seed, clients, ops, violations, faults, history, simulatedHours }: RunReport): string {
  const thrown = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const hours = simulatedHours.toFixed(1);
  return `seed ${seed}: ${clients} clients, ${hours} h, ${ops} ops, ${thrown} faults, ${violations.length} violations, history ${history.slice(0, 16)}`;
}

async function accuse(report: RunReport, job: Job): Promise<void> {
  const lines = [`seed ${report.seed}: ${report.violations.length} violations`];
  lines.push(...report.violations.slice(0, SHOWN_VIOLATIONS).map((text) => `  ${text}`));
  process.stderr.write(`${lines.join('\n')}\n  looking for a shorter replay …\n`);
  const best = await shortest({ job, report }, simulate);
  const before = best.report.before.map((text) => `    ${text.slice(0, 400)}`);
  process.stderr.write(`  replay: ${commandOf(best.job)}\n  before it:\n${before.join('\n')}\n`);
}
