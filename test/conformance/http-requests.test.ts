import { createHash } from 'node:crypto';
import {
  type HttpTranscript,
  httpAnswerBytes,
  httpContexts,
  httpRequestBytes,
  isSignedAnswer,
  isSignedRequest,
  parseSecretKey,
  requestHeaders,
  signHttpRequest,
} from '@berth/protocol';
import { nativeVerify } from '@berth/server/ed25519';
import { describe, expect, test } from 'vitest';
import { naclSign, nodeSign, verifiers } from './ed25519.js';
import { type HttpRequestFields, loadVectors, toHex } from './vectors.js';

const { contexts, valid, tampered, answers } = loadVectors('http-requests');
/** The server's own, and two that share no code. */
const all = [['berthd', nativeVerify] as const, ...verifiers];

const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest();

function transcriptOf({ body, ...fields }: HttpRequestFields): HttpTranscript {
  return { ...fields, bodySha256: sha256(body) };
}

test('the contexts are literally those of the code', () => expect(contexts).toEqual(httpContexts));

describe.each(valid)('$name', ({ request, bytes, signer, signature }) => {
  const transcript = transcriptOf(request);
  const seed = parseSecretKey(signer.seed)!;

  test('bytes', () => expect(toHex(httpRequestBytes(transcript))).toBe(bytes));

  test.each([
    ['node:crypto', nodeSign],
    ['tweetnacl', naclSign],
  ])('a client signs it so with %s', (_, sign) => {
    expect(signHttpRequest(transcript, (message) => sign(seed, message))).toEqual({
      'Content-Type': 'application/json',
      [requestHeaders.device]: request.deviceKey,
      [requestHeaders.challenge]: request.challenge,
      [requestHeaders.nonce]: request.nonce,
      [requestHeaders.signature]: signature,
    });
  });

  test.each(all)('verifies with %s, and not as an answer', (_, verify) => {
    expect(isSignedRequest(transcript, signature, verify)).toBe(true);
    const answer = { status: 200, bodySha256: sha256(''), signature };
    expect(isSignedAnswer({ ...transcript, serverKey: signer.public }, answer, verify)).toBe(false);
  });
});

describe.each(tampered)('$name', ({ request, signature }) => {
  test.each(all)('is refused with %s', (_, verify) => {
    expect(isSignedRequest(transcriptOf(request), signature, verify)).toBe(false);
  });
});

describe.each(answers)('$name', ({ request, status, body, bytes, signer, signature }) => {
  const transcript = transcriptOf(request);
  const answer = { status, bodySha256: sha256(body), signature };

  test('bytes', () => {
    expect(toHex(httpAnswerBytes(transcript, status, answer.bodySha256))).toBe(bytes);
    expect(request.serverKey).toBe(signer.public);
  });

  test.each(all)('verifies with %s; another status, body or request does not', (_, verify) => {
    expect(isSignedAnswer(transcript, answer, verify)).toBe(true);
    expect(isSignedAnswer(transcript, { ...answer, status: 403 }, verify)).toBe(false);
    expect(isSignedAnswer(transcript, { ...answer, bodySha256: sha256(`${body} `) }, verify)).toBe(false);
    expect(isSignedAnswer({ ...transcript, nonce: request.challenge }, answer, verify)).toBe(false);
    expect(isSignedAnswer({ ...transcript, serverKey: request.deviceKey }, answer, verify)).toBe(false);
  });
});
