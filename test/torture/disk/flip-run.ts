import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../system/random.js';
import { type Base, makeBase } from './base.js';
import { drawFlips, emptyReport, type FlipReport, flipAll } from './flips.js';
import { flipForReal } from './real-flips.js';

export interface FlipOptions {
  readonly flips: number;
  /** How many besides are started as real processes. */
  readonly real: number;
  /** How many sites are made to be damaged, each in two ways to have ended. */
  readonly bases: number;
  readonly workers: number;
  /** Of each server before it is damaged; left out: some. */
  readonly lives?: number;
  readonly seed: number;
}

export interface Flipped {
  readonly inProcess: FlipReport;
  readonly real: FlipReport;
}

/** Flips one bit of one file after the other and judges what a server makes of it. */
export async function flipRun(options: FlipOptions, onFlip?: (report: FlipReport) => void): Promise<Flipped> {
  const random = new Random(options.seed);
  const folder = await mkdtemp(join(tmpdir(), 'berth-flips-'));
  try {
    const bases: Base[] = [];
    for (let at = 0; at < options.bases; at++)
      bases.push(await makeBase(join(folder, `base${at}`), random, options.lives));
    const folders = bases.flatMap(({ killed, stopped }) => [killed, stopped]);
    const [inProcess, real] = [emptyReport(), emptyReport()];
    await flipAll(drawFlips(folders, options.flips, random), options.workers, folder, inProcess, onFlip);
    await flipForReal(bases, drawFlips(folders, options.real, random), folder, real);
    return { inProcess, real };
  } finally {
    await rm(folder, { recursive: true });
  }
}
