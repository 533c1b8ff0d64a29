import { isStrictPoint, isStrictSignature } from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { loose, naclSign, nodeSign, verifiers } from './ed25519.js';
import { fromHex, loadVectors, toHex } from './vectors.js';

const { signatures, verifications } = loadVectors('ed25519');

describe('signing is deterministic: node:crypto and tweetnacl give the same bytes', () => {
  test.each(signatures)('$name', ({ seed, message, signature }) => {
    expect(toHex(nodeSign(fromHex(seed), fromHex(message)))).toBe(signature);
    expect(toHex(naclSign(fromHex(seed), fromHex(message)))).toBe(signature);
  });
});

describe.each(verifiers)('verifying strictly with %s', (_, verify) => {
  test.each(signatures)('$name', ({ publicKey, message, signature }) => {
    expect(verify(fromHex(publicKey), fromHex(message), fromHex(signature))).toBe(true);
  });
  test.each(verifications)('$name', ({ publicKey, message, signature, valid }) => {
    expect(verify(fromHex(publicKey), fromHex(message), fromHex(signature))).toBe(valid);
  });
});

describe('why there is a check before the library', () => {
  const acceptedBy = (library: string): string[] =>
    verifications
      .filter(({ valid }) => !valid)
      .filter(({ publicKey, message, signature }) =>
        loose[library]!(fromHex(publicKey), fromHex(message), fromHex(signature)),
      )
      .map(({ name }) => name);

  // OpenSSL 3.0 (Node 20) accepts them as well, 3.5 (Node 24) no longer: without the check, the verdict would hang on the host.
  test('tweetnacl accepts keys of small order and encodings above p', () => {
    const accepted = acceptedBy('tweetnacl');
    expect(accepted).toContain('a key of small order: 1 T');
    expect(accepted).toContain('R of small order');
    expect(accepted).toContain('a key that is not canonical: the identity as y = p + 1');
  });

  test('tweetnacl accepts S + L as well', () => {
    expect(acceptedBy('tweetnacl')).toContain('S + L');
    expect(acceptedBy('node:crypto')).not.toContain('S + L');
  });

  test('neither accepts what only holds after multiplying by the cofactor', () => {
    const name = 'true only after multiplying by the cofactor';
    expect([...acceptedBy('node:crypto'), ...acceptedBy('tweetnacl')]).not.toContain(name);
  });
});

// What a Node program calls bytes is a Buffer, whose `slice` is a view.
describe('a Buffer gets the verdict of its bytes, and stays as it is', () => {
  test.each([...signatures, ...verifications])('$name', (row) => {
    const given = [row.publicKey, row.message, row.signature].map((hex) => Buffer.from(hex, 'hex'));
    const [publicKey, message, signature] = given as [Buffer, Buffer, Buffer];
    for (const [, verify] of verifiers) {
      expect(verify(publicKey, message, signature)).toBe(!('valid' in row) || row.valid);
      expect(given.map(toHex)).toEqual([row.publicKey, row.message, row.signature]);
    }
  });
});

describe('the bounds', () => {
  const p = 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f';
  const order = 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010';
  const base = `58${'66'.repeat(31)}`;

  test('y below p, neither equal nor above', () => {
    expect(isStrictPoint(fromHex(base))).toBe(true);
    expect(isStrictPoint(fromHex(p.replace('ed', 'eb')))).toBe(true); // p - 2
    expect(isStrictPoint(fromHex(p.replace('ed', 'ec')))).toBe(false); // p - 1: of order 2
    expect(isStrictPoint(fromHex(p))).toBe(false);
    expect(isStrictPoint(fromHex(p.replace('ed', 'ee')))).toBe(false);
  });

  test('S below L, neither equal nor above', () => {
    expect(isStrictSignature(fromHex(base + order.replace('ed', 'ec')))).toBe(true);
    expect(isStrictSignature(fromHex(base + order))).toBe(false);
    expect(isStrictSignature(fromHex(base + order.replace('ed', 'ee')))).toBe(false);
  });
});
