import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './paths.js';
import type { Exit, Started } from './process.js';
import { type Person, Site } from './site.js';
import { until, within } from './waiting.js';

// `berth run` from two shells on one seat: `render` shares nothing, `comp` has the default share (device).

const LEASE_SECONDS = 3;
/** Says that it runs, then runs until its input ends. */
const untilInputEnds = ['sh', '-c', 'echo up; cat'];

let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: LEASE_SECONDS });
  await site.grant({ product: 'render', seats: 1, share: 'process' });
  await site.grant({ product: 'comp', seats: 1 });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
}, 120_000);

afterAll(() => site?.close());

function run(product: string, command: readonly string[], options: readonly string[] = []): Started {
  return site.start({
    argv: site.berthArgv(['run', '--product', product, ...options, '--', ...command]),
    env: site.environmentOf(anna, 'run'),
  });
}

async function running(product: string, command: readonly string[] = untilInputEnds): Promise<Started> {
  const shell = run(product, command);
  await until('the command to say "up"', () => {
    if (!shell.running) throw new Error(`berth run ended: ${shell.stderr}`);
    return shell.stdout.includes('up');
  });
  return shell;
}

function end(shell: Started, withinMs?: number): Promise<Exit> {
  return within('berth run to end', shell.exited, withinMs);
}

describe('one seat, two shells', () => {
  test('the second exits 7, says who holds the seat and when it can be free, and runs nothing', async () => {
    const first = await running('render');
    const second = await end(run('render', ['echo', 'ran']));
    expect(second).toMatchObject({ code: 7, stdout: '' });
    expect(second.stderr).toMatch(/^berth: NO_SEAT /);
    expect(second.stderr).toContain('anna@studio.example');
    expect(second.stderr).toMatch(/A seat can be free /);
    first.endInput();
    expect((await end(first)).code).toBe(0);
    expect(await site.pool('render')).toMatchObject({ inUse: 0, held: 0, free: 1 });
  });

  test('with --wait it waits and gets the seat as soon as the first has ended', async () => {
    const first = await running('render');
    const second = run('render', ['echo', 'ran'], ['--wait', '60s']);
    await until('the second to say that it waits', () => second.stderr.includes('waiting'));
    expect(second.running).toBe(true);
    first.endInput();
    expect((await end(first)).code).toBe(0);
    expect(await end(second)).toMatchObject({ code: 0, stdout: 'ran\n' });
  });

  test('with --wait it gives up in the end, with 7', async () => {
    const first = await running('render');
    expect(await end(run('render', ['echo', 'ran'], ['--wait', '1s']))).toMatchObject({
      code: 7,
      stdout: '',
    });
    first.endInput();
    await end(first);
  });

  test('with the default share the second joins the seat of the first and exits 0', async () => {
    const first = await running('comp');
    expect(await end(run('comp', ['echo', 'ran']))).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect(first.running).toBe(true);
    expect(await site.pool('comp')).toMatchObject({ owned: 1, inUse: 1, free: 0 });
    first.endInput();
    expect((await end(first)).code).toBe(0);
    expect(await site.pool('comp')).toMatchObject({ inUse: 0, free: 1 });
  });

  test('more seats than are owned: 7 at once, whatever --wait says', async () => {
    const shell = await end(run('render', ['echo', 'ran'], ['--seats', '2']));
    expect(shell).toMatchObject({ code: 7, stdout: '' });
  });
});

describe('what the command sees and says is passed through', () => {
  test('input, output and exit code', async () => {
    const shell = run('render', ['sh', '-c', 'cat; echo oops >&2; exit 42']);
    shell.endInput('hello\n');
    const exit = await end(shell);
    expect(exit).toMatchObject({ code: 42, stdout: 'hello\n' });
    expect(exit.stderr).toContain('oops\n');
  });

  test('a command that dies of a signal: 128 + its number', async () => {
    expect((await end(run('render', ['sh', '-c', 'kill -KILL $$']))).code).toBe(137);
  });

  test('a signal to berth reaches the command, whose exit code counts', async () => {
    const command = 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.05; done';
    const shell = await running('render', ['sh', '-c', command]);
    shell.signal('SIGTERM');
    expect(await end(shell)).toMatchObject({ code: 3, stdout: 'up\nbye\n' });
  });

  test('a command that does not exist: 127, and the seat is given back', async () => {
    const exit = await end(run('render', ['/nonexistent/renderer']));
    expect(exit.code).toBe(127);
    expect(exit.stderr).toMatch(/^berth: FILE_UNREADABLE /m);
    expect(await site.pool('render')).toMatchObject({ free: 1 });
  });
});

describe('a seat that is lost', () => {
  test('taken away by an admin: the command is stopped, exit 7, and the seat is free at once', async () => {
    const shell = await running('render', [
      'sh',
      '-c',
      'trap "echo stopped; exit 0" TERM; echo up; while :; do sleep 0.05; done',
    ]);
    const { json } = await site.berthOk(site.owner, ['lease', 'list', '--product', 'render', '--json']);
    expect(json).toMatchObject({
      items: [{ user: 'anna@studio.example', kind: 'online', state: 'open' }],
      next: null,
    });
    await site.berthOk(site.owner, [
      'lease',
      'release',
      json.items[0].id,
      '--reason',
      'Needed elsewhere',
      '--yes',
    ]);
    const exit = await end(shell);
    expect(exit).toMatchObject({ code: 7, stdout: 'up\nstopped\n' });
    expect(exit.stderr).toMatch(/^berth: LEASE_REVOKED /m);
    // Its window would last ten seconds more: the signed stop ended it.
    expect(await site.pool('render')).toMatchObject({ inUse: 0, held: 0, free: 1 });
  });

  test('the server is gone for good: TERM, then KILL within 5 s, exit 7', async () => {
    const obeys = await running('comp', [
      'sh',
      '-c',
      'trap "echo stopped; exit 0" TERM; echo up; while :; do sleep 0.05; done',
    ]);
    const ignores = await running('render', [
      'sh',
      '-c',
      'trap "" TERM; echo up; echo $$; while :; do sleep 0.05; done',
    ]);
    const pid = Number(await until('its pid', () => /^up\n(\d+)\n/.exec(ignores.stdout)?.[1]));
    await site.kill();
    const killedAtMs = performance.now();
    const exits = await Promise.all([end(obeys, 30_000), end(ignores, 30_000)]);
    const tookMs = performance.now() - killedAtMs;
    expect(exits[0]).toMatchObject({ code: 7, stdout: 'up\nstopped\n' });
    expect(exits[1].code).toBe(7);
    for (const { stderr } of exits)
      expect(stderr).toMatch(/^berth: (SEAT_LOST|UNREACHABLE|CONNECTION_LOST) /m);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    // Before the server may give the seat to anybody else (I2).
    expect(tookMs).toBeLessThan(LEASE_SECONDS * 1000 + 10_000);
    await site.serve();
  });

  test('no server at all: 5, and nothing is run', async () => {
    await site.kill();
    const exit = await end(run('render', ['echo', 'ran']), 30_000);
    expect(exit).toMatchObject({ code: 5, stdout: '' });
    expect(exit.stderr).toMatch(/^berth: UNREACHABLE /);
    expect(exit.stderr).toContain(site.address);
    await site.serve();
  });
});

test('a plugin in five lines (examples/plugin) takes the seat and gives it back', async () => {
  const plugin = site.start({
    argv: [process.execPath, join(root, 'examples/dist/plugin/five-lines.js')],
    env: { BERTH_HOME: anna.home, VENDOR_KEY: site.vendorKey },
  });
  const { code, stdout, stderr } = await end(plugin);
  expect([code, stdout, stderr]).toEqual([0, 'Rendering on 1 seat, which is held.\n', '']);
  expect(await site.pool('render')).toMatchObject({ inUse: 0, free: 1 });
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.tokens).toBeGreaterThan(10);
});
