import { endorsementsOf } from '@berth/server/domain/endorsements';
import { beforeEach, describe, expect, test } from 'vitest';
import { VENDOR_KEY, World } from './world.js';

const key = (letter: string): string => `ed25519:${letter.repeat(43)}`;
const [NEXT, LATER, STRANGER] = [key('N'), key('L'), key('X')];

let world: World;

beforeEach(() => {
  world = new World();
  world.import({ jti: 'ent-1' });
});

interface Words {
  readonly from?: string;
  readonly to?: string;
  readonly products?: string[];
}

function endorsing({ from = VENDOR_KEY, to = NEXT, products }: Words = {}) {
  const claims = { iss: from, sub: to, iat: 1, ...(products === undefined ? {} : { products }) };
  return {
    type: 'importEndorsement' as const,
    ...world.admin(),
    claims,
    token: `endorsement ${JSON.stringify(claims)}`,
  };
}

const ownerOf = (product: string): string | undefined => world.state.tables.product.get(product)?.vendor;

describe('an endorsement', () => {
  test('moves the products of the old key to the new one, and importing it again changes nothing', () => {
    world.import({ jti: 'ent-comp', product: 'comp' });
    expect(world.ok(endorsing())).toEqual({ moved: ['comp', 'render'], changed: true });
    expect([ownerOf('render'), ownerOf('comp')]).toEqual([NEXT, NEXT]);
    expect(world.ok(endorsing())).toEqual({ moved: [], changed: false });
    world.restart();
    expect(world.ok(endorsing()).changed).toBe(false);
  });

  test('for one product leaves the others', () => {
    world.import({ jti: 'ent-comp', product: 'comp' });
    expect(world.ok(endorsing({ products: ['comp'] })).moved).toEqual(['comp']);
    expect(ownerOf('render')).toBe(VENDOR_KEY);
    world.refused(world.importing({ jti: 'ent-2', iss: NEXT }), 'VENDOR_MISMATCH');
  });

  test('counts only from the key that owns the product now', () => {
    world.refused(endorsing({ from: STRANGER }), 'VENDOR_MISMATCH');
    world.refused(endorsing({ from: STRANGER, products: ['render'] }), 'VENDOR_MISMATCH');
    world.refused(endorsing({ products: ['unknown'] }), 'VENDOR_MISMATCH');
    world.ok(endorsing());
    world.refused(endorsing({ to: STRANGER }), 'VENDOR_MISMATCH');
    expect(ownerOf('render')).toBe(NEXT);
    expect(world.ok(endorsing({ from: NEXT, to: LATER })).moved).toEqual(['render']);
    expect(ownerOf('render')).toBe(LATER);
  });

  test('that names a product of a third vendor moves nothing at all', () => {
    world.import({ jti: 'ent-x', product: 'sim', iss: STRANGER });
    world.refused(endorsing({ products: ['render', 'sim'] }), 'VENDOR_MISMATCH');
    expect(ownerOf('render')).toBe(VENDOR_KEY);
    world.ok(endorsing());
    expect(ownerOf('sim')).toBe(STRANGER);
  });
});

describe('after the rotation', () => {
  test('the new key grants; what the old one signed lasts, but it grants no more', () => {
    world.refused(world.importing({ jti: 'ent-2', iss: NEXT }), 'VENDOR_MISMATCH');
    const again = { ...world.importing({ jti: 'ent-1' }), ...world.admin() };
    world.ok(endorsing());
    world.import({ jti: 'ent-2', iss: NEXT, seats: 2 });
    expect(world.usage().owned).toBe(5);
    world.refused(world.importing({ jti: 'ent-3' }), 'VENDOR_MISMATCH');
    world.refused(world.importing({ jti: 'ent-1', rev: 2 }), 'VENDOR_MISMATCH');
    expect(world.ok(again).changed).toBe(false);
    const device = world.user('a');
    expect(world.checkout(device, 5).leases).toHaveLength(2);
  });

  test('the new key may renew and replace what the old one signed; a stranger may not', () => {
    world.ok(endorsing());
    world.refused(world.importing({ jti: 'ent-1', rev: 2, iss: STRANGER }), 'VENDOR_MISMATCH');
    world.import({ jti: 'ent-1', rev: 2, iss: NEXT, seats: 7 });
    expect(world.usage().owned).toBe(7);
    world.import({ jti: 'ent-2', iss: NEXT, replaces: 'ent-1', seats: 8 });
    expect(world.usage().owned).toBe(8);
  });

  test('answers carry what leads from older keys to the entitlement, and nothing else', () => {
    expect(endorsementsOf(world.state, ['ent-1'])).toEqual([]);
    world.ok(endorsing());
    world.ok(endorsing({ from: NEXT, to: LATER, products: ['render'] }));
    world.import({ jti: 'ent-2', iss: LATER });
    world.import({ jti: 'ent-x', product: 'sim', iss: STRANGER });
    expect(endorsementsOf(world.state, ['ent-1', 'ent-x'])).toEqual([]);
    const chain = endorsementsOf(world.state, ['ent-2', 'ent-2']);
    expect(chain.map((token) => token.includes(`"iss":"${NEXT}"`))).toEqual([true, false]);
  });
});
