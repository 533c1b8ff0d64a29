import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../system/network.js';
import { Started } from '../system/process.js';
import type { Random } from '../system/random.js';
import { until, within } from '../system/waiting.js';
import { Admin } from './admin.js';
import type { CrowdOrders } from './crowd.js';
import type { Orders } from './doomed-berthd.js';
import { Judge } from './judge.js';
import type { Doom } from './points.js';
import { copyTemplate, LEASE_SECONDS, type Template } from './template.js';

/** The two programs that are started again and again. */
export interface Programs {
  readonly server: string;
  readonly crowd: string;
}

export interface GenerationOptions {
  readonly folder: string;
  readonly template: Template;
  readonly programs: Programs;
  readonly random: Random;
  /** Among which the clients are spread. */
  readonly processes: number;
}

/** How the server of a round died: of its doom, because that did not come in time, or of something that must not be. */
export type Death = 'doom' | 'clock' | { readonly fault: string };

/** How likely a round kills a process of clients. */
const CROWD_DIES = 0.08;

/** A crowd of clients in a few processes, and the server that is killed again and again, in a folder of their own. */
export class Generation {
  readonly judge: Judge;
  readonly #options: GenerationOptions;
  readonly #port: number;
  readonly #crowds: { readonly orders: CrowdOrders; process: Started }[];
  readonly #admin: Admin;
  readonly #all: Started[] = [];
  /** What admins and replaced crowds were found to be at fault with. */
  readonly #faults: string[] = [];
  /** After this nothing is meddled with any more. */
  readonly #over = new AbortController();
  /** Loaded already, and waiting for its orders. */
  #next: Started;

  static async open(options: GenerationOptions): Promise<Generation> {
    await copyTemplate(options.template, options.folder);
    return new Generation(options, await freePort());
  }

  private constructor(options: GenerationOptions, port: number) {
    const { folder, template, random, processes } = options;
    this.#options = options;
    this.#port = port;
    this.judge = new Judge(folder, template.site);
    this.#next = this.#load();
    this.#admin = new Admin(folder, `127.0.0.1:${port}`, template, random);
    this.#crowds = Array.from({ length: processes }, (_, at) => {
      const orders = this.#ordersOf(at);
      return { orders, process: this.#enter(orders) };
    });
  }

  /** One life of the server, at most `livesMs` from when it serves. It is dead when this resolves. */
  async live(doom: Doom, livesMs: number): Promise<Death> {
    const server = this.#next;
    server.tell(JSON.stringify(this.#serverOrders(doom)));
    const ready = (): boolean => !server.running || server.stdout.includes('"event":"serving"');
    await until('the server to serve', ready, START_MS, 10);
    this.#next = this.#load();
    this.#meddle(livesMs);
    const death = new AbortController();
    const byClock = pause(livesMs, 'clock' as const, { signal: death.signal }).catch(() => 'doom' as const);
    const cause = await Promise.race([server.exited.then(() => 'doom' as const), byClock]);
    death.abort();
    const { signal, code, stderr, stdout } = await server.kill();
    if (signal !== 'SIGKILL') return { fault: `the server ended by itself (${code}): ${stdout}${stderr}` };
    return cause;
  }

  /** Since it was asked last: processes of clients that ended although nobody killed them, and deeds of admins that failed as none may. */
  faults(): string[] {
    const ended = this.#crowds.filter(({ process }) => !process.running);
    return [...this.#faults.splice(0), ...ended.map(({ process }) => failed(process))];
  }

  /** A last server without a doom, stopped by SIGTERM. @param free until every seat that is not borrowed is free */
  async finish(free: boolean): Promise<string[]> {
    this.#over.abort();
    const faults = this.faults();
    const server = this.#next;
    server.tell(JSON.stringify(this.#serverOrders({ point: 'random', at: 1 })));
    await until(
      'the last server to serve',
      () => !server.running || server.stdout.includes('serving'),
      START_MS,
    );
    await Promise.all(this.#crowds.map(({ process }) => process.kill()));
    const stuck = free ? await this.#admin.seatsInUse(FREE_MS) : [];
    await this.#admin.close();
    server.signal('SIGTERM');
    const { code, stdout, stderr } = await within('the last server to stop', server.exited, 15_000);
    const ended = code === 0 ? [] : [`the last server exited ${code}: ${stdout}${stderr}`];
    return [...faults, ...this.#faults.splice(0), ...stuck, ...ended];
  }

  /** Ends every process, by its pid. */
  async close(): Promise<void> {
    this.#over.abort();
    await Promise.allSettled(this.#all.map((process) => process.kill()));
    await this.#admin.close();
  }

  /** What an admin still waits for when the server dies is not waited for: the next server answers it. */
  #meddle(livesMs: number): void {
    const { random } = this.#options;
    for (let count = random.between(0, 2); count > 0; count--)
      void this.#later(random.between(0, livesMs), () => this.#admin.deed());
    if (random.chance(CROWD_DIES)) void this.#later(random.between(0, livesMs), () => this.#replace());
  }

  /** Never rejects: what fails is a fault. */
  async #later(afterMs: number, deed: () => Promise<void>): Promise<void> {
    const { signal } = this.#over;
    await pause(afterMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await deed().catch((error: unknown) => {
      this.#faults.push(`a deed of an admin failed: ${error instanceof Error ? error.stack : error}`);
    });
  }

  async #replace(): Promise<void> {
    const crowd = this.#options.random.pick(this.#crowds);
    if (!crowd.process.running) this.#faults.push(failed(crowd.process));
    await crowd.process.kill();
    // Nobody would end it.
    if (this.#over.signal.aborted) return;
    crowd.process = this.#enter(crowd.orders);
  }

  #ordersOf(at: number): CrowdOrders {
    const { folder, template, processes } = this.#options;
    const members = template.members.filter((_, index) => index % processes === at);
    return {
      logs: join(folder, 'logs'),
      vendorKey: template.site.vendorKey,
      server: `127.0.0.1:${this.#port}`,
      seed: 0,
      members: members.map((member) => ({ ...member, home: join(folder, member.home) })),
    };
  }

  #enter(orders: CrowdOrders): Started {
    const words = JSON.stringify({ ...orders, seed: this.#options.random.between(0, 2 ** 31) });
    return this.#start([this.#options.programs.crowd, words]);
  }

  #load(): Started {
    return this.#start([this.#options.programs.server, join(this.#options.folder, 'data')]);
  }

  #start(argv: readonly string[]): Started {
    const started = new Started({ argv: [process.execPath, ...argv] });
    this.#all.push(started);
    return started;
  }

  #serverOrders(doom: Doom): Orders {
    const settings = {
      listen: `127.0.0.1:${this.#port}`,
      'lease-seconds': LEASE_SECONDS,
      'log-level': 'warn',
      // Everybody comes from one address here, at once.
      'limits-handshakes-per-second-per-address': 1000,
    };
    return { ...doom, settings };
  }
}

/** A start replays a journal of some thousand records; a machine may be busy with other things. */
const START_MS = 60_000;
/** W of a lease, and what a busy machine takes. */
const FREE_MS = LEASE_SECONDS * 1002 + 10_000 + 20_000;

function failed({ stderr }: Started): string {
  return `a process of clients failed: ${stderr.slice(0, 2000)}`;
}
