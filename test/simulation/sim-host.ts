import { hash } from 'node:crypto';
import { BerthError, type Files, type Host, type Socket, type SocketEvents } from '@berth/client';
import { encodeBase64Url } from '@berth/protocol';
import type { Happening } from '../auditor/history.js';
import { Observer } from '../auditor/observer.js';
import type { SimClock } from './sim-clock.js';
import type { SimCrypto } from './sim-crypto.js';
import type { Line, SimNetwork } from './sim-network.js';
import type { Dice } from './sim-random.js';
import type { SimServer } from './sim-server.js';
import type { Owner, SimTime } from './sim-time.js';

/** What one process of a client lives in. */
export interface HostParts {
  readonly time: SimTime;
  readonly network: SimNetwork;
  readonly server: SimServer;
  readonly crypto: SimCrypto;
  readonly dice: Dice;
  readonly clock: SimClock;
  readonly files: Files;
  readonly line: Line;
  readonly owner: Owner;
  readonly processId: string;
  isAlive(processId: string): boolean;
  record(happening: Happening): void;
  /** A frame left the process, or reached it. */
  passed(direction: '>' | '<', text: string): void;
}

const CA = 'the authority';
/** As Node's `setTimeout`: what is left of a deadline may be a part of a nanosecond, which added to a late moment is that moment (seed 100). */
const SHORTEST_TIMER_MS = 1;

/** As short as what only has to be random; nonces and keys are longer. */
const SHORT_BYTES = 8;

/**
 * The state of dice has 32 bits: in a large seed the streams of two processes may meet, and what only one of them ever makes would come twice (seed 100). So
 * each process makes nonces and keys of its own of the same throws.
 */
function unique(dice: Dice, processId: string): (count: number) => Uint8Array {
  const own = hash('sha256', processId, 'buffer');
  return (count) => {
    const bytes = dice.bytes(count);
    return count <= SHORT_BYTES ? bytes : bytes.map((byte, at) => byte ^ own[at % own.length]!);
  };
}

/** A computer for the SDK: everything it would get from Node comes from the simulation. */
export function simHost(parts: HostParts): Host {
  const { time, network, server, crypto, dice, clock, owner, line } = parts;
  return {
    clock,
    process: { id: parts.processId, pid: 1, isAlive: (id) => parts.isAlive(id) },
    randomBytes: unique(dice, parts.processId),
    sha256: async (bytes) => hash('sha256', bytes, 'buffer'),
    signingKey: (seed) => crypto.signingKey(seed),
    verify: crypto.verify,
    openSocket: async (url, options, events) => {
      const observer = new Observer(parts.record, () => time.nowMs);
      return tapped(
        observer,
        parts,
        await network.open(pathOf(url), { owner, line }, server, options, listening(observer, events, parts)),
      );
    },
    fetchUnchecked: async (url) => {
      await time.sleep(network.latencyMs(), owner);
      if (!server.isUp) throw new BerthError('UNREACHABLE');
      const sha256 = encodeBase64Url(hash('sha256', CA, 'buffer'));
      return server.authority(new URL(url).searchParams.get('nonce') ?? '', CA, sha256);
    },
    files: () => parts.files,
    setTimer: (callback, delayMs) => time.after(Math.max(SHORTEST_TIMER_MS, delayMs), owner, callback),
    keepAlive: () => () => {},
    env: () => undefined,
    deviceName: () => parts.processId.split('/')[0]!,
  };
}

/** `wss://host:port/path`, as the SDK makes it. */
function pathOf(url: string): string {
  return url.slice(url.indexOf('/', 'wss://'.length));
}

function listening(observer: Observer, events: SocketEvents, parts: HostParts): SocketEvents {
  return {
    onMessage: (text) => {
      parts.passed('<', text);
      observer.heard(text);
      events.onMessage(text);
    },
    onClose: (code) => events.onClose(code),
  };
}

function tapped(observer: Observer, parts: HostParts, socket: Socket): Socket {
  return {
    send: (text) => {
      parts.passed('>', text);
      observer.sent(text);
      socket.send(text);
    },
    close: () => socket.close(),
    exporter: () => socket.exporter(),
  };
}
