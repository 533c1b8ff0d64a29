import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Person, type Ran, Site } from './site.js';
import { until, within } from './waiting.js';

// `berth audit tail` against a real server (issue 5, part 8). In order.

let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open();
  [anna] = (await site.hire('anna@studio.example')) as [Person];
  await owner('user', 'set', anna.email, '--name', 'Anna Ek');
}, 120_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);

test('audit tail shows what is done as it happens', async () => {
  const tail = site.start({
    argv: site.berthArgv(['audit', 'tail', '--lines', '1', '--kind', 'user']),
    env: site.environmentOf(site.owner, 'tail'),
  });
  await until('the last one before', () => tail.stdout.includes('Anna Ek'));
  // A name that turns the direction of writing is none; what a vendor signed may still have it, and is shown without doing so.
  const turned = await owner('user', 'set', anna.email, '--name', '\u202eAnna');
  expect([turned.code, turned.json.error.code]).toEqual([2, 'NAME_INVALID']);
  await owner('user', 'set', anna.email, '--name', 'Anna Berg');
  await until('the new one', () => tail.stdout.includes('name="Anna Berg" (was "Anna Ek")'));
  // The audit tail shows what is neither --kind user; a list does.
  await site.grant({ product: 'turned', seats: 1, more: ['--number', '\u202eS-1'] });
  const listed = await site.berth(site.owner, ['audit', 'list', '--product', 'turned']);
  expect(listed.stdout).toContain('\ufffdS-1');
  expect(tail.stdout + listed.stdout).not.toContain('\u202e');
  tail.signal('SIGINT');
  expect((await tail.exited).code).toBe(0);
});

test('audit tail ends with who reads it, at the next line', async () => {
  const tail = site.start({
    argv: ['sh', '-c', '"$@" | head -1', 'sh', ...site.berthArgv(['audit', 'tail', '--lines', '1'])],
    env: site.environmentOf(site.owner, 'tail-head'),
  });
  await until('the first line', () => tail.stdout.includes('\n'));
  await owner('user', 'set', anna.email, '--name', 'Anna Ek');
  await owner('user', 'set', anna.email, '--name', 'Anna Berg');
  const { code, stdout, stderr } = await within('the pipe to end', tail.exited, 20_000);
  expect([code, stdout.split('\n').length, stderr]).toEqual([0, 2, '']);
});

test('audit tail outlives the server: it goes on behind the last line, none lost, none twice', async () => {
  const tail = site.start({
    argv: site.berthArgv(['audit', 'tail', '--lines', '0', '--kind', 'user']),
    env: site.environmentOf(site.owner, 'tail-restart'),
  });
  const lines = () => tail.stdout.split('\n').filter((line) => line !== '');
  // The tail says nothing when it is there: names are given until one is shown.
  const names: string[] = [];
  const rename = async () => {
    names.push(`Anna ${names.length}`);
    await owner('user', 'set', anna.email, '--name', names.at(-1)!);
  };
  while (lines().length === 0) await rename();
  await until('all of them', () => tail.stdout.includes(`name="${names.at(-1)}"`));
  await site.kill();
  await until('the note', () => tail.stderr.includes('Waiting for the server'), undefined, 100);
  await site.serve();
  await rename();
  await rename();
  await until('the last one', () => tail.stdout.includes(`name="${names.at(-1)}"`));
  await rename();
  await until('one more', () => tail.stdout.includes(`name="${names.at(-1)}"`));
  const shown = lines().map((line) => /name="(Anna \d+)"/.exec(line)?.[1]);
  expect(shown).toEqual(names.slice(names.indexOf(shown[0]!)));
  expect(tail.stderr).toMatch(/^.* Waiting for the server; Ctrl-C ends it\.\nThe server is back\.\n$/);
  tail.signal('SIGINT');
  expect((await tail.exited).code).toBe(0);
});
