import { createHash } from 'node:crypto';
import { connectWith } from '@berth/client/internal';
import { audit } from '../auditor/auditor.js';
import { readJournalFiles } from '../auditor/journal-reader.js';
import { type FaultName, killProcess, throwFaults } from './faults.js';
import { takePlatform } from './platform.js';
import { fastCrypto, type SimCrypto } from './sim-crypto.js';
import { type AdminSeat, type Computer, Site } from './site.js';
import { administer, live, openPools } from './workload.js';

export interface RunOptions {
  readonly seed: number;
  readonly hours: number;
  readonly clients: number;
  readonly crypto?: SimCrypto;
}

export interface RunReport {
  readonly seed: number;
  readonly simulatedHours: number;
  readonly ops: number;
  readonly faults: Partial<Record<FaultName, number>>;
  readonly violations: readonly string[];
  /** SHA-256 over everything any client sent or heard: the same seed has the same. */
  readonly history: string;
  readonly judged: ReturnType<typeof audit>['judged'];
  readonly serverStarts: number;
  readonly events: number;
  /** How often each method was asked, and each refusal given: what was never reached was not tested. */
  readonly asked: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
}

const HOUR_MS = 3_600_000;
/** After this long without faults every seat is free: the longest borrow of the workload, its hold, a window, and time to connect. */
const QUIET_MS = 2 * HOUR_MS;

const products = ['render', 'comp', 'sim'] as const;

/** One simulated site, from its founding to the verdict. The seed determines everything. */
export async function simulate(options: RunOptions): Promise<RunReport> {
  const { seed, hours, clients, crypto = fastCrypto } = options;
  const site = new Site(seed, { crypto, clients });
  takePlatform(() => ({ time: site.time, owner: site.server.owner }), false);
  const office = await settle(site, clients);
  const faults = await dangerousTimes(site, office, hours * HOUR_MS);
  await quietTimes(site, office, faults.times);
  return report(site, options, faults);
}

/** Founds, imports, invites and joins; nothing goes wrong yet. */
async function settle(site: Site, clients: number): Promise<AdminSeat[]> {
  site.network.faulty = false;
  const owner = await site.found();
  const pools = [
    {
      jti: 'ent-render',
      product: 'render',
      seats: 3,
      share: 'process',
      borrow: { maxSeconds: 86_400, seats: 2 },
    },
    { jti: 'ent-render-2', product: 'render', seats: 2, share: 'process' },
    { jti: 'ent-comp', product: 'comp', seats: 3, share: 'device', borrow: { maxSeconds: 86_400, seats: 1 } },
    {
      jti: 'ent-sim',
      product: 'sim',
      seats: 2,
      share: 'user',
      borrow: { maxSeconds: 86_400, seats: 2 },
      earlyReturn: 'at-expiry',
    },
  ] as const;
  for (const claims of pools) {
    const entitlement = site.entitlement(claims);
    const key = `import-${claims.jti}-0000`;
    await site.settled(owner.admin.call('entitlement.import', { key, entitlement }));
  }
  const second = await invite(site, owner, 'second@studio.example', 'second', { role: 'admin' });
  const admins = [owner, await site.joinAsAdmin(second.computer, second.link)];
  for (let at = 0; at < clients; at++) {
    // Every fifth computer is the second one of somebody.
    const email = `user${at % 5 === 4 ? at - 1 : at}@studio.example`;
    const { computer, link } = await invite(
      site,
      owner,
      email,
      `pc${at}`,
      at % 5 === 4 ? { device: true } : {},
    );
    await site.join(computer, link);
  }
  site.network.faulty = true;
  return admins;
}

async function invite(
  site: Site,
  { admin }: AdminSeat,
  email: string,
  name: string,
  more: { role?: string; device?: boolean },
): Promise<{ computer: Computer; link: string }> {
  const { link } = await site.settled(
    admin.call('user.invite', { key: `invite-${name}-000000`, email, ...more }),
  );
  return { computer: site.addComputer(name, email), link };
}

interface Times {
  ending: boolean;
}

async function dangerousTimes(
  site: Site,
  office: readonly AdminSeat[],
  forMs: number,
): Promise<{ counts: Partial<Record<FaultName, number>>; times: Times }> {
  const times: Times = { ending: false };
  const isEnding = (): boolean => times.ending;
  const artists = site.computers.filter(({ name }) => name.startsWith('pc'));
  const restart = (computer: Computer): void => {
    const host = site.startProcess(computer);
    const product = products[artists.indexOf(computer) % products.length]!;
    const dice = site.dice(`life ${computer.name} ${computer.processes}`);
    void live({ site, computer, product, dice, isEnding }, host);
  };
  for (const computer of artists) restart(computer);
  for (const { admin, host, computer } of office) {
    const dice = site.dice(`office ${computer.name}`);
    const people = artists.map(({ email }) => email);
    void administer({ site, admin, host, dice, people, products, isEnding });
  }
  const dice = site.dice('faults');
  site.server.onDown = () =>
    site.later(dice.about(dice.chance(0.1) ? 150_000 : 8_000), () => site.startServer());
  const from = site.time.nowMs;
  const counts = throwFaults(
    { site, computers: artists, restart },
    dice,
    () => site.time.nowMs > from + forMs,
  );
  await site.time.run(from + forMs);
  return { counts, times };
}

/** No more faults: every seat must come free, and whoever asks must be served. */
async function quietTimes(site: Site, office: readonly AdminSeat[], times: Times): Promise<void> {
  site.heal();
  times.ending = true;
  await site.time.run(site.time.nowMs + QUIET_MS);
  if (!site.server.isUp) return site.violation('the server is down although nothing fails any more');
  site.server.checkInvariants();
  const owner = office[0]!;
  await site.settled(openPools({ ...owner, products }));
  const { pools } = await site.settled(owner.admin.call('pool.status', {}));
  for (const pool of pools) {
    if (pool.inUse + pool.borrowed + pool.held > 0 || pool.free !== pool.owned)
      site.violation(`not every seat came free: ${JSON.stringify(pool)}`);
    if (pool.shared > 0) await site.settled(takeOne(site, pool.product));
  }
}

async function takeOne(site: Site, product: string): Promise<void> {
  const computer = site.computers.at(-1)!;
  killProcess(site, computer, true);
  const host = site.startProcess(computer);
  try {
    const client = await connectWith(host, { product, vendorKeys: [site.vendorKey] });
    const seat = await client.checkout({ wait: 10_000 });
    await seat.release();
    await client.close();
  } catch (error) {
    site.violation(`a free seat of ${product} could not be taken: ${String(error)}`);
  }
}

function report(
  site: Site,
  { seed, crypto = fastCrypto, hours }: RunOptions,
  { counts }: { counts: Partial<Record<FaultName, number>> },
): RunReport {
  const { disk, serverKey } = site.server;
  const journal = '/data/journal';
  const names = disk.names(journal);
  const verdict = audit({
    entries: site.entries,
    vendorKey: site.vendorKey,
    serverKey,
    journal: readJournalFiles(names, (name) => disk.get(`${journal}/${name}`)),
    isSignedBy: (token, key) => isSignedBy(crypto, token, key),
    clocksDrift: true,
  });
  const history = createHash('sha256');
  for (const entry of site.entries) history.update(JSON.stringify(entry));
  return {
    seed,
    simulatedHours: hours,
    ops: site.entries.filter(({ event }) => event === 'request').length,
    faults: counts,
    violations: [...site.violations, ...verdict.findings.map(({ rule, text }) => `${rule}: ${text}`)],
    history: history.digest('hex'),
    judged: verdict.judged,
    serverStarts: site.server.starts,
    events: site.time.events,
    asked: tally(site.entries.flatMap((entry) => (entry.event === 'request' ? [entry.method] : []))),
    refused: tally(
      site.entries.flatMap((entry) => (entry.event === 'denied' ? [`${entry.method} ${entry.code}`] : [])),
    ),
  };
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function isSignedBy(
  crypto: SimCrypto,
  token: { readonly signed: Buffer; readonly signature: Buffer },
  key: string,
): boolean {
  const publicKey = Buffer.from(key.slice('ed25519:'.length), 'base64url');
  return crypto.verify(publicKey, token.signed, token.signature);
}
