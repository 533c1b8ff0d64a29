import type { SeatEvents } from '@berth/client';
import { BerthError } from '@berth/client';
import { HeldSeat, onlineRight, readClock, type SeatLease } from '@berth/client/internal';
import { describe, expect, it } from 'vitest';
import { FakeHost } from './fake-host.js';

const D = 120_000;

function makeSeat(count = 1) {
  const host = new FakeHost();
  const returned: { ids: string[]; revoked: boolean }[] = [];
  const lease = (id: string): SeatLease => ({
    id,
    seat: `seat-of-${id}`,
    product: 'render',
    seats: 1,
    pair: { lease: 'token', entitlement: 'token' },
    right: onlineRight(readClock(host.clock), D),
  });
  const leases = Array.from({ length: count }, (_, i) => lease(`lease-${i + 1}`));
  const parts = [{ product: 'render', seats: count }];
  const facts = { parts, kind: 'online' as const, joined: false, leases };
  const seat = new HeldSeat(host, facts, async (held, revoked) => {
    returned.push({ ids: held.map(({ id }) => id), revoked });
  });
  const events: { name: keyof SeatEvents; notice: SeatEvents[keyof SeatEvents] }[] = [];
  for (const name of ['grace', 'recovered', 'lost', 'message'] as const) {
    seat.on(name, (notice) => events.push({ name, notice }));
  }
  return {
    host,
    time: host.clock,
    seat,
    lease,
    returned,
    events,
    names: () => events.map(({ name }) => name),
  };
}

describe('a seat', () => {
  it('is held, then in grace, then lost, and says so once each', async () => {
    const { time, seat, names } = makeSeat();
    expect(seat.state).toBe('held');
    await time.advance(D / 2);
    expect(seat.state).toBe('grace');
    await time.advance(D / 2 - 1);
    expect(seat.state).toBe('grace');
    await time.advance(1);
    expect(seat.state).toBe('lost');
    await time.advance(10 * D);
    expect(names()).toEqual(['grace', 'lost']);
    expect(seat.lost).toMatchObject({ code: 'SEAT_LOST', by: null });
  });

  it('is renewed lease by lease', async () => {
    const { time, seat, lease, names } = makeSeat(2);
    await time.advance(D / 2);
    seat.renewed(lease('lease-1'));
    expect(seat.state).toBe('grace');
    seat.renewed(lease('lease-2'));
    expect(seat.state).toBe('held');
    expect(names()).toEqual(['grace', 'recovered']);
    expect(seat.expiresAtMs).toBe(time.wallMs() + D);
  });

  it('is lost at the first look after the computer slept through it, before any timer fires', () => {
    const { time, seat } = makeSeat();
    time.sleep(D);
    expect(seat.state).toBe('lost');
  });

  it('tells within seconds of waking that it was lost', async () => {
    const { time, names } = makeSeat();
    time.sleep(D);
    await time.advance(5_000);
    expect(names()).toEqual(['lost']);
  });

  it('stays lost when a clock is set back', () => {
    const { time, seat } = makeSeat();
    const wallMs = time.wallMs();
    time.setWall(wallMs + D);
    expect(seat.state).toBe('lost');
    time.setWall(wallMs);
    expect(seat.state).toBe('lost');
  });

  it('is not prolonged by a wall clock set back', () => {
    const { time, seat } = makeSeat();
    time.setWall(time.wallMs() - 3_600_000);
    time.block(D);
    expect(seat.state).toBe('lost');
  });

  it('stays lost when a renewal is late, and the lease is given back once the plugin had time to stop', async () => {
    const { time, seat, lease, returned } = makeSeat();
    time.block(D);
    seat.renewed(lease('lease-1'));
    expect(seat.state).toBe('lost');
    await time.advance(9_999);
    expect(returned).toEqual([]);
    await time.advance(1);
    expect(returned).toEqual([{ ids: ['lease-1'], revoked: false }]);
    expect(seat.state).toBe('lost');
  });

  it('gives a late lease back at once when the plugin says it stopped', async () => {
    const { time, seat, lease, returned } = makeSeat();
    time.block(D);
    seat.renewed(lease('lease-1'));
    await seat.release();
    await time.advance(60_000);
    expect(returned).toHaveLength(1);
  });

  it('is released once, whoever asks how often', async () => {
    const { seat, returned, names } = makeSeat();
    const first = seat.release();
    expect(seat.release()).toBe(first);
    expect(seat.state).toBe('released');
    await first;
    await seat[Symbol.asyncDispose]();
    expect(returned).toHaveLength(1);
    expect(names()).toEqual([]);
  });

  it('is not given back by itself when it was revoked: only the plugin knows that it stopped', async () => {
    const { time, seat, lease, returned, events } = makeSeat();
    seat.lose({ code: 'LEASE_REVOKED', message: 'Maintenance', hint: '', by: 'admin@x.org' }, true);
    expect(seat.state).toBe('lost');
    expect(events[0]?.notice).toMatchObject({ code: 'LEASE_REVOKED', by: 'admin@x.org' });
    seat.renewed(lease('lease-1'));
    await time.advance(D);
    expect(returned).toEqual([]);
    await seat.release();
    expect(returned).toEqual([{ ids: ['lease-1'], revoked: true }]);
    expect(seat.state).toBe('lost');
  });

  it('is in grace from the moment the server says that it renews no more', async () => {
    const { time, seat, names } = makeSeat();
    seat.ending('lease-1', 'ENTITLEMENT_EXPIRED');
    expect(seat.state).toBe('grace');
    await time.advance(D);
    expect(names()).toEqual(['grace', 'lost']);
    expect(seat.lost?.code).toBe('ENTITLEMENT_EXPIRED');
  });

  it('says in its grace notice what the trouble is', async () => {
    const { time, seat, events } = makeSeat();
    seat.troubled(new BerthError('UNREACHABLE', { message: 'Nothing listens there.' }));
    await time.advance(D / 2);
    expect(events[0]?.notice).toEqual({
      code: 'UNREACHABLE',
      message: 'Nothing listens there.',
      expiresAtMs: time.wallMs() + D / 2,
    });
  });

  it('keeps the process alive while it is of use, and no longer', async () => {
    const released = makeSeat();
    expect(released.host.holds).toBe(1);
    await released.seat.release();
    expect(released.host.holds).toBe(0);
    expect(released.time.timers).toBe(0);
    const lost = makeSeat();
    await lost.time.advance(D);
    expect(lost.host.holds).toBe(0);
    expect(lost.time.timers).toBe(0);
  });

  it('stops telling a listener that has unsubscribed', async () => {
    const { time, seat } = makeSeat();
    let told = 0;
    const end = seat.on('grace', () => told++);
    end();
    await time.advance(D / 2);
    expect(told).toBe(0);
  });

  it('lives on a borrow once it is converted', async () => {
    const { time, seat, returned } = makeSeat();
    const ended: string[] = [];
    const borrowed: SeatLease = {
      product: 'render',
      id: 'lease-9',
      seat: 'seat-of-lease-1',
      seats: 1,
      pair: { lease: 'b', entitlement: 'e' },
      right: { since: readClock(time), durationMs: 10 * D, graceAfterMs: null },
    };
    expect(seat.convert([borrowed], async () => void ended.push('use'))).toBe(true);
    await time.advance(9 * D);
    expect([seat.kind, seat.state, seat.leaseIds]).toEqual(['borrow', 'held', ['lease-9']]);
    await seat.release();
    expect([returned, ended]).toEqual([[], ['use']]);
  });
});
