import { open } from 'node:fs/promises';
import { synced } from '@berth/cli/synced';
import { expect, test } from 'vitest';
import { failure } from '../../store/faulty-files.js';

test('a disk that fails to keep what was written is heard; what keeps nothing by its nature is not', async () => {
  for (const code of ['EIO', 'ENOSPC', 'EDQUOT', 'EBADF'])
    await expect(synced({ sync: () => Promise.reject(failure(code)) }), code).rejects.toMatchObject({ code });
  const nowhere = await open('/dev/null', 'w');
  await synced(nowhere);
  await nowhere.close();
  await synced({ sync: () => Promise.reject(failure('ENOTSUP')) });
});
