// Flips one bit and starts: `node flip-worker.js`, jobs and verdicts as JSON lines. LevelDB may abort the process that opens a damaged
// table (decision 0008), so whoever reads the verdicts starts another one then, which goes on where this one ended.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { differences } from '../reopen.js';
import { type Served, startAndStop } from './start.js';

/** One flip: bit `bit` of byte `at` of `file` in a copy of `base`. */
export interface Job {
  readonly base: string;
  readonly file: string;
  readonly at: number;
  readonly bit: number;
  /** The worker before died of it: start the folder as it is, as a supervisor would. */
  readonly again: boolean;
  readonly folder: string;
}

export interface Verdict {
  readonly outcome:
    | 'true state'
    | 'rebuilt'
    | 'refused, file named'
    | 'refused, file not named'
    | 'silent change';
  readonly detail: string;
}

/** A folder in memory: it is written a thousand times. */
type Image = ReadonlyMap<string, Buffer>;

const images = new Map<string, Promise<{ image: Image; truth: Served }>>();

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job;
  const verdict = await judge(job);
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
}

async function judge(job: Job): Promise<Verdict> {
  const known = images.get(job.base) ?? learn(job.base, job.folder);
  images.set(job.base, known);
  const { image, truth } = await known;
  if (!job.again) await lay(image, job);
  const first = await served(job.folder);
  if (first instanceof Error) return refusal(first, job);
  // What was served must be there at the next start too.
  const second = await served(job.folder);
  if (second instanceof Error)
    return { outcome: 'silent change', detail: `served once, then refused: ${second.message}` };
  const wrong = [...changes(first, truth), ...changes(second, truth)];
  if (wrong.length > 0) return { outcome: 'silent change', detail: wrong.slice(0, 5).join('; ') };
  const { said } = first;
  return { outcome: said.length === 0 ? 'true state' : 'rebuilt', detail: said.join('; ') };
}

async function served(folder: string): Promise<Served | Error> {
  try {
    return await startAndStop(folder);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function refusal(error: Error, { file, folder }: Job): Verdict {
  const code = 'code' in error ? String(error.code) : '';
  const text = error.message.replaceAll(folder, '');
  const isNamed = text.includes(file.split('/').at(-1)!);
  const detail = `${code} ${text}`.slice(0, 200);
  // What is not meant for a person is no refusal but a crash.
  if (code === '')
    return { outcome: 'silent change', detail: `no reason but ${detail} ${error.stack ?? ''}` };
  return { outcome: isNamed ? 'refused, file named' : 'refused, file not named', detail };
}

function changes(served: Served, truth: Served): string[] {
  const facts = Object.keys(truth.facts).filter((name) => served.facts[name] !== truth.facts[name]);
  return [...facts, ...differences(served.rows, truth.rows)];
}

/** The files of the base, and what a server makes of them as they are. */
async function learn(base: string, folder: string): Promise<{ image: Image; truth: Served }> {
  const image = new Map<string, Buffer>();
  for (const entry of await readdir(base, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) image.set(path.slice(base.length + 1), await readFile(path));
  }
  await lay(image, { folder });
  return { image, truth: await startAndStop(folder) };
}

async function lay(image: Image, job: Pick<Job, 'folder'> & Partial<Job>): Promise<void> {
  await rm(job.folder, { recursive: true, force: true });
  for (const [file, bytes] of image) {
    const path = join(job.folder, file);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const written = file === job.file ? flipped(bytes, job) : bytes;
    await writeFile(path, written, { mode: 0o600 });
  }
}

function flipped(bytes: Buffer, { at = 0, bit = 0 }: Partial<Job>): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1 << bit;
  return copy;
}
