import { createHash } from 'node:crypto';
import type { Client, ConnectOptions, Context } from '@berth/client';
import { connectWith } from '@berth/client/internal';
import { formatSecretKey } from '@berth/protocol';
import { FakeFiles } from './fake-files.js';
import { FakeHost } from './fake-host.js';
import { FakeServer } from './fake-server.js';
import { FakeTime, settle } from './fake-time.js';

export const deviceSeed = new Uint8Array(createHash('sha256').update('device').digest());

export const context: Omit<Context, 'serverKey' | 'caPem'> = {
  name: 'studio',
  servers: ['berth:7433'],
  adminServers: null,
  serverId: 'srv-1',
  email: 'anna@example.com',
  device: 'dev-1',
  deviceName: 'workstation',
  scopes: ['lease', 'admin'],
  organisation: 'Studio',
  joinedWith: null,
};

/** One joined device and one server that it can reach at `berth:7433`. */
export class World {
  readonly time = new FakeTime();
  readonly files = new FakeFiles();
  readonly server: FakeServer;
  readonly host: FakeHost;

  constructor(entitlement: ConstructorParameters<typeof FakeServer>[1] = {}) {
    this.server = new FakeServer(this.time, entitlement);
    this.host = this.process('process-1');
    const joined: Context = { ...context, serverKey: this.server.keyText, caPem: this.server.caPem };
    this.files.contents.set('config/contexts/studio.json', JSON.stringify(joined));
    this.files.contents.set('config/current', 'studio\n');
    this.files.contents.set('state/studio/lease.key', formatSecretKey(deviceSeed));
  }

  /** Another process on the same device. @param alive whether this one sees others as running */
  process(processId: string, alive = true): FakeHost {
    const host = new FakeHost({ time: this.time, files: this.files, processId, alive: () => alive });
    host.network.set('berth:7433', this.server);
    return host;
  }

  options(more: Partial<ConnectOptions> = {}): ConnectOptions {
    return { product: 'render', vendorKeys: [this.server.vendorText], ...more };
  }

  async connect(more: Partial<ConnectOptions> = {}, host = this.host): Promise<Client> {
    return this.run(connectWith(host, this.options(more)));
  }

  /** Lets time go by, a little at a time, until the promise settles. */
  async run<T>(work: Promise<T>, limitMs = 300_000): Promise<T> {
    let done = false;
    const end = () => {
      done = true;
    };
    work.then(end, end);
    await settle();
    for (let ms = 0; !done && ms < limitMs; ms += 50) await this.time.advance(50);
    if (!done) throw new Error('it did not settle');
    return work;
  }

  cut(): void {
    for (const host of [this.host]) host.network.delete('berth:7433');
    this.server.dropAll();
  }

  mend(): void {
    this.host.network.set('berth:7433', this.server);
  }
}

export { settle };
