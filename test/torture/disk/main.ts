import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../../system/random.js';
import { makeBase } from './base.js';
import { drawJobs, type FlipReport, flipAll } from './flips.js';

const HELP = `npm run torture:flips -- [--flips N] [--seed S] [--json]

One bit of one file of a data folder is flipped, and the server is started: it serves the true state, or refuses and names the file.
Then it is started once more. Every file that find shows gets its share.

  --flips N    (default 2000)
  --seed S     (default 1)
  --workers N  processes that start servers (default 2)
  --json       nothing but the last line
The last line is a JSON object with the table file kind x outcome; the exit code is 1 when anything changed silently.`;

const { values } = parseArgs({
  options: {
    flips: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'berth-flips-'));
  const base = await makeBase(folder);
  try {
    const random = new Random(Number(values.seed));
    const jobs = drawJobs([base.killed, base.stopped], Number(values.flips), random);
    const report = await flipAll(jobs, Number(values.workers), folder, (soFar) => {
      if (!values.json && soFar.flips % 500 === 0)
        console.log(`${soFar.flips} flips after ${seconds(started)} s`);
    });
    if (!values.json) tell(report);
    const { flips, aborts, table, violations, unnamed } = report;
    const totals = { flips, aborts, unnamed: unnamed.length, violations: violations.length };
    console.log(JSON.stringify({ seed: Number(values.seed), ...totals, table, seconds: seconds(started) }));
    return violations.length > 0 ? 1 : 0;
  } finally {
    await base.site.close();
    await rm(folder, { recursive: true });
  }
}

function tell({ table, violations, unnamed }: FlipReport): void {
  console.table(table);
  for (const text of unnamed.slice(0, 20)) console.log(`refused without the file's name: ${text}`);
  for (const text of violations.slice(0, 40)) console.error(`VIOLATION ${text}`);
}

function seconds(sinceMs: number): number {
  return Math.round((performance.now() - sinceMs) / 1000);
}
