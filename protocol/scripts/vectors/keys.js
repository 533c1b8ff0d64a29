// Fixed keys and the few encodings the vectors need, written without anything of protocol/src: the vectors judge that code, so they
// must not be made by it.
import { createHash, createPrivateKey, createPublicKey, sign as signWith } from 'node:crypto';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export const base64Url = (bytes) => Buffer.from(bytes).toString('base64url');
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** The key that everybody knows: its seed is the SHA-256 of its name. Never use one outside of tests. */
export function makeKey(name) {
  return keyOfSeed(sha256(`berth vector key: ${name}`));
}

export function keyOfSeed(seed) {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const publicBytes = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    seed,
    publicBytes,
    text: `ed25519:${base64Url(publicBytes)}`,
    sign: (message) => signWith(null, Buffer.from(message), privateKey),
  };
}

export const vendor = makeKey('vendor');
export const nextVendor = makeKey('next vendor');
export const server = makeKey('server');
export const device = makeKey('device');
export const otherDevice = makeKey('other device');

export const namedKeys = { vendor, nextVendor, server, device, otherDevice };

/** 16 bytes as a nonce. */
export const nonce = (name) => base64Url(sha256(`berth vector nonce: ${name}`).subarray(0, 16));

export const headers = {
  entitlement: '{"alg":"Ed25519","typ":"berth-entitlement+jwt"}',
  lease: '{"alg":"Ed25519","typ":"berth-lease+jwt"}',
  stop: '{"alg":"Ed25519","typ":"berth-stop+jwt"}',
  checkpoint: '{"alg":"Ed25519","typ":"berth-checkpoint+jwt"}',
  endorsement: '{"alg":"Ed25519","typ":"berth-endorsement+jwt"}',
  authority: '{"alg":"Ed25519","typ":"berth-ca+jwt"}',
  borrowRequest: '{"alg":"Ed25519","typ":"berth-borrow-request+jwt"}',
};

/** A token from any header and payload text, right or wrong. */
export function tokenOf(header, payload, key) {
  const signed = `${base64Url(header)}.${base64Url(payload)}`;
  return `${signed}.${base64Url(key.sign(signed))}`;
}

export const token = (type, claims, key) => tokenOf(headers[type], JSON.stringify(claims), key);

// 2026-05-10 00:00 UTC, and until the end of 2027-05-09.
export const FROM = Date.UTC(2026, 4, 10) / 1000;
export const UNTIL = Date.UTC(2027, 4, 10) / 1000;
export const IAT = Date.UTC(2026, 8, 1, 12, 0, 0) / 1000;

export const entitlementClaims = (changes = {}) => ({
  jti: 'ent-2026-0001',
  rev: 1,
  iss: vendor.text,
  sub: server.text,
  product: 'render-premium',
  seats: 3,
  nbf: FROM,
  exp: UNTIL,
  share: 'device',
  borrow: { maxSeconds: 30 * 86_400, seats: 2 },
  earlyReturn: 'at-once',
  display: { number: 'S-1001', licenseKey: 'LK-Ærø-42', addOns: ['denoiser'] },
  ...changes,
});

export const endorsementClaims = (changes = {}) => ({
  iss: vendor.text,
  sub: nextVendor.text,
  products: ['render-premium'],
  iat: IAT,
  ...changes,
});

export const head = base64Url(sha256('berth vector head'));
export const EPOCH = 'e0a1b2c3d4e5f607';

export const leaseClaims = (changes = {}) => ({
  jti: 'l0001',
  ent: 'ent-2026-0001',
  product: 'render-premium',
  seat: 's0001',
  n: 1,
  kind: 'online',
  dev: device.text,
  nonce: nonce('checkout'),
  iat: IAT,
  exp: IAT + 120,
  dur: 120,
  epoch: EPOCH,
  seq: 41,
  head,
  ...changes,
});
