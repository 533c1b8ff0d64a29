import { generateKeyPairSync } from 'node:crypto';
import { nativeSigner } from '@berth/server/ed25519';
import { SigningThread, type SigningThreadEnded } from '@berth/server/signing-thread';
import { expect, test } from 'vitest';

test('signs every text of every batch, in order, with the bytes that this thread would make', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const fatal: unknown[] = [];
  const thread = new SigningThread({ key: privateKey, onFatal: (error) => fatal.push(error) });
  const sign = nativeSigner(privateKey);
  const batches = Array.from({ length: 20 }, (_, batch) =>
    Array.from({ length: batch + 1 }, (_text, at) => `header.${batch}-${at}`),
  );
  const signed = await Promise.all(batches.map((texts) => thread.sign(texts)));
  expect(signed).toEqual(
    batches.map((texts) => texts.map((text) => Buffer.from(sign(Buffer.from(text))).toString('base64url'))),
  );
  await thread.close();
  expect(fatal, 'a thread that was closed has not failed').toEqual([]);
});

test('a thread that cannot sign ends the server, once, and nobody gets an answer without a signature', async () => {
  // A key that agrees on secrets and signs nothing.
  const { privateKey } = generateKeyPairSync('x25519');
  const answered: unknown[] = [];
  const fatal: SigningThreadEnded[] = [];
  await new Promise<void>((ended) => {
    const onFatal = (error: SigningThreadEnded): void => {
      fatal.push(error);
      ended();
    };
    const thread = new SigningThread({ key: privateKey, onFatal });
    const asked = [thread.sign(['a']), thread.sign(['b'])];
    void Promise.race(asked).then((signatures) => answered.push(signatures));
  });
  await new Promise((turn) => setImmediate(turn));
  expect(fatal).toMatchObject([{ code: 'SIGNING_THREAD_ENDED' }]);
  expect(answered).toEqual([]);
});
