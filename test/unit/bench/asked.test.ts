import { expect, test } from 'vitest';
import { askedBy, help, type Measuring, type SuiteFacts } from '../../bench/asked.js';
import { casesOf } from '../../bench/suites/scale.js';

const suites: SuiteFacts[] = [
  { name: 'limit', what: 'bare', connections: [1, 128], bare: true },
  { name: 'checkout', what: 'seats', connections: [1, 32] },
  { name: 'storm', what: 'all', connections: [], without: { runs: 'one death' } },
];

function measured(...argv: string[]): Measuring<SuiteFacts> {
  const asked = askedBy(argv, suites);
  if (typeof asked === 'string' || asked.do !== 'measure')
    throw new Error(`Not to measure: ${String(asked)}`);
  return asked;
}

test.each([
  ['--nonsense'],
  ['stray'],
  ['--suite', 'nope'],
  ['--runs'],
  ['--runs', '0'],
  ['--runs', '1.5'],
  ['--seconds', 'x'],
  ['--connections', 'x'],
  ['--connections', '1.5'],
  ['--connections', '2'],
  ['--connections', '128', '--suite', 'checkout'],
  ['--connections', '1', '--suite', 'checkout', '--suite', 'storm'],
  ['--connections', '1', '--suite', 'storm'],
  ['--cpu-prof', ''],
  ['--write-docs', '--suite', 'checkout'],
  ['--write-docs', '--small'],
  ['--write-docs', '--connections', '1'],
  ['--write-docs', '--cpu-prof', 'there'],
  ['--from', 'file', '--json'],
  ['--from', 'file', '--runs', '3'],
  ['--from', 'file', 'stray'],
])('refused in one line: %s %s %s %s', (...argv) => {
  const asked = askedBy(
    argv.filter((word) => word !== undefined),
    suites,
  );
  expect(asked).toBeTypeOf('string');
  expect(asked).not.toContain('\n');
});

test.each(['runs', 'seconds'])('--%s -1 is answered with its range', (name) => {
  expect(askedBy([`--${name}`, '-1'], suites)).toMatch(
    new RegExp(`^--${name} is a .*number from [\\d.]+ to \\d+\\.$`),
  );
});

test('what is asked for is what is measured', () => {
  expect(measured()).toMatchObject({ suites, runs: 3, seconds: 1, connections: null, notes: [] });
  expect(measured('--write-docs', '--runs', '5').writeDocs).toBe(true);
  expect(measured('--suite', 'checkout').suites.map(({ name }) => name)).toEqual(['checkout']);
  expect(askedBy(['--from', 'file'], suites)).toEqual({ do: 'write', from: 'file' });
  expect(askedBy(['--help'], suites)).toEqual({ do: 'help' });
});

test('an option that does nothing for some suite is said', () => {
  const left = measured('--connections', '32');
  expect(left.suites.map(({ name }) => name)).toEqual(['checkout']);
  expect(left.notes).toEqual([expect.stringContaining('limit, storm')]);
  expect(measured('--runs', '2').notes).toEqual([expect.stringContaining('storm: ')]);
  expect(measured('--seconds', '2').notes).toEqual([]);
  expect(measured('--cpu-prof', "o'clock here").notes).toEqual([expect.stringContaining('limit: ')]);
});

test('the usage names every option that is explained', () => {
  const [usage, from, itself, ...rest] = help(suites).split('\n');
  const explained = rest.flatMap((line) => /^ {2}(--[a-z-]+)/.exec(line)?.[1] ?? []);
  expect(explained).toHaveLength(10);
  for (const name of explained) expect(`${usage} ${from} ${itself}`).toContain(name);
});

test('sizes have a title each, also when they are small', () => {
  for (const part of [1, 0.01]) {
    const titles = casesOf(part).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  }
  expect(casesOf(1).map(({ title }) => title)).toContain('100 seats, 1 user, 1000000 records');
});
