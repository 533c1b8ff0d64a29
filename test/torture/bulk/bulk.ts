import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type AdminConnection, openAdmin } from '@berth/client';
import type { BulkJobInfo, BulkRowInfo, MailInfo } from '@berth/protocol';
import { readJournal } from '../../auditor/journal-reader.js';
import type { Random } from '../../system/random.js';
import type { Ran, Site } from '../../system/site.js';
import { until } from '../../system/waiting.js';

export interface BulkReport {
  /** SIGKILLs while a job was under way. */
  kills: number;
  /** At how many decided rows of its job each came. */
  readonly at: number[];
  jobs: number;
  rows: number;
  mails: number;
  readonly found: string[];
}

export interface BulkOptions {
  readonly site: Site;
  readonly random: Random;
  readonly rows: number;
  readonly kills: number;
  readonly say: (line: string) => void;
}

/** The longest that a server lives from the moment its journal grows: a fraction of what a job of 10,000 rows takes. */
const LIVES_MS = 120;

/**
 * Invites thousands by bulk jobs while the server is killed at random moments, and judges what is left: every job complete, every row decided by
 * exactly one record of the journal, every person invited once, one mail to each. As many jobs as the kills need; they wait in line for one another.
 */
export async function killedInBulk(options: BulkOptions): Promise<BulkReport> {
  const { site, random, rows, say } = options;
  const report: BulkReport = { kills: 0, at: [], jobs: 0, rows: 0, mails: 0, found: [] };
  // A job that ends before the dice say when to kill is one more, but not for ever.
  while (report.kills < options.kills && report.jobs < 2 * options.kills) {
    const nth = ++report.jobs;
    const { command } = await started(site, nth, rows);
    while (report.kills < options.kills && (await killedWhileRunning(site, random, nth, rows, report)))
      say(`kill ${report.kills} at row ${report.at.at(-1)} of job ${nth}`);
    const job = await ended(site, nth);
    judgeCommand(await command, job, report);
  }
  if (report.kills < options.kills) report.found.push(`only ${report.kills} kills met a job under way`);
  await judgeReports(site, rows, report);
  await judgeMails(site, rows, report);
  await site.stop();
  judgeJournal(site, rows, report);
  const checked = await site.check();
  if (checked.code !== 0) report.found.push(`berthd check: ${checked.stdout}${checked.stderr}`);
  return report;
}

export interface Undisturbed {
  readonly rows: number;
  /** From the start of the command to its end. */
  readonly ms: number;
  /** The most memory that the command had, and that the server has had until then. */
  readonly commandMiB: number;
  readonly serverMiB: number;
}

/** One more job with nobody disturbing it: how long so many rows take, and how much memory. */
export async function undisturbed(site: Site, rows: number): Promise<Undisturbed> {
  const csv = await table(site, `undisturbed${rows}`, rows);
  const started = performance.now();
  const argv = site.berthArgv(['bulk', 'apply', 'invite', '--csv', csv, '--json']);
  const command = site.start({ argv, env: site.environmentOf(site.owner, 'berth') });
  let commandMiB = 0;
  while (command.running) {
    commandMiB = peakMiB(command.pid) ?? commandMiB;
    await pause(20);
  }
  const { code, stderr } = await command.exited;
  if (code !== 0) throw new Error(`berth bulk apply exited ${code}: ${stderr}`);
  const ms = Math.round(performance.now() - started);
  return { rows, ms, commandMiB, serverMiB: peakMiB(site.server!.pid) ?? 0 };
}

/** The most that a process has had in memory so far; `null`: it has ended. */
function peakMiB(pid: number): number | null {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Math.round(Number(kib) / 1024);
  } catch {
    return null;
  }
}

/** The command; it outlives the servers. Resolves when its job is in the journal, which alone is that long. */
async function started(site: Site, nth: number, rows: number): Promise<{ readonly command: Promise<Ran> }> {
  const csv = await table(site, `job${nth}`, rows);
  const before = await journalBytes(site);
  const command = site.berth(site.owner, ['bulk', 'apply', 'invite', '--csv', csv, '--json']);
  const ofRows = (await stat(csv)).size;
  await until(`job ${nth}`, async () => (await journalBytes(site)) > before + ofRows, 120_000, 5);
  // Before the head names it the job is nobody's: a start cuts it off, and the command sends its table again. Then its first row comes.
  const made = await journalBytes(site);
  await until(`a row of job ${nth}`, async () => (await journalBytes(site)) > made, undefined, 1);
  return { command };
}

async function journalBytes(site: Site): Promise<number> {
  const folder = join(site.data, 'journal');
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function table(site: Site, domain: string, rows: number): Promise<string> {
  const people = Array.from({ length: rows }, (_, at) => `p${at}@${domain}.example`);
  return site.write(`${domain}.csv`, `email\n${people.join('\n')}\n`);
}

/** Kills the server at some moment, and starts it again, not waiting until it is ready. False: the job had ended before. */
async function killedWhileRunning(
  site: Site,
  random: Random,
  nth: number,
  rows: number,
  report: BulkReport,
): Promise<boolean> {
  await pause(random.between(0, LIVES_MS));
  await site.kill();
  const at = decidedIn(site, nth);
  if (at === rows) {
    await site.serve();
    return false;
  }
  report.kills++;
  report.at.push(at);
  const before = await journalBytes(site);
  site.server = site.launch();
  await until('the journal to grow again', async () => (await journalBytes(site)) > before, undefined, 1);
  return true;
}

/** Rows that the journal has decided of the nth job. */
function decidedIn(site: Site, nth: number): number {
  return rowsIn(site)[nth - 1]?.size ?? 0;
}

/** Of each job in order: how often the journal has decided each row. */
function rowsIn(site: Site): Map<number, number>[] {
  const byJob = new Map<string, Map<number, number>>();
  for (const { changes } of readJournal(site.data).records)
    for (const change of changes) {
      if (change.type === 'job.made') byJob.set((change.job as { id: string }).id, new Map());
      if (change.type !== 'job.row') continue;
      const counts = byJob.get(String(change.job))!;
      counts.set(Number(change.index), (counts.get(Number(change.index)) ?? 0) + 1);
    }
  return [...byJob.values()];
}

async function ended(site: Site, nth: number): Promise<BulkJobInfo> {
  return until(
    `job ${nth} to end`,
    async () => {
      const all = await jobs(site).catch(() => []);
      const job = all[all.length - nth];
      return job?.endedAtMs !== undefined && job;
    },
    180_000,
  );
}

/** It tells how its job ended; or, when the server was gone for too long, that it was: the job goes on without it. */
function judgeCommand({ code, json, stderr }: Ran, job: BulkJobInfo, { found }: BulkReport): void {
  const isTold = code === 0 ? json?.job?.id === job.id : code === 5 && stderr.includes('UNREACHABLE');
  if (!isTold) found.push(`berth bulk apply exited ${code}: ${stderr}`);
}

async function judgeReports(site: Site, rows: number, report: BulkReport): Promise<void> {
  for (const job of (await jobs(site)).reverse()) {
    const { id, done, unchanged, failed } = job;
    if (done !== rows || unchanged !== 0 || failed !== 0)
      report.found.push(`job ${id}: ${done} done, ${unchanged} unchanged, ${failed} failed of ${rows}`);
    const items = await pages<BulkRowInfo>(site, (admin, cursor) =>
      admin.call('bulk.report', { id, ...cursor }),
    );
    const people = new Set(items.filter(({ verdict }) => verdict === 'done').map(({ email }) => email));
    if (items.length !== rows || people.size !== rows)
      report.found.push(`report of ${id}: ${items.length} rows, ${people.size} people`);
    report.rows += items.length;
  }
}

async function judgeMails(site: Site, rows: number, report: BulkReport): Promise<void> {
  const mails = await pages<MailInfo>(site, (admin, cursor) => admin.call('mail.list', cursor));
  const told = mails.map(({ to }) => to).filter((to) => /^p\d+@job\d+\.example$/.test(to));
  report.mails = told.length;
  if (told.length !== rows * report.jobs || new Set(told).size !== told.length)
    report.found.push(`${told.length} mails to ${new Set(told).size} people, of ${rows * report.jobs}`);
}

function judgeJournal(site: Site, rows: number, { jobs: made, found }: BulkReport): void {
  const byJob = rowsIn(site);
  if (byJob.length !== made) found.push(`the journal made ${byJob.length} jobs, not ${made}`);
  for (const [at, counts] of byJob.entries()) {
    const twice = [...counts].filter(([, times]) => times !== 1);
    if (counts.size !== rows || twice.length > 0)
      found.push(
        `job ${at + 1} in the journal: ${counts.size} rows, decided more than once: ${twice.join('; ')}`,
      );
  }
}

/** The newest first. */
async function jobs(site: Site): Promise<BulkJobInfo[]> {
  return pages<BulkJobInfo>(site, (admin, cursor) => admin.call('bulk.list', cursor));
}

async function pages<T>(
  site: Site,
  read: (
    admin: AdminConnection,
    cursor: { cursor?: string },
  ) => Promise<{ items: readonly T[]; next: string | null }>,
): Promise<T[]> {
  const admin = await openAdmin({ home: site.owner.home });
  const found: T[] = [];
  try {
    for (let next: string | null | undefined; next !== null; ) {
      const page = await read(admin, next === undefined ? {} : { cursor: next });
      found.push(...page.items);
      next = page.next;
    }
    return found;
  } finally {
    await admin.close();
  }
}
