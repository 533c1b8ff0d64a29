import type { IdentityOptions } from './api.js';
import { BerthError } from './errors.js';
import type { Files, Host } from './host.js';
import { IdentityStore } from './identity-store.js';
import { joinWith } from './join.js';
import { timing } from './timing.js';
import { holding, sleep, throwIfAborted } from './waiting.js';

/** Held by the one process of this account that joins; it names the process. */
const LOCK = 'state/.joins/unattended.lock';

/**
 * A render node that has joined nothing yet joins by itself, with the link in BERTH_JOIN or in the file that BERTH_JOIN_FILE names.
 * However many of its processes start at once, one joins and the others wait for it: one identity, one use of the token. Never makes
 * an admin key. Does nothing where a context is named, or one exists.
 * @throws BerthError LINK_INVALID, FILE_UNREADABLE, MACHINE_TOKEN_REVOKED, MACHINE_TOKEN_EXPIRED, MACHINE_TOKEN_USED_UP,
 *   INVITATION_INVALID, UNREACHABLE, CANCELLED
 */
export async function joinUnattended(
  host: Host,
  { context, home, signal }: Pick<IdentityOptions, 'context' | 'home' | 'signal'>,
): Promise<void> {
  if (context !== undefined) return;
  const files = host.files(home);
  const store = new IdentityStore(files);
  const joined = async (): Promise<boolean> => (await store.current()) !== null;
  if (await joined()) return;
  const link = await linkGiven(host);
  if (link === null) return;
  await holding(host, async () => {
    if (!(await lock(host, files, joined, signal))) return;
    try {
      if (!(await joined())) await joinWith(host, { link, home, admin: false, signal });
    } finally {
      await files.remove(LOCK);
    }
  });
}

async function linkGiven(host: Host): Promise<string | null> {
  const [direct, path] = [host.env('BERTH_JOIN')?.trim(), host.env('BERTH_JOIN_FILE')?.trim()];
  if (direct !== undefined && direct !== '') return onlyLink(direct, 'BERTH_JOIN');
  if (path === undefined || path === '' || host.readText === undefined) return null;
  return onlyLink(await host.readText(path), `The file that BERTH_JOIN_FILE names, ${path},`);
}

function onlyLink(text: string, where: string): string {
  const [link] = /berth:\/\/\S+/.exec(text) ?? [];
  if (link !== undefined) return link;
  throw new BerthError('LINK_INVALID', { message: `${where} does not hold a join link.` });
}

/** @returns false when another process has joined meanwhile */
async function lock(
  host: Host,
  files: Files,
  joined: () => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const untilMs = host.clock.monoMs() + timing.joinLockMs;
  while (!(await files.create(LOCK, host.process.id))) {
    throwIfAborted(signal);
    const holder = (await files.read(LOCK)) ?? '';
    const gone = holder !== '' && host.process.isAlive(holder) === false;
    if (gone || host.clock.monoMs() >= untilMs) await releaseFor(files, holder);
    else await sleep(host, timing.joinLookMs, signal);
    if (await joined()) return false;
  }
  return true;
}

/** Of one who died in it: but not the lock of whoever took it since. */
async function releaseFor(files: Files, holder: string): Promise<void> {
  if ((await files.read(LOCK)) === holder) await files.remove(LOCK);
}
