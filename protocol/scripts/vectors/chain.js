// A lease, its entitlement and what the verifier expects -> the verdict (PROTOCOL 5). Each fault at least once, each boundary on both sides.
import { forgedToken, smallKeyText, withLargeS } from './forged.js';
import {
  device,
  endorsementClaims,
  entitlementClaims,
  FROM,
  headers,
  IAT,
  leaseClaims,
  makeKey,
  nextVendor,
  nonce,
  otherDevice,
  server,
  token,
  tokenOf,
  UNTIL,
  vendor,
} from './keys.js';

const entitlementToken = (changes) => token('entitlement', entitlementClaims(changes), vendor);
const leaseToken = (changes) => token('lease', leaseClaims(changes), server);
const day = 86_400;
const borrowed = (seconds, changes) =>
  leaseClaims({ kind: 'borrow', exp: IAT + seconds, dur: seconds, ...changes });
const online = (iat) => leaseToken({ iat, exp: iat + 120 });
const borrowAt = (iat) => token('lease', borrowed(day, { iat, exp: iat + day }), server);

const cases = [];
const judge = (verdict, name, input) =>
  cases.push({
    name,
    lease: leaseToken(),
    entitlement: entitlementToken(),
    vendorKeys: [vendor.text],
    ...input,
    verdict: verdict === 'ok' ? { ok: true } : { ok: false, fault: verdict },
  });

judge('ok', 'a lease', {});
judge('ok', 'a lease with everything expected of it', {
  device: device.text,
  nonce: nonce('checkout'),
  nowMs: IAT * 1000,
});
judge('ok', 'two vendor keys pinned, current and next', { vendorKeys: [nextVendor.text, vendor.text] });
judge('ok', 'all seats', { lease: leaseToken({ n: 3 }) });
judge('ok', 'the first second of the entitlement', { lease: online(FROM) });
judge('ok', 'the last lease that fits, hold included: 131 s before the end', { lease: online(UNTIL - 131) });
judge('ok', 'a borrow of the longest time', { lease: token('lease', borrowed(30 * day), server) });
judge('ok', 'a borrow of as many seats as may be borrowed', {
  lease: token('lease', borrowed(day, { n: 2 }), server),
});
judge('ok', 'the last borrow of a day that fits, hold included', { lease: borrowAt(UNTIL - 87_473) });
judge('ok', 'one millisecond before its end', { nowMs: (IAT + 120) * 1000 - 1 });
judge('ok', 'expired, but nobody asked', {});

const broken = {
  TOO_LONG: (good) => good + 'A'.repeat(4097 - good.length),
  MALFORMED: (good) => good.slice(0, -1),
  WRONG_TYPE: (_, type, claims, key) =>
    tokenOf(headers[type].replace('Ed25519', 'EdDSA'), JSON.stringify(claims), key),
  NOT_COMPACT_JSON: (_, type, claims, key) => tokenOf(headers[type], `${JSON.stringify(claims)} `, key),
  CLAIMS_INVALID: (_, type, claims, key) => token(type, { ...claims, jti: '' }, key),
};
for (const [fault, breakIt] of Object.entries(broken)) {
  judge(`ENTITLEMENT_${fault}`, `the entitlement: ${fault}`, {
    entitlement: breakIt(entitlementToken(), 'entitlement', entitlementClaims(), vendor),
  });
  judge(`LEASE_${fault}`, `the lease: ${fault}`, {
    lease: breakIt(leaseToken(), 'lease', leaseClaims(), server),
  });
}

judge('VENDOR_UNKNOWN', 'another vendor key is pinned', { vendorKeys: [nextVendor.text] });
judge('VENDOR_UNKNOWN', 'no vendor key is pinned', { vendorKeys: [] });
judge('ENTITLEMENT_SIGNATURE', 'names the vendor, signed by the server', {
  entitlement: token('entitlement', entitlementClaims(), server),
});
judge('ENTITLEMENT_DATES', 'ends when it begins', { entitlement: entitlementToken({ exp: FROM }) });
judge('ENTITLEMENT_DATES', 'ends before it begins', { entitlement: entitlementToken({ exp: FROM - 1 }) });
judge('LEASE_SIGNATURE', 'signed by a server that the entitlement does not name', {
  lease: token('lease', leaseClaims(), nextVendor),
});
judge('LEASE_SIGNATURE', 'signed by its own device', { lease: token('lease', leaseClaims(), device) });
judge('LEASE_SIGNATURE', 'the entitlement names another server', {
  entitlement: entitlementToken({ sub: otherDevice.text }),
});
judge('ENTITLEMENT_SIGNATURE', 'S + L in place of S', { entitlement: withLargeS(entitlementToken()) });
judge('ENTITLEMENT_SIGNATURE', 'a vendor key of small order, signed without a secret', {
  vendorKeys: [smallKeyText],
  entitlement: forgedToken('entitlement', (rev) => entitlementClaims({ rev, iss: smallKeyText })),
});
judge('LEASE_SIGNATURE', 'S + L in place of S', { lease: withLargeS(leaseToken()) });
judge('LEASE_SIGNATURE', 'a server key of small order, signed without a secret', {
  entitlement: entitlementToken({ sub: smallKeyText }),
  lease: forgedToken('lease', (seq) => leaseClaims({ seq })),
});
judge('LEASE_OTHER_ENTITLEMENT', 'of another entitlement', { lease: leaseToken({ ent: 'ent-2026-0002' }) });
judge('LEASE_OTHER_ENTITLEMENT', 'of another product', { lease: leaseToken({ product: 'render-basic' }) });
judge('LEASE_TOO_MANY_SEATS', 'four seats of three', { lease: leaseToken({ n: 4 }) });
judge('LEASE_DURATION', 'dur is not exp - iat', { lease: leaseToken({ dur: 119 }) });
judge('LEASE_DURATION', 'no duration', { lease: leaseToken({ exp: IAT, dur: 0 }) });
judge('LEASE_OUTSIDE_ENTITLEMENT', 'one second before the entitlement begins', { lease: online(FROM - 1) });
judge('LEASE_OUTSIDE_ENTITLEMENT', 'ends inside, its hold does not: 130 s before the end', {
  lease: online(UNTIL - 130),
});
judge('LEASE_OUTSIDE_ENTITLEMENT', 'after the entitlement', { lease: online(UNTIL) });
judge('LEASE_OUTSIDE_ENTITLEMENT', 'a borrow that ends inside, its hold does not', {
  lease: borrowAt(UNTIL - 87_472),
});
judge('BORROW_NOT_ALLOWED', 'the entitlement has no borrow', {
  lease: token('lease', borrowed(day), server),
  entitlement: entitlementToken({ borrow: undefined }),
});
judge('BORROW_NOT_ALLOWED', 'three seats where two may be borrowed', {
  lease: token('lease', borrowed(day, { n: 3 }), server),
});
judge('BORROW_TOO_LONG', 'a second more than the longest time', {
  lease: token('lease', borrowed(30 * day + 1), server),
});
judge('LEASE_OTHER_DEVICE', 'for another device', { device: otherDevice.text });
judge('LEASE_OTHER_NONCE', 'the answer to another request', { nonce: nonce('another') });
judge('EXPIRED', 'at the very end', { nowMs: (IAT + 120) * 1000 });
judge('EXPIRED', 'a borrow, a day later', {
  lease: token('lease', borrowed(day), server),
  nowMs: (IAT + day) * 1000,
});

// The vendor has changed its key (PROTOCOL 4.8): the entitlement is signed by the new one, the old one is pinned.
const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => makeKey(`rotated vendor ${name}`));
const endorse = (from, to, changes) =>
  token('endorsement', endorsementClaims({ iss: from.text, sub: to.text, ...changes }), from);
const signedBy = (key) => token('entitlement', entitlementClaims({ iss: key.text }), key);
const rotation = endorse(vendor, nextVendor);
const rotated = (verdict, name, input) =>
  judge(verdict, name, { entitlement: signedBy(nextVendor), endorsements: [rotation], ...input });
rotated('ok', 'a new vendor key that the pinned one endorsed', {});
rotated('ok', 'endorsed for every product', {
  endorsements: [endorse(vendor, nextVendor, { products: undefined })],
});
rotated('ok', 'the new key is pinned: endorsements do not matter', {
  vendorKeys: [nextVendor.text],
  endorsements: ['x'],
});
rotated('ok', 'an endorsement that is none beside one that counts', { endorsements: ['x', rotation] });
rotated('VENDOR_UNKNOWN', 'no endorsement', { endorsements: [] });
rotated('VENDOR_UNKNOWN', 'endorsed for another product', {
  endorsements: [endorse(vendor, nextVendor, { products: ['render-basic'] })],
});
rotated('VENDOR_UNKNOWN', 'the new key endorses itself in the name of the old one', {
  endorsements: [token('endorsement', endorsementClaims(), nextVendor)],
});
rotated('VENDOR_UNKNOWN', 'the pinned key is endorsed by the new one, not the other way round', {
  endorsements: [endorse(nextVendor, vendor)],
});
rotated('VENDOR_UNKNOWN', 'endorsed by a key that is not pinned', {
  endorsements: [endorse(server, nextVendor)],
});
rotated('VENDOR_UNKNOWN', 'S + L in place of S', { endorsements: [withLargeS(rotation)] });
rotated('VENDOR_UNKNOWN', 'an endorsement with another header', {
  endorsements: [
    tokenOf(headers.endorsement.replace('Ed25519', 'EdDSA'), JSON.stringify(endorsementClaims()), vendor),
  ],
});
rotated('VENDOR_UNKNOWN', 'an endorsement with white space', {
  endorsements: [tokenOf(headers.endorsement, `${JSON.stringify(endorsementClaims())} `, vendor)],
});
rotated('ENTITLEMENT_SIGNATURE', 'endorsed, but the entitlement is signed by the old key', {
  entitlement: token('entitlement', entitlementClaims({ iss: nextVendor.text }), vendor),
});
const steps = [vendor, ...keys].slice(1).map((key, at) => endorse([vendor, ...keys][at], key));
judge('ok', 'four changes of key, in any order', {
  entitlement: signedBy(keys[3]),
  endorsements: [...steps.slice(0, 4)].reverse(),
});
judge('VENDOR_UNKNOWN', 'five changes of key', { entitlement: signedBy(keys[4]), endorsements: steps });
judge('VENDOR_UNKNOWN', 'five changes of key, the nearest first: a step is a step in any order', {
  entitlement: signedBy(keys[4]),
  endorsements: [...steps].reverse(),
});
judge('VENDOR_UNKNOWN', 'four changes of key, one of them missing', {
  entitlement: signedBy(keys[3]),
  endorsements: [steps[0], steps[1], steps[3]],
});
judge('VENDOR_UNKNOWN', 'one step of two is for another product', {
  entitlement: signedBy(keys[1]),
  endorsements: [steps[0], endorse(keys[0], keys[1], { products: ['render-basic'] })],
});
rotated('ok', 'the sixteenth endorsement is still looked at', {
  endorsements: [...Array(15).fill(endorse(server, nextVendor)), rotation],
});
rotated('VENDOR_UNKNOWN', 'the seventeenth is not', {
  endorsements: [...Array(16).fill(endorse(server, nextVendor)), rotation],
});

// The order of the checks: the first that fails gives its word.
judge('ENTITLEMENT_SIGNATURE', 'entitlement before lease: both signatures are wrong', {
  entitlement: token('entitlement', entitlementClaims(), server),
  lease: token('lease', leaseClaims(), device),
});
judge('LEASE_OTHER_ENTITLEMENT', 'the entitlement before the number of seats', {
  lease: leaseToken({ ent: 'ent-2026-0002', n: 4 }),
});
judge('LEASE_DURATION', 'the duration before the dates', { lease: leaseToken({ iat: FROM - 1, exp: FROM }) });
judge('LEASE_OUTSIDE_ENTITLEMENT', 'the dates before the borrow', {
  lease: borrowAt(UNTIL),
  entitlement: entitlementToken({ borrow: undefined }),
});
judge('LEASE_OTHER_DEVICE', 'the device before nonce and clock', {
  device: otherDevice.text,
  nonce: nonce('another'),
  nowMs: UNTIL * 1000,
});

export const chainVectors = () => ({
  note: 'verifyChain(lease, entitlement, vendorKeys, endorsements?, device?, nonce?, nowMs?) -> verdict (PROTOCOL 5). An absent input is not checked. Keys and claims: tokens.json.',
  cases,
});
