import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

describe('an entitlement that shrank', () => {
  /** Two devices have a seat each, `old` and `young`, of two that become one. */
  function shrunk(
    kinds: { old?: 'borrow'; young?: 'borrow' } = {},
    before: (world: World) => void = () => {},
  ): World {
    const world = new World(2);
    for (const [at, seat] of (['old', 'young'] as const).entries())
      world.take(1000 + at, {
        ...{ lease: seat, seat, by: seat, of: { takenAtMs: at }, durSeconds: 600 },
        ...(kinds[seat] === undefined ? {} : { kind: kinds[seat] }),
      });
    before(world);
    world.import(2000, 'e1', 1, { rev: 2 });
    return world;
  }

  test('what an entitlement has after it shrank goes on: the oldest seat', () => {
    const world = shrunk();
    world.renew(3000, 'old', 'old');
    expect(broken(world)).toEqual([]);
  });

  test('the seat beyond that is found when it is renewed', () => {
    const world = shrunk();
    world.renew(3000, 'young', 'young');
    expect(broken(world)).toEqual(['I1']);
  });

  test('a borrowed seat goes on before an older one', () => {
    const world = shrunk({ young: 'borrow' });
    world.renew(3000, 'old', 'old');
    expect(broken(world)).toEqual(['I1']);
  });

  test.each([
    ['young', 'young', []],
    ['again', 'old', ['I1']],
  ])('a seat that lingered is as old as the checkout that resumed it: lease %s', (lease, by, rules) => {
    const world = shrunk({}, (each) => {
      each.release(1100, 'old', 'old', true);
      each.journal({ type: 'lease.ended', id: 'old', reason: 'released', linger: { seconds: 60 } });
      each.journal({ type: 'seat.resumed', id: 'old', device: 'old', takenAtMs: 2 });
      each.take(1200, { lease: 'again', seat: 'old', by: 'old', durSeconds: 600 });
    });
    world.renew(3000, lease, by);
    expect(broken(world)).toEqual(rules);
  });

  test('a renewal that was decided just before, and one after a seat came free, are right', () => {
    const world = shrunk();
    const before = { seq: world.records.length - 1 };
    const head = Buffer.from(world.records[before.seq - 1]!.hash, 'hex').toString('base64url');
    world.renew(3000, 'young', 'young', { ...before, head });
    world.release(3100, 'old', 'old');
    world.renew(3200, 'young', 'young');
    expect(broken(world)).toEqual([]);
  });

  test('a borrow while more is taken than owned is found, though its seat is not new', () => {
    const world = shrunk();
    world.take(3000, { seat: 'old', by: 'old', kind: 'borrow' });
    expect(broken(world)).toEqual(['I1']);
  });
});
