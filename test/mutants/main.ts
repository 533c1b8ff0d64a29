import { parseArgs } from 'node:util';
import { askedFor, numberOf } from '../asked.js';
import { mutants } from './all.js';
import { workspace } from './copy.js';
import { writeTable } from './docs.js';
import type { Mutant } from './mutant.js';
import { type Control, type Outcome, runAll, runControl } from './run.js';

const help = `npm run simulate:mutants -- [options]

Plants known faults in copies of the built code, one at a time, and simulates default seeds (1, 2, …) until the auditor or the simulator
objects. A fault that is not found is a hole in them. The code as it is goes through the same seeds and must show nothing.

  --only NAME    only this one; may be given several times
  --seeds N      give up after so many seeds (1000)
  --control N    seeds of the code as it is; left out: as many as the slowest fault needed, at least 10
  --jobs N       at the same time (2)
  --json         the outcomes as JSON, one a line
  --write-docs   puts the table into docs/correctness.md
  --list         names the faults and ends
  --help

The last line is JSON: { mutants, found, missed, control }. Exit code 1 when one is missed or the code as it is shows a violation (control), 2 when
the arguments are wrong.`;

const values = askedFor(help, () => {
  const { values: given } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      seeds: { type: 'string', default: '1000' },
      control: { type: 'string' },
      jobs: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { control } = given;
  return {
    ...given,
    only: chosen(given.only),
    seeds: numberOf('seeds', given.seeds, { least: 1, most: 1_000_000 }),
    jobs: numberOf('jobs', given.jobs, { least: 1, most: 64 }),
    control: control === undefined ? null : numberOf('control', control, { least: 1, most: 1_000_000 }),
  };
});

function chosen(names: readonly string[] | undefined): readonly Mutant[] {
  const unknown = names?.find((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown !== undefined) throw new Error(`There is no mutant ${unknown}. --list names them.`);
  return names === undefined ? mutants : mutants.filter(({ name }) => names.includes(name));
}

function tell({ mutant, seed, seconds, text }: Outcome): void {
  const where = seed === null ? 'MISSED' : `seed ${seed}`;
  if (values.json)
    console.log(JSON.stringify({ mutant: mutant.name, rule: mutant.rule, seed, seconds, found: text }));
  else
    console.log(`${mutant.name.padEnd(32)} ${where.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${text}`);
}

/** The seeds that the faults were looked for in, as they were: with restores where one needs them. */
async function controlOf(outcomes: readonly Outcome[], restores: boolean): Promise<Control | null> {
  const alike = outcomes.filter(({ mutant }) => (mutant.restores ?? false) === restores);
  if (alike.length === 0) return null;
  const slowest = Math.max(10, ...alike.map(({ seed }) => seed ?? 0));
  return await runControl(workspace, values.control ?? slowest, restores);
}

async function main(): Promise<number> {
  const { only, seeds, jobs } = values;
  const outcomes = await runAll(workspace, only, { seeds, jobs, tell });
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
else process.exitCode = await main();
