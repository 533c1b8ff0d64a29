import {
  formatPublicKey,
  formatSecretKey,
  looksSecret,
  parsePublicKey,
  parseSecretKey,
} from '@berth/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('a key comes back, with white space around it', () => {
  fc.assert(
    fc.property(key, (bytes) => {
      expect(parsePublicKey(`\n ${formatPublicKey(bytes)}\r\n`)).toEqual(bytes);
      expect(parseSecretKey(`${formatSecretKey(bytes)} `)).toEqual(bytes);
    }),
  );
});

test('one kind is never taken for the other', () => {
  fc.assert(
    fc.property(key, (bytes) => {
      expect(parsePublicKey(formatSecretKey(bytes))).toBeNull();
      expect(parseSecretKey(formatPublicKey(bytes))).toBeNull();
    }),
  );
});

test('other lengths are refused', () => {
  for (const length of [0, 31, 33, 64])
    expect(parsePublicKey(formatPublicKey(new Uint8Array(length)))).toBeNull();
});

test('any text is read or refused, and has one spelling', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((tail) => `ed25519:${tail}`),
      ),
      (text) => {
        const bytes = parsePublicKey(text);
        if (bytes !== null) expect(formatPublicKey(bytes)).toBe(text.trim());
      },
    ),
  );
});

test('a secret is recognised before it is printed anywhere, even a broken one', () => {
  expect(looksSecret(' ed25519-secret:oops')).toBe(true);
  expect(looksSecret('\ned25519-secret:')).toBe(true);
  expect(looksSecret(formatPublicKey(new Uint8Array(32)))).toBe(false);
});
