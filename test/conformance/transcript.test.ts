import {
  contexts,
  decodeBase64Url,
  encodeBase64Url,
  parsePublicKey,
  parseSecretKey,
  type SignatureContext,
  type Transcript,
  transcriptBytes,
} from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { naclSign, nodeSign, verifiers } from './ed25519.js';
import { fromHex, loadVectors, type TranscriptCase, toHex } from './vectors.js';

const { cases, contexts: written } = loadVectors('transcript');

const transcriptOf = ({ transcript }: TranscriptCase): Transcript => ({
  ...transcript,
  binding: fromHex(transcript.binding),
});

test('the contexts are literally those of the code, each with a case', () => {
  expect(written).toEqual(contexts);
  expect(new Set(cases.map(({ context }) => context))).toEqual(new Set(Object.keys(contexts)));
});

describe.each(cases)('$name', (item) => {
  const bytes = transcriptBytes(item.context as SignatureContext, transcriptOf(item));
  const seed = parseSecretKey(item.signer.seed)!;

  test('bytes', () => expect(toHex(bytes)).toBe(item.bytes));

  test('signature', () => {
    expect(encodeBase64Url(nodeSign(seed, bytes))).toBe(item.signature);
    expect(encodeBase64Url(naclSign(seed, bytes))).toBe(item.signature);
  });

  test.each(verifiers)('verifies with %s, and in no other context', (_, verify) => {
    const key = parsePublicKey(item.signer.public)!;
    const signature = decodeBase64Url(item.signature)!;
    for (const context of Object.keys(contexts) as SignatureContext[]) {
      const verified = verify(key, transcriptBytes(context, transcriptOf(item)), signature);
      expect(verified, context).toBe(context === item.context);
    }
  });

  test('every field is signed', () => {
    const original = transcriptOf(item);
    for (const field of Object.keys(original) as (keyof Transcript)[]) {
      const changed =
        field === 'binding'
          ? { ...original, binding: Uint8Array.of(...original.binding, 1) }
          : { ...original, [field]: `${original[field]}x` };
      expect(toHex(transcriptBytes(item.context as SignatureContext, changed)), field).not.toBe(item.bytes);
    }
  });
});
