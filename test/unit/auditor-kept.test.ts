import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World, quiet = { fromT: 0, untilT: 600_000 }): string[] {
  const { findings } = audit({ ...world.case(), quiet });
  return [...new Set(findings.map(({ rule }) => rule))].sort();
}

interface Story {
  /** When it asks for renewals, seconds: D is 120. */
  readonly renewsAt?: readonly number[];
  /** What its plugin is told of the seat, and when, seconds. */
  readonly saysAt?: readonly (readonly [number, string])[];
  readonly kind?: 'online' | 'borrow';
}

/** A lease of 120 s, taken after one second. */
function life({ renewsAt = [], saysAt = [], kind = 'online' }: Story): World {
  const world = new World();
  const lease = world.take(1_000, { durSeconds: 120, kind });
  for (const at of renewsAt) world.renew(at * 1000, lease);
  for (const [at, state] of saysAt)
    world.write(at * 1000, 'plugin', { event: 'state', state, leases: [lease], leftMs: 0 });
  return world;
}

describe('a client to which nothing happens renews what it has', () => {
  test('every third of D is right', () =>
    expect(
      broken(
        life({
          renewsAt: [41, 85, 121],
          saysAt: [
            [40, 'held'],
            [100, 'held'],
            [130, 'held'],
          ],
        }),
      ),
    ).toEqual([]));

  test.each<[string, Story]>([
    ['at 0.97 D', { renewsAt: [117], saysAt: [[80, 'grace']] }],
    ['after the end', { renewsAt: [181], saysAt: [[100, 'held']] }],
    ['at first, and then no more', { renewsAt: [41], saysAt: [[110, 'grace']] }],
  ])('one that does so %s is found', (_, story) => expect(broken(life(story))).toEqual(['KEPT']));

  test.each<[string, Story]>([
    ['of a seat that it has lost', { saysAt: [[100, 'lost']] }],
    ['of one that it has just got', { saysAt: [[60, 'held']] }],
    ['of a borrow', { kind: 'borrow', saysAt: [[100, 'held']] }],
  ])('nothing is asked %s', (_, story) => expect(broken(life(story))).toEqual([]));

  test('nothing is known of what happened before, or later', () => {
    const world = life({ saysAt: [[80, 'grace']] });
    expect(broken(world, { fromT: 21_000, untilT: 600_000 })).toEqual([]);
    expect(broken(world, { fromT: 0, untilT: 79_000 })).toEqual([]);
    expect(audit(world.case()).findings).toEqual([]);
  });
});
