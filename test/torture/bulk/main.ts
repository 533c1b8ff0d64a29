import { parseArgs } from 'node:util';
import { Random } from '../../system/random.js';
import { Site } from '../../system/site.js';
import { killedInBulk, undisturbed } from './bulk.js';

const HELP = `npm run torture:bulk -- [--kills N] [--rows N] [--seed S] [--json]

Bulk jobs that invite thousands, on a real server that is killed in the middle of them; every row must be decided once, with one mail.

  --kills N   (default 20)
  --rows N    of each job (default 10000)
  --seed S    of the dice; what the scheduler does comes on top (default: from the clock)
  --json      nothing but the last line
The last line is a JSON object; the exit code is 1 when anything was found.`;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    rows: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const rows = Number(values.rows);
  const say = (line: string): void => {
    if (!values.json) console.log(line);
  };
  say(`torture:bulk: seed ${seed}`);
  const undisturbedMs = await onSite((site) => undisturbed(site, rows));
  say(`undisturbed: ${rows} rows in ${undisturbedMs} ms, from the start of the command to its end`);
  const report = await onSite((site) =>
    killedInBulk({ site, random: new Random(seed), rows, kills: Number(values.kills), say }),
  );
  const { found, ...counts } = report;
  for (const text of found) console.error(`VIOLATION ${text}`);
  console.log(JSON.stringify({ seed, ...counts, undisturbedMs, violations: found.length }));
  return found.length > 0 ? 1 : 0;
}

async function onSite<T>(work: (site: Site) => Promise<T>): Promise<T> {
  const site = await Site.open();
  try {
    return await work(site);
  } finally {
    await site.close();
  }
}
