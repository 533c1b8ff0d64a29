import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Actor } from './actor.js';
import { type Ended, type Line, Running, until } from './running.js';

/** From examples/dist/demo/ to the root of the repository. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const berthd = join(root, 'server/bin/berthd.js');
const berth = join(root, 'admin-cli/bin/berth.js');
const plugin = fileURLToPath(new URL('./plugin.js', import.meta.url));

/** D: short, so that the seat of a killed plugin is free in about D + 10 s. Configuration, not special code. */
export const LEASE_SECONDS = 5;

/** What a command printed; `json` when it was asked for it. */
export interface Printed extends Ended {
  readonly json: Line;
}

/** The temporary folder, the processes in it, and how to get rid of both. */
export class Stage {
  readonly data: string;
  server: Running | null = null;
  readonly #running = new Set<Running>();
  #struck: Promise<void> | null = null;

  private constructor(
    readonly folder: string,
    readonly port: number,
  ) {
    this.data = join(folder, 'data');
  }

  static async set(): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'berth-demo-')), await freePort());
  }

  /** A folder instead of a home: on real computers it is ~/.config/berth and ~/.local/state/berth. */
  home(email: string): string {
    return join(this.folder, 'homes', email.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));
  }

  /** Runs `berth`; whatever its exit code. */
  berth(email: string, ...args: string[]): Promise<Printed> {
    return this.#run([berth, ...args], { BERTH_HOME: this.home(email) });
  }

  /** Runs `berth … --json`, which must succeed. */
  async must(email: string, ...args: string[]): Promise<Line> {
    const printed = await this.berth(email, ...args, '--json');
    if (printed.code !== 0)
      throw new Error(`berth ${args.join(' ')} exited ${printed.code}: ${printed.stderr.trim()}`);
    return printed.json;
  }

  async berthd(...args: string[]): Promise<Line> {
    const printed = await this.#run([berthd, ...args, '--json'], {});
    if (printed.code !== 0)
      throw new Error(`berthd ${args.join(' ')} exited ${printed.code}: ${printed.stderr.trim()}`);
    return printed.json;
  }

  /** Starts berthd and waits until /readyz says 200. */
  async serve(): Promise<void> {
    const server = this.#start(
      [berthd, 'serve', '--data', this.data, '--lease-seconds', String(LEASE_SECONDS)],
      {},
    );
    this.server = server;
    await server.hear('serving', ({ msg }) => msg === 'serving');
    await until('/readyz says 200', () => this.#isReady(), 10_000, 50);
  }

  async endServer(signal: 'SIGKILL' | 'SIGTERM'): Promise<Ended> {
    const server = this.server;
    if (server === null) throw new Error('no server runs');
    server.signal(signal);
    this.server = null;
    return server.ended;
  }

  /** A plugin process of this person that has connected. */
  async plugin(email: string, product: string, vendorKey: string): Promise<Actor> {
    const running = this.#start([plugin, product, vendorKey], { BERTH_HOME: this.home(email) });
    await running.hear('connected', ({ event }) => event === 'connected');
    return new Actor(email, running);
  }

  get isStruck(): boolean {
    return this.#struck !== null;
  }

  /** Ends every process it started, by pid, and removes the folder; once, whoever calls. */
  strike(): Promise<void> {
    this.#struck ??= this.#strike();
    return this.#struck;
  }

  async #strike(): Promise<void> {
    for (const running of this.#running) running.signal('SIGKILL');
    await Promise.allSettled([...this.#running].map((running) => running.ended));
    await rm(this.folder, { recursive: true, force: true });
  }

  #start(argv: readonly string[], env: Readonly<Record<string, string>>): Running {
    if (this.#struck !== null) throw new Error('the demo is over');
    // What is set here for another licence server must not leak into this one.
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('BERTH'));
    const running = new Running(argv, { ...Object.fromEntries(own), ...env, NO_COLOR: '1' });
    this.#running.add(running);
    return running;
  }

  async #run(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Printed> {
    const running = this.#start(argv, env);
    running.closeInput();
    const ended = await running.ended;
    this.#running.delete(running);
    const isJson = ended.stdout.startsWith('{');
    return { ...ended, json: isJson ? (JSON.parse(ended.stdout) as Line) : {} };
  }

  #isReady(): Promise<boolean> {
    const options = {
      host: '127.0.0.1',
      port: this.port,
      path: '/readyz',
      rejectUnauthorized: false,
      agent: false,
    };
    return new Promise((resolve) => {
      get(options, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      }).on('error', () => resolve(false));
    });
  }
}

/** Bound to port 0 first, so that the system picks one that is free. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
