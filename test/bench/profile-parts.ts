import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `node --cpu-prof` writes, as far as it is read here. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  /** Of the function that ran, one for each delta. */
  readonly samples: readonly number[];
  /** µs since the sample before. */
  readonly timeDeltas: readonly number[];
}

type Frame = Profile['nodes'][number]['callFrame'];

/** A part takes what none before it takes: the first of the stack, from what ran to what called it, that any part knows. */
const parts: readonly (readonly [name: string, isOf: (frame: Frame) => boolean])[] = [
  ['the garbage collector', ({ functionName }) => functionName === '(garbage collector)'],
  ['signatures made', ({ functionName }) => functionName === 'signOneShot'],
  ['signatures checked', ({ functionName }) => functionName === 'verifyOneShot'],
  ['hashes', ({ url }) => url.includes('internal/crypto/hash')],
  ['random ids', ({ url }) => url.includes('internal/crypto/random')],
  [
    'sockets: TLS and the system’s calls',
    ({ url }) => /_tls_wrap|stream_base_commons|^node:net|^node:_?tls/.test(url),
  ],
  ['WebSocket and HTTP', ({ url }) => /node_modules\/ws\/|^node:_http|internal\/http/.test(url)],
  ['state rows to LevelDB', ({ url }) => /(classic|abstract)-level|store\/(level|state)-/.test(url)],
  ['journal: records and their files', ({ url }) => url.includes('server/dist/store/')],
  ['`decide`', ({ url }) => url.includes('server/dist/domain/decide')],
  ['`evolve` and the indexes', ({ url }) => url.includes('server/dist/domain/')],
  ['the engine: batches, commits', ({ url }) => url.includes('server/dist/engine/')],
  ['handlers and answers', ({ url }) => /server\/dist\/(admin|audit|mail)\//.test(url)],
  ['sessions, turns, limits', ({ url }) => url.includes('server/dist/transport/')],
  ['frames and tokens: JSON, validation', ({ url }) => /protocol\/dist|typebox/.test(url)],
  ['log and metrics', ({ url }) => /pino|prom-client|sonic-boom|server\/dist\/ops/.test(url)],
];
/** A call of the system's for a file, where nobody who is known asked for it. */
const FILES = 'files: what the thread pool gives back';
const REST = 'everything else: promises, timers, the compiler';

/** What a frame that came in is answered in: before the first and behind the last of them there is a start, and an end. */
const SERVES = 'transport/dispatch';

export interface Parts {
  /** Of the busy time between the first request and the last, in percent; the largest first. */
  readonly percent: readonly (readonly [name: string, percent: number])[];
  /** So long the main thread was busy between these, s. */
  readonly busySeconds: number;
  readonly seconds: number;
}

/** Where the main thread's time went while requests were answered. @returns `null` where none was */
export function partsOf({ nodes, samples, timeDeltas }: Profile): Parts | null {
  const parents = new Map<number, number>();
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const stackOf = function* (id: number): Iterable<Frame> {
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) yield frames.get(at)!;
  };
  const known = new Map<number, { readonly part: string | null; readonly serves: boolean }>();
  for (const { id, callFrame } of nodes) {
    const part = callFrame.functionName === '(idle)' ? null : partOf(stackOf(id));
    known.set(id, { part, serves: [...stackOf(id)].some(({ url }) => url.includes(SERVES)) });
  }
  const serving = samples.map((id) => known.get(id)!.serves);
  const [first, last] = [serving.indexOf(true), serving.lastIndexOf(true)];
  if (first < 0) return null;
  const spentUs = new Map<string, number>();
  let [busyUs, allUs] = [0, 0];
  for (let at = first; at <= last; at++) {
    const { part } = known.get(samples[at]!)!;
    const us = timeDeltas[at]!;
    allUs += us;
    if (part === null) continue;
    busyUs += us;
    spentUs.set(part, (spentUs.get(part) ?? 0) + us);
  }
  const percent = [...spentUs].map(([name, us]) => [name, (100 * us) / busyUs] as const);
  percent.sort(([, a], [, b]) => b - a);
  return { percent, busySeconds: busyUs / 1e6, seconds: allUs / 1e6 };
}

function partOf(stack: Iterable<Frame>): string {
  let rest = REST;
  for (const frame of stack) {
    for (const [name, isOf] of parts) if (isOf(frame)) return name;
    if (/^node:(internal\/)?fs/.test(frame.url)) rest = FILES;
  }
  return rest;
}

/** The profiles that came into the folder. @param before names of those that were there */
export function newParts(folder: string, before: ReadonlySet<string>): Parts[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile') && !before.has(name));
  return names.flatMap(
    (name) => partsOf(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile) ?? [],
  );
}

/** As a table of Markdown. */
export function partsText({ percent, busySeconds, seconds }: Parts): string {
  const rows = percent.map(([name, share]) => `| ${name} | ${share.toFixed(1)} |`);
  return [
    `The main thread was busy for ${busySeconds.toFixed(1)} s of the ${seconds.toFixed(1)} s from the first request to the last:`,
    ...['', '| part | % |', '| --- | --- |', ...rows],
  ].join('\n');
}
