import { generateKeyPairSync } from 'node:crypto';
import { type LeaseClaims, parseToken, signToken } from '@berth/protocol';
import { nativeSigner } from '@berth/server/ed25519';
import { type BatchSigner, Issuer } from '@berth/server/engine/issuer';
import { expect, test } from 'vitest';

const sign = nativeSigner(generateKeyPairSync('ed25519').privateKey);

function lease(number: number): LeaseClaims {
  return {
    ...{ jti: `l-${number}`, ent: 'e-1', product: 'render', seat: `s-${number}`, n: 1, kind: 'online' },
    ...{ dev: `ed25519:${'A'.repeat(43)}`, nonce: 'n'.repeat(22), iat: 1_800_000_000, exp: 1_800_000_120 },
    ...{ dur: 120, epoch: 'e', seq: 7, head: 'h'.repeat(43) },
  };
}

const leases = (count: number): LeaseClaims[] => Array.from({ length: count }, (_, at) => lease(at));

/** Another thread that answers when the test says so. */
class HeldThread {
  readonly asked: (readonly string[])[] = [];
  readonly #answers: (() => void)[] = [];

  readonly sign: BatchSigner = (texts) => {
    this.asked.push(texts);
    return new Promise((resolve) => {
      this.#answers.push(() =>
        resolve(texts.map((text) => Buffer.from(sign(Buffer.from(text))).toString('base64url'))),
      );
    });
  };

  answer(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }
}

test('without another thread a token is there at once, with the bytes that the protocol makes', () => {
  const issuer = new Issuer(sign);
  const expected = leases(20).map((claims) => signToken('lease', claims, sign));
  expect(issuer.issueAll('lease', leases(20))).toEqual(expected);
  expect(issuer.issue('lease', lease(0))).toBe(expected[0]);
});

test('one or two of a turn are signed here: who is alone does not wait for a thread', async () => {
  const thread = new HeldThread();
  const issuer = new Issuer(sign, thread.sign);
  const tokens = await Promise.all([
    issuer.issueAll('lease', [lease(1)]),
    issuer.issueAll('lease', [lease(2)]),
  ]);
  expect(thread.asked).toEqual([]);
  expect(tokens.flat()).toEqual([1, 2].map((at) => signToken('lease', lease(at), sign)));
});

test('all that is asked for in one turn is signed together elsewhere, in parts, each with its own signature', async () => {
  const thread = new HeldThread();
  const issuer = new Issuer(sign, thread.sign);
  const whole = issuer.issueAll('lease', leases(30));
  // Woken by the same commit, a few steps later.
  const late = Promise.resolve()
    .then(() => undefined)
    .then(() => issuer.issueAll('lease', [lease(30), lease(31), lease(32)]));
  await new Promise((turn) => setImmediate(turn));
  expect(thread.asked.map(({ length }) => length)).toEqual([16, 16, 1]);
  let isAnswered = false;
  void Promise.resolve(whole).then(() => {
    isAnswered = true;
  });
  await new Promise((turn) => setImmediate(turn));
  expect(isAnswered).toBe(false);
  thread.answer();
  const expected = leases(33).map((claims) => signToken('lease', claims, sign));
  expect([...(await whole), ...(await late)]).toEqual(expected);
  expect(parseToken('lease', expected[0]!)).toMatchObject({ ok: true });
});
