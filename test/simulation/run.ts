import type { Host } from '@berth/client';
import { joinWith } from '@berth/client/internal';
import { type audit, type Finding, audit as judge } from '../auditor/auditor.js';
import { AskedBefore } from './asked-before.js';
import { isExcused } from './beyond-promise.js';
import { type BeyondName, type FaultCounts, type FaultName, throwFaults } from './faults.js';
import { type Founded, settle } from './founding.js';
import { heal } from './liveness.js';
import { loseOnce } from './loss.js';
import { administer } from './office.js';
import { type Plan, type PlanOptions, planOf } from './plan.js';
import { takePlatform } from './platform.js';
import { refusable } from './refusable.js';
import { Rush } from './rush.js';
import type { SimCrypto } from './sim-crypto.js';
import { type Computer, Site } from './site.js';
import { journalOf } from './site-journal.js';
import { StandsStill } from './stillness.js';
import { eventsBefore } from './timeline.js';
import { stoodInLine, Waiters } from './waiters.js';
import { live, nap } from './workload.js';
import { runScript } from './workload-http.js';

export type RunOptions = PlanOptions;

export interface RunReport {
  readonly seed: number;
  /** Both phases. */
  readonly simulatedHours: number;
  /** The first: things went wrong for so long. */
  readonly safetyHours: number;
  /** It began with so many. */
  readonly clients: number;
  readonly ops: number;
  readonly faults: Partial<Record<FaultName, number>>;
  /** What I3 and I5 promise nothing about, and how many findings it led to. */
  readonly beyondPromise: { readonly faults: FaultCounts['beyond']; readonly findings: number };
  readonly violations: readonly string[];
  /** The last events before the first violation, a line each. */
  readonly before: readonly string[];
  /** Hours of the safety phase after which the first violation had happened; `null` when none says when. */
  readonly violatedAfterHours: number | null;
  /** SHA-256 over everything any client sent or heard: the same seed has the same. */
  readonly history: string;
  readonly judged: ReturnType<typeof audit>['judged'];
  /** Who stood in line when faults stopped, and all who ever did. */
  readonly waiters: Waiters['served'] & ReturnType<typeof stoodInLine>;
  readonly serverStarts: number;
  readonly events: number;
  /** How often each method was asked, and each refusal given: what was never reached was not tested. */
  readonly asked: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
}

const HOUR_MS = 3_600_000;
const products = ['render', 'comp', 'sim'] as const;

/** One simulated site, from its founding to the verdict. The seed determines everything. */
export async function simulate(options: RunOptions): Promise<RunReport> {
  const plan = planOf(options);
  const site = new Site(plan.seed, plan);
  const giveBack = takePlatform(() => ({ time: site.time, owner: site.server.owner }), plan.stacks);
  try {
    const founded = await settle(site, plan);
    const begunMs = site.time.nowMs;
    const run = new Run(site, plan, founded);
    await bothPhases(site, founded, run);
    return report(site, plan, run, begunMs);
  } finally {
    giveBack();
  }
}

async function bothPhases(site: Site, founded: Founded, run: Run): Promise<void> {
  try {
    await run.goWrong();
    if (!run.isBroken) await heal(site, founded, { products, waiters: run.waiters, end: () => run.end() });
  } catch (error) {
    // Whatever somebody was refused who must not be, or broke: with its seed and what came before it.
    const how = error instanceof Error ? (error.stack ?? error.message) : String(error);
    site.violation(error instanceof StandsStill ? error.message : `the simulation cannot go on: ${how}`);
  }
}

/** The safety phase: everybody does what they do, and everything goes wrong. */
class Run {
  readonly waiters: Waiters;
  readonly rush: Rush;
  counts: FaultCounts = { faults: {}, beyond: {} };
  /** What was found out about the server that was lost. */
  earlier: readonly Finding[] = [];
  /** Something was seen on the way. */
  isBroken = false;
  readonly #site: Site;
  readonly #plan: Plan;
  readonly #founded: Founded;
  #ending = false;

  constructor(site: Site, plan: Plan, founded: Founded) {
    this.#site = site;
    this.#plan = plan;
    this.#founded = founded;
    this.waiters = new Waiters(site);
    this.rush = new Rush(site, this.waiters, products, founded.admins[0]!);
  }

  end(): void {
    this.#ending = true;
  }

  async goWrong(): Promise<void> {
    const site = this.#site;
    const { admins, plugins, people, island } = this.#founded;
    for (const computer of plugins) this.#restart(computer);
    for (const computer of plugins.filter((_, at) => at % 6 === 2))
      this.#start(computer, site.startBeside(computer));
    for (const computer of plugins.filter((_, at) => at % 3 === 1)) this.#startScript(computer);
    for (const { admin, host, computer } of admins) {
      const dice = site.dice(`office ${computer.name}`);
      const before = new AskedBefore(
        admin,
        () => site.time.nowMs,
        (key) => site.server.keeps(key),
      );
      const office = {
        site,
        before,
        admin: before.admin,
        host,
        dice,
        people,
        products,
        island,
        thinksMs: this.#plan.adminThinksMs,
      };
      const hire = (email: string, link: string) => this.#hire(email, link);
      const life = administer({ ...office, hire, isEnding: () => this.#ending });
      void this.waiters.live(computer.name, computer.owner, life);
    }
    const dice = site.dice('faults');
    site.server.onDown = () =>
      site.later(dice.about(dice.chance(0.1) ? site.longMs : 8_000), () => site.startServer());
    const untilMs = site.time.nowMs + this.#plan.hours * HOUR_MS;
    const targets = { site, computers: plugins, restart: (computer: Computer) => this.#restart(computer) };
    if (this.#plan.restores) this.#restoreOnce();
    const faults = { everyMs: this.#plan.faultEveryMs, beyond: this.#plan.beyond };
    const isOver = (): boolean => site.time.nowMs > untilMs;
    this.counts = throwFaults(targets, dice, faults, isOver);
    // A large site has lines as it is.
    if (!this.#plan.isLarge) this.rush.begin(isOver);
    await this.#until(untilMs);
  }

  /** Where somebody looks on the way, it ends as soon as there is something to be seen. */
  async #until(untilMs: number): Promise<void> {
    const { lookEveryMs, crypto } = this.#plan;
    const { time } = this.#site;
    while (time.nowMs < untilMs && !this.isBroken) {
      await this.#site.run(Math.min(untilMs, time.nowMs + lookEveryMs));
      const looks = time.nowMs < untilMs;
      this.isBroken =
        looks &&
        (this.#site.violations.length + this.earlier.length > 0 ||
          verdictOn(this.#site, crypto).findings.length > 0);
    }
  }

  /** Somewhere in the middle the server is lost. What the journal that goes with it says is judged before. */
  #restoreOnce(): void {
    const site = this.#site;
    const dice = site.dice('restore');
    const afterMs = this.#plan.hours * HOUR_MS * (0.3 + dice.below(500) / 1000);
    const judge = (): void => {
      this.earlier = verdictOn(site, this.#plan.crypto).findings;
    };
    loseOnce({ site, founded: this.#founded, products, dice, afterMs, judge });
  }

  /** A new process of a plugin. */
  #restart(computer: Computer): void {
    this.#start(computer, this.#site.startProcess(computer));
  }

  #start(computer: Computer, host: Host): void {
    const site = this.#site;
    const name = `${computer.name}/${computer.processes}`;
    const at = this.#founded.plugins.indexOf(computer);
    const life = live(
      {
        ...{ site, computer, waiters: this.waiters, rush: this.rush, dice: site.dice(`life ${name}`) },
        product: products[at % products.length]!,
        thinksMs: this.#plan.clientThinksMs,
        loanSeconds: this.#plan.loanSeconds,
        isEnding: () => this.#ending,
      },
      host,
    );
    void this.waiters.live(name, computer.owner, life);
  }

  /** What asks without a WebSocket, beside the plugin of the same device. */
  #startScript(computer: Computer): void {
    const site = this.#site;
    const parts = site.startScript(computer);
    const life = {
      ...{ parts, dice: site.dice(`script ${parts.processId}`), thinksMs: 2 * this.#plan.clientThinksMs },
      product: products[this.#founded.plugins.indexOf(computer) % products.length]!,
      isEnding: () => this.#ending,
    };
    const ended = runScript(life).catch((error: unknown) =>
      site.violation(
        `a script failed with ${error instanceof Error ? (error.stack ?? error) : String(error)}`,
      ),
    );
    void this.waiters.live(parts.processId, parts.owner, ended);
  }

  /** A new computer joins, however often it has to try, and has a plugin from then on. */
  #hire(email: string, link: string): void {
    const site = this.#site;
    const computer = site.addComputer(`new${site.computers.length}`, email);
    const host = site.startProcess(computer);
    const join = async (): Promise<void> => {
      for (let tries = 0; tries < 20 && !this.#ending; tries++) {
        if ((await refusable(() => joinWith(host, { link }))) === null) {
          this.#founded.plugins.push(computer);
          this.#restart(computer);
          return;
        }
        await nap(host, 20_000);
      }
    };
    join().catch((error: unknown) => site.violation(`a computer failed to join with ${String(error)}`));
  }
}

function report(site: Site, plan: Plan, run: Run, begunMs: number): RunReport {
  const verdict = verdictOn(site, plan.crypto);
  const { faults, beyond } = run.counts;
  const all = [...run.earlier, ...verdict.findings];
  const findings = all.filter((finding) => !isExcused(finding, site.beyondPromise));
  const violations = [
    ...site.violations.map(({ atMs, text }) => `${Math.round(atMs)} ms: ${text}`),
    ...findings.map(({ rule, text }) => `${rule}: ${text}`),
  ];
  const first = eventsBefore(site, violations[0] ?? null);
  const { counts } = site.network;
  return {
    seed: plan.seed,
    simulatedHours: site.time.nowMs / HOUR_MS,
    safetyHours: plan.hours,
    clients: plan.clients,
    ops: site.entries.filter(({ event }) => event === 'request').length,
    faults: nonZero({
      ...{ ...faults, ...counts, spaceReturned: site.spaceReturned, clockDrifts: site.computers.length + 1 },
      ...{ serverRestarted: site.server.starts - 1, waiterCut: run.rush.cuts },
      serverRestored: site.restoredAtMs === undefined ? 0 : 1,
    }),
    beyondPromise: { faults: beyond, findings: all.length - findings.length },
    violations,
    before: first.lines,
    violatedAfterHours: first.atMs === null ? null : Math.max(0, first.atMs - begunMs) / HOUR_MS,
    history: site.historyHash(),
    judged: verdict.judged,
    waiters: { ...run.waiters.served, ...stoodInLine(site.entries) },
    serverStarts: site.server.starts,
    events: site.time.events,
    asked: tally(site.entries.flatMap((entry) => (entry.event === 'request' ? [entry.method] : []))),
    refused: tally(
      site.entries.flatMap((entry) => (entry.event === 'denied' ? [`${entry.method} ${entry.code}`] : [])),
    ),
  };
}

function verdictOn(site: Site, crypto: SimCrypto): ReturnType<typeof audit> {
  const { journal, exports } = journalOf(site);
  return judge({
    entries: site.entries,
    vendorKey: site.vendor.key,
    serverKey: site.server.identity.keyText,
    journal,
    exports,
    isSignedBy: (token, key) => isSignedBy(crypto, token, key),
    clocksDrift: true,
    isThorough: true,
    mails: site.mailServer?.taken ?? [],
    ...(site.quiet === undefined ? {} : { quiet: site.quiet }),
    ...(site.restoredAtMs === undefined ? {} : { restoredAtT: site.restoredAtMs }),
  });
}

function nonZero<N extends string>(counts: Partial<Record<N, number>>): Partial<Record<N, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as Partial<
    Record<N, number>
  >;
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

export type { BeyondName, FaultName };
