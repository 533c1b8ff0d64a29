import { parseArgs } from 'node:util';
import { askedFor, numberOf, SEEDS, words } from '../../asked.js';
import { failEverywhere } from './errors.js';
import { type Flipped, flipRun } from './flip-run.js';
import type { FlipReport } from './flips.js';
import { fullRun } from './full-run.js';

const HELP = `npm run torture:disk -- flips|errors|full [--seed S] [--json]

flips   One bit of one file of a data folder is flipped, and the server is started, twice: it serves the true state, or refuses and
        names the file, and of the journal the record. Every kind of file there is gets its share. Some are tried with a real
        process as well.

errors  One history of a server (founding, imports, checkouts, borrows, releases, new segments, stops and starts), and each of its file
        operations fails: EIO and ENOSPC, before, after and in the middle of a write, once and for good. Then the disk is sound again,
        the real code opens it, and everything that was acknowledged must be there, once.

full    Clients at work on a real \`berthd serve\` whose disk, a small one of its own, becomes low, then full, and then has space again.
        Below the mark it must grant nothing, and renew and take back; full, it stops, and does not start, and says why; and whatever
        it acknowledged is there each time the folder is opened.

  --flips N    (default 2000)
  --real N     with a real \`berthd serve\`, asked over TLS (default 0)
  --bases N    sites to damage; each was killed once and stopped once (default 2)
  --seed S     (default 1)
  --workers N  processes that start servers (default 2)
  --every N    errors: only every n-th operation, beginning with the one that the seed says (default 1: all)
  --json       nothing but the last line
  --rounds N   full: how often (default 5)
  --clients N  full: (default 12)
  --fs KIND    full: tmpfs or ext4 (default tmpfs; both need the right to mount, tmpfs at least in a namespace of its own)
The last line is a JSON object; the exit code is 1 when anything was lost or changed silently, or refused without a name, 2 when
the arguments are wrong.`;

const parts = { flips, errors, full };

const values = askedFor(HELP, () => {
  const { values: given, positionals } = parseArgs({
    args: words(),
    allowPositionals: true,
    options: {
      flips: { type: 'string', default: '2000' },
      real: { type: 'string', default: '0' },
      bases: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      every: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '5' },
      clients: { type: 'string', default: '12' },
      fs: { type: 'string', default: 'tmpfs' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [part] = positionals;
  if (!given.help && (positionals.length !== 1 || part === undefined || !(part in parts)))
    throw new Error(`Say one of ${Object.keys(parts).join(', ')}.`);
  const least = (name: 'flips' | 'bases' | 'workers' | 'every' | 'rounds' | 'clients' | 'real', bound = 1) =>
    numberOf(name, given[name], { least: bound, most: 1_000_000 });
  return {
    ...{ json: given.json, help: given.help, fs: kindOf(given.fs), part: part as keyof typeof parts },
    ...{ flips: least('flips'), bases: least('bases'), workers: least('workers'), every: least('every') },
    ...{ rounds: least('rounds'), clients: least('clients'), real: least('real', 0) },
    seed: numberOf('seed', given.seed, SEEDS),
  };
});
process.exitCode = await parts[values.part]();

function kindOf(text: string): 'tmpfs' | 'ext4' {
  if (text === 'tmpfs' || text === 'ext4') return text;
  throw new Error(`--fs ${text}: tmpfs or ext4.`);
}

async function flips(): Promise<number> {
  const started = performance.now();
  const { flips: count, real, bases, seed, workers } = values;
  const options = { flips: count, real, bases, seed, workers };
  const { inProcess, real: reals } = await flipRun(options, (soFar) => {
    if (soFar.flips % 500 === 0) say(`${soFar.flips} flips after ${seconds(started)} s`);
  });
  tell('', inProcess);
  if (reals.flips > 0) tell('with berthd serve: ', reals);
  console.log(
    JSON.stringify({ seed: options.seed, ...summary({ inProcess, real: reals }), seconds: seconds(started) }),
  );
  return [inProcess, reals].every(({ silent, unnamed }) => silent.length + unnamed.length === 0) ? 0 : 1;
}

async function errors(): Promise<number> {
  const started = performance.now();
  const { seed, every } = values;
  const { found, ...counts } = await failEverywhere({ seed, every });
  for (const text of found.slice(0, 40)) console.error(`VIOLATION ${text}`);
  const line = { seed, ...counts, violations: found.length, seconds: seconds(started) };
  console.log(JSON.stringify(line));
  return found.length === 0 ? 0 : 1;
}

async function full(): Promise<number> {
  const started = performance.now();
  const { seed, rounds, clients, fs: kind } = values;
  const report = await fullRun({
    ...{ seed, rounds, clients, kind },
    onRound: (soFar) => say(`round ${soFar.rounds} after ${seconds(started)} s`),
  });
  if (typeof report === 'number') return report;
  const { found, ...counts } = report;
  for (const text of found.slice(0, 20)) console.error(`VIOLATION ${text}`);
  const line = {
    seed,
    fs: kind,
    ...counts,
    violations: found.length,
    seconds: seconds(started),
  };
  console.log(JSON.stringify(line));
  return found.length === 0 ? 0 : 1;
}

function summary({ inProcess, real }: Flipped): object {
  const of = ({ flips: count, aborts, silent, unnamed, table }: FlipReport): object => ({
    ...{ flips: count, aborts, silent: silent.length, unnamed: unnamed.length, table },
  });
  return { ...of(inProcess), real: of(real) };
}

function tell(how: string, { table, silent, unnamed }: FlipReport): void {
  if (!values.json) console.table(table);
  for (const text of unnamed.slice(0, 40)) console.error(`REFUSED WITHOUT A NAME ${how}${text}`);
  for (const text of silent.slice(0, 40)) console.error(`SILENT ${how}${text}`);
}

function say(line: string): void {
  if (!values.json) console.log(line);
}

function seconds(sinceMs: number): number {
  return Math.round((performance.now() - sinceMs) / 1000);
}
