import { emptyMemoryDisk, MemoryStore } from '@berth/server/store/memory-store';
import { expect, test } from 'vitest';
import { stateStoreSuite } from './state-store.suite.js';

stateStoreSuite('MemoryStore', async () => {
  const disk = emptyMemoryDisk();
  return { open: () => MemoryStore.open(disk), remove: async () => {} };
});

test('a row that was lost or changed on the disk is noticed, as in LevelDB', async () => {
  for (const rot of ['lost', 'changed', 'added'] as const) {
    const disk = emptyMemoryDisk();
    const store = await MemoryStore.open(disk);
    await store.load();
    store.put({ seq: 1, hash: 'a'.repeat(64) }, new Map([['lease l1', { n: 1 }]]));
    await store.flush();
    if (rot === 'lost') disk.rows.delete('lease l1');
    if (rot === 'changed') disk.rows.set('lease l1', '{"n":2}');
    if (rot === 'added') disk.rows.set('lease l2', '{"n":1}');
    const again = await MemoryStore.open(disk);
    expect(await again.load(), rot).toMatchObject({ ok: false });
    await again.reset();
    expect(await (await MemoryStore.open(disk)).load(), rot).toMatchObject({ ok: true, seq: 0 });
  }
});
