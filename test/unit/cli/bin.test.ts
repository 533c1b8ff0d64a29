import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 }); // Starting Node takes its time on a busy computer.
const bin = fileURLToPath(new URL('../../../admin-cli/bin/berth.js', import.meta.url));

it('starts as it is, executable', () => {
  expect(statSync(bin).mode & 0o111).toBe(0o111);
  const { status, stdout, stderr } = spawnSync(bin, ['--version'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it('says what to do before anything is built', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bin-'));
  try {
    mkdirSync(join(folder, 'bin'));
    copyFileSync(bin, join(folder, 'bin/berth.mjs'));
    copyFileSync(join(dirname(bin), 'bundle.js'), join(folder, 'bin/bundle.js'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const ran = spawnSync(process.execPath, [join(folder, 'bin/berth.mjs')], { encoding: 'utf8' });
    expect(ran).toMatchObject({ status: 1, stdout: '', stderr: 'berth: not built; run npm run build\n' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('does not mind a reader that goes away', () => {
  const script = `"${process.execPath}" "${bin}" --help | true; exit "\${PIPESTATUS[0]}"`;
  expect(spawnSync('bash', ['-c', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});

it('says when the disk is full that what it printed did not arrive', (context) => {
  if (process.platform !== 'linux') return context.skip('there is no /dev/full');
  for (const words of ['--help', 'vendor --help --json']) {
    const ran = spawnSync('sh', ['-c', `"${process.execPath}" "${bin}" ${words} > /dev/full`], {
      encoding: 'utf8',
    });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/^berth: OUTPUT_LOST stdout cannot be written: the disk is full\.\nNext: /);
  }
});

// Committed JavaScript, so it has no types.
interface Bundle {
  readonly bundleFile: string;
  readonly compiledFile: string;
  readonly isFresh: () => boolean;
}
const bundleOf = (program: string): Promise<Bundle> =>
  import(new URL(`../../../${program}/bin/bundle.js`, import.meta.url).href);
const { bundleFile, isFresh } = await bundleOf('server');
const berthd = fileURLToPath(new URL('../../../server/bin/berthd.js', import.meta.url));
const inManyFiles = new URL('../../../server/dist/main.js', import.meta.url).href;

it('berthd says what to do before anything is built', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berthd-bin-'));
  try {
    mkdirSync(join(folder, 'bin'));
    for (const name of ['berthd.js', 'bundle.js'])
      copyFileSync(join(dirname(berthd), name), join(folder, 'bin', name));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const ran = spawnSync(process.execPath, [join(folder, 'bin/berthd.js')], { encoding: 'utf8' });
    expect(ran).toMatchObject({ status: 1, stdout: '', stderr: 'berthd: not built. Run: npm run build\n' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('berthd is in one file, which says what it says in many', () => {
  // Whoever works compiles without bundling; what CI tests is the bundle.
  if (process.env.CI) expect(isFresh()).toBe(true);
  const many = ['--input-type=module', '-e', `await (await import('${inManyFiles}')).start()`, 'berthd'];
  const said = [[berthd], many].map((words) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...words, 'serve', '--help'], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  });
  expect(said[0]).toMatchObject({ status: 0, stdout: expect.stringContaining('--lease-seconds') });
  if (isFresh()) expect(said[0]).toEqual(said[1]);
});

it('berthd in one file names the functions of a stack trace as they are in the source', () => {
  const text = readFileSync(bundleFile, 'utf8');
  for (const name of ['foundServer', 'openDataFolder', 'recover', 'untilStopped'])
    expect(text).toMatch(new RegExp(`function ${name}\\(`));
});

const keepCompiled = fileURLToPath(new URL('../../../protocol/scripts/keep-compiled.js', import.meta.url));

it.each(['admin-cli', 'server'])(
  '%s: what this Node made of the bundle is used, but never for another one, by another Node, or damaged',
  async (program) => {
    const { bundleFile, compiledFile } = await bundleOf(program);
    // Whoever may run the one may read the other.
    if (process.env.CI) expect(statSync(compiledFile).mode & 0o444).toBe(0o444);
    const folder = mkdtempSync(join(tmpdir(), 'berth-compiled-'));
    try {
      for (const name of ['bin', 'dist']) mkdirSync(join(folder, name));
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
      const loader = join(folder, 'bin/bundle.js');
      copyFileSync(join(dirname(bundleFile), '../bin/bundle.js'), loader);
      const [file, compiled] = [bundleFile, compiledFile].map((path) => join(folder, 'dist', basename(path)));
      const words = `const { load } = await import(process.argv[1]); const { exports, script } = load(); exports.start(script.cachedDataRejected)`;
      const start = (before = ''): string =>
        spawnSync(process.execPath, ['--input-type=module', '-e', before + words, loader], {
          encoding: 'utf8',
        }).stdout;

      writeFileSync(file!, 'exports.start = (rejected) => console.log("one", rejected);');
      expect(start()).toBe('one undefined\n');
      spawnSync(process.execPath, [keepCompiled, loader]);
      expect(start()).toBe('one false\n');
      // Copied without its times, in whatever order: it is the same.
      utimesSync(compiled!, 1, 1);
      expect(start()).toBe('one false\n');
      // V8 itself takes what another patch of Node made, and dies of it.
      expect(start(`Object.defineProperty(process, 'version', { value: 'v20.19.1' });`)).toBe(
        'one undefined\n',
      );
      const kept = readFileSync(compiled!);
      for (const damaged of [
        Buffer.from(kept).fill(0, 64, 128),
        kept.subarray(0, 200),
        kept.subarray(0, 5),
      ]) {
        writeFileSync(compiled!, damaged);
        expect(start()).toBe('one undefined\n');
      }
      rmSync(compiled!);
      mkdirSync(compiled!);
      expect(start()).toBe('one undefined\n');
      rmSync(compiled!, { recursive: true });
      writeFileSync(compiled!, kept);
      expect(start()).toBe('one false\n');
      // Of the same length and time: V8 itself would not notice.
      const { atimeMs, mtimeMs } = statSync(file!);
      writeFileSync(file!, 'exports.start = (rejected) => console.log("two", rejected);');
      utimesSync(file!, atimeMs / 1000, mtimeMs / 1000);
      utimesSync(compiled!, Date.now() / 1000 + 10, Date.now() / 1000 + 10);
      expect(start()).toBe('two undefined\n');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

it.each(['berth', 'berthd'])(
  '%s draws help as wide as the terminal, with what is loaded for that alone',
  (name) => {
    const { stdout, stderr } = spawnSync(process.execPath, [name === 'berth' ? bin : berthd, '--help'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('--version');
  },
);
