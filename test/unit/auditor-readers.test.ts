import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '@berth/server/store/files';
import { Journal } from '@berth/server/store/journal';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseLines } from '../auditor/history.js';
import { readJournal } from '../auditor/journal-reader.js';

describe('the log', () => {
  test('half a line at the end is what a SIGKILL leaves', () => {
    expect(parseLines('{"t":1}\n{"t":2', 'x')).toEqual([{ t: 1 }]);
  });
  test('half a line elsewhere is not', () => {
    expect(() => parseLines('{"t":1\n{"t":2}\n', 'x')).toThrow('x:1');
  });
});

describe('the journal reader', () => {
  test('reads what the server wrote, and nothing that was changed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-auditor-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const journal = await Journal.open({ files: nodeFiles, folder, onRecord: () => {} });
    for (const n of [1, 2, 3])
      await journal.append(
        Buffer.from(JSON.stringify({ v: 1, changes: [{ type: 'clock.seen', wallMs: n }] })),
      );
    const { position } = journal;
    await journal.close();

    const read = readJournal(folder);
    expect(read.fault).toBeNull();
    expect(read.records.map(({ changes }) => changes[0]?.wallMs)).toEqual([1, 2, 3]);
    expect(read.records.at(-1)).toMatchObject(position);

    // Where the server ended just before it had written the header of the next segment.
    await writeFile(join(folder, 'journal', `${'4'.padStart(20, '0')}.log`), '');
    expect(readJournal(folder)).toEqual(read);

    const path = join(folder, 'journal', `${'1'.padStart(20, '0')}.log`);
    const bytes = await readFile(path);
    for (let at = 52; at < bytes.length; at += 3) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1;
      await writeFile(path, flipped);
      // Its checksum alone does not count: the chain covers everything it covers.
      const isChecksum = [52, 52 + recordBytes, 52 + 2 * recordBytes].some(
        (start) => at >= start + 4 && at < start + 8,
      );
      expect([at, readJournal(folder).fault === null]).toEqual([at, isChecksum]);
    }
  });
});

const recordBytes = 48 + '{"v":1,"changes":[{"type":"clock.seen","wallMs":1}]}'.length;
