import { createHash, randomBytes } from 'node:crypto';
import dns from 'node:dns';
import { readFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { BerthError, describe } from '../errors.js';
import type { Clock, Host, ServiceRecord } from '../host.js';
import { bestEd25519 } from './ed25519.js';
import { fetchUnchecked } from './fetch-unchecked.js';
import { NodeFiles, rootsOf } from './files.js';
import { nodeProcess } from './process-identity.js';
import { openNodeSocket } from './socket.js';

/** The SDK's outside world in Node. */
export function nodeHost(env: NodeJS.ProcessEnv = process.env): Host {
  const ed25519 = bestEd25519();
  const holds = new ProcessHolds();
  return {
    clock: nodeClock,
    process: nodeProcess(),
    randomBytes: (count) => new Uint8Array(randomBytes(count)),
    sha256: async (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
    signingKey: (seed) => ed25519.signingKey(seed),
    verify: (publicKey, message, signature) => ed25519.verify(publicKey, message, signature),
    openSocket: openNodeSocket,
    fetchUnchecked,
    resolveService,
    files: (home) => new NodeFiles(rootsOf(home, env)),
    setTimer: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs).unref();
      return () => clearTimeout(timer);
    },
    keepAlive: () => holds.take(),
    env: (name) => env[name],
    readText,
    deviceName: () => hostname(),
  };
}

/** Through the object, so that a host program that sets its own name servers is followed. */
async function resolveService(service: string): Promise<ServiceRecord[]> {
  return (await dns.promises.resolveSrv(service)).map(({ name, port, priority, weight }) => ({
    target: name,
    port,
    priority,
    weight,
  }));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const message = `${path} cannot be read: ${describe(error)}.`;
    throw new BerthError('FILE_UNREADABLE', { message, cause: error });
  }
}

const nodeClock: Clock = {
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  // Linux and Windows count sleep in it. It costs microseconds: it reads no disk.
  uptimeMs: () => uptime() * 1000,
};

/** One referenced handle while anybody holds the process, none else. */
class ProcessHolds {
  #count = 0;
  #handle: NodeJS.Timeout | null = null;

  take(): () => void {
    this.#count++;
    this.#handle ??= setInterval(() => undefined, 0x7fff_ffff);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#count--;
      if (this.#count > 0 || this.#handle === null) return;
      clearInterval(this.#handle);
      this.#handle = null;
    };
  }
}
