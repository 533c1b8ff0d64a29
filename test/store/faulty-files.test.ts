import { expect, test } from 'vitest';
import { FaultyFiles, hex } from './faulty-files.js';

async function opened(files: FaultyFiles) {
  await files.makeFolder('/data');
  return files.open('/data/file', 'create');
}

test('what was cut off does not come back: a gap is zero', async () => {
  const file = await opened(new FaultyFiles());
  await file.write(Uint8Array.of(1, 2, 3, 4, 5, 6), 0);
  await file.truncate(2);
  await file.write(Uint8Array.of(9), 5);
  expect(hex(await file.read(0, 10))).toBe('010200000009');
});

test('after a power cut a file is what was synced, and goes on from there', async () => {
  const files = new FaultyFiles();
  const file = await opened(files);
  await file.write(Uint8Array.of(1, 2, 3), 0);
  await file.sync();
  await files.syncFolder('/data');
  await file.write(Uint8Array.of(7, 7, 7, 7), 1);
  expect(hex(files.get('/data/file'))).toBe('0107070707');
  files.powerCut('NONE');
  expect(hex(files.get('/data/file'))).toBe('010203');
  const again = await files.open('/data/file', 'write');
  await again.write(Uint8Array.of(8), 4);
  expect(hex(files.get('/data/file'))).toBe('0102030008');
});
