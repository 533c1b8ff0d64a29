import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World, restoredAtT?: number): string[] {
  const since = restoredAtT === undefined ? {} : { restoredAtT };
  return [...new Set(audit({ ...world.case(), ...since }).findings.map(({ rule }) => rule))].sort();
}

const founded: Change = { type: 'organisation.founded', organisation: { epoch: 'epoch', highWaterMs: 0 } };
const restored = (epoch: string): Change => ({ type: 'organisation.restored', epoch });
const begun = (windowMs: number): Change => ({ type: 'restore.begun', atMs: 1, windowMs });
const over: Change = { type: 'restore.windowOver' };

describe('I9: a server that was made of a backup', () => {
  const server = (...changes: Change[]): World => {
    const world = new World();
    world.journal(founded);
    world.take(100, { durSeconds: 60 });
    for (const change of changes) world.journal(change);
    return world;
  };

  test('goes on in an epoch of its own, after a whole window', () =>
    expect(broken(server(restored('next'), begun(71_000), over))).toEqual([]));
  test('is found in an epoch that there was', () =>
    expect(broken(server(restored('epoch'), begun(71_000), over))).toEqual(['I9']));
  test.each([0, 60_000])('is found with a hold of %s ms', (windowMs) =>
    expect(broken(server(restored('next'), begun(windowMs), over))).toEqual(['I9']),
  );

  test('is found when it grants while it holds', () => {
    const world = server(restored('next'), begun(71_000));
    world.take(2000, { epoch: 'next' });
    expect(broken(world)).toEqual(['I9']);
  });

  test('may take what a device shows', () => {
    const world = server(restored('next'), begun(71_000));
    world.take(2000);
    expect(broken(world)).toEqual([]);
  });

  test('may take what a device shows though sharing is off since, and nothing else', () => {
    const world = server(restored('next'), begun(71_000));
    world.put({ sharing: false });
    world.take(2000, { kind: 'borrow' });
    expect(broken(world)).toEqual([]);
    world.journal(over);
    world.take(2100, { epoch: 'next', by: 'other' });
    expect(broken(world)).toContain('SHARING');
  });

  test('may lend a seat for longer whose borrow a device has shown, and no other one', () => {
    const world = server(restored('next'), begun(71_000));
    world.take(2000, { kind: 'borrow', seat: 'shown' });
    world.take(2100, { kind: 'borrow', seat: 'shown', epoch: 'next' });
    expect(broken(world)).toEqual([]);
    world.take(2200, { kind: 'borrow', by: 'other', epoch: 'next' });
    expect(broken(world)).toContain('I9');
  });

  test('is not asked for what another one acknowledged after the backup, which counts against the seats all the same', () => {
    const world = new World(1);
    world.take(100, { unjournaled: true });
    expect(broken(world)).toContain('I6');
    expect(broken(world, 1000)).toEqual([]);
    world.take(1500, { by: 'other' });
    expect(broken(world, 1000)).toContain('I1');
  });

  test('is not asked for what the lost one had sent and somebody read late, but for what it granted itself', () => {
    const late = (epoch: string): World => {
      const world = new World();
      for (const change of [founded, restored('next'), begun(71_000), over]) world.journal(change);
      world.take(2000, { epoch, unjournaled: true });
      return world;
    };
    expect(broken(late('epoch'), 1000)).toEqual([]);
    expect(broken(late('next'), 1000)).toContain('I6');
  });
});
