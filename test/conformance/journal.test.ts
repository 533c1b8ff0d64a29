import { createHash } from 'node:crypto';
import { decodeBase64Url } from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { fromHex, type JournalRecordCase, loadVectors, toHex } from './vectors.js';

// PROTOCOL 11, as an outsider would write it from the text.
function hashOf({ seq, prev, payload }: JournalRecordCase): Uint8Array {
  const bytes = new Uint8Array(40 + payload.length / 2);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(seq));
  bytes.set(fromHex(prev), 8);
  bytes.set(fromHex(payload), 40);
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

const { records, later } = loadVectors('journal');

describe.each([
  { name: 'from the first record', chain: records },
  { name: 'beyond 2^32', chain: later },
])('$name', ({ chain }) => {
  test.each(chain)('record $seq', (record) => {
    expect(toHex(hashOf(record))).toBe(record.hash);
    expect(toHex(decodeBase64Url(record.head)!)).toBe(record.hash);
  });

  test('each record names the one before it', () => {
    for (const [i, record] of chain.slice(1).entries()) {
      expect(record.prev).toBe(chain[i]!.hash);
      expect(record.seq).toBe(chain[i]!.seq + 1);
    }
  });
});

test('before the first record there are 32 zero bytes', () => {
  expect(records[0]).toMatchObject({ seq: 1, prev: '00'.repeat(32) });
});
