import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from './network.js';
import { bins } from './paths.js';
import { type Person, Site } from './site.js';
import { answer, atTerminal, whyNoTerminal } from './terminal.js';
import { within } from './waiting.js';

// Issue 5, part 10: what only a real shell and a real server can show.

let site: Site;
let anna: Person;
let bin: string;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 30 });
  bin = join(site.folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'berth'), `#!/bin/sh\nexec "${process.execPath}" "${bins.berth}" "$@"\n`);
  await chmod(join(bin, 'berth'), 0o755);
  [[anna]] = (await Promise.all([
    site.hire('anna@studio.example'),
    site.grant({ product: 'render', seats: 2 }),
  ])) as [[Person], string];
}, 120_000);

afterAll(async () => {
  await site?.close();
});

function shell(program: string, args: string[], script: string, who: Person, more = {}): string {
  const env = {
    ...{ PATH: `${bin}:${process.env.PATH}`, HOME: site.folder, BERTH_HOME: who.home },
    // A busy machine: a second is for people.
    ...{ BERTH_COMPLETE_MS: '30000', ...more },
  };
  const ran = spawnSync(program, [...args, '-c', script], { env, encoding: 'utf8', timeout: 60_000 });
  expect(ran.stderr).toBe('');
  return ran.stdout;
}

/** What bash would offer behind each line, as it calls a completion function. */
function inBash(lines: readonly string[], who: Person, more = {}): string[][] {
  const calls = lines.map(
    (line) =>
      `COMP_LINE=${JSON.stringify(line)} COMP_POINT=\${#COMP_LINE}; _berth berth; printf '%s|' "\${COMPREPLY[@]}"; echo`,
  );
  const out = shell(
    'bash',
    ['--norc'],
    `eval "$(berth completion bash)"; complete -p berth >/dev/null || exit 9; COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
    ${calls.join('\n')}`,
    who,
    more,
  );
  return out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('|').filter((word) => word !== ''));
}

test('bash: commands, options, and values that the server knows', () => {
  expect(
    inBash(
      ['berth entit', 'berth borrow take --auto', 'berth status --product ', 'berth license assign anna@st'],
      site.owner,
    ),
  ).toEqual([['entitlement'], ['--auto-extend'], ['render'], ['studio.example']]);
  // A user may see products, and is not told who else is there.
  expect(inBash(['berth run --product re', 'berth license assign a'], anna)).toEqual([['render'], []]);
});

test('a full disk takes no link and no list without a word; the invitation stands', () => {
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: site.folder, BERTH_HOME: site.owner.home };
  const run = (script: string) => spawnSync('sh', ['-c', script], { env, encoding: 'utf8', timeout: 60_000 });
  const invited = run('berth user invite full@studio.example > /dev/full');
  expect([invited.status, invited.stderr]).toEqual([1, expect.stringContaining('berth: OUTPUT_LOST ')]);
  const again = run('berth user invite full@studio.example --resend');
  expect([again.status, again.stdout]).toEqual([0, expect.stringMatching(/^berth:\/\//)]);
  for (const list of ['user list --json', 'status'])
    expect(run(`berth ${list} > /dev/full`)).toMatchObject({ status: 1, stdout: '' });
});

test('bash: no error text and no word without a context or a server', async () => {
  const nobody = site.person('nobody@studio.example');
  expect(inBash(['berth status --product ', 'berth user inv'], nobody)).toEqual([[], ['invite']]);
  const dead = `127.0.0.1:${await freePort()}`;
  expect(inBash(['berth status --product '], anna, { BERTH_SERVERS: dead })).toEqual([[]]);
});

test('zsh: the same, with what each word is for', (context) => {
  if (spawnSync('zsh', ['--version']).status !== 0) context.skip('zsh is not installed here');
  const script = `compdef() { print -r -- "compdef $*" }
    _describe() { print -rl -- "\${(@P)4}" }
    _files() { print files }
    eval "$(berth completion zsh)"
    words=(berth sharing o) CURRENT=3; _berth
    words=(berth status --product r) CURRENT=4; _berth
    words=(berth license assign anna@) CURRENT=4; _berth
    words=(berth entitlement import '') CURRENT=4; _berth
    words=(berth clock '') CURRENT=3; _berth`;
  expect(shell('zsh', ['-f'], script, site.owner).split('\n')).toEqual([
    'compdef _berth berth',
    ...['on', 'off', 'render', 'anna@studio.example', 'files'],
    ...[expect.stringMatching(/^show:Show the clock/), expect.stringMatching(/^accept:Trust the clock/), ''],
  ]);
});

describe('a passphrase at a terminal', () => {
  const why = whyNoTerminal();
  beforeEach((context) => {
    if (why !== null) context.skip(why);
  });
  const GOOD = 'correct horse battery staple';
  /** Runs it, types what is asked for, and says what the screen showed. After it the terminal has to show again what is typed. */
  async function typing(words: string[], answers: readonly [question: string, line: string][]) {
    const argv = atTerminal([
      'sh',
      '-c',
      '"$@"; code=$?; stty -a; exit $code',
      'sh',
      ...site.berthArgv(words),
    ]);
    const started = site.start({ argv, env: site.environmentOf(site.owner, 'berth') });
    for (const [question, line] of answers) await answer(started, question, line);
    const { code, stdout } = await within(`an end after:\n${started.stdout}`, started.exited);
    expect(stdout).toMatch(/[ ;]echo[ ;]/);
    for (const [, line] of answers) expect(stdout).not.toContain(line);
    return { code, stdout };
  }

  test('what is typed elsewhere is seen: without that the others show nothing', async () => {
    const started = site.start({ argv: atTerminal(['sh', '-c', 'printf "Name: "; read name']) });
    await answer(started, 'Name: ', GOOD);
    expect((await started.exited).stdout).toContain(GOOD);
  });

  test('is asked for twice and not shown; one that is too short is said before it is asked for again', async () => {
    const out = join(site.folder, 'typed.backup');
    const create = ['backup', 'create', '--out', out];
    const [first, again] = ['Passphrase of the backup: ', 'Once more: '];
    const short = await typing(create, [[first, 'too short']]);
    expect([short.code, short.stdout]).toEqual([2, expect.stringContaining('at least 12')]);
    expect(short.stdout).not.toContain(again);
    const other = await typing(create, [
      [first, GOOD],
      [again, `${GOOD}s`],
    ]);
    expect([other.code, other.stdout]).toEqual([2, expect.stringContaining('not the same')]);
    expect(existsSync(out)).toBe(false);
    const made = await typing(create, [
      [first, GOOD],
      [again, GOOD],
    ]);
    expect(made.code).toBe(0);
    expect((await typing(['backup', 'verify', out], [[first, GOOD]])).code).toBe(0);
  });
});

interface Check {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
  readonly fix: string | null;
}

const stateOf = (checks: readonly Check[], name: string): string | undefined =>
  checks.find((check) => check.name === name || check.name.startsWith(`${name}:`))?.state;

test('berth doctor: a server that serves, loose key modes, and a server that is gone', async () => {
  const well = await site.berth(site.owner, ['doctor', '--json']);
  expect(well.json.checks.filter(({ state }: Check) => state === 'fail')).toEqual([]);
  expect(well.code).toBe(0);
  for (const name of ['dns', 'port', 'tls', 'certificate', 'ready', 'session', 'clock', 'admin', 'key-modes'])
    expect(stateOf(well.json.checks, name), name).toBe('ok');

  const key = join(anna.home, 'state', 'studio', 'lease.key');
  await chmod(key, 0o644);
  const loose = await site.berth(anna, ['doctor', '--json']);
  const wrong = loose.json.checks.find(({ name }: Check) => name === 'key-modes');
  expect(wrong).toMatchObject({ state: 'fail', fix: `chmod 600 ${key}` });
  expect(loose.code).toBe(1);
  expect(spawnSync('sh', ['-c', wrong.fix]).status).toBe(0);

  await site.stop();
  const gone = await site.berth(anna, ['doctor', '--json']);
  expect(stateOf(gone.json.checks, 'key-modes')).toBe('ok');
  expect(stateOf(gone.json.checks, 'port')).toBe('fail');
  expect(gone.code).toBe(5);
  expect(gone.json.checks.every(({ state, fix }: Check) => (state === 'ok') === (fix === null))).toBe(true);
});
