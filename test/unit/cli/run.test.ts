import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

// `berth run` as a real process that runs real commands; only the licence server is not there (fake-berth.mjs).

const fake = fileURLToPath(new URL('fake-berth.mjs', import.meta.url));
/** In one file, as `berth` itself is: a process that loads the 300 files one by one takes three times the CPU to start. */
let fakeInOneFile = '';
let program = '';
let folder = '';
let started: ChildProcess[] = [];

beforeAll(async () => {
  program = mkdtempSync(join(tmpdir(), 'berth-fake-'));
  // It reads its version there.
  writeFileSync(join(program, 'package.json'), '{"version":"0.0.0"}');
  fakeInOneFile = join(program, 'dist/fake-berth.mjs');
  const bundle = await rolldown({ input: fake, platform: 'node' });
  await bundle.write({ file: fakeInOneFile, format: 'esm' });
  await bundle.close();
});
afterAll(() => rmSync(program, { recursive: true, force: true }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-run-'));
  started = [];
});
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  for (const name of ['child.pid', 'grandchild.pid']) if (existsSync(file(name))) killQuietly(pidIn(name));
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string) => join(folder, name);
const pidIn = (name: string) => Number(readFileSync(file(name), 'utf8'));

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended long ago, as it should.
  }
}

function run(command: readonly string[], options: readonly string[] = [], refuse = '') {
  const words = ['run', '--product', 'render', ...options, '--', ...command];
  const env = { ...process.env, FAKE_LOG: file('log'), FAKE_REFUSE: refuse };
  const child = spawn(process.execPath, [fakeInOneFile, ...words], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.on('data', (text) => {
    output.stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string; log: string }>(
    (resolve) => {
      child.once('close', (code) => resolve({ code, ...output, log: readFileSync(file('log'), 'utf8') }));
    },
  );
  return { child, ended };
}

/** Resolves when the file has been written whole: that is how a command here says that it is ready. */
function written(name: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!existsSync(file(name)) || readFileSync(file(name), 'utf8') === '') return;
      watcher.close();
      resolve();
    };
    const watcher = watch(folder, look);
    look();
  });
}

const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // A zombie that nobody reaps is gone as well.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
};

const sh = (script: string) => ['sh', '-c', script];
/** Tells its pid and waits to be told to stop. `trap` decides what it makes of that. */
const waiting = (trap: string) =>
  sh(`${trap} echo $$ > child.tmp; mv child.tmp child.pid; while :; do sleep 0.05; done`);

// Starting Node takes its time on a busy computer.
describe('berth run', { timeout: 60_000 }, () => {
  it('passes output and exit code through, and prints nothing of its own', async () => {
    const ran = await run(sh('echo out; echo err >&2; exit 42'), ['--seats', '2', '--wait', '30s']).ended;
    expect(ran).toMatchObject({ code: 42, stdout: 'out\n', stderr: 'err\n' });
    expect(ran.log).toBe('checkout 2 30000\nclosed\n');
  });

  it('says 128 + signal when the command dies of one', async () => {
    expect((await run(sh('kill -KILL $$')).ended).code).toBe(137);
    expect((await run(sh('kill -TERM $$')).ended).code).toBe(143);
  });

  it('passes every word on as it is', async () => {
    const ran = await run(['printf', '%s|', '--json', '-x', 'a b', '--', '']).ended;
    expect(ran.stdout).toBe('--json|-x|a b|--||');
  });

  it('127 for a command that is not there, 126 for one that is no program; the seat is given back', async () => {
    writeFileSync(file('plain'), 'text', { mode: 0o644 });
    const missing = await run(['./missing']).ended;
    expect(missing).toMatchObject({ code: 127, stdout: '', log: 'checkout 1 0\nclosed\n' });
    expect(missing.stderr).toMatch(/^berth: /);
    expect(await run(['./plain']).ended).toMatchObject({ code: 126, stdout: '' });
  });

  it('exits with the code of the refusal and starts nothing', async () => {
    const ran = await run(sh('echo started'), ['--json'], 'NO_SEAT').ended;
    expect(ran).toMatchObject({ code: 7, stdout: '', log: 'checkout 1 0\nclosed\n' });
    expect(ran.stderr).toMatch(/^berth: NO_SEAT /);
    expect((await run(sh('echo started'), [], 'UNREACHABLE').ended).code).toBe(5);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'passes %s on and waits for what the command makes of it',
    async (signal) => {
      const name = signal.slice(3);
      const { child, ended } = run(waiting(`trap 'echo got ${name}; exit 9' ${name};`));
      await written('child.pid');
      child.kill(signal);
      const ran = await ended;
      expect(ran).toMatchObject({ code: 9, stdout: `got ${name}\n` });
      expect(ran.log).toContain('closed');
    },
  );

  it('is cancelled by Ctrl-C while it waits for a seat', async () => {
    const { child, ended } = run(sh('echo started'), ['--wait', '1m'], 'wait');
    await written('log');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 3, stdout: '', log: 'checkout 1 60000\nclosed\n' });
  });
});

describe('a lost seat', { timeout: 60_000 }, () => {
  it('stops the command and what it started, with SIGTERM first', async () => {
    const script =
      "sh -c 'echo $$ > g.tmp; mv g.tmp grandchild.pid; while :; do sleep 0.05; done' & trap 'echo stopping; exit 0' TERM; wait";
    const { child, ended } = run(sh(script));
    await written('grandchild.pid');
    child.kill('SIGUSR2');
    const ran = await ended;
    expect(ran).toMatchObject({ code: 7, stdout: 'stopping\n' });
    expect(ran.stderr).toMatch(/^berth: LEASE_REVOKED .*o@x\.org/);
    expect(ran.log).toContain('closed');
    expect(gone(pidIn('grandchild.pid'))).toBe(true);
  });

  it('kills within 5 s what does not listen', async () => {
    const { child, ended } = run(waiting("trap '' TERM;"));
    await written('child.pid');
    const from = performance.now();
    child.kill('SIGUSR2');
    expect((await ended).code).toBe(7);
    // SIGKILL comes after 4.5 s; the rest is what a busy computer needs to notice.
    expect(performance.now() - from).toBeLessThan(9000);
    expect(gone(pidIn('child.pid'))).toBe(true);
  });

  it('is only said with --on-lost warn', async () => {
    const { child, ended } = run(waiting("trap 'exit 5' TERM;"), ['--on-lost', 'warn']);
    await written('child.pid');
    const warned = new Promise((resolve) => child.stderr?.once('data', resolve));
    child.kill('SIGUSR2');
    await warned;
    expect(gone(pidIn('child.pid'))).toBe(false);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(5);
  });
});
