import { parseArgs } from 'node:util';
import { askedFor, numberOf, SEEDS, words } from '../../asked.js';
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

const values = askedFor(HELP, () => {
  const { values: given } = parseArgs({
    args: words(),
    options: {
      kills: { type: 'string', default: '20' },
      rows: { type: 'string', default: '10000' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const seed = given.seed ?? String(Date.now() % 1_000_000);
  return {
    ...given,
    kills: numberOf('kills', given.kills, { least: 1, most: 1_000 }),
    rows: numberOf('rows', given.rows, { least: 100, most: 20_000 }),
    seed: numberOf('seed', seed, SEEDS),
  };
});
process.exitCode = await main();

async function main(): Promise<number> {
  const { seed, rows, kills } = values;
  const say = (line: string): void => {
    if (!values.json) console.log(line);
  };
  say(`torture:bulk: seed ${seed}`);
  // A tenth first: what of the memory grows with the rows shows in the second.
  const alone = await onSite(async (site) => [
    await undisturbed(site, Math.ceil(rows / 10)),
    await undisturbed(site, rows),
  ]);
  for (const each of alone)
    say(
      `undisturbed: ${each.rows} rows in ${each.ms} ms, from the start of the command to its end; at most ${each.commandMiB} MiB, the server ${each.serverMiB} MiB`,
    );
  const report = await onSite((site) => killedInBulk({ site, random: new Random(seed), rows, kills, say }));
  const { found, ...counts } = report;
  for (const text of found) console.error(`VIOLATION ${text}`);
  console.log(JSON.stringify({ seed, ...counts, undisturbed: alone, violations: found.length }));
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
