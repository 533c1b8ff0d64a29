import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SmallDisk } from '../../system/small-disk.js';
import { bundled } from '../bundle.js';
import { makeTemplate } from '../template.js';
import { type FullReport, fillUp } from './full.js';

/** Room for two segments of a journal and for what fills it. */
const DISK_MIB = 64;
/** Set in the process that has a user namespace of its own, where it may mount. */
const INSIDE = 'BERTH_TORTURE_MOUNTS';

export interface FullRunOptions {
  readonly rounds: number;
  readonly clients: number;
  readonly seed: number;
  readonly kind: 'tmpfs' | 'ext4';
  readonly onRound: (report: FullReport) => void;
}

/**
 * @returns what was found; or the exit code of the same command, run again as the root of a user namespace of its own, where this process
 * may not mount
 */
export async function fullRun(options: FullRunOptions): Promise<FullReport | number> {
  const { rounds, clients, seed, kind, onRound } = options;
  let disk: SmallDisk;
  try {
    disk = await SmallDisk.mount(DISK_MIB, kind);
  } catch (error) {
    if (process.env[INSIDE] !== undefined) throw error;
    return mountElsewhere();
  }
  const folder = await mkdtemp(join(tmpdir(), 'berth-full-'));
  try {
    const template = await makeTemplate(clients, folder);
    const crowd = await bundled('crowd');
    const report = await fillUp({
      template,
      crowd,
      folder: join(folder, 'work'),
      disk,
      rounds,
      seed,
      onRound,
    });
    if (report.found.length === 0) await rm(folder, { recursive: true });
    else console.error(`kept: ${folder}`);
    return report;
  } finally {
    await disk.unmount();
  }
}

async function mountElsewhere(): Promise<number> {
  const argv = ['-rm', process.execPath, ...process.argv.slice(1)];
  const child = spawn('unshare', argv, { stdio: 'inherit', env: { ...process.env, [INSIDE]: 'yes' } });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
