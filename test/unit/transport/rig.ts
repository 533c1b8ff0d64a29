// A real listener over real TLS with a small gate behind it: a few devices, real Ed25519, handlers the test chooses.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { type PathName, type Role, requests } from '@berth/protocol';
import type { Gate, Handlers, Identity } from '@berth/server/transport/api';
import { createAuthority, issueServerCertificate } from '@berth/server/transport/certificates';
import type { TransportEvent } from '@berth/server/transport/events';
import type { TransportLimits } from '@berth/server/transport/limits';
import { Listener, type ListenerOptions } from '@berth/server/transport/listener';
import { onTestFinished } from 'vitest';

const authority = await createAuthority('Transport tests', Date.now());
export const caPem = authority.certPem;
const certificate = await issueServerCertificate(authority, {
  names: ['127.0.0.1', 'localhost'],
  days: 1,
  nowMs: Date.now(),
});
export const tls = { key: certificate.keyPem, cert: certificate.certPem, ca: caPem };

export interface KeyPair {
  readonly text: string;
  sign(message: Uint8Array): Uint8Array;
}

export function newKeyPair(): KeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  return keyPairOf(privateKey);
}

function keyPairOf(privateKey: KeyObject): KeyPair {
  const { x } = createPublicKey(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))).export(
    {
      format: 'jwk',
    },
  );
  return { text: `ed25519:${x}`, sign: (message) => sign(null, message, privateKey) };
}

export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, signature);
}

/** Remembers every event, and waits for those that have yet to come. */
export class Events {
  readonly all: TransportEvent[] = [];
  #waiting: (() => void)[] = [];

  readonly record = (event: TransportEvent): void => {
    this.all.push(event);
    for (const look of this.#waiting.splice(0)) look();
  };

  async first<T extends TransportEvent['type']>(
    type: T,
    fits: (event: Extract<TransportEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<TransportEvent, { type: T }>> {
    const isWanted = (event: TransportEvent): event is Extract<TransportEvent, { type: T }> =>
      event.type === type && fits(event as Extract<TransportEvent, { type: T }>);
    for (;;) {
      const found = this.all.find(isWanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

export interface RigOptions {
  readonly limits?: Partial<TransportLimits>;
  readonly handlers?: Partial<Handlers>;
  readonly gate?: Partial<Gate>;
  readonly listener?: Partial<ListenerOptions>;
}

export class Rig {
  readonly events = new Events();
  readonly serverKey = newKeyPair();
  readonly gate: Gate;
  /** What `identify` knows: change it to enrol or forget a device. */
  readonly devices = new Map<string, { readonly path: PathName; readonly identity: Identity }>();
  /** What `roleOf` answers. */
  readonly roles = new Map<string, Role>();
  readonly #options: RigOptions;
  #listener: Listener | undefined;

  constructor(options: RigOptions) {
    this.#options = options;
    this.gate = {
      server: { id: 'srv-1', key: this.serverKey.text },
      organisation: { name: 'Light & Sons' },
      leaseSeconds: 120,
      adminAddress: null,
      handlers: handlersWith(options.handlers ?? {}),
      nowMs: () => Date.now(),
      monoMs: () => performance.now(),
      randomText: (bytes) => randomBytes(bytes).toString('base64url'),
      sign: (message) => this.serverKey.sign(message),
      verify: verifyEd25519,
      identify: (key, path) => {
        const device = this.devices.get(key);
        return device?.path === path ? device.identity : null;
      },
      roleOf: (email) => this.roles.get(email) ?? null,
      witnessed: () => {},
      readmits: false,
      enrol: async () => ({ ok: false, code: 'INVITATION_INVALID' }),
      ...options.gate,
    };
  }

  get listener(): Listener {
    if (this.#listener === undefined) throw new Error('The rig was not started');
    return this.#listener;
  }

  async start(): Promise<void> {
    this.#listener = await Listener.start({
      gate: this.gate,
      tls,
      host: '127.0.0.1',
      port: 0,
      http: {
        live: () => ({ ok: true, reason: 'running' }),
        ready: () => ({ ok: true, reason: 'serving' }),
        metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'berth_up 1\n' }),
        caPem,
      },
      onEvent: this.events.record,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      limits: this.#options.limits ?? {},
      ...this.#options.listener,
    });
  }

  /** A device that may open a session on `path`. */
  enrolled(path: PathName = 'lease', role: Role = 'user', id = 'dev-1'): KeyPair {
    const keys = newKeyPair();
    const email = `${id}@example.com`;
    this.roles.set(email, role);
    const user = { email, name: 'Ada', role, state: 'active' } as const;
    this.devices.set(keys.text, { path, identity: { device: { id, name: 'Workstation' }, user } });
    return keys;
  }
}

/** Started, and stopped at the end of the test. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const rig = new Rig(options);
  await rig.start();
  onTestFinished(() => rig.listener.stop());
  return rig;
}

function handlersWith(given: Partial<Handlers>): Handlers {
  const missing = async () => {
    throw new Error('The test has no handler for this method');
  };
  const all = Object.fromEntries(Object.keys(requests).map((method) => [method, missing]));
  return { ...(all as unknown as Handlers), ...given };
}
