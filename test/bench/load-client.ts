import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Keys, keysToPem } from '../system/device-keys.js';
import type { Started } from '../system/process.js';
import type { Site } from '../system/site.js';
import { within } from '../system/waiting.js';
import type { Handed, LoadFacts, Measured, Order, Pace, Run } from './orders.js';

export const here = dirname(fileURLToPath(import.meta.url));

/** The longest that a load client may take for one order. */
const PATIENCE_MS = 300_000;

/** The load client, from outside. */
export class LoadClient {
  readonly #process: Started;
  readonly #file: string;
  #orders = 0;

  private constructor(process_: Started, file: string) {
    this.#process = process_;
    this.#file = file;
  }

  /** @param site in whose folder its files are, and which ends it */
  static async start(
    site: Site,
    facts: Omit<LoadFacts, 'host' | 'devicesFile'>,
    devices: readonly Keys[] | null,
  ): Promise<LoadClient> {
    const file = join(site.folder, `load-${facts.port}`);
    const devicesFile = devices === null ? null : `${file}-devices.json`;
    if (devicesFile !== null)
      await writeFile(devicesFile, JSON.stringify(devices!.map((keys) => [keys.text, keysToPem(keys)])));
    const all: LoadFacts = { ...facts, host: '127.0.0.1', devicesFile };
    const argv = [process.execPath, '--max-semi-space-size=64', join(here, 'load.js'), JSON.stringify(all)];
    return new LoadClient(site.start({ argv }), `${file}-handed.json`);
  }

  /** @returns how it was; a latency is from the order until one was there */
  async connect(connections: number, signed = false): Promise<Measured> {
    return (await this.#order({ do: 'connect', connections, signed })) as unknown as Measured;
  }

  async pace(pace: Pace): Promise<Measured> {
    return (await this.#order({ do: 'pace', ...pace })) as unknown as Measured;
  }

  async run(run: Run): Promise<Measured> {
    return (await this.#order({ do: 'run', ...run })) as unknown as Measured;
  }

  /** It gives back what it has, and ends. */
  async leave(): Promise<Handed> {
    await this.#order({ do: 'leave', file: this.#file });
    this.#process.endInput();
    await within('the load client to end', this.#process.exited, PATIENCE_MS);
    return JSON.parse(await readFile(this.#file, 'utf8')) as Handed;
  }

  #order(order: Order): Promise<Record<string, unknown>> {
    this.#orders++;
    this.#process.tell(JSON.stringify(order));
    return this.#process.hear({ event: 'done', nth: this.#orders }, PATIENCE_MS);
  }
}
