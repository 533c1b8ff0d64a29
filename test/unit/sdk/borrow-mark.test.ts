import type { Files } from '@berth/client';
import { BorrowUses } from '@berth/client/internal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeFiles } from './fake-files.js';
import { FakeHost } from './fake-host.js';

const folder = 'state/studio/uses/seat-1';
const markOf = (process: string) => JSON.stringify({ process, seenAtMs: 0 });

/** A process whose every step on the disk, and every pause, ends when the scheduler says so. */
function processOn(disk: FakeFiles, id: string, turn: <T>(step: Promise<T>) => Promise<T>): BorrowUses {
  const files: Files = {
    read: (path) => turn(disk.read(path)),
    write: (path, text) => turn(disk.write(path, text)),
    create: (path, text) => turn(disk.create(path, text)),
    remove: (path) => turn(disk.remove(path)),
    list: (path) => turn(disk.list(path)),
    locate: (path) => path,
  };
  const host = new FakeHost({ processId: id, files: disk, alive: (other) => other !== 'dead' });
  host.setTimer = (callback) => {
    void turn(Promise.resolve()).then(callback);
    return () => undefined;
  };
  return new BorrowUses(host, files, 'studio');
}

/** Who got the seat, of processes that begin in the same instant, in an order of steps that fast-check chose. */
async function contest(scheduler: fc.Scheduler, disk: FakeFiles, ids: readonly string[]): Promise<string[]> {
  const turn = <T>(step: Promise<T>) => scheduler.schedule(step);
  const began = ids.map(async (id) => {
    const use = await processOn(disk, id, turn).begin(['seat-1'], 'process');
    return use === null ? [] : [id];
  });
  return (await scheduler.waitFor(Promise.all(began))).flat();
}

// Both names, since an older SDK called every such mark the same.
test.each(['only.json', 'some-key.json'])(
  'of those who take over the mark %s of a dead process, one gets the seat',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 3 }), async (scheduler, count) => {
        const disk = new FakeFiles(new Map([[`${folder}/${name}`, markOf('dead')]]));
        const holders = await contest(scheduler, disk, ['a', 'b', 'c'].slice(0, count));
        expect(holders.length).toBeLessThanOrEqual(1);
        // Whose mark it is says who: nobody else's is left behind.
        const marks = disk.under(folder).map((path) => JSON.parse(disk.contents.get(path)!).process);
        expect(marks).toEqual(holders);
      }),
      { numRuns: 300 },
    );
  },
);

test('nobody gets the seat of a process that lives, whoever else died', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const marks = [`${folder}/x.json`, `${folder}/y.json`];
      const disk = new FakeFiles(
        new Map([
          [marks[0]!, markOf('dead')],
          [marks[1]!, markOf('living')],
        ]),
      );
      expect(await contest(scheduler, disk, ['a', 'b'])).toEqual([]);
      expect(disk.under(folder)).toContain(marks[1]);
    }),
    { numRuns: 100 },
  );
});

test('of two in step, who look at the same moments, one gets it in the end', async () => {
  const got = { one: 0, none: 0 };
  for (let round = 0; round < 50; round++) {
    const disk = new FakeFiles();
    const hosts = ['a', 'b'].map(
      (id) => new FakeHost({ processId: `${id}${round}`, files: disk, alive: () => true }),
    );
    for (const host of hosts) Object.defineProperty(host, 'clock', { value: hosts[0]!.clock });
    const began = Promise.all(
      hosts.map((host) => new BorrowUses(host, disk, 'studio').begin(['seat-1'], 'process')),
    );
    let done = false;
    void began.then(() => {
      done = true;
    });
    while (!done) await hosts[0]!.clock.advance(1);
    const holders = (await began).filter((use) => use !== null).length;
    expect(holders).toBeLessThanOrEqual(1);
    got[holders === 1 ? 'one' : 'none']++;
  }
  expect(got).toEqual({ one: 50, none: 0 });
});

test('a mark that is being refreshed while its use ends does not come back', async () => {
  const disk = new FakeFiles();
  const uses = new BorrowUses(new FakeHost({ files: disk }), disk, 'studio');
  const use = await uses.begin(['seat-1'], 'device');
  const write = disk.write.bind(disk);
  disk.write = async (path, text) => {
    await uses.end(use!);
    await write(path, text);
  };
  await uses.refresh(use!);
  await uses.refresh(use!);
  expect(disk.under(folder)).toEqual([]);
});
