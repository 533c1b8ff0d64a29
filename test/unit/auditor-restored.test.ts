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
const accept = (world: World): void =>
  world.did('acceptRestore', world.admin(), { type: 'restore.accepted' });
/** What the journal says of the seat of a borrow that its device has shown. */
const marked = { earlier: 'shown' };
const DAY_MS = 86_400_000;

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
    world.take(2000, { kind: 'borrow', of: marked });
    expect(broken(world)).toEqual([]);
    world.journal(over);
    world.take(2100, { epoch: 'next', by: 'other' });
    expect(broken(world)).toContain('SHARING');
  });

  test('may lend a seat for longer whose borrow a device has shown, and no other one', () => {
    const world = server(restored('next'), begun(71_000));
    world.take(2000, { kind: 'borrow', seat: 'shown', of: marked });
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

  test('is not asked for an answer of the lost one to whoever stood still, but for what it answered itself', () => {
    const late = (...asked: string[]): World => {
      const world = new World();
      for (const change of [founded, restored('next'), begun(71_000), over]) world.journal(change);
      const ask = (t: number, method: string): void =>
        world.write(t, 'plugin', {
          event: 'request',
          method,
          ...(method === 'session.open' ? {} : { key: 'k' }),
        });
      for (const [at, method] of ['session.open', 'lease.checkout', ...asked].entries())
        ask(at < 2 ? 500 + at : 1500 + at, method);
      world.write(2000, 'plugin', { event: 'result', method: 'lease.checkout', key: 'k', text: '{}' });
      return world;
    };
    expect(broken(late(), 1000)).toEqual([]);
    // Its timers run before it reads what has come.
    expect(broken(late('lease.renew'), 1000)).toEqual([]);
    expect(broken(late('session.open', 'lease.checkout'), 1000)).toEqual(['I6']);
  });
});

describe('I9: what a restored server may have granted before', () => {
  /** Of a backup with five seats of e1, which lends two; it has held. */
  const server = (seats = 5): World => {
    const world = new World(seats);
    world.import(0, 'e1', seats, { rev: 2, borrow: { maxSeconds: 86_400, seats: 2 } });
    for (const change of [founded, restored('next'), begun(71_000), over]) world.journal(change);
    return world;
  };
  const take = (world: World, t: number, more: object = {}): string =>
    world.take(t, { by: `plugin${t}`, epoch: 'next', ...more });

  test('nobody joins a seat while it holds, whoever has it', () => {
    const world = new World();
    world.journal(founded);
    world.take(100, { seat: 'known' });
    for (const change of [restored('next'), begun(71_000)]) world.journal(change);
    expect(broken(world)).toEqual([]);
    world.take(2000, { seat: 'known', epoch: 'next' });
    expect(broken(world)).toEqual(['I9']);
  });

  test('as many seats as it lends are kept back until somebody answers for it', () => {
    const world = server();
    for (const t of [1000, 2000, 3000]) take(world, t);
    expect(broken(world)).toEqual([]);
    take(world, 4000);
    expect(broken(world)).toEqual(['I9']);
    const free = server();
    accept(free);
    for (const t of [1000, 2000, 3000, 4000]) take(free, t);
    expect(broken(free)).toEqual([]);
  });

  test('what a device has shown of them is not kept back twice, in whatever order', () => {
    const world = server();
    world.take(900, { kind: 'borrow', of: marked });
    for (const t of [1000, 2000, 3000]) take(world, t);
    expect(broken(world)).toEqual([]);
    take(world, 4000);
    expect(broken(world)).toEqual(['I9']);
  });

  test('a borrow that is shown must be marked as one of them', () => {
    const world = server();
    world.take(900, { kind: 'borrow' });
    expect(broken(world)).toEqual(['I9']);
  });

  test("a seat that was borrowed is nobody's to have again before its device has shown that borrow", () => {
    const known = (...steps: (Change | ((world: World) => void))[]): World => {
      const world = new World();
      world.journal(founded);
      world.take(100, { kind: 'borrow', seat: 'known' });
      for (const step of [restored('next'), begun(71_000), over, ...steps])
        if (typeof step === 'function') step(world);
        else world.journal(step);
      world.take(1000, { seat: 'known', epoch: 'next' });
      return world;
    };
    expect(broken(known())).toEqual(['I9']);
    const shown: Change = { type: 'seat.shown', id: 'known' };
    expect(broken(known((world) => world.did('readmit', 'plugin', shown)))).toEqual([]);
    const seen: Change = { type: 'seat.seen', id: 'known' };
    expect(broken(known((world) => world.take(900, { seat: 'known', readmits: [seen] })))).toEqual([]);
    expect(broken(known(accept))).toEqual([]);
    const anew = new World().seat('known', { email: 'plugin@x', device: 'plugin', ...marked });
    const ranOut: Change = { type: 'lease.ended', id: 'l1', reason: 'expired' };
    expect(broken(known(ranOut, anew))).not.toContain('I9');
  });

  test('of what is imported later as much is kept back, and what replaces something keeps back for it', () => {
    const world = server(3);
    world.import(500, 'e2', 2, { replaces: 'e1', borrow: { maxSeconds: 86_400, seats: 1 } });
    world.journal({ type: 'entitlement.state', id: 'e1', state: 'replaced' });
    take(world, 1000, { of: { entitlement: 'e2' }, ent: 'e2' });
    expect(broken(world)).toContain('I9');
    const other = server(3);
    other.import(500, 'e2', 2, { borrow: { maxSeconds: 86_400, seats: 1 } });
    take(other, 1000, { of: { entitlement: 'e2' }, ent: 'e2' });
    expect(broken(other)).toEqual([]);
    take(other, 2000, { of: { entitlement: 'e2' }, ent: 'e2' });
    expect(broken(other)).toEqual(['I9']);
  });

  test.each([
    ['an entitlement with room besides what is kept back', 3, []],
    ['one of which all else may be out', 2, ['I9']],
  ])('a seat moves to %s', (_, seats, rules) => {
    const world = server(seats);
    world.import(500, 'e2', 2, { borrow: undefined });
    take(world, 1000, { seat: 's', ent: 'e2', of: { entitlement: 'e2' } });
    world.journal({ type: 'seat.charged', id: 's', entitlement: 'e1', allocation: null });
    expect(broken(world)).toEqual(rules);
  });

  test('a seat moves to one that keeps nothing back, but not while another has lent more than is owned', () => {
    const moved = (seats: number): World => {
      const world = server(2);
      for (const id of ['e2', 'e3']) world.import(500, id, id === 'e3' ? seats : 1, { borrow: undefined });
      take(world, 1000, { seat: 's', ent: 'e2', of: { entitlement: 'e2' } });
      take(world, 1100, { seat: 'other', ent: 'e3', of: { entitlement: 'e3' } });
      world.import(1200, 'e1', 1, { rev: 3, borrow: { maxSeconds: 86_400, seats: 1 } });
      world.journal({ type: 'seat.charged', id: 's', entitlement: 'e3', allocation: null });
      return world;
    };
    expect(broken(moved(3))).toEqual([]);
    expect(broken(moved(2))).toEqual(['I9']);
  });

  test('nothing new is lent meanwhile', () => {
    const world = server();
    take(world, 1000, { kind: 'borrow' });
    expect(broken(world)).toEqual(['I9']);
    const free = server();
    accept(free);
    take(free, 1000, { kind: 'borrow' });
    expect(broken(free)).toEqual([]);
  });

  test('they are kept back until the longest borrow is over, a week for files included', () => {
    const ended = (afterMs: number): World => {
      const world = server();
      world.journal({ type: 'clock.seen', wallMs: 1 + afterMs }, { type: 'reserve.ended', id: 'e1' });
      return world;
    };
    expect(broken(ended(7 * DAY_MS))).toEqual(['I9']);
    // The longest borrow, how long it is held after that, and the week of its file; then by how much the clock of the journal may lag.
    const longestMs = 86_400 * 1002 + 15 * 60_000 + 7 * DAY_MS;
    expect(broken(ended(longestMs - 66_000))).toEqual(['I9']);
    expect(broken(ended(longestMs - 64_000))).toEqual([]);
    expect(broken(ended(8.1 * DAY_MS))).toEqual([]);
  });

  test('it takes up what its device was given, for nobody else and in no other words', () => {
    const stolen = server();
    stolen.device('thief');
    stolen.take(900, { device: 'thief' });
    expect(broken(stolen)).toEqual(['I9']);
    const forged = server();
    forged.take(900, { lie: { n: 2 } });
    expect(broken(forged)).toContain('I9');
  });

  test('no credits are spent before somebody answers for it', () => {
    const spend = { id: 'c1', email: 'plugin@x', device: 'plugin', product: 'render', credits: 1 };
    const spent: Change = { type: 'credit.spent', spend: { ...spend, day: '2026-11-22', charges: [] } };
    const world = server();
    world.device('plugin');
    world.journal(spent);
    expect(broken(world)).toContain('I9');
    const free = server();
    free.device('plugin');
    accept(free);
    free.journal(spent);
    expect(broken(free)).not.toContain('I9');
  });
});

describe('I9: how long a restored server holds', () => {
  /** The backup knows of no lease; somebody has one of a minute as the server is lost. */
  const server = (...changes: Change[]): World => {
    const world = new World();
    world.take(100, { durSeconds: 60, unjournaled: true });
    for (const change of [founded, restored('next'), ...changes]) world.journal(change);
    return world;
  };

  test('as long as the longest lease that anybody may still use', () => {
    expect(broken(server(begun(71_000)), 1000)).toEqual([]);
    expect(broken(server(begun(60_000)), 1000)).toEqual(['I9']);
    // It has run out before.
    expect(broken(server(begun(60_000)), 70_000)).toEqual([]);
  });

  test('as long as leases lasted when the backup was made, though it knows of none', () => {
    const noted = (leaseSeconds: number): Change => ({ type: 'window.noted', leaseSeconds });
    const world = new World();
    for (const change of [founded, noted(60), noted(120), restored('next'), begun(71_000)])
      world.journal(change);
    expect(broken(world)).toEqual(['I9']);
    const shorter = new World();
    for (const change of [founded, noted(120), noted(60), restored('next'), begun(71_000)])
      shorter.journal(change);
    expect(broken(shorter)).toEqual([]);
  });

  test('not by its own word alone: whoever has a token of after it knows better', () => {
    const early = server(begun(71_000), over);
    early.take(60_000, { epoch: 'next' });
    expect(broken(early, 1000)).toEqual(['I9']);
    const late = server(begun(71_000), over);
    accept(late);
    late.take(73_000, { epoch: 'next' });
    expect(broken(late, 1000)).toEqual([]);
  });
});
