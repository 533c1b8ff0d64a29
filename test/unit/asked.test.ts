import { expect, test } from 'vitest';
import { numberOf, words } from '../asked.js';
import { readCommandLine } from '../simulation/command-line.js';

test('a number that a script is given is one within its bounds, or an error that says them', () => {
  const bounds = { least: 1, most: 64 };
  expect(numberOf('jobs', '2', bounds)).toBe(2);
  for (const text of ['0', 'x', '-1', '1.5', '65', ''])
    expect(() => numberOf('jobs', text, bounds)).toThrow('it must be a whole number from 1 to 64');
});

test('a number below zero is the value of the option before it', () => {
  expect(words(['--runs', '-1', '--json'])).toEqual(['--runs=-1', '--json']);
  expect(words(['--hours', '-0.5', '--seed', '-', '-2'])).toEqual(['--hours=-0.5', '--seed', '-', '-2']);
  expect(words(['--seed=1', '-2', 'flips', '-3'])).toEqual(['--seed=1', '-2', 'flips', '-3']);
});

test.each(['seed', 'seeds', 'hours', 'clients', 'jobs'])(
  'simulate: --%s -1 is answered with its range',
  (name) => {
    const { wrong } = readCommandLine([`--${name}`, '-1']) as { wrong: string };
    expect(wrong).toMatch(new RegExp(`^--${name} -1: it must be a (whole )?number from [\\d.]+ to \\d+\\.$`));
  },
);
