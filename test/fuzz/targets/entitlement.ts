import assert from 'node:assert/strict';
import { signToken, verifyEndorsement, verifyEntitlement } from '@berth/protocol';
import { nativeVerify } from '@berth/server/ed25519';
import type { Random } from '../../store/random.js';
import { entitlement, SERVER_KEY, START_MS, World } from '../../unit/domain/world.js';
import { bytes, oddIntegers, oddTexts, pick, type Target, text } from '../target.js';
import { fuzzKeys, type KeyName } from './keys.js';

// A history of imports as a JSON list: entitlements and endorsements that two vendors signed, whatever they say, and a little use in between.
// After each step all invariants are recomputed (World.send).

const START_S = START_MS / 1000;

export function entitlementTarget(): Target {
  return {
    name: 'entitlement',
    maxBytes: 4 * 1024,
    words: [
      '"import"',
      '"endorse"',
      '"use"',
      '"borrow"',
      '"pass"',
      '"remove"',
      '"jti"',
      '"rev"',
      '"replaces"',
      '"holder"',
      '"share"',
      '"nbf"',
      '"exp"',
      '"seats"',
      '"vendor"',
      '"otherVendor"',
      String(START_S),
    ],
    covers: ['/server/dist/domain/', '/protocol/dist/'],
    generate,
    run,
  };
}

function run(input: Uint8Array): void {
  let steps: unknown;
  try {
    steps = JSON.parse(text(input));
  } catch {
    return;
  }
  if (!Array.isArray(steps)) return;
  const world = new World();
  const anna = world.user('anna');
  for (const one of steps.slice(0, 8)) {
    if (!Array.isArray(one)) continue;
    const [what, argument] = one as [unknown, unknown];
    if (what === 'import') doImport(world, argument);
    else if (what === 'endorse') doEndorse(world, argument);
    else if (what === 'use') world.send(world.checkingOut(anna, count(argument, 3), 'render'));
    else if (what === 'borrow') world.send(world.borrowing(anna, count(argument, 86_400)));
    else if (what === 'assign') assign(world, count(argument, 4));
    else if (what === 'pass') world.pass(count(argument, 30 * 86_400) * 1000);
    else if (what === 'remove')
      world.send({ type: 'removeEntitlement', ...world.admin(), id: String(argument), when: 'pending' });
  }
}

/** As the handler of `entitlement.import` does: the signature and the form first. */
function doImport(world: World, argument: unknown): void {
  const token = signedAs('entitlement', argument);
  const verified = verifyEntitlement(token, null, nativeVerify);
  if (!verified.ok) return;
  const { claims } = verified;
  const command = { type: 'import', ...world.admin(), claims, token } as const;
  const decision = world.send(command);
  if (!decision.ok) return;
  assert.equal(claims.sub, SERVER_KEY, 'imported though it was issued to another server');
  // Again: the same answer, and nothing changes.
  const again = world.ok({ ...command, ...world.admin() });
  assert.equal(again.changed, false);
}

function doEndorse(world: World, argument: unknown): void {
  const token = signedAs('endorsement', argument);
  const verified = verifyEndorsement(token, nativeVerify);
  if (verified.ok)
    world.send({ type: 'importEndorsement', ...world.admin(), claims: verified.claims, token });
}

/** `{ key, …claims }`, signed by that key, which it names as its issuer unless it says otherwise. */
function signedAs(type: 'entitlement' | 'endorsement', argument: unknown): string {
  const { key, ...claims } = { key: 'vendor', ...(typeof argument === 'object' ? argument : {}) };
  const signer = fuzzKeys[key === 'otherVendor' ? 'otherVendor' : 'vendor'];
  const base =
    type === 'entitlement'
      ? entitlement({ iss: signer.text })
      : { iss: signer.text, sub: fuzzKeys.otherVendor.text, iat: START_S };
  return signToken(type, { ...base, ...claims } as never, signer.sign);
}

function assign(world: World, quantity: number): void {
  const whom = { email: 'anna@studio.example', product: 'render', endMs: null };
  world.send({ type: 'assign', ...world.admin(), ...whom, quantity });
}

function count(value: unknown, most: number): number {
  return typeof value === 'number' && Number.isFinite(value)
    ? Math.min(Math.max(Math.floor(value), 1), most)
    : 1;
}

function generate(random: Random): Uint8Array {
  const steps = Array.from({ length: 1 + random(8) }, (): unknown => {
    const how = random(10);
    if (how < 5) return ['import', claims(random)];
    if (how === 5)
      return ['endorse', { key: signer(random), ...(random(2) === 0 ? { products: ['render'] } : {}) }];
    if (how === 6) return ['assign', 1 + random(4)];
    if (how === 7) return [pick(random, ['use', 'borrow']), 1 + random(100)];
    if (how === 8) return ['pass', pick(random, [1, 130, 3600, 86_400, 90 * 86_400])];
    return ['remove', `ent-${random(3)}`];
  });
  return bytes(JSON.stringify(steps));
}

const signer = (random: Random): KeyName => pick(random, ['vendor', 'vendor', 'otherVendor']);

function claims(random: Random): object {
  const some: Record<string, unknown> = {
    key: signer(random),
    jti: `ent-${random(3)}`,
    rev: 1 + random(3),
    seats: 1 + random(4),
  };
  const more: Record<string, () => unknown> = {
    replaces: () => `ent-${random(3)}`,
    holder: () =>
      pick(random, ['anna@studio.example', 'owner@studio.example', 'nobody@studio.example', ...oddTexts]),
    nbf: () => START_S + pick(random, [-86_400, 0, 1, 3600, -(2 ** 31)]),
    exp: () => START_S + pick(random, [1, 130, 3600, 2 ** 33, -1]),
    product: () => pick(random, ['render', 'sim', ...oddTexts]),
    share: () => pick(random, ['process', 'device', 'user']),
    borrow: () => ({
      maxSeconds: pick(random, [1, 86_400, ...oddIntegers]),
      seats: pick(random, [1, 5, ...oddIntegers]),
    }),
    earlyReturn: () => pick(random, ['at-once', 'at-expiry']),
    credits: () => pick(random, oddIntegers),
    seats: () => pick(random, oddIntegers),
    rev: () => pick(random, oddIntegers),
    sub: () => pick(random, [fuzzKeys.server.text, ...oddTexts]),
  };
  for (let n = random(4); n > 0; n--) {
    const name = pick(random, Object.keys(more));
    some[name] = more[name]!();
  }
  return some;
}
