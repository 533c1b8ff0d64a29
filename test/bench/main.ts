import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadAverage } from '../hostile/measure.js';
import type { BenchOptions, Suite } from './bench.js';
import { LIFTED } from './bench-site.js';
import { writeDocs, writeModel } from './docs.js';
import { head, lineOf, type Row } from './report.js';
import { suites } from './suites.js';

const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true },
    connections: { type: 'string', multiple: true },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    'cpu-prof': { type: 'string' },
    small: { type: 'boolean', default: false },
    'write-docs': { type: 'boolean', default: false },
    from: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** @returns the suites that were asked for, or what is wrong with how they were */
function chosen(): { suites: readonly Suite[]; options: BenchOptions; rows: Row[] } | string {
  const names = values.suite ?? suites.map(({ name }) => name);
  const unknown = names.find((name) => !suites.some((suite) => suite.name === name));
  if (unknown !== undefined) return `No suite is called ${unknown}.`;
  const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
  if (!Number.isInteger(runs) || runs < 1 || runs > 99) return '--runs is a number from 1 to 99.';
  if (!(seconds >= 0.05 && seconds <= 60)) return '--seconds is a number from 0.05 to 60.';
  const rows: Row[] = [];
  const emit = (row: Row): void => {
    rows.push(row);
    console.log(values.json ? JSON.stringify(row) : lineOf(row));
  };
  const connections = values.connections?.map(Number) ?? null;
  const part = values.small ? 0.01 : 1;
  const options = {
    part,
    runs,
    connections,
    ms: seconds * 1000,
    profile: values['cpu-prof'] ?? null,
    emit,
    say,
  };
  return { suites: suites.filter(({ name }) => names.includes(name)), options, rows };
}

function say(line: string): void {
  if (!values.json) console.error(line);
}

async function main(): Promise<number> {
  if (values.from !== undefined) {
    writeModel(linesOf(values.from));
    return 0;
  }
  const asked = chosen();
  if (typeof asked === 'string') {
    console.error(`${asked}\n\n${help()}`);
    return 2;
  }
  const lifted = Object.entries(LIFTED).map(([key, value]) => `${key} = ${value}`);
  say(
    `Node ${process.version}, load average ${loadAverage()}. Limits of production, except ${lifted.join(', ')}.`,
  );
  say(head);
  const load = loadAverage();
  const failed: string[] = [];
  for (const suite of asked.suites)
    await suite.run(asked.options).catch((error: unknown) => {
      console.error(`${suite.name}: ${error instanceof Error ? error.message : String(error)}`);
      failed.push(suite.name);
    });
  if (values['write-docs'] && !values.small)
    writeDocs(rowsOf(asked.rows, failed), failed, { loadAtStart: load, ...asked.options });
  return failed.length === 0 ? 0 : 1;
}

/** What `--json` has said before. */
function linesOf(file: string): Row[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Row);
}

/** Without those of suites that failed: no figure of theirs counts. */
function rowsOf(rows: readonly Row[], failed: readonly string[]): Row[] {
  return rows.filter(({ suite }) => !failed.includes(suite));
}

function help(): string {
  return [
    'npm run bench -- [--suite NAME]… [--runs N] [--seconds S] [--json] [--write-docs] [--cpu-prof DIR]',
    '',
    'Measures a real berthd with journal and sync over TLS on loopback, asked by a process of its own, in a fresh folder. Of several runs the median is',
    'told, with the least and the most; beside wall-clock figures the CPU that the server used for each operation, which other work on the machine',
    'changes little. Each result is also told as a part of a bare loop that does the same work, in turn with it. Afterwards seats handed out, journal',
    'and status are compared: the exit code is 1 when they do not agree. All suites take a quarter of an hour on two quiet cores.',
    '',
    '  --suite NAME    only this one; may be given again',
    '  --connections N only cases with so many; may be given again',
    '  --runs N        so many runs of each case (default 3)',
    '  --seconds S     how long the clock runs in each (default 1)',
    '  --small         a hundredth of everything that is large: tries the bench, measures nothing',
    '  --write-docs    puts the figures into docs/performance.md',
    '  --from FILE     measures nothing: the model and the pictures of docs/performance.md, from lines that --json has said',
    '  --json          nothing but one line of JSON for each case, on stdout',
    '  --cpu-prof DIR  the server writes a CPU profile there when it ends',
    '',
    ...suites.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`),
    '',
    'Examples:',
    '  npm run bench',
    '  npm run bench -- --suite checkout --suite renew --runs 5',
    '  npm run --silent bench -- --suite checkout --json | jq .opsPerSec',
    '  npm run bench -- --suite checkout --seconds 5 --cpu-prof /tmp/profile',
  ].join('\n');
}

if (values.help) console.log(help());
else
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
