// What every Ed25519 of ours must sign and what it must refuse (PROTOCOL 4.1).
import {
  add,
  BASE,
  challenge,
  encodePoint,
  fromLittleEndian,
  L,
  littleEndian,
  multiply,
  offCurve,
  P,
  secretScalar,
  torsionPoint,
} from './curve.js';
import { keyOfSeed, makeKey, sha256 } from './keys.js';

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const modL = (n) => ((n % L) + L) % L;

function signatures() {
  const signed = (name, key, message) => ({
    name,
    seed: hex(key.seed),
    publicKey: hex(key.publicBytes),
    message: hex(message),
    signature: hex(key.sign(message)),
  });
  const rfc = (text) => keyOfSeed(Buffer.from(text, 'hex'));
  return [
    signed(
      'RFC 8032 test 1: empty message',
      rfc('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
      Buffer.alloc(0),
    ),
    signed(
      'RFC 8032 test 2: one byte',
      rfc('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
      Buffer.from('72', 'hex'),
    ),
    signed(
      'RFC 8032 test 3: two bytes',
      rfc('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7'),
      Buffer.from('af82', 'hex'),
    ),
    signed('a line of text', makeKey('vendor'), Buffer.from('Berth hands out seats.\n')),
    signed('UTF-8 text', makeKey('server'), Buffer.from('Ærø, 東京, 🚢')),
    signed('1,023 bytes', makeKey('device'), Buffer.alloc(1023, 0xa5)),
  ];
}

const key = makeKey('edge cases');
const a = secretScalar(key.seed);
const message = Buffer.from('a message');
const good = key.sign(message);
const rScalar = fromLittleEndian(sha256('berth vector r')) % L;
const R = multiply(rScalar, BASE);

/** S for which [S]B = R + [h]A with A = [a]B and the given encodings of R and A. */
const solve = (encodedR, encodedA, scalar, r, text) => modL(r + challenge(encodedR, encodedA, text) * scalar);

/** A message with which [h]T vanishes, or does not: what a verifier without a check of A depends on. */
function messageWhere(encodedA, wanted) {
  for (let n = 0; ; n++) {
    const text = Buffer.from(`message ${n}`);
    if ((challenge(encodePoint(R), encodedA, text) % 8n === 0n) === wanted) return text;
  }
}

function verifications() {
  const cases = [];
  const add_ = (name, valid, publicKey, text, signature, why) =>
    cases.push({
      name,
      publicKey: hex(publicKey),
      message: hex(text),
      signature: hex(signature),
      valid,
      ...(why && { why }),
    });
  const split = [good.subarray(0, 32), good.subarray(32)];
  const flip = (bytes, bit) => {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] ^= 1 << (bit & 7);
    return copy;
  };
  add_('an honest signature', true, key.publicBytes, message, good);
  add_('another message', false, key.publicBytes, Buffer.from('b message'), good);
  add_('a flipped bit in R', false, key.publicBytes, message, flip(good, 3));
  add_('a flipped bit in S', false, key.publicBytes, message, flip(good, 256));
  add_('a flipped bit in the key', false, flip(key.publicBytes, 0), message, good);
  add_('the key of another', false, makeKey('device').publicBytes, message, good);
  add_('63 bytes', false, key.publicBytes, message, good.subarray(0, 63));
  add_('65 bytes', false, key.publicBytes, message, Buffer.concat([good, Buffer.alloc(1)]));
  add_('a key of 31 bytes', false, key.publicBytes.subarray(0, 31), message, good);
  add_('64 zero bytes', false, key.publicBytes, message, Buffer.alloc(64));
  const s = fromLittleEndian(split[1]);
  const withS = (n) => Buffer.concat([split[0], littleEndian(n)]);
  add_('S + L', false, key.publicBytes, message, withS(s + L), 'S must be below L; tweetnacl accepts this');
  add_('S = L', false, key.publicBytes, message, withS(L), 'S must be below L');
  add_(
    'S + 8 L',
    false,
    key.publicBytes,
    message,
    withS(s + 8n * L),
    'the three high bits of S must be zero',
  );
  addSmallOrder(add_);
  addOddPoints(add_);
  addMixedOrder(add_);
  return cases;
}

function addSmallOrder(add_) {
  const torsion = torsionPoint();
  for (let i = 0n; i < 8n; i++) {
    const encoded = encodePoint(multiply(i, torsion));
    const text = messageWhere(encoded, true);
    // R = [r]B and S = r: true for any key whose [h]A vanishes. Nobody need know a secret.
    const forged = Buffer.concat([encodePoint(R), littleEndian(rScalar)]);
    add_(
      `a key of small order: ${i} T`,
      false,
      encoded,
      text,
      forged,
      'signed without a secret; OpenSSL and tweetnacl accept this',
    );
  }
  const identity = littleEndian(1n);
  const s = solve(identity, key.publicBytes, a, 0n, message);
  add_(
    'R of small order',
    false,
    key.publicBytes,
    message,
    Buffer.concat([identity, littleEndian(s)]),
    'OpenSSL and tweetnacl accept this, libsodium does not',
  );
}

function addOddPoints(add_) {
  const forged = Buffer.concat([encodePoint(R), littleEndian(rScalar)]);
  const nonCanonical = [
    ['the identity as y = p + 1', littleEndian(P + 1n)],
    ['the identity with the sign bit', littleEndian(1n | (1n << 255n))],
    ['y = p', littleEndian(P)],
    ['y = p + 18, the largest', littleEndian(P + 18n)],
    ['32 bytes of ff', Buffer.alloc(32, 0xff)],
  ];
  for (const [name, encoded] of nonCanonical) {
    add_(
      `a key that is not canonical: ${name}`,
      false,
      encoded,
      messageWhere(encoded, true),
      forged,
      'y must be below p',
    );
  }
  add_('a key that is on no point', false, offCurve(), message, good);
  const badR = littleEndian(P + 1n);
  const s = solve(badR, key.publicBytes, a, 0n, message);
  add_(
    'R that is not canonical',
    false,
    key.publicBytes,
    message,
    Buffer.concat([badR, littleEndian(s)]),
    'y of R must be below p',
  );
  // A = [a]B + T of order 8: R + [h]A differs from [S]B by [h]T, which only a check times the cofactor 8 does not see.
  const mixed = encodePoint(add(multiply(a, BASE), torsionPoint()));
  const text = messageWhere(mixed, false);
  const sMixed = solve(encodePoint(R), mixed, a, rScalar, text);
  const cofactored = Buffer.concat([encodePoint(R), littleEndian(sMixed)]);
  add_(
    'true only after multiplying by the cofactor',
    false,
    mixed,
    text,
    cofactored,
    'the equation is checked without the cofactor',
  );
}

/** The message, of many, with which [h]`torsion` is the wanted multiple of it. */
function messageWith(encodedR, encodedA, wanted) {
  for (let n = 0; ; n++) {
    const text = Buffer.from(`message ${n}`);
    if (wanted(challenge(encodedR, encodedA, text) % 8n)) return text;
  }
}

/** Points with a part of small order, as in "Taming the many EdDSAs" (2020): verifiers differ over them, ours may not. */
function addMixedOrder(add_) {
  const torsion = torsionPoint();
  const honestA = multiply(a, BASE);
  const mixedR = (i) => encodePoint(add(R, multiply(i, torsion)));
  const mixedA = (i) => encodePoint(add(honestA, multiply(i, torsion)));
  const case_ = (name, valid, encodedA, encodedR, text, why, scalars = [a, rScalar]) =>
    add_(
      name,
      valid,
      encodedA,
      text,
      Buffer.concat([encodedR, littleEndian(solve(encodedR, encodedA, ...scalars, text))]),
      why,
    );
  const holds = 'the equation holds as it is; only points of small order are refused';
  const fails = 'holds only after multiplying by the cofactor';
  let text = messageWith(encodePoint(R), mixedA(1n), (h) => h === 0n);
  case_('a key of mixed order', true, mixedA(1n), encodePoint(R), text, holds);
  text = messageWith(mixedR(3n), mixedA(1n), (h) => (3n + h) % 8n === 0n);
  case_('a key and an R of mixed order', true, mixedA(1n), mixedR(3n), text, holds);
  text = messageWith(mixedR(3n), mixedA(1n), (h) => (3n + h) % 8n !== 0n);
  case_('a key and an R of mixed order that do not cancel', false, mixedA(1n), mixedR(3n), text, fails);
  case_('R of mixed order under an honest key', false, key.publicBytes, mixedR(4n), message, fails);
  const small = encodePoint(multiply(2n, torsion));
  text = messageWith(small, mixedA(2n), (h) => (h + 1n) % 4n === 0n);
  const smallR = 'R of small order, though the equation holds';
  case_('R of small order under a key of mixed order', false, mixedA(2n), small, text, smallR, [a, 0n]);
  for (let i = 1n; i < 8n; i++) {
    const encoded = encodePoint(multiply(i, torsion));
    case_(`R of small order: ${i} T`, false, key.publicBytes, encoded, message, smallR, [a, 0n]);
  }
  const nothing = Buffer.concat([small, Buffer.alloc(32)]);
  text = messageWith(small, small, (h) => (h + 1n) % 4n === 0n);
  add_('key and R of small order, S = 0', false, small, text, nothing, 'true of no secret at all');
}

export const ed25519Vectors = () => ({
  note: 'Ed25519 (RFC 8032), all bytes in hex. `signatures`: signing is deterministic, so every signer gives these bytes. `verifications`: what a strict verifier says (PROTOCOL 4.1).',
  signatures: signatures(),
  verifications: verifications(),
});
