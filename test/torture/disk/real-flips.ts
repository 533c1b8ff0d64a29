import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AdminConnection, openAdmin } from '@berth/client';
import { bins } from '../../system/paths.js';
import { type Exit, Started } from '../../system/process.js';
import { until, within } from '../../system/waiting.js';
import type { Base } from './base.js';
import type { Flip } from './flip-worker.js';
import { type FlipReport, note, type Outcome } from './flips.js';
import { flipped, type Image, layImage, readImage, recordAt } from './image.js';

/** Decision 0008: the third start after two that LevelDB aborted rebuilds. */
const STARTS = 4;
const START_MS = 60_000;

/** The same flips as seen from outside: a real `berthd serve`, asked over TLS by an admin whose folder is from before the damage. */
export async function flipForReal(
  bases: readonly Base[],
  flips: readonly Flip[],
  scratch: string,
  report: FlipReport,
): Promise<void> {
  const folder = join(scratch, 'real');
  await mkdir(folder, { recursive: true });
  const truths = new Map<string, { image: Image; truth: string }>();
  for (const base of bases) {
    for (const data of [base.killed, base.stopped]) {
      const image = readImage(data);
      layImage(image, join(folder, 'data'));
      const seen = await serve(join(folder, 'data'), base.owner);
      if (!seen.ok) throw new Error(`A whole folder is refused: ${seen.exit.stderr}`);
      truths.set(data, { image, truth: seen.answers });
    }
  }
  for (const flip of flips) {
    const { image, truth } = truths.get(flip.base)!;
    const bytes = flipped(image.get(flip.file)!, flip.at, flip.bit);
    layImage(image, join(folder, 'data'), { file: flip.file, bytes });
    const owner = bases.find(({ killed, stopped }) => [killed, stopped].includes(flip.base))!.owner;
    note(report, flip, await judge(join(folder, 'data'), owner, { flip, image, truth }));
  }
}

type Seen =
  | { readonly ok: true; readonly answers: string; readonly log: string }
  | { readonly ok: false; readonly exit: Exit };

async function judge(
  data: string,
  owner: string,
  { flip, image, truth }: { flip: Flip; image: Image; truth: string },
): Promise<{ outcome: Outcome; detail: string; aborts: number }> {
  for (let aborts = 0; aborts < STARTS; aborts++) {
    const seen = await serve(data, owner);
    if (!seen.ok && (seen.exit.signal === 'SIGABRT' || seen.exit.signal === 'SIGSEGV')) continue;
    if (!seen.ok) return { ...refusal(seen.exit, flip, image), aborts };
    if (seen.answers !== truth)
      return { outcome: 'silent', detail: `${seen.answers} instead of ${truth}`, aborts };
    const said = seen.log.split('\n').filter((line) => /rebuilt|was cut|new server certificate/.test(line));
    const mended = said.length > 0 ? 'true state, mended and said' : 'true state';
    return {
      outcome: aborts > 0 ? 'true state, after LevelDB aborted' : mended,
      detail: said.join(' '),
      aborts,
    };
  }
  return { outcome: 'silent', detail: `it aborts at each of ${STARTS} starts`, aborts: STARTS };
}

function refusal(
  { code, stderr }: Exit,
  { file, at }: Flip,
  image: Image,
): { outcome: Outcome; detail: string } {
  const detail = stderr.trim();
  // STYLE 11: `berthd: CODE sentence`, exit 1; anything else is a crash.
  if (code !== 1 || !/^berthd: (?!INTERNAL)[A-Z_]+ \S/.test(stderr))
    return { outcome: 'silent', detail: `it ended with ${code}: ${detail}` };
  const names = [file.split('/').at(-1)!];
  if (/^journal\/\d/.test(file)) names.push(`, record ${recordAt(image.get(file)!, at)}:`);
  const isNamed = names.every((name) => stderr.includes(name));
  return { outcome: isNamed ? 'refused and named' : 'refused without a name', detail };
}

/** One life of `berthd serve`: what an admin is told, and a stop by SIGTERM; or how it ended instead. */
async function serve(data: string, owner: string): Promise<Seen> {
  const server = new Started({ argv: [process.execPath, bins.berthd, 'serve', '--data', data] });
  try {
    const ready = (): boolean => !server.running || server.stdout.includes('"msg":"serving"');
    await until('berthd to serve or to refuse', ready, START_MS);
    if (!server.running) return { ok: false, exit: await server.exited };
    const answers = await ask(owner);
    server.signal('SIGTERM');
    const exit = await within('berthd to stop', server.exited, 15_000);
    return exit.code === 0 ? { ok: true, answers, log: exit.stdout } : { ok: false, exit };
  } finally {
    await server.kill();
  }
}

async function ask(home: string): Promise<string> {
  const admin = await openAdmin({ home });
  try {
    return JSON.stringify(await everything(admin));
  } finally {
    await admin.close();
  }
}

/** All that does not change with time. */
async function everything(admin: AdminConnection): Promise<unknown> {
  const { pools } = await admin.call('pool.status', {});
  const [users, leases, entitlements, allocations, tokens] = [
    await admin.call('user.list', {}),
    await admin.call('lease.list', {}),
    await admin.call('entitlement.list', {}),
    await admin.call('allocation.list', {}),
    await admin.call('machine.token.list', {}),
  ];
  return {
    pools: pools.map(({ product, owned, allocated, shared, inUse, borrowed, held, free }) =>
      [product, owned, allocated, shared, inUse, borrowed, held, free].join(' '),
    ),
    users: users.items.map(({ email, role, state }) => `${email} ${role} ${state}`),
    leases: leases.items.map(({ id, user, device, kind }) => `${id} ${user} ${device} ${kind}`),
    entitlements: entitlements.items.map(({ id, seats }) => `${id} ${seats}`),
    allocations,
    tokens,
  };
}
