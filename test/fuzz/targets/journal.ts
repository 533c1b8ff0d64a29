import assert from 'node:assert/strict';
import { Journal, JournalCorrupt, type JournalRecord } from '@berth/server/store/journal';
import { encodeRecord, encodeSegmentHeader, sealed } from '@berth/server/store/journal-format';
import { FaultyFiles } from '../../store/faulty-files.js';
import { DATA, segmentFile, written } from '../../store/journal-fixture.js';
import type { Random } from '../../store/random.js';
import { bytes, pick, type Target, text } from '../target.js';

// A journal folder: for each file a line `name length`, its bytes, a line break. Opening it either refuses with JournalCorrupt and changes
// nothing, or leaves a journal that opens to the same records again and goes on.

const FOLDER = `${DATA}/journal`;
const RECORDS = 9;

export async function journalTarget(): Promise<Target> {
  const honest: Folder[] = [];
  for (const segmentBytes of [1, 200, 1 << 20])
    honest.push(folderOf(await written(new FaultyFiles(), RECORDS, segmentBytes)));
  return {
    name: 'journal',
    maxBytes: 16 * 1024,
    words: [
      'BERTHJ01',
      'BERTHH01',
      '00000000000000000001.log 52\n',
      'head 564\n',
      '\n',
      '\0'.repeat(8),
      '\xff\xff\xff\xff',
    ],
    covers: ['/server/dist/store/'],
    generate: (random) => generate(random, honest),
    run,
  };
}

type Folder = Map<string, Buffer>;

async function run(input: Uint8Array): Promise<void> {
  const disk = new FaultyFiles();
  await disk.makeFolder(DATA);
  await disk.makeFolder(FOLDER);
  for (const [name, content] of unpacked(Buffer.from(input))) disk.put(`${FOLDER}/${name}`, content);
  const before = disk.snapshot();
  const first = await opened(disk);
  assert.equal(disk.openFiles, 0, 'a file was left open');
  if (first === null) {
    assert.deepEqual(disk.snapshot(), before, 'refused, and changed all the same');
    return;
  }
  const again = await opened(disk);
  assert.deepEqual(again?.map(said), first.map(said), 'what was opened does not open to the same again');
  await goesOn(disk, first.length);
}

/** The records, each the successor of the one before; null: refused. */
async function opened(disk: FaultyFiles): Promise<JournalRecord[] | null> {
  const records: JournalRecord[] = [];
  try {
    const journal = await Journal.open({
      files: disk,
      folder: DATA,
      onRecord: (record) => records.push(record),
    });
    assert.equal(journal.position.seq, records.length);
    await journal.close();
  } catch (error) {
    if (error instanceof JournalCorrupt) return null;
    throw error;
  }
  records.forEach((record, i) => {
    assert.equal(record.seq, i + 1);
  });
  return records;
}

async function goesOn(disk: FaultyFiles, count: number): Promise<void> {
  const journal = await Journal.open({ files: disk, folder: DATA, onRecord: () => {} });
  await journal.append(bytes('{"one":"more"}'));
  await journal.close();
  assert.equal((await opened(disk))?.length, count + 1);
}

function said({ seq, hash, payload }: JournalRecord): string {
  return `${seq} ${hash} ${Buffer.from(payload).toString('hex')}`;
}

function folderOf(disk: FaultyFiles): Folder {
  return new Map(disk.names(FOLDER).map((name) => [name, disk.get(`${FOLDER}/${name}`)]));
}

function packed(folder: Folder): Buffer {
  const rows = [...folder].flatMap(([name, content]) => [
    bytes(`${name} ${content.length}\n`),
    content,
    bytes('\n'),
  ]);
  return Buffer.concat(rows);
}

function unpacked(input: Buffer): Folder {
  const folder: Folder = new Map();
  for (let at = 0; at < input.length && folder.size < 32; ) {
    const end = input.indexOf('\n', at);
    if (end < 0) break;
    const match = /^([A-Za-z0-9.]{1,40}) (\d{1,5})$/.exec(text(input.subarray(at, end)));
    const length = Number(match?.[2] ?? 0);
    if (match !== null) folder.set(match[1]!, Buffer.from(input.subarray(end + 1, end + 1 + length)));
    at = end + 1 + length + 1;
  }
  return folder;
}

function generate(random: Random, honest: readonly Folder[]): Uint8Array {
  const folder: Folder = new Map(
    [...pick(random, honest)].map(([name, content]) => [name, Buffer.from(content)]),
  );
  for (let n = 1 + random(3); n > 0 && folder.size > 0; n--)
    pick(random, damages)(folder, random, pick(random, honest));
  return packed(folder);
}

type Damage = (folder: Folder, random: Random, other: Folder) => void;

/** What checksums do not show is the worst: the third and those after it seal what they made. */
const damages: readonly Damage[] = [
  (folder, random) => {
    const content = folder.get(pick(random, [...folder.keys()]))!;
    if (content.length > 0) content[random(content.length)]! ^= 1 << random(8);
  },
  (folder, random) => {
    const name = pick(random, [...folder.keys()]);
    folder.set(name, folder.get(name)!.subarray(0, random(folder.get(name)!.length + 1)));
  },
  (folder, random) => {
    const head = folder.get('head');
    if (head === undefined || head.length < 564) return;
    const slot = head.subarray(512 * random(2)).subarray(0, 52);
    slot.writeUInt32BE(pick(random, [0, 1, 8, 9, 10, 11, 2 ** 31, 2 ** 32 - 1]), pick(random, [8, 12]));
    sealed(slot);
  },
  (folder, random) => void folder.delete(pick(random, [...folder.keys()])),
  (folder, random, other) => {
    const name = pick(random, [...other.keys()]);
    folder.set(name, Buffer.from(other.get(name)!));
  },
  (folder, random) => {
    const seq = random(12);
    const last = { seq, hash: pick(random, ['00', 'ff']).repeat(32) };
    const tail = encodeRecord(last, Buffer.alloc(random(64), 0x7b)).bytes;
    folder.set(
      segmentFile(seq + 1).slice(FOLDER.length + 1),
      Buffer.concat([encodeSegmentHeader(last), tail]),
    );
  },
  (folder, random) => {
    const name = pick(random, [...folder.keys()]);
    const tail = Buffer.alloc(pick(random, [1, 4, 47, 48, 52, 500]), pick(random, [0, 0xff]));
    folder.set(name, Buffer.concat([folder.get(name)!, tail]));
  },
];
