import type { MessageNotice, Seat, WarningNotice } from '@berth/client';
import type { LeaseWarning } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { settle, World } from './world.js';

const D = 120_000;

async function withSeat() {
  const world = new World();
  const client = await world.connect();
  const seat = await client.checkout();
  const warnings: WarningNotice[] = [];
  seat.on('warning', (notice) => warnings.push(notice));
  return { world, client, seat, warnings, lease: seat.leaseIds[0]! };
}

const warning = (inMs: number, more: Partial<LeaseWarning> = {}): LeaseWarning => ({
  code: 'LEASE_REVOKED',
  atMs: 5_000_000,
  inMs,
  reason: 'Needed for the night run.',
  by: 'it@studio.example',
  ...more,
});

/** Every renewal brings it from now on. */
function renewWith(world: World, current: () => LeaseWarning | undefined): void {
  world.server.scripts['lease.renew'] = (params, socket) => {
    const { leases, entitlements } = world.server.renewals([...socket.leases], params.nonce);
    const now = current();
    return {
      leases: leases.map((row) => (now === undefined ? row : { ...row, warning: now })),
      entitlements,
    };
  };
}

describe('a warning', () => {
  it('is told once, on this clock, however often renewals repeat it', async () => {
    const { world, seat, warnings, lease } = await withSeat();
    const endsAtMs = world.time.wallMs() + 300_000;
    world.server.push('lease.warned', { lease, warning: warning(300_000) });
    renewWith(world, () => warning(endsAtMs - world.time.wallMs()));
    await world.time.advance(2 * D);
    expect(world.server.of('lease.renew').length).toBeGreaterThan(2);
    expect(warnings).toEqual([
      { code: 'LEASE_REVOKED', message: 'Needed for the night run.', by: 'it@studio.example', endsAtMs },
    ]);
    expect(seat.warning).toEqual(warnings[0]);
    expect(seat.state).toBe('held');
  });

  it('that was pushed while the connection was down comes with the next renewal', async () => {
    const { world, warnings } = await withSeat();
    renewWith(world, () => warning(60_000, { code: 'ENTITLEMENT_EXPIRED', by: null }));
    await world.time.advance(50_000);
    expect(warnings).toMatchObject([{ code: 'ENTITLEMENT_EXPIRED', by: null }]);
  });

  it('is called off by a push, or by a renewal that knows no more of it', async () => {
    const { world, seat, warnings, lease } = await withSeat();
    world.server.push('lease.warned', { lease, warning: warning(300_000) });
    world.server.push('lease.warned', { lease, warning: null });
    await settle();
    expect(warnings.map(({ endsAtMs }) => endsAtMs === null)).toEqual([false, true]);
    expect(seat.warning).toBeNull();
    world.server.push('lease.warned', { lease, warning: warning(300_000) });
    await world.time.advance(50_000);
    expect(warnings.map(({ endsAtMs }) => endsAtMs === null)).toEqual([false, true, false, true]);
  });

  it('of a moment that moved is told again', async () => {
    const { world, warnings, lease } = await withSeat();
    world.server.push('lease.warned', { lease, warning: warning(300_000) });
    world.server.push('lease.warned', { lease, warning: warning(60_000, { atMs: 4_760_000 }) });
    await settle();
    expect(warnings.map(({ endsAtMs }) => endsAtMs! - world.time.wallMs())).toEqual([300_000, 60_000]);
  });

  it('about a seat that is given back, or of another client, is told to nobody', async () => {
    const { world, seat, warnings, lease } = await withSeat();
    world.server.push('lease.warned', { lease: 'lease-99', warning: warning(1000) });
    await seat.release();
    world.server.push('lease.warned', { lease, warning: warning(1000) });
    await settle();
    expect(warnings).toEqual([]);
  });
});

describe('a push', () => {
  it('with a message reaches the seat it is about', async () => {
    const { world, seat, lease } = await withSeat();
    const messages: MessageNotice[] = [];
    seat.on('message', (notice) => messages.push(notice));
    world.server.push('admin.message', { lease, text: 'Please save.', from: 'it@studio.example' });
    world.server.push('admin.message', { lease: 'lease-99', text: 'not here', from: 'it@studio.example' });
    await settle();
    expect(messages).toEqual([{ text: 'Please save.', from: 'it@studio.example' }]);
  });

  it('that revokes a lease before the answer that grants it loses the seat', async () => {
    const { world, client } = await withSeat();
    world.server.scripts['lease.checkout'] = (params) => {
      const jti = 'lease-early';
      world.server.push('lease.revoked', { lease: jti, reason: 'The user was removed.', by: 'it' });
      return world.server.grant(params, { jti, seat: 'seat-early' });
    };
    const seat: Seat = await client.checkout();
    await settle();
    expect(seat.state).toBe('lost');
    expect(seat.lost).toMatchObject({ code: 'LEASE_REVOKED', message: 'The user was removed.', by: 'it' });
    await seat.release();
    expect(world.server.of('lease.release').at(-1)?.params.stops).toHaveLength(1);
  });
});
