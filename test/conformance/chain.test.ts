import { type ChainInput, parsePublicKey, verifyChain, verifyEntitlement } from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { loose, verifiers } from './ed25519.js';
import { type ChainCase, loadVectors } from './vectors.js';

const { cases } = loadVectors('chain');

const inputOf = ({
  lease,
  entitlement,
  vendorKeys,
  endorsements,
  device,
  nonce,
  nowMs,
}: ChainCase): ChainInput => ({
  lease,
  entitlement,
  vendorKeys: vendorKeys.map((key) => parsePublicKey(key)!),
  endorsements,
  ...(device !== undefined && { device }),
  ...(nonce !== undefined && { nonce }),
  ...(nowMs !== undefined && { nowMs }),
});

// verifyChain makes any verifier strict itself, so the loose ones must do as well.
describe.each([
  ...verifiers,
  ...Object.entries(loose).map(([name, verify]) => [`${name}, as it comes`, verify] as const),
])('with %s', (_, verify) => {
  test.each(cases)('$verdict.fault: $name', (item) => {
    const result = verifyChain(inputOf(item), verify);
    expect(result.ok ? { ok: true } : result).toEqual(item.verdict);
  });
});

/** Every fault there is. A record, so that a new one does not compile until it is here. */
const faults: { readonly [F in Extract<ChainCase['verdict'], { ok: false }>['fault']]: true } = {
  ENTITLEMENT_TOO_LONG: true,
  ENTITLEMENT_MALFORMED: true,
  ENTITLEMENT_WRONG_TYPE: true,
  ENTITLEMENT_NOT_COMPACT_JSON: true,
  ENTITLEMENT_CLAIMS_INVALID: true,
  LEASE_TOO_LONG: true,
  LEASE_MALFORMED: true,
  LEASE_WRONG_TYPE: true,
  LEASE_NOT_COMPACT_JSON: true,
  LEASE_CLAIMS_INVALID: true,
  VENDOR_UNKNOWN: true,
  ENTITLEMENT_SIGNATURE: true,
  ENTITLEMENT_DATES: true,
  LEASE_SIGNATURE: true,
  LEASE_OTHER_ENTITLEMENT: true,
  LEASE_OTHER_DEVICE: true,
  LEASE_OTHER_NONCE: true,
  LEASE_TOO_MANY_SEATS: true,
  LEASE_OUTSIDE_ENTITLEMENT: true,
  BORROW_NOT_ALLOWED: true,
  BORROW_TOO_LONG: true,
  LEASE_DURATION: true,
  EXPIRED: true,
};

test('every fault has a case', () => {
  const seen = new Set(cases.flatMap(({ verdict }) => (verdict.ok ? [] : [verdict.fault])));
  expect([...seen].sort()).toEqual(Object.keys(faults).sort());
});

test('without pinned keys the entitlement must still be signed by the key it names', () => {
  const [, verify] = verifiers[0]!;
  const [first] = cases;
  const forged = cases.find(({ verdict }) => !verdict.ok && verdict.fault === 'ENTITLEMENT_SIGNATURE')!;
  expect(verifyEntitlement(first!.entitlement, null, verify).ok).toBe(true);
  expect(verifyEntitlement(forged.entitlement, null, verify)).toEqual({
    ok: false,
    fault: 'ENTITLEMENT_SIGNATURE',
  });
});
