import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { askedFor, numberOf, SEEDS, words } from '../asked.js';
import { bundled } from './bundle.js';
import { plantable } from './planted.js';
import { makeTemplate } from './template.js';
import { type Report, torture } from './torture.js';

const HELP = `npm run torture -- [--minutes M] [--rounds N] [--seed S] [--json]

Real clients over TLS against a real server that is killed, at random and at named points, once a round; after each kill the data folder
is opened again and judged, with every token any client ever received.

  --minutes M   no round begins later, counted from when everybody has joined (default 5)
  --rounds N    no more rounds (default: as many as the minutes allow)
  --seed S      of the dice; what the scheduler does comes on top (default: from the clock)
  --clients N   (default 64)
  --planted NAME  a fault in the server that must be found: ${Object.keys(plantable).join(', ')}
  --json        nothing but the last line
The last line is a JSON object; the exit code is 1 when anything was found, and the folder is kept, 2 when the arguments are
wrong.`;

const values = askedFor(HELP, () => {
  const { values: given } = parseArgs({
    args: words(),
    options: {
      minutes: { type: 'string', default: '5' },
      rounds: { type: 'string' },
      seed: { type: 'string' },
      clients: { type: 'string', default: '64' },
      planted: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { planted } = given;
  if (planted !== undefined && plantable[planted] === undefined)
    throw new Error(`--planted ${planted}: there are ${Object.keys(plantable).join(', ')}.`);
  return {
    ...given,
    minutes: numberOf('minutes', given.minutes, { least: 0.1, most: 10_000, fraction: true }),
    rounds:
      given.rounds === undefined ? Infinity : numberOf('rounds', given.rounds, { least: 1, most: 1_000_000 }),
    seed: given.seed === undefined ? Date.now() % 1_000_000 : numberOf('seed', given.seed, SEEDS),
    clients: numberOf('clients', given.clients, { least: 1, most: 1_000 }),
  };
});
process.exitCode = await main();

async function main(): Promise<number> {
  const started = performance.now();
  const { seed, clients } = values;
  const planted = values.planted === undefined ? undefined : plantable[values.planted];
  const folder = await mkdtemp(join(tmpdir(), 'berth-torture-'));
  say(`torture: seed ${seed}, ${clients} clients, in ${folder}`);
  const programs = { server: await bundled('doomed-berthd', planted), crowd: await bundled('crowd') };
  const template = await makeTemplate(clients, folder);
  say(`everybody has joined after ${seconds(started)} s`);
  const report = await torture({
    template,
    programs,
    folder,
    seed,
    rounds: values.rounds,
    endMs: performance.now() + values.minutes * 60_000,
    processes: 4,
    generation: 25,
    livesMs: 1500,
    onRound: (soFar, last) => {
      if (soFar.rounds % 10 === 0 || soFar.found.length > 0) say(progress(soFar, last.died, started));
    },
  });
  if (planted !== undefined) await rm(programs.server);
  for (const text of report.found.slice(0, 20)) console.error(`VIOLATION ${text}`);
  if (report.found.length > 0)
    console.error(`npm run torture -- --seed ${seed} --clients ${clients}    kept: ${folder}`);
  else await rm(folder, { recursive: true });
  const { found, ...counts } = report;
  if (counts.rounds === 0) console.error('No round was begun: nothing is shown. Give it more --minutes.');
  console.log(
    JSON.stringify({
      seed,
      clients,
      ...counts,
      seconds: seconds(started),
      violations: found.length,
    }),
  );
  return found.length > 0 || counts.rounds === 0 ? 1 : 0;
}

function progress({ rounds, kills, tokens }: Report, died: string, started: number): string {
  const named = Object.entries(kills).map(([point, count]) => `${point} ${count}`);
  return `round ${rounds} (${died}) after ${seconds(started)} s; ${named.join(', ')}; ${tokens} tokens judged`;
}

function seconds(sinceMs: number): number {
  return Math.round((performance.now() - sinceMs) / 1000);
}

function say(line: string): void {
  if (!values.json) console.log(line);
}
