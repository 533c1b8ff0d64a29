import assert from 'node:assert/strict';
import {
  type ClaimsOf,
  formatAddress,
  formatJoinLink,
  formatOfflineFile,
  formatPublicKey,
  freeAtMs,
  parseAddress,
  parseJoinLink,
  parseOfflineFile,
  parsePublicKey,
  parseToken,
  signToken,
  type TokenType,
  tokenTypes,
  verifyChain,
  verifyEndorsement,
  verifyEntitlement,
} from '@berth/protocol';
import { nativeVerify } from '@berth/server/ed25519';
import type { Random } from '../../store/random.js';
import { bytes, oddIntegers, oddTexts, pick, type Target, text } from '../target.js';
import { fuzzKeys } from './keys.js';

// Everything that reads what somebody else signed or wrote: tokens of all types, chains (a line each: lease, entitlement, endorsements), join
// links, addresses, keys, the files of borrows without a network.

const { vendor, otherVendor, server, device } = fuzzKeys;
const vendorKeys = [vendor.publicBytes];
const types = Object.keys(tokenTypes) as TokenType[];

export function tokenTarget(): Target {
  return {
    name: 'token',
    // Four tokens of the greatest length.
    maxBytes: 16 * 1024,
    words: [
      '.',
      '\n',
      '=',
      '-',
      '_',
      'berth://',
      '/?key=',
      '&token=',
      '%3A',
      'ed25519:',
      vendor.text,
      '{',
      '"berth":"borrow-grant"',
      'AA',
      'A',
    ],
    covers: ['/protocol/dist/'],
    generate,
    run,
  };
}

function run(input: Uint8Array): void {
  const whole = text(input);
  const [first = '', second = '', ...rest] = whole.split('\n');
  for (const type of types) oneSpelling(type, first);
  checkEntitlement(first, []);
  const endorsed = verifyEndorsement(first, nativeVerify);
  if (endorsed.ok && endorsed.claims.iss === vendor.text)
    assert.equal(signToken('endorsement', endorsed.claims, vendor.sign), first);
  checkChain(first, second, rest);
  readAgain(whole);
}

/** What is read is written again as it was: there is one way to write it. */
function oneSpelling(type: TokenType, token: string): void {
  const parsed = parseToken(type, token);
  if (!parsed.ok) return;
  const { claims, signature, signed } = parsed.token;
  assert.equal(
    signToken(type, claims as ClaimsOf<typeof type>, () => signature),
    token,
  );
  assert.equal(text(signed), token.slice(0, token.lastIndexOf('.')));
}

/** Whatever is accepted under the vendor's key is what the vendor would have signed: Ed25519 is deterministic. */
function checkEntitlement(token: string, endorsements: readonly string[]): void {
  const anybody = verifyEntitlement(token, null, nativeVerify);
  const pinned = verifyEntitlement(token, vendorKeys, nativeVerify, endorsements);
  if (!pinned.ok) return;
  assert(anybody.ok, 'accepted under a pinned key, refused under its own');
  if (pinned.claims.iss === vendor.text)
    assert.equal(signToken('entitlement', pinned.claims, vendor.sign), token);
}

function checkChain(lease: string, entitlement: string, endorsements: readonly string[]): void {
  const chain = verifyChain({ lease, entitlement, vendorKeys, endorsements }, nativeVerify);
  if (!chain.ok) return;
  const { lease: claims, entitlement: grant } = chain;
  if (grant.sub === server.text) assert.equal(signToken('lease', claims, server.sign), lease);
  assert(claims.n <= grant.seats && claims.ent === grant.jti && claims.product === grant.product);
  assert(freeAtMs(claims) <= grant.exp * 1000 && claims.iat >= grant.nbf, 'a lease outlives its entitlement');
}

function readAgain(whole: string): void {
  const link = parseJoinLink(whole);
  if (link !== null) assert.deepEqual(parseJoinLink(formatJoinLink(link)), link);
  const address = parseAddress(whole);
  if (address !== null) assert.deepEqual(parseAddress(formatAddress(address)), address);
  const key = parsePublicKey(whole);
  if (key !== null) assert.equal(formatPublicKey(key), whole.trim());
  const file = parseOfflineFile(whole);
  if (file !== null) assert.deepEqual(parseOfflineFile(formatOfflineFile(file)), file);
}

function generate(random: Random): Uint8Array {
  return bytes(pick(random, [chain, chain, chain, anyToken, link, offlineFile])(random));
}

/** A valid chain but for some claims. */
function chain(random: Random): string {
  const entitlement = signToken(
    'entitlement',
    odd(random, entitlementClaims),
    pick(random, [vendor, vendor, otherVendor]).sign,
  );
  const lease = signToken('lease', odd(random, leaseClaims), pick(random, [server, server, device]).sign);
  const endorsement = signToken('endorsement', odd(random, endorsementClaims), vendor.sign);
  return [lease, entitlement, ...(random(2) === 0 ? [endorsement] : [])].join('\n');
}

function anyToken(random: Random): string {
  const rows = [
    signToken('stop', odd(random, { jti: 'l1', dev: device.text, iat: 1_700_000_000 }), device.sign),
    signToken('entitlement', odd(random, entitlementClaims), vendor.sign),
    signToken('endorsement', odd(random, endorsementClaims), vendor.sign),
    signToken('borrowRequest', odd(random, requestClaims), device.sign),
  ];
  return pick(random, rows);
}

function link(random: Random): string {
  const host = pick(random, [
    'berth',
    'berth.studio.example:7433',
    '[::1]:7433',
    '[fe80::1%eth0]',
    '1.2.3.4:99999',
    '',
    'ü.example',
  ]);
  const token = pick(random, [
    'abcdefghijklmnop',
    'a'.repeat(200),
    'a'.repeat(201),
    'x.y_z-1234567890',
    pick(random, oddTexts),
  ]);
  return `berth://${host}/?key=${pick(random, [server.text, server.text.replace(':', '%3A'), 'ed25519:'])}&token=${token}`;
}

function offlineFile(random: Random): string {
  const token = signToken('borrowRequest', odd(random, requestClaims), device.sign);
  const file = pick(random, [
    { berth: 'borrow-request', version: 1, token },
    {
      berth: 'borrow-return',
      version: 1,
      device: device.text,
      stops: Array.from({ length: random(66) }, () => token),
    },
    { berth: 'borrow-request', version: pick(random, oddIntegers), token, more: pick(random, oddTexts) },
  ]);
  return JSON.stringify(file, null, random(3));
}

/** Claims of which none or some are something else; what signs them does not look at them. */
function odd<T extends object>(random: Random, claims: T): T {
  const changed = Object.fromEntries(Object.entries(claims)) as Record<string, unknown>;
  for (let n = random(4); n > 1; n--) {
    const name = pick(random, [...Object.keys(claims), 'crit', 'borrow', 'holder', 'replaces']);
    changed[name] = pick(random, [
      pick(random, oddIntegers),
      pick(random, oddTexts),
      null,
      [],
      {},
      true,
      1.5,
      [[[[[[[[[]]]]]]]]],
    ]);
    if (random(4) === 0) delete changed[name];
  }
  return changed as T;
}

const entitlementClaims: ClaimsOf<'entitlement'> = {
  jti: 'ent-1',
  rev: 1,
  iss: vendor.text,
  sub: server.text,
  product: 'render',
  seats: 3,
  nbf: 1_700_000_000,
  exp: 1_800_000_000,
  share: 'device',
  borrow: { maxSeconds: 86_400, seats: 2 },
  earlyReturn: 'at-once',
  display: { number: 'S-1', addOns: ['sim'] },
};

const leaseClaims: ClaimsOf<'lease'> = {
  jti: 'l1',
  ent: 'ent-1',
  product: 'render',
  seat: 's1',
  n: 1,
  kind: 'online',
  dev: device.text,
  nonce: 'n'.repeat(22),
  iat: 1_750_000_000,
  exp: 1_750_000_120,
  dur: 120,
  epoch: 'epoch',
  seq: 1,
  head: 'h'.repeat(43),
};

const endorsementClaims: ClaimsOf<'endorsement'> = {
  iss: vendor.text,
  sub: otherVendor.text,
  products: ['render'],
  iat: 1_700_000_000,
};

const requestClaims: ClaimsOf<'borrowRequest'> = {
  nonce: 'n'.repeat(22),
  dev: device.text,
  name: 'laptop',
  product: 'render',
  seats: 1,
  seconds: 3600,
  iat: 1_750_000_000,
};
