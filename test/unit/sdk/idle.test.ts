import { describe, expect, it } from 'vitest';
import { settle, World } from './world.js';

const D = 120_000;

async function withSeat() {
  const world = new World();
  const client = await world.connect();
  const seat = await client.checkout();
  const said = () => world.server.of('lease.renew').map(({ params }) => params.idle);
  return { world, client, seat, said };
}

describe('a plugin that nobody uses', () => {
  it('is told to the server with the next heartbeat, and for how long', async () => {
    const { world, seat, said } = await withSeat();
    seat.idle();
    await world.time.advance(D / 2);
    const [first] = said() as { lease: string; seconds: number }[][];
    expect(first).toEqual([{ lease: seat.leaseIds[0], seconds: expect.any(Number) }]);
    expect(first![0]!.seconds).toBeGreaterThanOrEqual(36);
    expect(first![0]!.seconds).toBeLessThanOrEqual(44);
  });

  it('says nothing while it is in use', async () => {
    const { world, seat, said } = await withSeat();
    seat.idle();
    seat.active();
    await world.time.advance(D / 2);
    expect(said()).toEqual([undefined]);
  });

  it('speaks up at once when it is used again after the server was told', async () => {
    const { world, seat, said } = await withSeat();
    seat.idle();
    await world.time.advance(D / 2);
    expect(said()).toHaveLength(1);
    seat.active();
    seat.active();
    await settle();
    expect(said()).toEqual([expect.anything(), undefined]);
  });

  it('cannot have been idle since before it had the seat', async () => {
    const { world, seat, said } = await withSeat();
    seat.idle(24 * 3_600_000);
    await world.time.advance(D / 2);
    expect((said()[0] as { seconds: number }[])[0]!.seconds).toBeLessThan(60);
  });

  it('goes on counting when it says so again', async () => {
    const { world, seat, said } = await withSeat();
    seat.idle();
    await world.time.advance(30_000);
    seat.idle();
    await world.time.advance(30_000);
    expect((said()[0] as { seconds: number }[])[0]!.seconds).toBeGreaterThanOrEqual(36);
  });
});

describe('a seat that was taken back', () => {
  it('is lost with IDLE_RELEASED by the push, and given back with a signed stop', async () => {
    const { world, seat } = await withSeat();
    const reason = 'Nobody had used it for 600 s.';
    const push = { lease: seat.leaseIds[0]!, reason, by: '', code: 'IDLE_RELEASED' as const };
    world.server.push('lease.revoked', push);
    await settle();
    expect(seat.lost).toMatchObject({ code: 'IDLE_RELEASED', message: reason, by: null });
    expect(seat.lost?.hint).toContain('check out again');
    await seat.release();
    expect(world.server.of('lease.release')[0]!.params.stops).toHaveLength(1);
  });

  it('is lost by the renewal where the push was missed', async () => {
    const { world, seat } = await withSeat();
    world.server.scripts['lease.renew'] = () => ({
      leases: [{ lease: seat.leaseIds[0]!, code: 'IDLE_RELEASED' }],
      entitlements: [],
    });
    await world.time.advance(D / 2);
    expect(seat).toMatchObject({ state: 'lost', lost: { code: 'IDLE_RELEASED' } });
  });
});
