import { parseArgs } from 'node:util';
import { words } from '../asked.js';

/** What a suite says of itself, so that an option that does nothing for it is not taken in silence. */
export interface SuiteFacts {
  readonly name: string;
  /** One line for the help. */
  readonly what: string;
  /** Of its cases, for `--connections`; none: it is not a matter of connections. */
  readonly connections: readonly number[];
  /** Why an option does nothing for all or a part of it. */
  readonly without?: { readonly runs?: string; readonly seconds?: string };
  /** It does not measure berthd: a profile of that says nothing. */
  readonly bare?: true;
}

/** What the command line asks for. */
export type Asked<S extends SuiteFacts> =
  | { readonly do: 'help' }
  /** Measures nothing: the page from lines that were said before. */
  | { readonly do: 'write'; readonly from: string }
  | ({ readonly do: 'measure' } & Measuring<S>);

/** Which suites, and how. */
export interface Measuring<S extends SuiteFacts> {
  readonly suites: readonly S[];
  readonly runs: number;
  readonly seconds: number;
  /** Only cases with so many; `null`: all. */
  readonly connections: readonly number[] | null;
  readonly small: boolean;
  readonly json: boolean;
  readonly writeDocs: boolean;
  readonly profile: string | null;
  /** What was asked for and does nothing for some suite, a line each. */
  readonly notes: readonly string[];
}

const options = {
  suite: { type: 'string', multiple: true },
  connections: { type: 'string', multiple: true },
  runs: { type: 'string' },
  seconds: { type: 'string' },
  'cpu-prof': { type: 'string' },
  small: { type: 'boolean' },
  'write-docs': { type: 'boolean' },
  from: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

/** @returns what was asked for, or in one line what is wrong with it */
export function askedBy<S extends SuiteFacts>(argv: readonly string[], all: readonly S[]): Asked<S> | string {
  let values: Values;
  try {
    ({ values } = parseArgs({ args: words(argv), options, allowPositionals: false }));
  } catch (error) {
    // The first line: behind it Node explains how to write a positional that begins with a dash.
    return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
  }
  if (values.help) return { do: 'help' };
  if (values.from === undefined) return measuring(values, all);
  const other = Object.keys(values).find((name) => name !== 'from');
  if (other !== undefined)
    return `--from measures nothing: --${other} means nothing beside it. Leave it out.`;
  return { do: 'write', from: values.from };
}

function measuring<S extends SuiteFacts>(values: Values, all: readonly S[]): Asked<S> | string {
  const unknown = values.suite?.find((name) => !all.some((suite) => suite.name === name));
  if (unknown !== undefined) return `No suite is called ${JSON.stringify(unknown)}.`;
  const [runs, seconds] = [Number(values.runs ?? 3), Number(values.seconds ?? 1)];
  if (!Number.isInteger(runs) || runs < 1 || runs > 99) return '--runs is a whole number from 1 to 99.';
  if (!(seconds >= 0.05 && seconds <= 60)) return '--seconds is a number from 0.05 to 60.';
  if (values['cpu-prof'] === '') return '--cpu-prof is a folder.';
  const part = partOf(values);
  if (values['write-docs'] && part !== undefined)
    return `--write-docs needs every suite, whole: leave out ${part}, or try it without --write-docs.`;
  const named = all.filter(({ name }) => values.suite?.includes(name) ?? true);
  const connections = values.connections?.map((text) => (/^\d{1,7}$/.test(text) ? Number(text) : 0)) ?? null;
  const wrong = connections === null ? null : connectionsFault(values, connections, named);
  if (wrong !== null) return wrong;
  const suites = named.filter((suite) => connections === null || has(suite, connections));
  return {
    ...{ do: 'measure', suites, runs, seconds, connections, profile: values['cpu-prof'] ?? null },
    ...{ small: values.small === true, json: values.json === true, writeDocs: values['write-docs'] === true },
    notes: notesOn(values, named, suites),
  };
}

/** The option that makes the figures less than the page's, or others. */
function partOf(values: Values): string | undefined {
  const parts = ['suite', 'small', 'connections', 'cpu-prof'] as const;
  return parts.filter((name) => values[name] !== undefined).map((name) => `--${name}`)[0];
}

function has({ connections }: SuiteFacts, asked: readonly number[]): boolean {
  return connections.some((each) => asked.includes(each));
}

function connectionsFault(
  values: Values,
  asked: readonly number[],
  named: readonly SuiteFacts[],
): string | null {
  const known = [...new Set(named.flatMap(({ connections }) => connections))].sort((a, b) => a - b);
  const strange = asked.findIndex((each) => !known.includes(each));
  if (strange >= 0) {
    const has = known.length === 0 ? 'no case that --connections chooses' : `cases with ${known.join(', ')}`;
    return `--connections ${JSON.stringify(values.connections![strange])}: the suites asked for have ${has}.`;
  }
  const without = values.suite === undefined ? undefined : named.find((suite) => !has(suite, asked));
  return without === undefined ? null : `--connections: ${without.name} has no case with so many.`;
}

function notesOn(values: Values, named: readonly SuiteFacts[], left: readonly SuiteFacts[]): string[] {
  const skipped = named.filter((suite) => !left.includes(suite)).map(({ name }) => name);
  const bare = left.filter((suite) => suite.bare && values['cpu-prof'] !== undefined);
  return [
    ...(skipped.length === 0 ? [] : [`Without ${skipped.join(', ')}: no case with so many --connections.`]),
    ...left.flatMap((suite) =>
      idle.filter((option) => values[option] !== undefined).flatMap((option) => whyIdle(suite, option)),
    ),
    ...bare.map(({ name }) => `${name}: does not measure berthd, its profiles there say nothing.`),
  ];
}

const idle = ['runs', 'seconds'] as const;

function whyIdle({ name, without }: SuiteFacts, option: (typeof idle)[number]): string[] {
  const why = without?.[option];
  return why === undefined ? [] : [`${name}: not by --${option}: ${why}`];
}

/** For people. */
export function help(all: readonly SuiteFacts[]): string {
  return [
    'npm run bench -- [--suite NAME]… [--connections N]… [--runs N] [--seconds S] [--small] [--json] [--write-docs] [--cpu-prof DIR]',
    'npm run bench -- --from FILE',
    'npm run bench -- --help',
    '',
    'Measures a real berthd with journal and sync over TLS on loopback, asked by a process of its own, in a fresh folder. Of several runs the median is',
    'told, with the least and the most; beside wall-clock figures the CPU that the server used for each operation, which other work on the machine',
    'changes little. Each result is also told as a part of a bare loop that does the same work, in turn with it or',
    'right behind it, whose own figures are rows of suite limit; a bulk job alone is not. Afterwards seats handed out, journal',
    'and status are compared, and only then the figures of a suite are told: the exit code is 1 when they do not agree or a suite failed, 2 when what was asked for makes no sense.',
    '',
    '  --suite NAME    only this one; may be given again',
    '  --connections N only cases with so many; may be given again',
    '  --runs N        so many runs of each case (default 3)',
    '  --seconds S     how long the clock runs in each (default 1)',
    '  --small         a hundredth of everything that is large: tries the bench, measures nothing',
    '  --write-docs    puts the figures into docs/performance.md: needs every suite, whole, and none that failed',
    '  --from FILE     measures nothing: table, model and pictures of docs/performance.md, from lines of every suite that --json has said',
    '  --json          one line of JSON for each case on stdout; the limits that are lifted and what failed on stderr',
    '  --cpu-prof DIR  the server writes a CPU profile there when it ends (not one that is killed, as in storm); its parts are told on stderr',
    '  --help          this',
    '',
    ...all.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`),
    '',
    'Not changed by --runs or --seconds:',
    ...all.flatMap((suite) => idle.flatMap((option) => whyIdle(suite, option)).map((why) => `  ${why}`)),
    '',
    'Examples:',
    '  npm run bench',
    '  npm run bench -- --suite checkout --suite renew --runs 5',
    '  npm run --silent bench -- --suite checkout --json | jq .opsPerSec',
    '  npm run bench -- --suite checkout --seconds 5 --cpu-prof /tmp/profile',
  ].join('\n');
}
