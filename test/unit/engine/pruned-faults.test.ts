import type { PruneRequest } from '@berth/server/audit/pruner';
import type { Base } from '@berth/server/store/base';
import { baseName } from '@berth/server/store/base-format';
import { verifyOlder } from '@berth/server/store/older-records';
import { beforeAll, describe, expect, test } from 'vitest';
import { failure, type Survivors } from '../../store/faulty-files.js';
import { runSeed, seeded } from '../../store/random.js';
import {
  askingFor,
  type End,
  invite,
  oldStudio,
  on,
  rowsOf,
  SPARE_BYTES,
  type Studio,
} from './pruned-studio.js';

let template: Studio;
let until: End;

beforeAll(async () => {
  ({ template, until } = await oldStudio());
});

const asking = (more: Partial<PruneRequest> = {}): PruneRequest => askingFor(until, more);

describe('a disk that fails or is full', () => {
  test('a base is begun only where enough stays free, and nothing of one that failed takes room', async () => {
    const studio = template.clone();
    const server = await studio.start();
    const before = studio.files.names('/data/journal');
    studio.files.free = SPARE_BYTES + 1024;
    const refused = { code: 'PRUNE_REFUSED', detail: { rule: 'BASE' } };
    expect(await server.pruner.prune(asking())).toMatchObject(refused);
    // While it is written too, whatever was free when it was asked.
    const writing = server.journal.rebase(until, server.store.dump, SPARE_BYTES);
    await expect(writing).rejects.toMatchObject({ name: 'DiskFull' });
    expect(studio.files.names('/data/journal')).toEqual(before);
    studio.files.free = 1e12;
    studio.files.full = true;
    expect(await server.pruner.prune(asking())).toMatchObject(refused);
    expect(studio.files.names('/data/journal')).toEqual(before);
    studio.files.full = false;
    expect(await server.pruner.prune(asking())).toMatchObject({ ok: true });
  });

  test.each(['EIO', 'ENOSPC'])(
    '%s at any step: refused, done, or the server ends; what is there is true',
    async (errno) => {
      const whole = template.clone();
      const one = await whole.start();
      const began = whole.files.steps;
      await one.pruner.prune(asking());
      const steps = whole.files.steps - began;
      const ends = new Set<string>();
      for (let step = 1; step <= steps; step++) ends.add(await failAt(step, errno));
      expect([...ends].sort()).toEqual(['died', 'done', 'refused']);
    },
  );

  test('a file that is gone already, or cannot be made durable, stops no later one', async () => {
    const studio = template.clone();
    const { journal, store } = await studio.start();
    const { files } = studio;
    await store.flush();
    journal.adopt((await journal.rebase(until, store.dump, 0)) as Base);
    const going = journal.segments.filter(({ firstSeq }) => firstSeq <= until.seq);
    expect(going.length).toBeGreaterThan(2);
    await files.remove(going[0]!.file);
    // The first is gone, and that it is shall be durable: this fails.
    files.failAt = files.steps + 1;
    await expect(journal.prune(until.seq)).rejects.toMatchObject({ code: 'EIO' });
    expect(journal.segments[0]).toEqual(going[1]);
    // Before the next one goes it is made up for: a power cut here must leave no hole.
    files.crashAt = files.steps + 3;
    await expect(journal.prune(until.seq)).rejects.toMatchObject({ code: 'CRASHED' });
    files.powerCut('NONE');
    expect(files.names('/data/journal')).not.toContain(going[0]!.file.split('/').at(-1));
    expect(files.names('/data/journal')).toContain(going[1]!.file.split('/').at(-1));
  });

  test('files that could not be removed stay while a backup is made of them, whoever asks again', async () => {
    const studio = template.clone();
    const server = await studio.start();
    const { files } = studio;
    const remove = files.remove.bind(files);
    files.remove = async (path) => {
      if (path.endsWith('.log')) throw failure('EIO');
      return remove(path);
    };
    expect(await server.pruner.prune(asking())).toMatchObject({ ok: true });
    files.remove = remove;
    const { segments } = server.journal;
    expect(segments[0]!.firstSeq).toBe(1);
    const again = asking({ request: { device: 'd', key: 'again', hash: 'hash' } });
    studio.busy = { backup: true, older: null };
    for (const request of [asking(), again]) {
      expect(await server.pruner.prune(request)).toMatchObject({ ok: true });
      expect(segments[0]!.firstSeq).toBe(1);
    }
    studio.busy = { backup: false, older: null };
    expect(await server.pruner.prune(again)).toMatchObject({ ok: true });
    expect(segments[0]!.firstSeq).toBe(until.seq + 1);
  });
});

/** @param step of a prune, that fails; and what it comes to */
async function failAt(step: number, errno: string): Promise<string> {
  const studio = template.clone();
  const server = await studio.start();
  const { files } = studio;
  files.errno = errno;
  files.failAt = files.steps + step;
  const settled = await server.pruner.prune(asking()).catch(() => null);
  if (settled?.ok === false) {
    expect(settled).toMatchObject({ code: 'PRUNE_REFUSED', detail: { rule: 'BASE' } });
    expect(files.names('/data/journal').filter((name) => name.includes('base'))).toEqual([]);
  }
  if (settled !== null) {
    // It goes on, and another try ends the work.
    await invite(server, 2);
    const again = { request: { device: 'd', key: 'again', hash: 'hash' } };
    expect(await server.pruner.prune(asking(again))).toMatchObject({ ok: true });
    expect(server.journal.segments[0]!.firstSeq).toBe(until.seq + 1);
    await studio.stop(server);
  }
  const rebuilt = await studio.start({ lost: true });
  const next = await studio.start();
  expect(rowsOf(rebuilt)).toEqual(rowsOf(next));
  await next.pruner.finish();
  expect(await next.pruner.prune(asking())).toMatchObject({ ok: true });
  expect(next.journal.segments[0]!.firstSeq).toBe(until.seq + 1);
  return settled === null ? 'died' : settled.ok ? 'done' : 'refused';
}

test('a power cut at any step leaves a folder that starts and is true, and the next start or prune ends the work', async () => {
  const seed = runSeed();
  console.info(`BERTH_SEED=${seed}`);
  const random = seeded(seed);
  const whole = template.clone();
  const server = await whole.start();
  const began = whole.files.steps;
  expect(await server.pruner.prune(asking())).toMatchObject({ ok: true });
  const steps = whole.files.steps - began;
  expect(steps).toBeGreaterThan(LAST + 10);
  const ends = new Set<string>();
  for (let at = 1; at <= steps; at++) {
    // Where files go, what of it is left decides: more of these.
    const chances: Survivors[] = at > steps - LAST ? Array(5).fill(random) : [random];
    for (const survivors of [at % 2 === 0 ? 'ALL' : 'NONE', ...chances] as const)
      ends.add(await cutAt(at, survivors));
  }
  expect([...ends].sort()).toEqual(expect.arrayContaining(['false false', 'true true']));
});

/** The steps of a prune in which files go. */
const LAST = 12;

/** @param step of a prune, in which the power goes; and what it comes to */
async function cutAt(step: number, survivors: Survivors): Promise<string> {
  const studio = template.clone();
  const dying = await studio.start();
  const served = rowsOf(dying);
  studio.files.crashAt = studio.files.steps + step;
  const settled = await dying.pruner.prune(asking()).catch(() => null);
  studio.files.powerCut(survivors);
  // Either nothing happened yet, or it is known who pruned; both with and without the stored state.
  const rebuilt = await studio.start({ lost: true });
  const server = await studio.start();
  expect(rowsOf(rebuilt)).toEqual(rowsOf(server));
  const isPruned = server.state.tables.organisation.get('self')?.pruned !== undefined;
  if (!isPruned) expect(rowsOf(server)).toEqual(served);
  if (settled?.ok === true) expect(isPruned).toBe(true);
  await server.pruner.finish();
  const left = studio.files.names('/data/journal').filter((name) => name.includes('base'));
  expect(left).toEqual(left.filter((name) => name === baseName(server.journal.base?.at.seq ?? 0)));
  expect(server.journal.segments[0]!.firstSeq).toBe(isPruned ? until.seq + 1 : 1);
  expect(await server.pruner.prune(asking())).toMatchObject({ ok: true });
  expect(server.journal.segments[0]!.firstSeq).toBe(until.seq + 1);
  expect(studio.files.names('/data/journal').filter((name) => name.includes('base'))).toHaveLength(1);
  const { segments, position } = server.journal;
  await verifyOlder(studio.files, { segments, verifiedAfter: position }, on);
  return `${isPruned} ${settled?.ok ?? 'died'}`;
}
