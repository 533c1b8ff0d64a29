import { encodeBase64Url, encodeUtf8, parseToken, signToken, tokenTypes } from '@berth/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const sign = () => new Uint8Array(64);
const header = encodeBase64Url(encodeUtf8(tokenTypes.stop.header));
const signature = encodeBase64Url(new Uint8Array(64));
const ofPayload = (json: string) =>
  parseToken('stop', `${header}.${encodeBase64Url(encodeUtf8(json))}.${signature}`);

test('any text gives a token or a fault, never an exception', () => {
  const parts = fc.array(fc.oneof(fc.string(), fc.constantFrom(header, signature, 'e30')), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        parts.map((list) => list.join('.')),
      ),
      (text) => {
        for (const type of Object.keys(tokenTypes) as (keyof typeof tokenTypes)[]) {
          const parsed = parseToken(type, text);
          if (!parsed.ok) expect(typeof parsed.fault).toBe('string');
        }
      },
    ),
  );
});

const claims = { jti: 'l1', dev: `ed25519:${'A'.repeat(43)}`, iat: 1 };
const extra = fc.dictionary(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,9}$/),
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger().map((n) => n || 0),
    fc.boolean(),
    fc.constant(null),
  ),
  { maxKeys: 4 },
);

test('what is signed parses to the same claims, unknown ones too', () => {
  fc.assert(
    fc.property(extra, (more) => {
      const all = { ...more, ...claims };
      const parsed = parseToken('stop', signToken('stop', all, sign));
      expect(parsed.ok && parsed.token.claims).toEqual(all);
    }),
  );
});

test('any JSON that is not in its one spelling is refused', () => {
  const spaced = (value: unknown) => JSON.stringify(value, null, 1);
  fc.assert(
    fc.property(extra, (more) => {
      expect(ofPayload(spaced({ ...more, ...claims }))).toEqual({ ok: false, fault: 'NOT_COMPACT_JSON' });
    }),
  );
});

test('the depth is counted, not guessed', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const withZone = (zone: string) => ofPayload(`${JSON.stringify(claims).slice(0, -1)},"zone":${zone}}`);
  expect(withZone(deep(7)).ok).toBe(true);
  expect(withZone(deep(8))).toEqual({ ok: false, fault: 'NOT_COMPACT_JSON' });
});

test('exactly 4,096 characters are not too long', () => {
  const rest = 4096 - header.length - signature.length - 2;
  expect(parseToken('stop', `${header}.${'A'.repeat(rest)}.${signature}`)).toEqual({
    ok: false,
    fault: 'NOT_COMPACT_JSON',
  });
  expect(parseToken('stop', `${header}.${'A'.repeat(rest + 1)}.${signature}`)).toEqual({
    ok: false,
    fault: 'TOO_LONG',
  });
});
