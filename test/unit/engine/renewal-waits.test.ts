import { touched } from '@berth/server/domain/touched';
import { describe, expect, test } from 'vitest';
import { World } from '../domain/world.js';
import { answered, engineOver, HeldJournal, turns } from './held-journal.js';

function rowEndMs(world: World, lease: string): number {
  const { ent } = world.state.tables.lease.get(lease)!.claims;
  return world.state.tables.entitlement.get(ent)!.claims.exp * 1000;
}

describe('a renewal that goes on where it is waits only for what it rests on', () => {
  /** A lease of `a` that is durable, on an engine with nothing pending. */
  async function holding(seats = 9) {
    const world = new World();
    world.import({ seats });
    const [a, b] = [world.user('a'), world.user('b')];
    const journal = new HeldJournal();
    const { engine } = engineOver(world, journal);
    const take = async (device: string): Promise<string> => {
      const granted = engine.submit(world.checkingOut(device));
      await journal.finish();
      const settled = await granted;
      return settled.ok ? settled.outcome.leases[0]!.jti : '';
    };
    const lease = await take(a);
    const renewal = () => engine.submit({ type: 'renew', by: world.by(a).by, leases: [lease], nonce: 'x' });
    const give = (device: string, one: string) =>
      engine.submit({ type: 'release', ...world.by(device), leases: [one], stopped: [one] });
    return { world, a, b, journal, engine, lease, take, renewal, give };
  }

  test('not for what others take and give back', async () => {
    const { world, b, journal, engine, take, renewal, give } = await holding();
    const other = await take(b);
    void engine.submit(world.checkingOut(b));
    await turns();
    void give(b, other);
    expect(await renewal()).toMatchObject({ ok: true, outcome: { leases: [{ claims: {} }] } });
    // Both were still on their way: one that is written, and one that waits.
    expect(journal.position.seq).toBe(2);
    await journal.finish();
    await journal.finish();
  });

  /** What it waits for is on its way; then that is durable, and it is answered. */
  async function waits(journal: HeldJournal, renewal: () => Promise<unknown>): Promise<void> {
    const renewed = answered(renewal());
    await turns();
    expect(renewed.yet).toBe(false);
    await journal.finish();
    expect(renewed.yet).toBe(true);
  }

  test('for a newer revision of its entitlement, and then for no other', async () => {
    const { world, b, journal, engine, renewal } = await holding();
    void engine.submit(world.importing({ seats: 9, rev: 2 }));
    await waits(journal, renewal);
    void engine.submit(world.checkingOut(b));
    expect(await renewal()).toMatchObject({ ok: true });
  });

  test('for what is written and not for what waits behind it, where it saw only that', async () => {
    const { world, b, journal, engine, renewal } = await holding();
    void engine.submit(world.importing({ seats: 9, rev: 2 }));
    await turns();
    void engine.submit(world.checkingOut(b));
    await waits(journal, renewal);
    expect(journal.payloads).toHaveLength(3);
    await journal.finish();
  });

  test('for a seat that somebody gives back, where its entitlement shrank below use', async () => {
    const { world, b, journal, engine, take, renewal, give } = await holding();
    const other = await take(b);
    void engine.submit(world.importing({ seats: 1, rev: 2 }));
    await journal.finish();
    void give(b, other);
    await waits(journal, renewal);
  });

  test('for a release of it that is set, and called off', async () => {
    const { world, journal, engine, lease, renewal } = await holding();
    void engine.submit({ type: 'revokeLease', ...world.admin(), lease, reason: 'r', afterMs: 60_000 });
    await waits(journal, renewal);
    void engine.submit({ type: 'keepLease', ...world.admin(), lease });
    await waits(journal, renewal);
  });

  test('for everything, when it is refused', async () => {
    const { world, b, journal, engine, lease, take, renewal } = await holding();
    await take(b);
    void engine.submit({ type: 'revokeLease', ...world.admin(), lease, reason: 'r' });
    await journal.finish();
    void engine.submit(world.checkingOut(b));
    await waits(journal, renewal);
  });

  test('for everything, when its entitlement ends within the hour: what others have room for is told', async () => {
    const { world, b, journal, engine, lease, renewal } = await holding();
    world.now = { ...world.now, wallMs: rowEndMs(world, lease) - 30 * 60_000 };
    void engine.submit(world.checkingOut(b));
    await waits(journal, renewal);
  });
});

test('a seat that is taken up again after it lingered goes behind the others: where there are too many, it touches them all', () => {
  const world = new World();
  world.import({ seats: 2 });
  const [a, b] = [world.user('a'), world.user('b')];
  const seat = world.checkout(a).leases[0]!.seat;
  world.checkout(b);
  const change = { type: 'seat.resumed', id: seat, device: a, takenAtMs: world.now.wallMs } as const;
  expect(touched(world.state, change)).toEqual([seat]);
  const shrunk = world.import({ seats: 1, rev: 2 });
  expect(touched(world.state, change)).toEqual([seat, shrunk]);
});
