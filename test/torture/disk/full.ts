import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readJournal } from '../../auditor/auditor.js';
import { freePort, httpGet } from '../../system/network.js';
import { bins } from '../../system/paths.js';
import { type Exit, Started } from '../../system/process.js';
import { MIB, type SmallDisk } from '../../system/small-disk.js';
import { until, within } from '../../system/waiting.js';
import type { CrowdOrders } from '../crowd.js';
import { Judge } from '../judge.js';
import { GrowingLogs } from '../logs.js';
import { copyTemplate, LEASE_SECONDS, type Template } from '../template.js';

export interface FullOptions {
  readonly template: Template;
  /** The program of the clients, bundled. */
  readonly crowd: string;
  /** Where clients keep their logs and what is judged: on a disk with space. */
  readonly folder: string;
  readonly disk: SmallDisk;
  readonly rounds: number;
  readonly seed: number;
  readonly onRound: (report: FullReport) => void;
}

export interface FullReport {
  rounds: number;
  /** How the server ended when there was no space left, by its code. */
  readonly ends: Record<string, number>;
  /** What starts on the full disk were refused with. */
  readonly refusals: Record<string, number>;
  /** While the disk was low. */
  renewalsWhileLow: number;
  releasesWhileLow: number;
  denialsWhileLow: number;
  tokens: number;
  records: number;
  readonly found: string[];
}

/** Below it nothing is granted. */
const LOW_MIB = 16;
const PLENTY = 40 * MIB;
const LOW = 8 * MIB;
/** So much is written down before the disk is filled. */
const RECORDS = 25;
const PATIENCE_MS = 120_000;

/**
 * Clients check out, renew, borrow and release on a server whose disk becomes low, then full, and then has space again. In each state it must
 * do what is promised of it, and everything that was acknowledged is looked for each time after the folder was opened anew.
 */
export async function fillUp(options: FullOptions): Promise<FullReport> {
  const { template, folder, disk, rounds, onRound } = options;
  await copyTemplate(template, folder);
  const data = join(disk.path, 'data');
  await cp(join(folder, 'data'), data, { recursive: true });
  await rm(join(folder, 'data'), { recursive: true });
  const filling = new Filling(options, data, await freePort());
  try {
    while (filling.report.rounds < rounds && filling.report.found.length === 0) {
      await filling.round();
      onRound(filling.report);
    }
    await filling.conclude();
    return filling.report;
  } finally {
    await filling.close();
  }
}

class Filling {
  readonly report: FullReport = {
    ...{ rounds: 0, ends: {}, refusals: {}, tokens: 0, records: 0, found: [] },
    ...{ renewalsWhileLow: 0, releasesWhileLow: 0, denialsWhileLow: 0 },
  };
  readonly #disk: SmallDisk;
  readonly #data: string;
  readonly #port: number;
  readonly #judge: Judge;
  /** What clients hear meanwhile; the judge reads everything once more. */
  readonly #ears: GrowingLogs;
  readonly #crowd: Started;
  readonly #processes: Started[] = [];
  #server: Started | null = null;

  constructor({ template, crowd, folder, disk, seed }: FullOptions, data: string, port: number) {
    this.#disk = disk;
    this.#data = data;
    this.#port = port;
    const { vendorKey, serverKey } = template.site;
    this.#judge = new Judge(folder, { vendorKey, serverKey }, data);
    this.#ears = new GrowingLogs(join(folder, 'logs'));
    const orders: CrowdOrders = {
      ...{ logs: join(folder, 'logs'), vendorKey, server: `127.0.0.1:${port}`, seed },
      members: template.members.map((member) => ({ ...member, home: join(folder, member.home) })),
    };
    this.#crowd = this.#start([crowd, JSON.stringify(orders)]);
  }

  async round(): Promise<void> {
    const { report } = this;
    await this.#disk.leaveFree(PLENTY);
    const server = this.#server ?? (await this.#serve());
    await this.#written('clients to work', RECORDS);
    await this.#low();
    await this.#disk.leaveFree(0);
    const exit = await within('the server to end on a full disk', server.exited, PATIENCE_MS);
    this.#server = null;
    report.rounds += 1;
    this.#expect(exit, /^(JOURNAL|STATE)_WRITE_FAILED$/, report.ends);
    await this.#judgeNow();
    for (let start = 0; start < 3; start++) await this.#startOnFull();
    await this.#judgeNow();
  }

  async conclude(): Promise<void> {
    const { report } = this;
    await this.#disk.leaveFree(PLENTY);
    const server = this.#server ?? (await this.#serve());
    await this.#written('clients to be served again', 1);
    if (!this.#crowd.running) report.found.push(`the clients failed: ${this.#crowd.stderr.slice(0, 2000)}`);
    await this.#crowd.kill();
    server.signal('SIGTERM');
    const { code, stderr } = await within('the server to stop', server.exited, 20_000);
    if (code !== 0) report.found.push(`the last server exited ${code}: ${stderr}`);
    const { findings, judged } = this.#judge.atEnd();
    for (const { rule, text } of findings) report.found.push(`${rule} ${text}`);
    Object.assign(report, { tokens: judged.tokens, records: judged.records });
  }

  /** Ends every process, by its pid. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#processes.map((each) => each.kill()));
  }

  /** Below the mark: nothing is granted, renewals and releases go on, for longer than a lease lives without them. */
  async #low(): Promise<void> {
    const { report } = this;
    await this.#disk.leaveFree(LOW);
    await until('DISK_LOW', async () => (await this.#ready()).includes('DISK_LOW'), PATIENCE_MS, 100);
    const lowSinceMs = Date.now();
    const from = readJournal(this.#data).records.length;
    this.#ears.more();
    const untilMs = performance.now() + LEASE_SECONDS * 1500;
    await until('a lease to need its renewals', () => performance.now() > untilMs, PATIENCE_MS, 100);
    const added = readJournal(this.#data).records.slice(from);
    const changes = added.flatMap((record) => record.changes);
    // What was decided before the look at the disk may become durable behind it.
    const granted = changes.filter(
      ({ type, lease }) =>
        type === 'lease.granted' && (lease as { grantedAtMs: number }).grantedAtMs > lowSinceMs,
    );
    if (granted.length > 0)
      report.found.push(`low on disk, and it granted ${granted.length}: ${JSON.stringify(granted[0])}`);
    for (const entry of this.#ears.more()) {
      if (entry.event === 'answer' && entry.method === 'lease.renew') report.renewalsWhileLow += 1;
      if (entry.event === 'confirmed') report.releasesWhileLow += 1;
      if (entry.event === 'denied' && entry.code === 'DISK_LOW') report.denialsWhileLow += 1;
    }
  }

  async #ready(): Promise<string> {
    return (await httpGet(this.#port, '/readyz')).body;
  }

  /** A supervisor tries again and again. It is refused with a reason, or it serves for as long as it can. */
  async #startOnFull(): Promise<void> {
    const server = this.#launch();
    const exit = await within('a start on a full disk to end', server.exited, PATIENCE_MS);
    this.#expect(exit, /^(STATE_OPEN_FAILED|(JOURNAL|STATE)_WRITE_FAILED)$/, this.report.refusals);
  }

  #expect({ code, stderr, stdout }: Exit, codes: RegExp, counts: Record<string, number>): void {
    const said = /^berthd: ([A-Z_]+) /m.exec(stderr)?.[1] ?? 'nothing';
    counts[said] = (counts[said] ?? 0) + 1;
    if (code === 1 && codes.test(said)) return;
    this.report.found.push(`on a full disk the server exited ${code} with ${said}: ${stderr}${stdout}`);
  }

  async #serve(): Promise<Started> {
    const server = this.#launch();
    this.#server = server;
    const serving = (): boolean => !server.running || server.stdout.includes('"msg":"serving"');
    await until('the server to serve', serving, PATIENCE_MS);
    const rebuilt = /"reason":"(?!the last \d+ runs did not end)[^"]*","msg":"the stored state/.exec(
      server.stdout,
    );
    if (rebuilt !== null) this.report.found.push(`the stored state was thrown away: ${rebuilt[0]}`);
    if (!server.running) this.report.found.push(`it does not serve with space again: ${server.stderr}`);
    return server;
  }

  async #written(what: string, records: number): Promise<void> {
    const from = readJournal(this.#data).records.length;
    await until(what, () => readJournal(this.#data).records.length >= from + records, PATIENCE_MS, 200);
  }

  async #judgeNow(): Promise<void> {
    const { rounds, found } = this.report;
    const faults = await this.#judge.afterKill(await this.#judge.setAside(rounds));
    found.push(...faults.map((text) => `round ${rounds}: ${text}`));
  }

  #launch(): Started {
    const flags = {
      listen: `127.0.0.1:${this.#port}`,
      'lease-seconds': LEASE_SECONDS,
      'disk-low-mib': LOW_MIB,
    };
    // Everybody comes from one address here, at once.
    const all = { ...flags, 'limits-handshakes-per-second-per-address': 1000 };
    const words = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return this.#start([bins.berthd, 'serve', '--data', this.#data, ...words]);
  }

  #start(argv: readonly string[]): Started {
    const started = new Started({ argv: [process.execPath, ...argv] });
    this.#processes.push(started);
    return started;
  }
}
