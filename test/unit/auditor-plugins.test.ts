import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

describe('I2: how long a plugin believes that its seat lasts', () => {
  const believing = (leftMs: number): World => {
    const world = new World();
    const lease = world.take(1000);
    world.write(2000, 'plugin', { event: 'state', state: 'held', leases: [lease], leftMs });
    world.release(2500, lease);
    return world;
  };

  test('D from before it asked, or less', () => {
    expect(broken(believing(2000))).toEqual([]);
    expect(broken(believing(500))).toEqual([]);
  });
  test('D from when the answer came is too long', () => expect(broken(believing(2010))).toEqual(['I2']));
});

describe('I1: seats that one process gives back for another', () => {
  const helped = (when: 'dead' | 'alive' | 'stopped'): World => {
    const world = new World();
    const lease = world.take(1000);
    if (when === 'stopped')
      world.write(1400, 'plugin', { event: 'released', leases: [lease], stopped: false });
    // Of the same computer.
    world.write(1400, 'other', { event: 'session', device: world.device('plugin').text });
    world.release(1500, lease, 'other');
    if (when !== 'dead') world.take(5000, { seat: 's2' });
    return world;
  };

  test('of a dead one', () => expect(broken(helped('dead'))).toEqual([]));
  test('of one that tried to itself', () => expect(broken(helped('stopped'))).toEqual([]));
  test('of one that is alive is found', () => expect(broken(helped('alive'))).toEqual(['I1']));
});

describe('a lease ends inside its entitlement, as that stood then', () => {
  const DAY = 86_400;
  /** The second revision ends within so many seconds; a third one lasts again. */
  const ending = (seconds: number): World => {
    const world = new World();
    const claims = { rev: 2, exp: Date.UTC(2026, 10, 22) / 1000 + seconds };
    const lease = world.take(500);
    world.import(1000, 'e1', 2, claims);
    world.renew(2000, lease);
    for (const id of ['m1', 'm2']) world.journal({ type: 'mail.dropped', id });
    world.import(60_000, 'e1', 2, { rev: 3, exp: claims.exp + 30 * DAY });
    return world;
  };

  test('a renewal with room before the end', () => expect(broken(ending(60))).toEqual([]));
  test('a renewal beyond it is found, though another revision lasts longer', () =>
    expect(broken(ending(10))).toEqual(['CHAIN']));

  test('a grant beyond it is found', () => {
    const world = new World();
    world.import(1000, 'e1', 2, { rev: 2, exp: Date.UTC(2026, 10, 22) / 1000 + 10 });
    world.take(2000);
    world.import(60_000, 'e1', 2, { rev: 3 });
    expect(broken(world)).toEqual(['CHAIN']);
  });
});
