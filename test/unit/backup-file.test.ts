import {
  BACKUP_CHUNK_BYTES,
  BackupBroken,
  type BackupPiece,
  BackupSealer,
  formatBackupHead,
  readBackup,
} from '@berth/protocol';
import { cipherOf, newCipher } from '@berth/server/backup/cipher';
import { KnownHashes } from '@berth/server/store/known-hashes';
import { beforeAll, describe, expect, test } from 'vitest';

const PASSPHRASE = 'correct horse battery staple';
const content = Buffer.alloc(3 * BACKUP_CHUNK_BYTES + 77, 'berth ');
const end = { server: 'ed25519:x', epoch: 'e', seq: 7, head: 'h'.repeat(43), atMs: 1 };
let whole: Buffer;
/** Where each chunk begins, its length before it. */
let chunks: number[];

async function seal(): Promise<Buffer> {
  const { head, cipher } = await newCipher(PASSPHRASE);
  const headBytes = formatBackupHead(head);
  const pieces: Uint8Array[] = [headBytes];
  const sealer = new BackupSealer(headBytes, cipher, async (bytes) => void pieces.push(Buffer.from(bytes)));
  await sealer.begin({ path: 'berthd.json', bytes: 2 });
  await sealer.add(Buffer.from('{}'));
  await sealer.begin({ path: 'journal/00000000000000000001.log', bytes: content.length });
  for (let at = 0; at < content.length; at += 10_000) await sealer.add(content.subarray(at, at + 10_000));
  await sealer.end({ end });
  return Buffer.concat(pieces);
}

async function read(bytes: Uint8Array, passphrase = PASSPHRASE, step = 9_000): Promise<BackupPiece[]> {
  const source = (async function* () {
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  })();
  const pieces: BackupPiece[] = [];
  for await (const piece of readBackup(source, (head) => cipherOf(passphrase, head))) pieces.push(piece);
  return pieces;
}

const fault = (bytes: Uint8Array, passphrase?: string): Promise<string> =>
  read(bytes, passphrase).then(
    () => 'none',
    (error: unknown) => (error instanceof BackupBroken ? error.fault : String(error)),
  );

beforeAll(async () => {
  whole = await seal();
  chunks = [];
  for (let at = whole.indexOf(10) + 1; at < whole.length; at += 4 + whole.readUInt32BE(at)) chunks.push(at);
});

const chunk = (at: number): Buffer => whole.subarray(chunks[at], chunks[at + 1]);
const head = (): Buffer => whole.subarray(0, chunks[0]);

describe('a backup file', () => {
  test('comes back as it was, however its bytes come', async () => {
    expect(chunks).toHaveLength(4);
    for (const step of [777, 9_000, whole.length]) {
      const pieces = await read(whole, PASSPHRASE, step);
      const bytes = pieces.flatMap((piece) => (piece.kind === 'bytes' ? [piece.bytes] : []));
      expect(Buffer.concat(bytes).equals(Buffer.concat([Buffer.from('{}'), content]))).toBe(true);
      expect(pieces.filter(({ kind }) => kind === 'file')).toHaveLength(2);
      expect(pieces.at(-1)).toEqual({ kind: 'end', end });
    }
  });

  test('two backups of the same have nothing in common', async () => {
    const other = await seal();
    expect(
      other.subarray(chunks[0]! + 4, chunks[0]! + 68).equals(whole.subarray(chunks[0]! + 4, chunks[0]! + 68)),
    ).toBe(false);
    expect(await fault(Buffer.concat([head(), other.subarray(chunks[0]!)]))).toBe('CHANGED');
  });

  test('a wrong passphrase is told from a changed file', async () => {
    expect(await fault(whole, 'correct horse battery stable')).toBe('PASSPHRASE');
    expect(await fault(whole)).toBe('none');
  });

  test('is refused with any bit of it flipped', async () => {
    const places = [0, 1, 30, head().length - 2, ...chunks, ...chunks.map((at) => at + 5), whole.length - 1];
    for (const at of places) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 1;
      expect(await fault(flipped), `byte ${at}`).not.toBe('none');
    }
  }, 60_000);

  test('is refused cut short anywhere, at the end of a chunk too', async () => {
    for (const at of [0, 10, head().length, chunks[1]!, chunks[3]!, whole.length - 1])
      expect(['CUT_SHORT', 'HEAD'], `at ${at}`).toContain(await fault(whole.subarray(0, at)));
  }, 60_000);

  test('is refused with something behind its end, which is not called cut short', async () => {
    for (const more of ['x', 'four', 'x'.repeat(20_000)])
      expect(await fault(Buffer.concat([whole, Buffer.from(more)])), more.slice(0, 4)).toBe('TOO_LONG');
    expect(await fault(Buffer.concat([whole, chunk(3)]))).toBe('TOO_LONG');
  }, 60_000);

  test('is refused with chunks swapped, left out or twice', async () => {
    const [a, b, c, d] = [0, 1, 2, 3].map(chunk) as [Buffer, Buffer, Buffer, Buffer];
    for (const order of [[a, c, b, d], [a, b, d], [a, b, b, c, d], [d]])
      expect(await fault(Buffer.concat([head(), ...order]))).toBe('CHANGED');
  }, 60_000);
});

test('hashes of records: ours, another one, not there yet, or older than what is kept', () => {
  const known = new KnownHashes();
  const hash = (seq: number) => seq.toString(16).padStart(64, '0');
  const text = (seq: number) => Buffer.from(hash(seq), 'hex').toString('base64url');
  for (let seq = 1; seq <= 65_546; seq += 1) known.note({ seq, hash: hash(seq) });
  expect([known.has(65_546, text(65_546)), known.has(11, text(11))]).toEqual([true, true]);
  expect([known.has(65_546, text(1)), known.has(65_547, text(65_547))]).toEqual([false, false]);
  expect(known.has(10, text(4))).toBeNull();
});
