import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

const founded: Change = { type: 'organisation.founded', organisation: { epoch: 'epoch', highWaterMs: 0 } };
const over: Change = { type: 'restore.windowOver' };

/** A restored server of a backup in which somebody has borrowed a seat. */
function restored(): World {
  const world = new World();
  world.admin();
  world.journal(founded);
  world.take(100, { kind: 'borrow', seat: 'known' });
  world.device('other');
  for (const change of [{ type: 'organisation.restored', epoch: 'next' }, begun, over]) world.journal(change);
  return world;
}
const begun: Change = { type: 'restore.begun', atMs: 1, windowMs: 71_000 };

describe('what lets the rules of a restored server go is what somebody said (I9)', () => {
  const accepted: Change = { type: 'restore.accepted' };
  const shown: Change = { type: 'seat.shown', id: 'known' };
  const seen: Change = { type: 'seat.seen', id: 'known' };
  const after = (...step: Parameters<World['did']>): World => {
    const world = restored();
    world.did(...step);
    return world;
  };

  test('only an admin answers for it that nothing is out', () => {
    expect(broken(after('acceptRestore', 'admin', accepted))).toEqual([]);
    expect(broken(after('expire', undefined, over, accepted))).toEqual(['I9']);
    expect(broken(after('acceptRestore', undefined, accepted))).toEqual(['I9']);
    expect(broken(after('setPool', 'admin', accepted))).toEqual(['I9']);
    const unsaid = restored();
    unsaid.journal(accepted);
    expect(broken(unsaid)).toEqual(['I9']);
  });

  test('a borrow that the backup knows is shown by its own device', () => {
    expect(broken(after('readmit', 'plugin', shown))).toEqual([]);
    expect(broken(after('readmit', 'other', shown))).toEqual(['I9']);
    expect(broken(after('checkout', 'plugin', shown))).toEqual(['I9']);
    const unsaid = restored();
    unsaid.journal(shown);
    expect(broken(unsaid)).toEqual(['I9']);
  });

  test('or a token of before brings it, and that of an online lease that its seat is in use', () => {
    const bringing = (kind: 'online' | 'borrow', ...readmits: Change[]): World => {
      const world = restored();
      world.take(900, { seat: 'known', kind, readmits });
      return world;
    };
    expect(broken(bringing('borrow', shown))).toEqual([]);
    expect(broken(bringing('online', seen))).toEqual([]);
    expect(broken(bringing('borrow', seen))).toContain('I9');
    expect(broken(after('readmit', 'plugin', seen))).toEqual(['I9']);
    const elsewhere = restored();
    elsewhere.take(900, { seat: 'another', by: 'other', readmits: [seen] });
    expect(broken(elsewhere)).toEqual(['I9']);
    const own = restored();
    own.take(900, { seat: 'known', epoch: 'next', readmits: [seen] });
    expect(broken(own)).toContain('I9');
  });
});

describe('what a token of before says of a seat that is here', () => {
  const grown = (seats: number, count: number): World => {
    const world = new World(seats);
    world.journal(founded);
    world.take(100, { seat: 'known' });
    world.journal({ type: 'seat.grown', id: 'known', count });
    return world;
  };

  test('it grows within what is owned (I1)', () => {
    expect(broken(grown(2, 2))).toEqual([]);
    expect(broken(grown(2, 3))).toEqual(['I1']);
    expect(broken(grown(2, 50))).toEqual(['I1']);
  });

  test('others count (I1)', () => {
    const world = grown(2, 1);
    world.take(200, { by: 'other' });
    expect(broken(world)).toEqual([]);
    world.journal({ type: 'seat.grown', id: 'known', count: 2 });
    expect(broken(world)).toEqual(['I1']);
  });
});

describe('what lets the clock go back is what somebody said (I5)', () => {
  const accepted: Change = { type: 'clock.accepted', wallMs: Date.UTC(2026, 10, 22) };
  const ahead = (...step: Parameters<World['did']>): World => {
    const world = new World();
    world.admin();
    world.journal({ type: 'clock.seen', wallMs: Date.UTC(2026, 10, 23) });
    world.did(...step);
    world.take(1000);
    return world;
  };

  test('only an admin vouches for it', () => {
    expect(broken(ahead('acceptClock', 'admin', accepted))).toEqual([]);
    expect(broken(ahead('acceptClock', undefined, accepted))).toEqual(['I5']);
    expect(broken(ahead('checkout', 'admin', accepted))).toEqual(['I5']);
  });
});
