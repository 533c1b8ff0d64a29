import { parseArgs } from 'node:util';
import type { Job } from '../simulation/crew.js';
import { shortest } from '../simulation/replay.js';
import { type RunReport, simulate } from '../simulation/run.js';

// One process for one mutant: simulates seed after seed until a violation is found, and says so in a line of JSON.

export interface Hunt {
  /** The seed that shows a violation; null: none of them does. */
  readonly seed: number | null;
  /** How many were simulated. */
  readonly seeds: number;
  /** Until it was found: to shorten it took longer. */
  readonly seconds: number;
  /** The shortest run that was found to show it; null where there is nothing to show. */
  readonly replay: Pick<Job, 'hours' | 'clients'> | null;
  /** Of that run. */
  readonly violations: readonly string[];
  /** What happened before the first of them. */
  readonly before: readonly string[];
}

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1000' },
    hours: { type: 'string' },
    clients: { type: 'string' },
    shorten: { type: 'boolean', default: false },
    restores: { type: 'boolean', default: false },
  },
});

/** A fault shows early or late: looking now and then saves the rest of the seed. */
const LOOK_EVERY_MS = 20 * 60_000;

const run = (job: Job): Promise<RunReport> => simulate({ ...job, lookEveryMs: LOOK_EVERY_MS });

async function hunt(from: number, seeds: number): Promise<Hunt> {
  const started = performance.now();
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const how = { hours: number(values.hours), clients: number(values.clients), stacks: false };
  const since = () => (performance.now() - started) / 1000;
  for (let seed = from; seed < from + seeds; seed++) {
    const job: Job = { ...how, seed, restores: values.restores };
    const report = await run(job);
    if (report.violations.length === 0) continue;
    const seconds = since();
    const found = { job, report };
    const { job: replay, report: shown } = values.shorten ? await shortest(found, run) : found;
    const { violations, before } = shown;
    return { seed, seeds: seed - from + 1, seconds, replay, violations, before };
  }
  return { seed: null, seeds, seconds: since(), replay: null, violations: [], before: [] };
}

const found = await hunt(Number(values.from), Number(values.seeds));
// A simulation that was cut short leaves promises, not handles: end by the exit.
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
