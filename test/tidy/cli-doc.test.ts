import { cliDocument } from '@berth/cli/cli-doc';
import { defineCommand, defineGroup } from '@berth/cli/command';
import { commands } from '@berth/cli/commands/all';
import { expect, test } from 'vitest';
import { read } from './sources.js';

test('docs/cli.md says what the command table says', () => {
  const made = cliDocument(commands);
  if (read('docs/cli.md') === made) return;
  throw new Error('Error: docs/cli.md is not what the command table says: `npm run docs:cli`, and commit it');
});

test('the page has every part of a command', () => {
  const paint = defineCommand({
    usage: 'paint <wall>',
    describe: 'Paint a wall',
    positionals: { wall: { type: 'string', demandOption: true, describe: 'which | wall' } },
    options: {
      colour: { type: 'string', default: 'red', choices: ['red', 'blue'], describe: 'of what colour' },
      twice: { type: 'boolean', default: false, describe: 'two coats' },
    },
    examples: [['berth house paint north --twice', 'two coats of red']],
    more: 'Walls are <outside>.',
    exits: [[8, 'it rains']],
    run: async () => 0,
  });
  const page = cliDocument([defineGroup('house', 'Houses', [paint])]);
  const section = page.slice(page.indexOf('## berth house paint'));
  expect(section.trimEnd().split('\n')).toEqual([
    '## berth house paint',
    '',
    'Paint a wall.',
    '',
    '```text',
    'berth house paint <wall> [options]',
    '```',
    '',
    '| argument or option | meaning |',
    '| --- | --- |',
    '| `wall` | which \\| wall (required) |',
    '| `--colour COLOUR` | of what colour (one of `red`, `blue`; default `red`) |',
    '| `--twice` | two coats |',
    '',
    'Walls are \\<outside\\>.',
    '',
    '| exit code | here |',
    '| --- | --- |',
    '| 8 | it rains |',
    '',
    '```sh',
    '# two coats of red',
    'berth house paint north --twice',
    '```',
  ]);
});
