import { emptyMemoryDisk, MemoryStore } from '@berth/server/store/memory-store';
import { stateStoreSuite } from './state-store.suite.js';

stateStoreSuite('MemoryStore', async () => {
  const disk = emptyMemoryDisk();
  return { open: () => MemoryStore.open(disk), remove: async () => {} };
});
