import { constants, createReadStream } from 'node:fs';
import { access, link, mkdir, open, rename, stat, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as client from '@berth/client';
import { type Files, type ForwardedSignal, forwardedSignals, type Host, type Processes } from './context.js';
import { codeOf } from './files.js';
import { network } from './node-network.js';
import { startChild } from './run/node-child.js';
import type { Sdk } from './sdk.js';
import { input, output, readLimited } from './stdio.js';
import { synced } from './synced.js';

/** The context of a real process. @param signal aborted by Ctrl-C. */
export function nodeContext(signal: AbortSignal): Host {
  return {
    env: process.env,
    stdin: input,
    stdout: output(1, process.env),
    stderr: output(2, process.env),
    files,
    network,
    nodeVersion: process.versions.node,
    processes,
    sdk,
    nowMs: () => Date.now(),
    signal,
  };
}

const sdk: Sdk = {
  connect: client.connect,
  joinServer: client.joinServer,
  openAdmin: client.openAdmin,
  openLease: client.openLease,
  listBorrows: client.listBorrows,
  returnBorrows: client.returnBorrows,
  borrowsToReturn: client.borrowsToReturn,
  requestBorrow: client.requestBorrow,
  listBorrowRequests: client.listBorrowRequests,
  installBorrow: client.installBorrow,
  returnBorrowsOffline: client.returnBorrowsOffline,
  newIdempotencyKey: client.newIdempotencyKey,
  folders: (home) => {
    const files = client.nodeHost().files(home);
    return { config: files.locate('config'), state: files.locate('state') };
  },
  identities: (home) => new client.IdentityStore({ home }),
};

const files: Files = {
  read: async (path) => await readLimited(createReadStream(path)),
  write: async (path, text, mode) => {
    const file = await open(path, 'w', mode);
    try {
      await file.writeFile(text);
      await synced(file);
    } finally {
      await file.close();
    }
  },
  chunks: (path) => createReadStream(path),
  create: async (path, mode, exclusive) => {
    const file = await open(path, exclusive ? 'wx' : 'w', mode);
    return {
      write: async (text) => {
        await file.writeFile(text);
      },
      close: async () => {
        try {
          await synced(file);
        } finally {
          await file.close();
        }
      },
    };
  },
  exists: (path) =>
    access(path, constants.F_OK).then(
      () => true,
      () => false,
    ),
  rename: async (from, to) => {
    await sync(from);
    await rename(from, to);
    // Windows keeps its names by itself.
    if (process.platform !== 'win32') await sync(dirname(to));
  },
  name: async (from, to) => {
    await sync(from);
    await link(from, to).catch(async (error: unknown) => {
      if (!linkless.has(codeOf(error))) throw error;
      // Taken first: what the rename replaces is our own empty file.
      await (await open(to, 'wx')).close();
      await rename(from, to);
    });
    await unlink(from).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    if (process.platform !== 'win32') await sync(dirname(to));
  },
  remove: unlink,
  mode: async (path) => {
    if (process.platform === 'win32') return null;
    return await stat(path).then(
      (found) => found.mode & 0o777,
      () => null,
    );
  },
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(await existing(path));
    return bavail * bsize;
  },
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
};

/** What a file system without hard links answers. */
const linkless: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The path, or the folder above it that is there. */
async function existing(path: string): Promise<string> {
  const isThere = await access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : await existing(dirname(path));
}

/** Who gets the signals of `forwardedSignals` just now; nobody: they do what they do by themselves. */
let taken: ((signal: ForwardedSignal) => void) | undefined;

const processes: Processes = {
  start: startChild,
  onSignals: (handle) => {
    const outer = taken;
    const receive = (signal: NodeJS.Signals) => taken?.(signal as ForwardedSignal);
    taken = handle;
    for (const signal of forwardedSignals) process.on(signal, receive);
    return () => {
      taken = outer;
      for (const signal of forwardedSignals) process.off(signal, receive);
    };
  },
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Ctrl-C aborts; a second one ends at once. While a command has taken the signals, it has them alone. */
export function onInterrupt(controller: AbortController, exitCode: number): void {
  process.on('SIGINT', () => {
    if (taken !== undefined) return;
    if (controller.signal.aborted) process.exit(exitCode);
    controller.abort();
  });
}
