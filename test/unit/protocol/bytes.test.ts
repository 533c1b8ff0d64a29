import { decodeBase64Url, decodeUtf8, encodeBase64Url, encodeUtf8, lengthPrefixed } from '@berth/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('base64url', () => {
  test('what is encoded is what Node encodes, and decodes again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = encodeBase64Url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(decodeBase64Url(text)).toEqual(bytes);
      }),
    );
  });

  test('any text: refused, or the one spelling of its bytes', () => {
    const alphabet = fc.constantFrom(...'ABQgwxyz019-_+/= \n\u00e9');
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: alphabet, maxLength: 12 })), (text) => {
        const bytes = decodeBase64Url(text);
        if (bytes !== null) expect(encodeBase64Url(bytes)).toBe(text);
      }),
    );
  });

  test.each(['A', 'AB==', 'AB', 'AAB', 'AAAAA', '+AAA', '/AAA', 'AA A', 'AAA\n', '\u{1f6a2}AAA'])(
    'refuses %j',
    (text) => {
      expect(decodeBase64Url(text)).toBeNull();
    },
  );
});

describe('UTF-8', () => {
  test('well-formed texts come back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeUtf8(encodeUtf8(text))).toBe(text);
      }),
    );
  });

  test('a byte order mark is a character like any other', () => {
    expect(decodeUtf8(encodeUtf8('\ufeffa'))).toBe('\ufeffa');
  });

  test.each([
    ['a lone continuation', [0x80]],
    ['cut off', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('refuses %s', (_, bytes) => expect(decodeUtf8(Uint8Array.from(bytes))).toBeNull());
});

describe('length-prefixed parts', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });

  test('each length is 32 bits big-endian', () => {
    const bytes = lengthPrefixed([Uint8Array.of(7, 8), new Uint8Array(0), new Uint8Array(258)]);
    expect([...bytes.subarray(0, 14)]).toEqual([0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 1, 2]);
    expect(bytes).toHaveLength(4 + 2 + 4 + 4 + 258);
  });

  test('two different lists never read the same', () => {
    const same = (a: Uint8Array[], b: Uint8Array[]) =>
      a.length === b.length && a.every((part, i) => Buffer.from(part).equals(b[i]!));
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(Buffer.from(lengthPrefixed(a)).equals(lengthPrefixed(b))).toBe(same(a, b));
      }),
    );
  });
});
