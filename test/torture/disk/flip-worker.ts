// Flips one bit and starts: `node flip-worker.js`, jobs and verdicts as JSON lines. LevelDB may abort the process that opens a damaged
// table (decision 0008), so whoever reads the verdicts starts another one then, which goes on where this one ended. It ends with its input.
import { createInterface } from 'node:readline';
import { differences } from '../reopen.js';
import { flipped, type Image, layImage, readImage, recordAt } from './image.js';
import { type Served, startAndStop } from './start.js';

/** One bit of a file in a copy of the folder `base`. */
export interface Flip {
  readonly base: string;
  readonly file: string;
  readonly at: number;
  readonly bit: number;
}

export interface Job extends Flip {
  /** The worker before died of it: start the folder as it is, as a supervisor would. */
  readonly again: boolean;
  /** All steps of the start, and not only those that read the file. */
  readonly whole: boolean;
  readonly folder: string;
}

export interface Verdict {
  readonly outcome:
    | 'true state'
    | 'true state, mended and said'
    | 'refused and named'
    | 'refused without a name'
    | 'silent';
  readonly detail: string;
}

const images = new Map<string, Promise<{ image: Image; truth: Served }>>();

for await (const line of createInterface({ input: process.stdin })) {
  const verdict = await judge(JSON.parse(line) as Job);
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
}

async function judge(job: Job): Promise<Verdict> {
  const { file, folder, at, bit } = job;
  // Beside the folder: of a worker that starts because another one died, that one is still to be opened.
  const known = images.get(job.base) ?? learn(job.base, `${folder}-whole`);
  images.set(job.base, known);
  const { image, truth } = await known;
  if (!job.again) layImage(image, folder, { file, bytes: flipped(image.get(file)!, at, bit) });
  const part = job.whole ? 'all' : file.startsWith('tls/') ? 'tls' : 'state';
  const first = await served(folder, part);
  if (first instanceof Error) return refusal(first, job, image);
  // What was served must be there at the next start too.
  const second = await served(folder, part);
  if (second instanceof Error)
    return { outcome: 'silent', detail: `served once, then refused: ${second.message}` };
  const wrong = [first, second].flatMap((each) => changes(each, truth, part !== 'tls'));
  if (wrong.length > 0) return { outcome: 'silent', detail: wrong.slice(0, 5).join('; ') };
  const { said } = first;
  return {
    outcome: said.length === 0 ? 'true state' : 'true state, mended and said',
    detail: said.join('; '),
  };
}

async function served(folder: string, part: 'all' | 'tls' | 'state'): Promise<Served | Error> {
  try {
    return await startAndStop(folder, part);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What may be damaged must be named: the file, and of a segment the record that the bit is in. */
function refusal(error: Error, { file, folder, at }: Job, image: Image): Verdict {
  const code = 'code' in error ? String(error.code) : '';
  const text = error.message.replaceAll(folder, '');
  const detail = `${code} ${text}`.slice(0, 300);
  // What is not meant for a person is no refusal but a crash.
  if (code === '') return { outcome: 'silent', detail: `no reason but ${detail} ${error.stack ?? ''}` };
  const names = [file.split('/').at(-1)!];
  if (file.endsWith('.log') && file.startsWith('journal/'))
    names.push(`, record ${recordAt(image.get(file)!, at)}:`);
  const isNamed = names.every((name) => text.includes(name));
  return { outcome: isNamed ? 'refused and named' : 'refused without a name', detail };
}

function changes(served: Served, truth: Served, hasRows: boolean): string[] {
  const facts = Object.keys(served.facts).filter((name) => served.facts[name] !== truth.facts[name]);
  return [...facts, ...(hasRows ? differences(served.rows, truth.rows) : [])];
}

/** The files of the base, and what a server makes of them as they are. */
async function learn(base: string, folder: string): Promise<{ image: Image; truth: Served }> {
  const image = readImage(base);
  layImage(image, folder);
  return { image, truth: await startAndStop(folder) };
}
