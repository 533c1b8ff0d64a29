// The ways in which a token can be wrong in form or signature (PROTOCOL 4).
import { forgedToken, smallKeyText, withLargeS } from './forged.js';
import {
  base64Url,
  device,
  endorsementClaims,
  entitlementClaims,
  headers,
  IAT,
  leaseClaims,
  nextVendor,
  server,
  token,
  tokenOf,
  vendor,
} from './keys.js';

const lease = JSON.stringify(leaseClaims());
const entitlement = JSON.stringify(entitlementClaims());
const good = token('lease', leaseClaims(), server);
const [goodHeader, goodPayload, goodSignature] = good.split('.');

export const tampered = [];
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const bad = (fault, name, text, type = 'lease', key = server) =>
  tampered.push({ name, type, key: key.text, token: text, verdict: { ok: false, fault } });
const header = (text) => tokenOf(text, lease, server);
const payload = (text) => tokenOf(headers.lease, text, server);
const claims = (changes) => payload(JSON.stringify(leaseClaims(changes)));
const withClaim = (text) => payload(`${lease.slice(0, -1)},${text}}`);
const replaced = (from, to) => payload(lease.replace(from, to));

function flip(part, at) {
  const bit = alphabet[alphabet.indexOf(part[at]) ^ 32];
  return part.slice(0, at) + bit + part.slice(at + 1);
}

// The header is compared literally, before anything is decoded.
bad('WRONG_TYPE', 'a flipped bit in the header', `${flip(goodHeader, 10)}.${goodPayload}.${goodSignature}`);
bad(
  'WRONG_TYPE',
  'alg none, no signature',
  `${base64Url('{"alg":"none","typ":"berth-lease+jwt"}')}.${goodPayload}.`,
);
bad('WRONG_TYPE', 'alg none', header('{"alg":"none","typ":"berth-lease+jwt"}'));
bad('WRONG_TYPE', 'alg HS256', header('{"alg":"HS256","typ":"berth-lease+jwt"}'));
bad('WRONG_TYPE', 'alg EdDSA, the older name', header('{"alg":"EdDSA","typ":"berth-lease+jwt"}'));
bad(
  'WRONG_TYPE',
  'an extra crit',
  header('{"alg":"Ed25519","typ":"berth-lease+jwt","crit":["exp"],"exp":1}'),
);
bad('WRONG_TYPE', 'an extra kid', header('{"alg":"Ed25519","typ":"berth-lease+jwt","kid":"1"}'));
bad('WRONG_TYPE', 'an embedded key', header('{"alg":"Ed25519","typ":"berth-lease+jwt","jwk":{}}'));
bad('WRONG_TYPE', 'the header re-ordered', header('{"typ":"berth-lease+jwt","alg":"Ed25519"}'));
bad('WRONG_TYPE', 'white space in the header', header('{"alg": "Ed25519","typ":"berth-lease+jwt"}'));
bad('WRONG_TYPE', 'a padded header', `${goodHeader}=.${goodPayload}.${goodSignature}`);
bad('WRONG_TYPE', 'no header', `.${goodPayload}.${goodSignature}`);
bad('WRONG_TYPE', 'a stop in place of a lease', tokenOf(headers.stop, lease, server));
bad('WRONG_TYPE', 'an entitlement in place of a lease', token('entitlement', entitlementClaims(), vendor));
bad('WRONG_TYPE', 'the reserved batch type', header('{"alg":"Ed25519","typ":"berth-batch+jwt"}'));
bad(
  'WRONG_TYPE',
  'a lease in place of an entitlement',
  tokenOf(headers.lease, entitlement, vendor),
  'entitlement',
  vendor,
);

// The compact form and its base64url.
bad('MALFORMED', 'empty', '');
bad('MALFORMED', 'one part', goodHeader);
bad('MALFORMED', 'two parts', `${goodHeader}.${goodPayload}`);
bad('MALFORMED', 'four parts', `${good}.`);
bad('MALFORMED', 'five parts, as in JWE', `${good}.a.b`);
bad('MALFORMED', 'no signature', `${goodHeader}.${goodPayload}.`);
bad('MALFORMED', 'a signature of 63 bytes', `${goodHeader}.${goodPayload}.${goodSignature.slice(0, 84)}`);
bad('MALFORMED', 'a signature of 65 bytes', `${goodHeader}.${goodPayload}.${base64Url(Buffer.alloc(65, 1))}`);
bad('MALFORMED', 'a padded signature', `${good}==`);
bad('MALFORMED', 'a line end after the token', `${good}\n`);
bad('MALFORMED', 'a space inside', `${goodHeader}.${goodPayload}. ${goodSignature}`);
bad(
  'MALFORMED',
  'unused bits of the signature set',
  good.slice(0, -1) + { A: 'B', Q: 'R', g: 'h', w: 'x' }[good.at(-1)],
);
bad('MALFORMED', 'base64 instead of base64url', payload(lease).replace(/\.(.)/, '.+'));
bad('MALFORMED', 'a padded payload', `${goodHeader}.${goodPayload}=.${goodSignature}`);
bad(
  'MALFORMED',
  'unused bits of the payload set',
  (() => {
    const text = JSON.stringify(leaseClaims({ jti: lease.length % 3 === 0 ? 'l00001' : 'l0001' }));
    const [h, p] = tokenOf(headers.lease, text, server).split('.');
    const loose = `${h}.${p.slice(0, -1)}${alphabet[alphabet.indexOf(p.at(-1)) + 1]}`;
    return `${loose}.${base64Url(server.sign(loose))}`;
  })(),
);
bad('MALFORMED', 'a payload that is not UTF-8', payload(Buffer.from([0x7b, 0xff, 0x7d])));
bad(
  'MALFORMED',
  'a surrogate in UTF-8',
  payload(Buffer.from(`{"a":"\u0001"}`.replace('\u0001', '\xed\xa0\x80'), 'latin1')),
);
bad(
  'TOO_LONG',
  '4,097 characters',
  `${goodHeader}.${'A'.repeat(4097 - goodHeader.length - goodSignature.length - 2)}.${goodSignature}`,
);

// The one spelling of the payload.
const spelling = (name, text) => bad('NOT_COMPACT_JSON', name, text);
spelling('an empty payload', payload(''));
spelling('a payload that is not JSON', payload('{'));
spelling('white space', replaced('"n":1', '"n": 1'));
spelling('a line end at the end', payload(`${lease}\n`));
spelling('a byte order mark', payload(`\ufeff${lease}`));
spelling('a claim twice, the same value', withClaim('"n":1'));
spelling('a claim twice, another value', withClaim('"n":2'));
spelling('a claim twice, once escaped', withClaim('"\\u006e":2'));
spelling('a name twice inside a claim', withClaim('"zone":{"a":1,"a":1}'));
spelling('2^53', replaced('"seq":41', '"seq":9007199254740992'));
spelling('2^53 + 1', replaced('"seq":41', '"seq":9007199254740993'));
spelling('1.0', replaced('"n":1', '"n":1.0'));
spelling('1e0', replaced('"n":1', '"n":1e0'));
spelling('1.5', replaced('"n":1', '"n":1.5'));
spelling('-0', replaced('"seq":41', '"seq":-0'));
spelling('a leading zero', replaced('"n":1', '"n":01'));
spelling('a float in a claim that nobody knows', withClaim('"zone":0.5'));
spelling('NaN', replaced('"n":1', '"n":NaN'));
spelling('1e400, infinity to many parsers', replaced('"n":1', '"n":1e400'));
spelling('a letter escaped without need', replaced('"kind":"online"', '"kind":"\\u006fnline"'));
spelling('a slash escaped without need', withClaim('"zone":"a\\/b"'));
spelling('a control character with a long escape', withClaim('"zone":"\\u0009"'));
spelling('an escape in capitals', withClaim('"zone":"\\u001F"'));
spelling('a lone surrogate', withClaim('"zone":"\\ud800"'));
spelling('a name that is a number', withClaim('"1":1'));
spelling('a name that is not ASCII', withClaim('"é":1'));
spelling('an empty name', withClaim('"":1'));
spelling('__proto__', withClaim('"__proto__":1'));
spelling('nine levels', withClaim(`"zone":${'['.repeat(8)}${']'.repeat(8)}`));
spelling('a thousand levels', withClaim(`"zone":${'['.repeat(1000)}${']'.repeat(1000)}`));
spelling('a second value', payload(`${lease}{}`));
spelling('a comment', payload(`${lease}//`));

// Claims of the right shape.
const shape = (name, text, type, key) => bad('CLAIMS_INVALID', name, text, type, key);
shape('null', payload('null'));
shape('an array', payload(`[${lease}]`));
shape('no claims', payload('{}'));
for (const name of Object.keys(leaseClaims()))
  shape(`a lease without ${name}`, claims({ [name]: undefined }));
shape('a text for a number', claims({ n: '1' }));
shape('no seats', claims({ n: 0 }));
shape('a negative number', claims({ seq: -1 }));
shape('an unknown kind', claims({ kind: 'float' }));
shape('a time in milliseconds', claims({ iat: IAT * 1000 }));
shape('an id with a space', claims({ jti: 'l 1' }));
shape('a key with another prefix', claims({ dev: device.text.replace('ed25519', 'x25519') }));
shape('a key that is not canonical', claims({ dev: loosened(device.text) }));
for (const name of [
  'jti',
  'rev',
  'iss',
  'sub',
  'product',
  'seats',
  'nbf',
  'exp',
  'share',
  'earlyReturn',
  'display',
])
  shape(
    `an entitlement without ${name}`,
    token('entitlement', entitlementClaims({ [name]: undefined }), vendor),
    'entitlement',
    vendor,
  );
for (const [name, changes] of [
  ['a product in capitals', { product: 'Render' }],
  ['an unknown share', { share: 'site' }],
  ['revision 0', { rev: 0 }],
  ['a million and one seats', { seats: 1_000_001 }],
  ['borrowing for longer than a year', { borrow: { maxSeconds: 31_622_401, seats: 1 } }],
  ['borrowing of no seats', { borrow: { maxSeconds: 60, seats: 0 } }],
  ['borrow null', { borrow: null }],
  ['an end after the year 9999', { exp: 253_402_300_801 }],
  ['a server key that is not canonical', { sub: loosened(server.text) }],
])
  shape(name, token('entitlement', entitlementClaims(changes), vendor), 'entitlement', vendor);

// Right in form: only the signature tells.
const signature = (name, text, key) => bad('SIGNATURE', name, text, 'lease', key);
signature('a flipped bit in the payload', flippedPayload());
signature('a flipped bit in the signature', `${goodHeader}.${goodPayload}.${flip(goodSignature, 20)}`);
signature('signed by another key', token('lease', leaseClaims(), device));
signature('the signature of another token', `${goodHeader}.${goodPayload}.${claims({ n: 2 }).split('.')[2]}`);
signature('S + L in place of S', withLargeS(good));
signature(
  'a key of small order, signed without a secret',
  forgedToken('lease', (seq) => leaseClaims({ seq })),
  {
    text: smallKeyText,
  },
);

/** One bit of `"jti":"l0001"`: still JSON, still a lease. */
function flippedPayload() {
  const bytes = Buffer.from(lease);
  bytes[lease.indexOf('l0001') + 4] ^= 2;
  return `${goodHeader}.${base64Url(bytes)}.${goodSignature}`;
}

/** The same key with an unused bit set. */
function loosened(keyText) {
  return keyText.slice(0, -1) + alphabet[alphabet.indexOf(keyText.at(-1)) + 1];
}

// An endorsement: whoever can make one that counts can grant seats.
const endorsed = (changes) => token('endorsement', endorsementClaims(changes), vendor);
const badEndorsement = (fault, name, text) => bad(fault, name, text, 'endorsement', vendor);
badEndorsement(
  'SIGNATURE',
  'an endorsement signed by the new key',
  token('endorsement', endorsementClaims(), nextVendor),
);
badEndorsement('SIGNATURE', 'an endorsement with S + L in place of S', withLargeS(endorsed()));
badEndorsement(
  'WRONG_TYPE',
  'an entitlement in place of an endorsement',
  tokenOf(headers.entitlement, JSON.stringify(endorsementClaims()), vendor),
);
badEndorsement('CLAIMS_INVALID', 'an endorsement for no product', endorsed({ products: [] }));
badEndorsement(
  'CLAIMS_INVALID',
  'an endorsement for 21 products',
  endorsed({ products: Array.from({ length: 21 }, (_, at) => `p${at}`) }),
);
badEndorsement(
  'CLAIMS_INVALID',
  'an endorsement for a product in capitals',
  endorsed({ products: ['Render'] }),
);
badEndorsement('CLAIMS_INVALID', 'an endorsement without the new key', endorsed({ sub: undefined }));
badEndorsement('CLAIMS_INVALID', 'an endorsement without a time', endorsed({ iat: undefined }));

// Borrow requests: what a file says is never trusted as it comes.
const request = {
  nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
  dev: device.text,
  name: 'cave-1',
  product: 'render-premium',
  seats: 1,
  seconds: 259_200,
  iat: IAT,
};
const badRequest = (fault, name, changes, key = device) =>
  bad(fault, name, token('borrowRequest', { ...request, ...changes }, key), 'borrowRequest', device);
badRequest('SIGNATURE', 'a borrow request signed by another device', {}, server);
badRequest('CLAIMS_INVALID', 'a borrow request for no seat', { seats: 0 });
badRequest('CLAIMS_INVALID', 'a borrow request for more seats than a grant carries', { seats: 65 });
badRequest('CLAIMS_INVALID', 'a borrow request for longer than a year', { seconds: 31_622_401 });
badRequest('CLAIMS_INVALID', 'a borrow request without a nonce', { nonce: undefined });
badRequest('CLAIMS_INVALID', 'a borrow request with a nonce too short', { nonce: 'AAAA' });
bad(
  'WRONG_TYPE',
  'a stop in the place of a borrow request',
  token('stop', { jti: 'l0001', dev: device.text, iat: IAT }, device),
  'borrowRequest',
  device,
);
