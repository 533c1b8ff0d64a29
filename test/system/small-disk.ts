import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atEnd } from './at-end.js';

export const MIB = 1024 * 1024;

const run = promisify(execFile);

/** A real file system that is full soon: in memory, or ext4 in a file. Who may mount makes one. */
export class SmallDisk {
  readonly #folder: string;
  /** Where it is mounted. */
  readonly path: string;
  #unmounted = (): void => {};

  /** Rejects, with what `mount` says, where this process may not mount. */
  static async mount(mib: number, kind: 'tmpfs' | 'ext4' = 'tmpfs'): Promise<SmallDisk> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-disk-'));
    const disk = new SmallDisk(folder);
    try {
      await mkdir(disk.path);
      if (kind === 'tmpfs') await run('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', disk.path]);
      else await disk.#mountExt4(mib);
      // Whoever still uses it is killed at the same end.
      disk.#unmounted = atEnd(() => spawnSync('umount', ['--lazy', disk.path]));
      return disk;
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'mounted');
  }

  /** Fills it with one file until only so much is left. */
  async leaveFree(bytes: number): Promise<void> {
    const file = join(this.path, 'filler');
    await rm(file, { force: true });
    const { bavail, bsize } = await statfs(this.path);
    const filling = bavail * bsize - bytes;
    if (filling <= 0) return;
    // The last piece may not fit any more, which is as full as a disk gets.
    await writeFile(file, Buffer.alloc(filling), { flush: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error;
    });
  }

  /** Nobody may use it any more. Lazily, since the kernel may not have closed the files of a process that was just killed. */
  async unmount(): Promise<void> {
    await run('umount', ['--lazy', this.path]);
    this.#unmounted();
    await rm(this.#folder, { recursive: true });
  }

  /** All of it for everybody: by default a twentieth is root's. */
  async #mountExt4(mib: number): Promise<void> {
    const image = join(this.#folder, 'image');
    await run('truncate', ['-s', `${mib}M`, image]);
    await run('mkfs.ext4', ['-q', '-m', '0', image]);
    await run('mount', ['-o', 'loop', image, this.path]);
  }
}
