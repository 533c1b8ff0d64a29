import { BerthError } from '../errors.js';
import type { Host, Socket, SocketEvents } from '../host.js';
import { portableEd25519 } from '../portable/ed25519.js';
import { bytesOf } from './fake-bytes.js';
import type { FakeFiles } from './fake-files.js';
import type { FakeSocket } from './fake-socket.js';
import type { FakeTime } from './fake-time.js';

/** One process on a device: everything the SDK needs, none of it real but the cryptography. */
export interface FakeHostParts {
  readonly name: string;
  readonly time: FakeTime;
  readonly files: FakeFiles;
  isAlive(id: string): boolean;
  /** @returns `null` while the server cannot be reached */
  accept(path: string, events: SocketEvents): FakeSocket | null;
}

export function fakeHost({ name, time, files, isAlive, accept }: FakeHostParts): Host {
  let drawn = 0;
  return {
    clock: time,
    process: { id: name, pid: null, isAlive },
    randomBytes: (count) => bytesOf(`${name}/${drawn++}`, count),
    sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))),
    signingKey: (seed) => portableEd25519.signingKey(seed),
    verify: (publicKey, message, signature) => portableEd25519.verify(publicKey, message, signature),
    openSocket: async (url, { signal }, events): Promise<Socket> => {
      if (signal?.aborted === true) throw new BerthError('CANCELLED');
      const socket = accept(new URL(url).pathname, events);
      if (socket === null) throw new BerthError('UNREACHABLE', { message: 'The fake server was dropped.' });
      return {
        send: (text) => socket.receive(text),
        close: () => socket.close(1000),
        exporter: () => null,
      };
    },
    fetchUnchecked: async () => {
      throw new BerthError('UNREACHABLE', {
        message: 'The fake server has no join links: it is joined already.',
      });
    },
    files: () => files,
    setTimer: (callback, delayMs) => time.setTimer(callback, delayMs),
    keepAlive: () => () => undefined,
    env: () => undefined,
    deviceName: () => 'a fake device',
  };
}
