import { type AdminConnection, newIdempotencyKey } from '@berth/client';
import { limits } from '@berth/protocol';
import { rssMiB } from '../../hostile/measure.js';
import { until } from '../../system/waiting.js';
import { type BenchOptions, type Suite, settle } from '../bench.js';
import { BenchSite, limitLoad } from '../bench-site.js';
import type { LoadClient } from '../load-client.js';
import type { Measured } from '../orders.js';
import { cpuNs } from '../processor.js';
import { rowOf, type Title } from '../report.js';
import { percentile } from '../statistics.js';

const USERS = 100_000;
const LEASES = 100_000;
const ROWS = 10_000;
/** Questions in one run. */
const ASKED = 40;
/** Of the bare loop in turn with them, and before the first. */
const BARE_MS = 200;
const WARM_MS = 500;

type Question = (admin: AdminConnection, nth: number) => Promise<unknown>;

const questions: Readonly<Record<string, Question>> = {
  'pool.status': (admin) => admin.call('pool.status', {}),
  'organisation.show': (admin) => admin.call('organisation.show', {}),
  'user.list, a page': (admin, nth) => admin.call('user.list', { cursor: cursorAt(userAt(nth)) }),
  'user.list, by role and page': (admin, nth) => admin.call('user.list', { role: 'user', page: 1 + nth }),
  'user.list, by product and page': (admin, nth) =>
    admin.call('user.list', { product: 'paint', page: 1 + nth }),
  'user.list, search': (admin, nth) => admin.call('user.list', { search: `user${nth}77` }),
  'user.list, by name': (admin, nth) => admin.call('user.list', { sort: 'name', page: 1 + nth }),
  'user.list, most seats first': (admin, nth) =>
    admin.call('user.list', { sort: 'seats', descending: true, page: 1 + nth }),
  'lease.list, a page': (admin, nth) => admin.call('lease.list', { cursor: cursorAt(`render l${nth}`) }),
  'allocation.list, a page': (admin, nth) =>
    admin.call('allocation.list', { cursor: cursorAt(`${userAt(nth)} paint ent-paint`) }),
  'allocation.list, of a product': (admin, nth) =>
    admin.call('allocation.list', { product: 'paint', cursor: cursorAt(`${userAt(nth)} paint ent-paint`) }),
  'machine.list, a page': (admin) => admin.call('machine.list', {}),
  'mail.list, a page': (admin) => admin.call('mail.list', {}),
  'audit.list, the newest': (admin) => admin.call('audit.list', {}),
  'audit.list, of somebody': (admin, nth) => admin.call('audit.list', { user: userAt(nth) }),
};

function userAt(nth: number): string {
  return `user${(nth * 997) % USERS}@studio.example`;
}

function cursorAt(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** Of the answers of one run, the mean: those of a search are not all as long. */
async function lengthOf(admin: AdminConnection, question: Question): Promise<number> {
  let bytes = 0;
  for (let nth = 0; nth < ASKED; nth++)
    bytes += Buffer.byteLength(JSON.stringify(await question(admin, nth)));
  return Math.round(bytes / ASKED);
}

async function ask(
  options: BenchOptions,
  { site, loop }: { readonly site: BenchSite; readonly loop: LoadClient },
  name: string,
  question: Question,
): Promise<void> {
  const admin = await site.admin();
  const [measured, bare]: [Measured[], Measured[]] = [[], []];
  const bytes = await lengthOf(admin, question);
  for (let run = 0; run < options.runs; run++) {
    const tookMs: number[] = [];
    const [cpu, sinceMs] = [cpuNs(site.pid), performance.now()];
    for (let nth = 0; nth < ASKED; nth++) {
      const askedMs = performance.now();
      await question(admin, nth);
      tookMs.push(performance.now() - askedMs);
    }
    const [ms, serverCpuNs] = [performance.now() - sinceMs, cpuNs(site.pid) - cpu];
    const [p50Ms, p99Ms] = [percentile(tookMs, 0.5), percentile(tookMs, 0.99)];
    measured.push({
      operations: ASKED,
      ms,
      serverCpuNs,
      p50Ms,
      p99Ms,
      verified: 0,
      rssMiB: rssMiB(site.pid),
    });
    bare.push(await loop.run({ operation: 'echo', each: ASKED, ms: BARE_MS, product: '', bytes }));
  }
  const title = { suite: 'limit', case: `echo of ${bytes} bytes: ${name}`, connections: 1 };
  options.emit(rowOf(titled(name), measured, { title, runs: bare }));
  options.emit(rowOf(title, bare));
}

/** Ten thousand people invited by one job, from the first part of the table until the last row was decided. */
async function bulk({ emit, part }: BenchOptions, site: BenchSite): Promise<void> {
  const admin = await site.admin();
  const [cpu, sinceMs] = [cpuNs(site.pid), performance.now()];
  const upload = newIdempotencyKey();
  const all = ROWS * part;
  for (let from = 0; from < all; from += limits.bulkRowsPerPut / 4) {
    const rows = Array.from({ length: limits.bulkRowsPerPut / 4 }, (_, at) => ({
      ...{ line: from + at + 2, cells: [`p${from + at}@bulk.example`] },
    }));
    await admin.call('bulk.put', { upload, header: ['email'], from, rows });
  }
  const { job } = await admin.call('bulk.apply', { key: newIdempotencyKey(), upload, kind: 'invite' });
  const ended = await until('the bulk job to end', async () => {
    const [one] = (await admin.call('bulk.list', {})).items;
    return one?.id === job.id && one.endedAtMs !== undefined && one;
  });
  const [ms, serverCpuNs] = [performance.now() - sinceMs, cpuNs(site.pid) - cpu];
  if (ended.rows !== all || ended.failed > 0) throw new Error(`The bulk job: ${JSON.stringify(ended)}`);
  const one = { operations: all, ms, p50Ms: ms, p99Ms: ms, verified: 0, rssMiB: rssMiB(site.pid) };
  emit(rowOf(titled(`bulk invite, ${all} rows`), [{ ...one, serverCpuNs }]));
}

function titled(name: string): Title {
  return { suite: 'admin', case: name, connections: 1 };
}

export const admin: Suite = {
  name: 'admin',
  what: 'lists, search and status with 100,000 users, 100,000 leases and 50,000 allocations, and a bulk job of 10,000 rows',
  connections: [],
  without: {
    runs: 'the bulk job is one of all its rows; the questions are asked in so many runs',
    seconds: 'a run is 40 questions',
  },
  run: async (options) => {
    options.say('admin: filling a data folder');
    const [users, taken] = [USERS * options.part, LEASES * options.part];
    const pools = [
      { product: 'render', seats: Math.round(1.1 * taken), taken },
      { product: 'paint', seats: users, allocated: users / 2 },
    ];
    const site = await BenchSite.open({ pools, devices: 1, users }, options.profile);
    try {
      const loop = await limitLoad(site.site);
      await loop.connect(1);
      await loop.run({ operation: 'echo', each: ASKED, ms: WARM_MS, product: '' });
      for (const [name, question] of Object.entries(questions))
        await ask(options, { site, loop }, name, question);
      await bulk(options, site);
      await settle(site, []);
    } finally {
      await site.close();
    }
  },
};
