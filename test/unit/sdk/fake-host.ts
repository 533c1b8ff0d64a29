import { createHash } from 'node:crypto';
import { BerthError, type Host, type Socket, type SocketEvents } from '@berth/client';
import { nativeEd25519 } from '@berth/client/internal';
import { FakeFiles } from './fake-files.js';
import type { FakeServer, ServerSocket } from './fake-server.js';
import { FakeTime } from './fake-time.js';

/** A computer with one process of the SDK: fake clocks, disk and network, real Ed25519. */
export class FakeHost implements Host {
  readonly clock: FakeTime;
  readonly files_: FakeFiles;
  readonly process: Host['process'];
  /** Reachable servers by `host:port`. */
  readonly network = new Map<string, FakeServer>();
  readonly environment: Record<string, string> = {};
  readonly openSockets = new Set<Socket>();
  /** Addresses in the order in which they were tried. */
  readonly dialled: string[] = [];
  holds = 0;
  /** Addresses that accept a connection and say nothing. */
  readonly hang = new Set<string>();
  #random = 0;

  constructor(
    options: { time?: FakeTime; files?: FakeFiles; processId?: string; alive?: (id: string) => boolean } = {},
  ) {
    this.clock = options.time ?? new FakeTime();
    this.files_ = options.files ?? new FakeFiles();
    const id = options.processId ?? 'process-1';
    this.process = { id, pid: 1, isAlive: (other) => other === id || (options.alive?.(other) ?? false) };
    this.#seed = id;
  }
  readonly #seed: string;

  /** Deterministic, different for each process. */
  randomBytes(count: number): Uint8Array {
    const bytes = createHash('sha512')
      .update(`${this.#seed}/${this.#random++}`)
      .digest();
    return new Uint8Array(bytes.subarray(0, count));
  }
  async sha256(bytes: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(createHash('sha256').update(bytes).digest());
  }
  signingKey(seed: Uint8Array) {
    return nativeEd25519.signingKey(seed);
  }
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return nativeEd25519.verify(publicKey, message, signature);
  }

  async openSocket(
    url: string,
    options: { caPem?: string | undefined; signal?: AbortSignal | undefined },
    events: SocketEvents,
  ): Promise<Socket> {
    const { host: address, pathname } = new URL(url);
    this.dialled.push(address);
    if (options.signal?.aborted === true) throw new BerthError('CANCELLED');
    const server = this.network.get(address);
    if (server === undefined) throw new BerthError('UNREACHABLE', { message: 'Nothing listens there.' });
    if (this.hang.has(address)) return hanging(options.signal);
    if (options.caPem !== server.caPem) throw new BerthError('CERTIFICATE_UNTRUSTED');
    let end: ServerSocket | null = null;
    const socket: Socket = {
      send: (text) => end?.receive(text),
      close: () => end?.closedByClient(),
      exporter: () => server.binding,
    };
    end = server.accept(pathname, {
      onMessage: (text) => queueMicrotask(() => events.onMessage(text)),
      onClose: (code) => {
        if (!this.openSockets.delete(socket)) return;
        queueMicrotask(() => events.onClose(code));
      },
    });
    this.openSockets.add(socket);
    return socket;
  }

  async fetchUnchecked(url: string): Promise<string> {
    const { host: address, searchParams } = new URL(url);
    const server = this.network.get(address);
    if (server === undefined) throw new BerthError('UNREACHABLE');
    return server.authority(searchParams.get('nonce') ?? '');
  }

  files(): FakeFiles {
    return this.files_;
  }
  setTimer(callback: () => void, delayMs: number): () => void {
    return this.clock.setTimer(callback, delayMs);
  }
  keepAlive(): () => void {
    this.holds++;
    let held = true;
    return () => {
      if (held) this.holds--;
      held = false;
    };
  }
  env(name: string): string | undefined {
    return this.environment[name];
  }
  deviceName(): string {
    return 'workstation';
  }
}

/** Accepts and says nothing, until somebody gives up. */
function hanging(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new BerthError('CANCELLED')), { once: true });
  });
}
