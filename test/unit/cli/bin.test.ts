import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
