import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminConnection, joinServer, newIdempotencyKey, openAdmin } from '@berth/client';
import type { Pool } from '@berth/protocol';
import {
  audit,
  auditDurability,
  type Case,
  readHistory,
  readJournal,
  type Verdict,
} from '../auditor/auditor.js';
import type { Entry } from '../auditor/history.js';
import { tappedHost } from '../torture/tapped-host.js';
import { freePort, httpGet } from './network.js';
import { bins, pluginFile, preloads } from './paths.js';
import { type Exit, Started } from './process.js';
import { copyTemplate, TEMPLATE } from './site-template.js';
import { type Terms, wordsOf } from './terms.js';
import { until, within } from './waiting.js';

/** Somebody who joined, with a folder of their own instead of a home. */
export interface Person {
  readonly email: string;
  readonly home: string;
}

export interface Ran extends Exit {
  /** stdout as JSON, for a command that was run with --json. */
  readonly json: Json;
}
// What a command prints is looked into, not modelled: a test says which members it expects.
export type Json = ReturnType<typeof JSON.parse>;

export interface BerthOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** How far its wall clock is off, ms (skew.ts). */
  readonly skewMs?: number;
}

export interface SiteOptions {
  /** D, seconds. */
  readonly leaseSeconds?: number;
  /** Instead of a folder under the system's temporary one. */
  readonly under?: string;
  /** For the first `berthd serve`. */
  readonly flags?: readonly string[];
}

/** A studio in a temporary folder: vendor, server, owner and people, all real processes on the real programs. */
export class Site {
  readonly owner: Person;
  readonly data: string;
  readonly logs: string;
  readonly vendor: string;
  vendorKey = '';
  serverKey = '';
  ownerLink = '';
  server: Started | null = null;
  readonly #processes: Started[] = [];

  private constructor(
    readonly folder: string,
    readonly port: number,
    /** D of what is granted from the next start of the server on. */
    public leaseSeconds: number,
  ) {
    this.data = join(folder, 'data');
    this.logs = join(folder, 'logs');
    this.vendor = join(folder, 'vendor');
    this.owner = this.person('it@studio.example');
  }

  /** A folder and a port; nothing runs yet. */
  static async found(options: SiteOptions = {}): Promise<Site> {
    const folder = await mkdtemp(join(options.under ?? tmpdir(), 'berth-site-'));
    const site = new Site(folder, await freePort(), options.leaseSeconds ?? 3);
    await mkdir(site.logs);
    return site;
  }

  /** Vendor keys, a server that serves, and its owner joined. Flags may say something of the join: then it is not a copy. */
  static async open(options: SiteOptions = {}): Promise<Site> {
    const site = await Site.found(options);
    const template = options.flags === undefined ? process.env[TEMPLATE] : undefined;
    try {
      if (template === undefined) {
        await Promise.all([site.keygen(), site.init()]);
        await site.serve(options.flags);
        await site.joinWith(site.owner, site.ownerLink);
      } else {
        const { vendorKey, serverKey, ownerLink } = await copyTemplate(template, site);
        Object.assign(site, { vendorKey, serverKey, ownerLink });
        await site.serve();
      }
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  person(email: string): Person {
    return { email, home: join(this.folder, 'homes', email.replaceAll(/[^a-z0-9]+/g, '-')) };
  }

  async keygen(): Promise<void> {
    const { json } = await this.berthOk(this.owner, ['vendor', 'keygen', '--out', this.vendor, '--json']);
    this.vendorKey = json.publicKey;
  }

  async init(): Promise<void> {
    const { json } = await this.berthd([
      'init',
      '--data',
      this.data,
      '--owner',
      this.owner.email,
      '--name',
      'Studio',
      '--listen',
      this.address,
      '--json',
    ]);
    this.serverKey = json.serverKey;
    this.ownerLink = json.link;
  }

  /**
   * Starts berthd without waiting for it.
   * @param skewMs how far its wall clock is off (skew.ts)
   * @param under words before the command, such as those of a shell that sets a limit and then becomes it
   */
  launch(flags: readonly string[] = [], skewMs = 0, under: readonly string[] = []): Started {
    return this.start({
      env: { BERTH_SKEW_MS: String(skewMs), BERTH_SKEW_FILE: join(this.folder, 'skew') },
      argv: [
        ...under,
        process.execPath,
        ...(skewMs === 0 ? [] : ['--import', preloads.skew]),
        bins.berthd,
        'serve',
        '--data',
        this.data,
        '--lease-seconds',
        String(this.leaseSeconds),
        ...flags,
      ],
    });
  }

  /** Starts berthd and waits until it says that it is ready. */
  async serve(flags: readonly string[] = [], skewMs = 0, under: readonly string[] = []): Promise<Started> {
    const server = this.launch(flags, skewMs, under);
    this.server = server;
    await until('berthd to log that it serves', () => {
      if (!server.running) throw new Error(`berthd ended:\n${server.stdout}\n${server.stderr}`);
      return server.stdout.includes('"msg":"serving"');
    });
    await until('/readyz', async () => (await this.http('/readyz')).status === 200, undefined, 100);
    return server;
  }

  async kill(): Promise<void> {
    await this.server?.kill();
    this.server = null;
  }

  async restart(): Promise<Started> {
    await this.kill();
    return this.serve();
  }

  /** SIGTERM, and its exit. */
  async stop(): Promise<Exit> {
    const server = this.server;
    if (server === null) throw new Error('No server runs');
    server.signal('SIGTERM');
    const exit = await within('berthd to stop', server.exited, 12_000);
    this.server = null;
    return exit;
  }

  http(path: string): ReturnType<typeof httpGet> {
    return httpGet(this.port, path);
  }

  /** A berthd command that ends by itself and must succeed, with --json. */
  async berthd(args: readonly string[]): Promise<Ran> {
    const ran = await this.#run([process.execPath, bins.berthd, ...args], {});
    if (ran.code !== 0) throw new Error(`berthd ${args.join(' ')} exited ${ran.code}:\n${ran.stderr}`);
    return ran;
  }

  /** `berthd check --json`; what it found, whatever it is. */
  async check(data = this.data): Promise<Ran> {
    return this.#run([process.execPath, bins.berthd, 'check', '--data', data, '--json'], {});
  }

  berth(who: Person, args: readonly string[], options: BerthOptions = {}): Promise<Ran> {
    const { env, input, skewMs } = options;
    const [node, ...rest] = this.berthArgv(args);
    const argv = skewMs === undefined ? [node!, ...rest] : [node!, '--import', preloads.skew, ...rest];
    const skew = { BERTH_SKEW_MS: String(skewMs ?? 0) };
    return this.#run(argv, { ...this.environmentOf(who, 'berth'), ...skew, ...env }, input);
  }

  async berthOk(
    who: Person,
    args: readonly string[],
    options: { readonly input?: string } = {},
  ): Promise<Ran> {
    const ran = await this.berth(who, args, options);
    if (ran.code !== 0) throw new Error(`berth ${args.join(' ')} exited ${ran.code}:\n${ran.stderr}`);
    return ran;
  }

  /** With the tap: the auditor hears what the command hears. */
  berthArgv(args: readonly string[]): string[] {
    return [process.execPath, '--import', preloads.tap, bins.berth, ...args];
  }

  /** One of our own programs, heard by the auditor. */
  tapped(file: string): string[] {
    return [process.execPath, '--import', preloads.tap, file];
  }

  environmentOf(who: Person, name: string): Record<string, string> {
    return {
      BERTH_HOME: who.home,
      BERTH_TAP: this.logs,
      BERTH_TAP_NAME: `${name}-${who.email.split('@')[0]}`,
    };
  }

  async joinWith(who: Person, link: string): Promise<Ran> {
    return this.berthOk(who, ['join', link, '--json']);
  }

  async invite(email: string, ...more: string[]): Promise<string> {
    return (await this.berthOk(this.owner, ['user', 'invite', email, '--json', ...more])).json.link;
  }

  /** Invited and joined, all at once, in this process. The commands have tests of their own. */
  async hire(...emails: string[]): Promise<Person[]> {
    return this.#asOwner((admin) =>
      Promise.all(
        emails.map(async (email) => {
          const person = this.person(email);
          const { link } = await admin.call('user.invite', { key: newIdempotencyKey(), email });
          const host = tappedHost(this.logs, `join-${email.split('@')[0]}`);
          await joinServer({ link, home: person.home, host });
          return person;
        }),
      ),
    );
  }

  /** As `berth` would, without the second that a command costs; the auditor hears it. */
  async #asOwner<T>(work: (admin: AdminConnection) => Promise<T>): Promise<T> {
    const admin = await openAdmin({ home: this.owner.home, host: tappedHost(this.logs, 'owner') });
    try {
      return await work(admin);
    } finally {
      await admin.close();
    }
  }

  /** Signed by the vendor, not imported. @returns the file */
  async issue(terms: Terms): Promise<string> {
    const out = join(this.folder, `${process.hrtime.bigint()}.ent`);
    const vendor = ['--key', join(this.vendor, 'vendor.key'), '--server', this.serverKey];
    await this.berthOk(this.owner, ['vendor', 'issue', ...vendor, ...wordsOf(terms), '--out', out]);
    return out;
  }

  async grant(terms: Terms): Promise<string> {
    const file = await this.issue(terms);
    const entitlement = (await readFile(file, 'utf8')).trim();
    await this.#asOwner((admin) =>
      admin.call('entitlement.import', { key: newIdempotencyKey(), entitlement }),
    );
    return file;
  }

  /** The seats of a product. In this process, since a command costs a second; the auditor is told what was seen. */
  async pool(product = 'render'): Promise<Pool> {
    const admin = await openAdmin({ home: this.owner.home });
    try {
      const sentAt = monotonicMs();
      const { pools } = await admin.call('pool.status', {});
      const moment = { t: monotonicMs(), wallMs: Date.now(), process: 'site' };
      const entry: Entry = { ...moment, event: 'status', sentAt, pools };
      await appendFile(join(this.logs, 'site.jsonl'), `${JSON.stringify(entry)}\n`);
      const pool = pools.find((candidate) => candidate.product === product);
      if (pool === undefined) throw new Error(`No pool of ${product}`);
      return pool;
    } finally {
      await admin.close();
    }
  }

  /** A plugin process of this person (plugin.ts). @param servers instead of those the person joined */
  plugin(who: Person, orders: Record<string, unknown> = {}, servers?: string): Started {
    const facts = JSON.stringify({ product: 'render', vendorKey: this.vendorKey, ...orders });
    return this.start({
      argv: [process.execPath, '--import', preloads.tap, pluginFile, facts],
      env: {
        ...this.environmentOf(who, 'plugin'),
        ...(servers === undefined ? {} : { BERTH_SERVERS: servers }),
      },
    });
  }

  start(start: ConstructorParameters<typeof Started>[0]): Started {
    const started = new Started(start);
    this.#processes.push(started);
    return started;
  }

  /** What the auditor judges now; with the journal, which must not be ahead of a client's log. */
  evidence(): Case {
    const entries = readHistory(this.logs);
    return {
      entries,
      vendorKey: this.vendorKey,
      serverKey: this.serverKey,
      journal: readJournal(this.data),
    };
  }

  audit(): Verdict {
    return audit(this.evidence());
  }

  auditDurability(): ReturnType<typeof auditDurability> {
    return auditDurability(this.evidence());
  }

  async write(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, text);
    return path;
  }

  /** Ends every process it started, by pid, and removes the folder. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#processes.map((started) => started.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #run(argv: string[], env: Record<string, string>, input?: string): Promise<Ran> {
    const started = this.start({ argv, env });
    started.endInput(input);
    const exit = await within(`the end of ${argv.slice(1).join(' ')}`, started.exited);
    return { ...exit, json: parse(exit.stdout) };
  }
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
