import { join } from 'node:path';
import type { Context as Joined } from '@berth/client';
import type { Context } from '../context.js';
import { toFailure } from '../fail.js';
import { version } from '../version.js';
import { shellQuote } from '../words.js';
import { type Check, fail, ok, warn } from './check.js';

// What can be looked at on this computer alone.

/** The context that is used, and how it is. */
export async function lookAtContext(context: Context): Promise<{ check: Check; joined: Joined | null }> {
  const { contextName, home } = context.settings;
  try {
    const joined = await context.sdk.identities(home).read(contextName);
    const { name, organisation, email, scopes } = joined;
    const detail = `${name}: ${organisation}, as ${email} (${scopes.join(', ')})`;
    return { joined, check: ok('context', detail) };
  } catch (thrown) {
    const { code, message, next } = toFailure(thrown);
    return { joined: null, check: fail('context', code, message, next) };
  }
}

const oldestNode = [20, 19] as const;

export function lookAtVersions(node: string, serverVersion: string | null): Check {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const detail = `berth ${version}, Node ${node}${serverVersion === null ? '' : `, berthd ${serverVersion}`}`;
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]))
    return fail('versions', 'INTERNAL', detail, `Install Node ${oldestNode.join('.')} or newer.`);
  if (serverVersion !== null && serverVersion !== version)
    return warn('versions', detail, 'Bring berth and berthd to the same version, the server first.');
  return ok('versions', detail);
}

const mib = 1024 * 1024;
/** Keys, borrows and the record of open leases are a few KiB, but each must get there. */
const [leastBytes, lowBytes] = [mib, 100 * mib];

export async function lookAtDisk(context: Context): Promise<Check> {
  const { state } = context.sdk.folders(context.settings.home);
  const free = await context.files.freeBytes(state);
  if (free === null) return ok('disk', `The space left in ${state} is not known on this system.`);
  const detail = `${Math.floor(free / mib)} MiB free in ${state}`;
  const fix = 'Make room there: a borrow that cannot be written down is not taken.';
  if (free < leastBytes) return fail('disk', 'FOLDER_UNWRITABLE', detail, fix);
  return free < lowBytes ? warn('disk', detail, fix) : ok('disk', detail);
}

/** Keys are for their owner alone (DESIGN 4). */
export async function lookAtModes(context: Context, joined: Joined): Promise<Check> {
  const { state } = context.sdk.folders(context.settings.home);
  const folder = join(state, joined.name);
  const keys = joined.scopes.map((scope) => join(folder, `${scope}.key`));
  const wrong: { path: string; mode: number; wanted: string }[] = [];
  for (const path of [folder, ...keys]) {
    const mode = await context.files.mode(path);
    if (mode === null) continue;
    if ((mode & 0o077) !== 0) wrong.push({ path, mode, wanted: path === folder ? '700' : '600' });
  }
  if (wrong.length === 0) return ok('key-modes', `The keys in ${folder} can be read by their owner only.`);
  const detail = wrong.map(({ path, mode }) => `${path} has mode ${mode.toString(8).padStart(4, '0')}`);
  const fix = wrong.map(({ path, wanted }) => `chmod ${wanted} ${shellQuote(path)}`).join(' && ');
  return fail('key-modes', 'FILE_UNREADABLE', `Others may get at the keys: ${detail.join(', ')}.`, fix);
}
