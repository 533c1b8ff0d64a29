// One token of every type that is right in every way (PROTOCOL 4).
import {
  base64Url,
  device,
  EPOCH,
  endorsementClaims,
  entitlementClaims,
  head,
  IAT,
  leaseClaims,
  nextVendor,
  nonce,
  server,
  sha256,
  token,
  vendor,
} from './keys.js';

export const valid = [];
const ok = (name, type, claims, key) =>
  valid.push({
    name,
    type,
    key: key.text,
    token: token(type, claims, key),
    verdict: { ok: true, claims },
  });

ok('an entitlement', 'entitlement', entitlementClaims(), vendor);
ok(
  'the least entitlement: no borrowing, nothing to display',
  'entitlement',
  entitlementClaims({ borrow: undefined, display: {}, earlyReturn: 'at-expiry', share: 'process' }),
  vendor,
);
ok(
  'an entitlement with everything',
  'entitlement',
  {
    jti: 'ent-2026-0002',
    rev: 7,
    replaces: 'ent-2026-0001',
    iss: nextVendor.text,
    sub: server.text,
    product: 'archviz-floating',
    seats: 1_000_000,
    nbf: 0,
    exp: 253_402_300_800,
    share: 'user',
    borrow: { maxSeconds: 31_622_400, seats: 1_000_000 },
    earlyReturn: 'at-expiry',
    holder: 'kaja@example.com',
    credits: 9_007_199_254_740_991,
    display: {
      number: 'S-1002',
      licenseKey: '"quoted" \\ back / slash',
      addOns: ['é', '東京', '🚢', 'tab\there', 'bell\u0007', '\u2028'],
      orderedFrom: 'shop',
      currency: 'DKK',
      paymentMethod: 'invoice',
      download: 'https://example.com/download',
      buy: 'https://example.com/buy',
      renew: 'https://example.com/renew',
      upgrade: 'https://example.com/upgrade',
      nfr: true,
    },
  },
  vendor,
);
ok('claims in another order', 'lease', Object.fromEntries(Object.entries(leaseClaims()).reverse()), server);
ok(
  'a claim that this version does not know',
  'lease',
  leaseClaims({ zone: { a: [1, null, false] } }),
  server,
);
ok('a lease', 'lease', leaseClaims(), server);
ok(
  'a borrow',
  'lease',
  leaseClaims({ kind: 'borrow', exp: IAT + 259_200, dur: 259_200, nonce: nonce('borrow') }),
  server,
);
ok('a sequence of 2^53 - 1', 'lease', leaseClaims({ seq: 9_007_199_254_740_991 }), server);
ok('a stop', 'stop', { jti: 'l0001', dev: device.text, iat: IAT + 60 }, device);
ok('a checkpoint', 'checkpoint', { epoch: EPOCH, seq: 41, head, iat: IAT }, server);
ok('an endorsement of a new vendor key', 'endorsement', endorsementClaims(), vendor);
ok('an endorsement for every product', 'endorsement', endorsementClaims({ products: undefined }), vendor);
ok(
  'an authority',
  'authority',
  { nonce: nonce('ca'), sha256: base64Url(sha256('-----BEGIN CERTIFICATE-----\n')), iat: IAT },
  server,
);
const request = {
  nonce: nonce('borrow request'),
  dev: device.text,
  name: 'cave-1',
  product: 'render-premium',
  seats: 2,
  seconds: 259_200,
  iat: IAT,
};
ok('a borrow request', 'borrowRequest', request, device);
ok('a borrow request for one server', 'borrowRequest', { ...request, server: server.text }, device);
