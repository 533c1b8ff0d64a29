import {
  encodeBase64Url,
  parsePublicKey,
  parseSecretKey,
  parseToken,
  signToken,
  tokenTypes,
} from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { nodeSign, verifiers } from './ed25519.js';
import { loadVectors, type TokenCase } from './vectors.js';

const { keys, headers, valid, tampered } = loadVectors('tokens');

test('the headers are literally those of the code', () => {
  const own = Object.fromEntries(Object.entries(tokenTypes).map(([type, { header }]) => [type, header]));
  expect(headers).toEqual(own);
});

describe.each(verifiers)('with %s', (_, verify) => {
  const verdict = ({ type, key, token }: TokenCase): unknown => {
    const parsed = parseToken(type, token);
    if (!parsed.ok) return { ok: false, fault: parsed.fault };
    const { claims, signed, signature } = parsed.token;
    return verify(parsePublicKey(key)!, signed, signature)
      ? { ok: true, claims }
      : { ok: false, fault: 'SIGNATURE' };
  };
  test.each(valid)('valid: $name', (item) => expect(verdict(item)).toEqual(item.verdict));
  test.each(tampered)('$verdict.fault: $name', (item) => expect(verdict(item)).toEqual(item.verdict));
});

test.each(valid)(
  'signing the claims of "$name" again gives the same bytes',
  ({ type, key, token, verdict }) => {
    const signer = Object.values(keys).find((entry) => entry.public === key)!;
    const claims = verdict.ok ? verdict.claims : undefined;
    const sign = (message: Uint8Array) => nodeSign(parseSecretKey(signer.seed)!, message);
    expect(signToken(type, claims as never, sign)).toBe(token);
  },
);

test('a valid token is never valid as another type', () => {
  for (const { type, token } of valid) {
    for (const other of Object.keys(tokenTypes) as (keyof typeof tokenTypes)[]) {
      if (other !== type) expect(parseToken(other, token)).toEqual({ ok: false, fault: 'WRONG_TYPE' });
    }
  }
});

test('no single changed character of a lease verifies', () => {
  const { token, key } = valid.find(({ name }) => name === 'a lease')!;
  const [, verify] = verifiers[0]!;
  for (let at = 0; at < token.length; at++) {
    const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
    const parsed = parseToken('lease', changed);
    if (parsed.ok) {
      expect(
        verify(parsePublicKey(key)!, parsed.token.signed, parsed.token.signature),
        `character ${at}`,
      ).toBe(false);
    }
  }
});

test('every fault of form has a case', () => {
  const faults = new Set(tampered.map(({ verdict }) => (verdict.ok ? '' : verdict.fault)));
  expect([...faults].sort()).toEqual(
    ['CLAIMS_INVALID', 'MALFORMED', 'NOT_COMPACT_JSON', 'SIGNATURE', 'TOO_LONG', 'WRONG_TYPE'].sort(),
  );
  expect(encodeBase64Url(new Uint8Array(0))).toBe('');
});
