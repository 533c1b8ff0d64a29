import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

function asks(world: World, t: number, by: string): void {
  const wants = [{ products: ['render'], seats: 1 }];
  world.device(by);
  world.write(t, by, { event: 'request', method: 'lease.checkout', key: `k${by}`, nonce: `n${by}`, wants });
}

function told(world: World, t: number, by: string): void {
  world.write(t, by, { event: 'pushed', method: 'lease.queued', checkout: `k${by}`, position: 1 });
}

/** A seat that `by` asked for, and gives back ten seconds later. */
function serves(world: World, t: number, by: string): void {
  const key = `k${by}`;
  const lease = world.take(t, { by, key, nonce: `n${by}`, durSeconds: 600 });
  const record = world.records.at(-1)!;
  const request = { id: `${by} ${key}`, method: 'checkout', leases: [lease] };
  world.records[world.records.length - 1] = {
    ...record,
    changes: [...record.changes, { type: 'request.kept', request }],
  };
  for (const later of [100, 9_000]) world.renew(t + later, lease, by);
  world.release(t + 9_500, lease, by);
}

describe('the line', () => {
  /** Two who want one seat: who was told to wait at 100, and who asked at 200. */
  const line = (first: string, second: string): World => {
    const world = new World(1);
    asks(world, 100, 'a');
    told(world, 110, 'a');
    asks(world, 200, 'b');
    serves(world, 10_000, first);
    serves(world, 20_000, second);
    return world;
  };

  test('first come, first served', () => expect(broken(line('a', 'b'))).toEqual([]));
  test('who was overtaken is found', () => expect(broken(line('b', 'a'))).toEqual(['LINE']));
  test('who died in line was not overtaken, though the next process of its device asks with its key', () => {
    const world = line('b', 'a');
    world.write(15_000, 'a2', { event: 'request', method: 'lease.checkout', key: 'ka', nonce: 'na' });
    expect(broken(world)).not.toContain('LINE');
  });
  test('who joins a seat that was taken in the same record took none', () => {
    const world = line('b', 'a');
    // b's seat was taken by c, who asked first of all; b is of the same user.
    const { changes, ...record } = world.records.find(
      ({ changes }) => changes.at(-1)?.type === 'request.kept',
    )!;
    const [seat, granted] = changes as [Change, { lease: { claims: object; device: string } }];
    world.device('c');
    const claims = { ...granted.lease.claims, jti: 'first', nonce: 'nonceC' };
    const first = { type: 'lease.granted', lease: { ...granted.lease, claims } };
    world.records[record.seq - 1] = { ...record, changes: [seat, first, ...changes.slice(1)] };
    expect(broken(world)).not.toContain('LINE');
  });
});

describe('a place in line whose connection broke', () => {
  interface Story {
    /** When it is told its place again; `null`: never. */
    readonly backAt?: number | null;
    /** Whether the server may have been started anew meanwhile: nobody's session is from before. */
    readonly restarted?: boolean;
    /** Whether whoever might know that it was not has no session, but signs each request. */
    readonly script?: boolean;
    /** Whether its connection broke once more after that. */
    readonly again?: boolean;
    /** When the one behind it is served. */
    readonly otherAt?: number;
  }

  /** a waits since 100, b asks at 200, a is back with its third session; b is served, and then a. */
  const comeback = (story: Story): World => {
    const { backAt = 20_000, restarted = false, script = false, again = false, otherAt = 40_000 } = story;
    const world = new World(2);
    const witness = world.take(50, { by: 'c', durSeconds: 600 });
    asks(world, 100, 'a');
    told(world, 110, 'a');
    asks(world, 200, 'b');
    const session = (t: number, by: string): void => {
      world.write(t, by, { event: 'request', method: 'session.open' });
      world.write(t, by, { event: 'session', device: world.device(by).text });
    };
    if (!script) session(10, 'c');
    for (const by of restarted ? ['b', 'c'] : []) session(15_000, by);
    if (otherAt < 20_000) serves(world, otherAt, 'b');
    session((backAt ?? 20_000) - 200, 'a');
    session((backAt ?? 20_000) - 100, 'a');
    asks(world, (backAt ?? 20_000) - 50, 'a');
    if (backAt !== null) told(world, backAt, 'a');
    world.renew(33_000, witness, 'c');
    if (again) session(34_000, 'a');
    for (let filler = 0; filler < 2; filler++) world.put({});
    if (otherAt >= 20_000) serves(world, otherAt, 'b');
    serves(world, 60_000, 'a');
    return world;
  };

  test('is kept for who comes back within 30 s', () => expect(broken(comeback({}))).toEqual(['LINE']));
  test.each<[string, Story]>([
    ['may be lost for who comes later', { backAt: 31_000 }],
    ['may be lost for who is not told of it', { backAt: null }],
    ['is lost when the server starts anew', { restarted: true }],
    ['may be lost so where nobody’s session says that it was not', { script: true }],
    ['is passed over while it is empty', { otherAt: 5_000 }],
    ['may be lost when it breaks again and nobody says that it stands', { again: true }],
  ])('%s', (_, story) => expect(broken(comeback(story))).toEqual([]));
});
