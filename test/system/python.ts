import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './paths.js';

/** Why Python tests cannot run here; `null` when they can. In CI its absence is a failure, not a reason. */
export function whyNoPython(): string | null {
  const asked = spawnSync('python3', [
    '-c',
    'import sys, ssl; print(sys.version.split()[0]); assert sys.version_info >= (3, 9)',
  ]);
  if (asked.status === 0) return null;
  const reason = 'python3 3.9 or newer with ssl is not installed: examples/python is not tested';
  if (process.env.CI === 'true') throw new Error(reason);
  return reason;
}

export const pythonFolder = join(root, 'examples', 'python');
export const berthPy = join(pythonFolder, 'berth.py');
export const pythonPlugin = join(root, 'test', 'system', 'python-plugin.py');
