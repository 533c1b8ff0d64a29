import { parseArgs } from 'node:util';
import { askedFor, numberOf, SEEDS, words } from '../asked.js';
import { mutants } from './all.js';
import { workspace } from './copy.js';
import { writeTable } from './docs.js';
import type { Mutant } from './mutant.js';
import { type Control, type Outcome, runAll, runControl, type Seeds } from './run.js';

type Replay = Omit<Seeds, 'seeds'>;

const SHOWN_VIOLATIONS = 10;

const help = `npm run simulate:mutants -- [options]

Plants known faults in copies of the built code, one at a time, and simulates default seeds (1, 2, …) until the auditor or the simulator
objects. A fault that is not found is a hole in them. The code as it is goes through the same seeds and must show nothing.

  --only NAME    only this one; may be given several times
  --seeds N      give up after so many seeds (1000)
  --seed S       this seed alone, of the one fault that --only names; also --hours H and --clients C, as the replay says that each fault is printed
                 with: the shortest run that shows it. What it violates, and what happened before
  --control N    seeds of the code as it is; left out: as many as the slowest fault needed, at least 10
  --jobs N       at the same time (2)
  --json         the outcomes as JSON, one a line
  --write-docs   puts the table of all of them into docs/correctness.md
  --list         names the faults and ends
  --help

The last line is JSON: { mutants, found, missed, control }. Exit code 1 when one is missed or the code as it is shows a violation (control), 2 when
the arguments are wrong.`;

const values = askedFor(help, () => {
  const { values: given } = parseArgs({
    args: words(),
    options: {
      only: { type: 'string', multiple: true },
      seeds: { type: 'string', default: '1000' },
      seed: { type: 'string' },
      hours: { type: 'string' },
      clients: { type: 'string' },
      control: { type: 'string' },
      jobs: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { control } = given;
  const only = chosen(given.only);
  if (given['write-docs'] && only.length < mutants.length)
    throw new Error('--write-docs writes the whole table: leave --only out.');
  return {
    ...given,
    only,
    replay: replayOf(given, only.length),
    seeds: numberOf('seeds', given.seeds, { least: 1, most: 1_000_000 }),
    jobs: numberOf('jobs', given.jobs, { least: 1, most: 64 }),
    control: control === undefined ? null : numberOf('control', control, { least: 1, most: 1_000_000 }),
  };
});

interface Given {
  readonly seed?: string | undefined;
  readonly hours?: string | undefined;
  readonly clients?: string | undefined;
}

/** One run of one fault; `null`: the hunt. */
function replayOf({ seed, hours, clients }: Given, faults: number): Replay | null {
  if (seed === undefined) {
    if (hours === undefined && clients === undefined) return null;
    throw new Error('--hours and --clients are of a replay: give --seed too.');
  }
  if (faults !== 1) throw new Error('--seed is of a replay: name one fault with --only.');
  return {
    from: numberOf('seed', seed, SEEDS),
    ...(hours === undefined
      ? {}
      : { hours: numberOf('hours', hours, { least: 0.01, most: 240, fraction: true }) }),
    ...(clients === undefined ? {} : { clients: numberOf('clients', clients, { least: 1, most: 1_000 }) }),
  };
}

function chosen(names: readonly string[] | undefined): readonly Mutant[] {
  const unknown = names?.find((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown !== undefined) throw new Error(`There is no mutant ${unknown}. --list names them.`);
  return names === undefined ? mutants : mutants.filter(({ name }) => names.includes(name));
}

function tell({ mutant, seed, seconds, text, replay }: Outcome): void {
  const where = seed === null ? 'MISSED' : `seed ${seed}`;
  if (values.json) {
    const { name, rule } = mutant;
    console.log(JSON.stringify({ mutant: name, rule, seed, seconds, found: text, replay }));
    return;
  }
  console.log(`${mutant.name.padEnd(32)} ${where.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${text}`);
  if (replay !== null) console.log(`  replay: ${replay}`);
}

/** One run again: all that it violates, and what happened before. @returns the exit code: a fault that does not show is missed */
async function again(replay: Replay): Promise<number> {
  const how = { ...replay, seeds: 1, jobs: 1, shorten: false, tell: () => undefined };
  const [outcome] = await runAll(workspace, values.only, how);
  const { mutant, seed, text, violations, before } = outcome!;
  console.log(`${mutant.name}: ${mutant.text}`);
  if (seed === null) console.log(text);
  else {
    console.log(`${violations.length} violations:\n${indented(violations.slice(0, SHOWN_VIOLATIONS))}`);
    console.log(`before the first of them:\n${indented(before)}`);
  }
  console.log(JSON.stringify({ mutants: 1, found: seed === null ? 0 : 1, seed: replay.from }));
  return seed === null ? 1 : 0;
}

const indented = (lines: readonly string[]): string =>
  lines.map((line) => `  ${line.slice(0, 400)}`).join('\n');

/** The seeds that the faults were looked for in, as they were: with restores where one needs them. */
async function controlOf(outcomes: readonly Outcome[], restores: boolean): Promise<Control | null> {
  const alike = outcomes.filter(({ mutant }) => (mutant.restores ?? false) === restores);
  if (alike.length === 0) return null;
  const slowest = Math.max(10, ...alike.map(({ seed }) => seed ?? 0));
  return await runControl(workspace, values.control ?? slowest, restores);
}

async function main(): Promise<number> {
  const { only, seeds, jobs } = values;
  const outcomes = await runAll(workspace, only, { seeds, jobs, shorten: true, tell });
  const controls = [await controlOf(outcomes, false), await controlOf(outcomes, true)].filter(
    (each) => each !== null,
  );
  const control = {
    seed: controls.find(({ seed }) => seed !== null)?.seed ?? null,
    seeds: controls.reduce((sum, { seeds: looked }) => sum + looked, 0),
    text: controls.map(({ text }) => text).join('; '),
  };
  if (!values.json || control.seed !== null) console.log(control.text);
  if (values['write-docs']) writeTable(workspace, outcomes, control);
  const missed = outcomes.filter(({ seed }) => seed === null).map(({ mutant }) => mutant.name);
  console.log(
    JSON.stringify({
      mutants: outcomes.length,
      found: outcomes.length - missed.length,
      missed,
      control: control.seed === null,
    }),
  );
  return missed.length === 0 && control.seed === null ? 0 : 1;
}

if (values.list)
  for (const { name, rule, text } of mutants) console.log(`${name.padEnd(32)} ${rule.padEnd(12)} ${text}`);
else process.exitCode = await (values.replay === null ? main() : again(values.replay));
