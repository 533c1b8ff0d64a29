import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '../system/random.js';
import { Generation, type Programs } from './generation.js';
import { type Doom, drawDoom, type Point, points } from './points.js';
import type { Template } from './template.js';

export interface TortureOptions {
  readonly template: Template;
  readonly programs: Programs;
  readonly folder: string;
  readonly seed: number;
  readonly rounds: number;
  /** No round begins after this moment of `performance.now()`. */
  readonly endMs: number;
  readonly processes: number;
  /** Rounds before everything begins anew from the template: a journal that grows for ever makes starts slow. */
  readonly generation: number;
  /** How long a server lives at most when it is to die at random, ms. */
  readonly livesMs: number;
  readonly onRound: (report: Report, last: { readonly doom: Doom; readonly died: string }) => void;
}

export interface Report {
  rounds: number;
  /** Servers killed, by what killed them. A named point that did not come in time counts as `random`. */
  readonly kills: Record<Point, number>;
  tokens: number;
  seats: number;
  borrows: number;
  denials: number;
  retries: number;
  statuses: number;
  records: number;
  /** What was found, with its round. The generation's folder is kept. */
  readonly found: string[];
}

/** A named point that has not come by then will not: a busy machine, or everybody waits for a seat. */
const PATIENCE_MS = 4_000;

/** Kills until the rounds or the time are over, or something is found that must not be. */
export async function torture(options: TortureOptions): Promise<Report> {
  const kills = Object.fromEntries(points.map((point) => [point, 0])) as Record<Point, number>;
  const counts = { tokens: 0, seats: 0, borrows: 0, denials: 0, retries: 0, statuses: 0, records: 0 };
  const report: Report = { rounds: 0, kills, ...counts, found: [] };
  for (let number = 1; !isOver(options, report); number++) await oneGeneration(options, report, number);
  return report;
}

function isOver({ rounds, endMs }: TortureOptions, report: Report): boolean {
  return report.found.length > 0 || report.rounds >= rounds || performance.now() >= endMs;
}

async function oneGeneration(options: TortureOptions, report: Report, number: number): Promise<void> {
  const { template, programs, processes, seed } = options;
  const folder = join(options.folder, `generation-${number}`);
  await mkdir(folder, { recursive: true });
  const random = new Random(seed + number * 7919);
  const generation = await Generation.open({ folder, template, programs, random, processes });
  try {
    await killAgainAndAgain(options, report, generation, random);
    if (report.found.length === 0) await conclude(options, report, generation);
  } finally {
    await generation.close();
  }
  if (report.found.length === 0) await rm(folder, { recursive: true });
}

async function killAgainAndAgain(
  options: TortureOptions,
  report: Report,
  generation: Generation,
  random: Random,
): Promise<void> {
  let judging: Promise<string[]> = Promise.resolve([]);
  for (let rounds = 0; rounds < options.generation && !isOver(options, report); rounds++) {
    const doom = drawDoom(random);
    const livesMs = doom.point === 'random' ? random.between(50, options.livesMs) : PATIENCE_MS;
    const died = await generation.live(doom, livesMs);
    report.rounds += 1;
    report.kills[died === 'doom' ? doom.point : 'random'] += 1;
    if (typeof died === 'object') report.found.push(`round ${report.rounds}: ${died.fault}`);
    report.found.push(...(await judging), ...generation.faults());
    const remains = await generation.judge.setAside(report.rounds);
    judging = verdict(report.rounds, generation.judge.afterKill(remains));
    options.onRound(report, { doom, died: typeof died === 'string' ? died : 'fault' });
  }
  report.found.push(...(await judging));
}

async function verdict(round: number, judging: Promise<string[]>): Promise<string[]> {
  return (await judging).map((text) => `round ${round}: ${text}`);
}

/** The last generation ends when every seat of the dead is free again. */
async function conclude(options: TortureOptions, report: Report, generation: Generation): Promise<void> {
  report.found.push(...(await generation.finish(isOver(options, report))));
  const { findings, judged } = generation.judge.atEnd();
  for (const { rule, text } of findings) report.found.push(`up to round ${report.rounds}: ${rule} ${text}`);
  for (const name of ['tokens', 'seats', 'borrows', 'denials', 'retries', 'statuses', 'records'] as const)
    report[name] += judged[name];
}
