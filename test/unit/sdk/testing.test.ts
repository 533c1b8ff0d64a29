import { connect } from '@berth/client';
import { FakeServer } from '@berth/client/testing';
import { describe, expect, it, vi } from 'vitest';

async function seated(options?: ConstructorParameters<typeof FakeServer>[0]) {
  const server = new FakeServer(options);
  const client = await connect(server.options());
  const seat = await client.checkout();
  const events: string[] = [];
  for (const event of ['grace', 'recovered', 'lost', 'message'] as const)
    seat.on(event, () => events.push(event));
  return { server, client, seat, events };
}

describe('the fake server of @berth/client/testing', () => {
  it('grants what is there, names who has the rest, and takes it back', async () => {
    const { server, client, seat } = await seated({ products: { render: 2 } });
    expect(seat).toMatchObject({ state: 'held', seats: 1, kind: 'online' });
    const second = await client.checkout();
    const refused = await client.checkout().catch((error) => error);
    expect(refused).toMatchObject({ code: 'NO_SEAT', rule: 'ALL_IN_USE' });
    expect(refused.holders).toHaveLength(2);
    expect(server.inUse()).toBe(2);
    await second.release();
    expect(server.inUse()).toBe(1);
    expect(await client.status()).toMatchObject({ owned: 2, inUse: 1, free: 1 });
    await client.close();
    expect(server.inUse()).toBe(0);
    await expect(
      connect(server.options('unheard-of')).then((other) => other.checkout()),
    ).rejects.toMatchObject({
      code: 'NO_PRODUCT',
    });
  });

  it('advance: the seat is renewed by real heartbeats, for as long as one likes', async () => {
    const { server, seat, events } = await seated();
    await server.advance(10 * 60_000);
    expect(seat.state).toBe('held');
    expect(events).toEqual([]);
    expect(server.requests.filter((method) => method === 'lease.renew').length).toBeGreaterThan(13);
  });

  it('drop: a blip is not noticed, a longer one is grace, then recovered, with the same seat', async () => {
    const { server, seat, events } = await seated();
    const { leaseIds } = seat;
    await server.drop();
    await server.advance(30_000);
    expect(events).toEqual([]);
    await server.drop(80_000);
    await server.advance(100_000);
    expect(events).toEqual(['grace', 'recovered']);
    expect(seat).toMatchObject({ state: 'held', leaseIds });
    expect(server.inUse()).toBe(1);
  });

  it('expire: the seat is lost, for good, and another can be had', async () => {
    const { server, client, seat, events } = await seated();
    await server.expire();
    expect(seat.state).toBe('lost');
    expect(seat.lost).toMatchObject({ code: 'SEAT_LOST' });
    expect(events).toEqual(['grace', 'lost']);
    await seat.release();
    const next = await client.checkout();
    expect(next.state).toBe('held');
  });

  it('credits: spent once, whatever happens to the connection, and no more than there are', async () => {
    const server = new FakeServer({ credits: 20 });
    const client = await connect(server.options());
    expect(await client.credits.consume(12)).toMatchObject({ credits: 12, left: 8 });
    await expect(client.credits.consume(9)).rejects.toMatchObject({
      code: 'CREDIT_LOW',
      detail: { left: 8 },
    });
    const key = 'job-0123456789abcdef';
    const first = await client.credits.consume(3, { key });
    await server.drop();
    const again = client.credits.consume(3, { key });
    await server.advance(15_000);
    expect(await again).toEqual(first);
    expect(server.creditsSpent).toBe(15);
    expect(await client.credits.show()).toEqual({ access: 'unlimited', used: 15, spent: 15, left: 5 });
    await client.credits.request(100, 'the trailer');
  });

  it('deny: with any code, until it is taken back', async () => {
    const server = new FakeServer();
    const client = await connect(server.options());
    const allow = server.deny('DISK_LOW');
    await expect(client.checkout()).rejects.toMatchObject({ code: 'DISK_LOW' });
    allow();
    const again = server.deny('NO_SEAT', {
      data: { rule: 'SHARING_OFF', nextFreeAtMs: server.nowMs + 1000 },
    });
    await expect(client.checkout()).rejects.toMatchObject({
      rule: 'SHARING_OFF',
      nextFreeAtMs: server.nowMs + 1000,
    });
    again();
    await expect(client.checkout()).resolves.toMatchObject({ state: 'held' });
  });

  it('occupy: who waits gets the seat when it comes free, or is refused when the wait is over', async () => {
    const server = new FakeServer();
    const client = await connect(server.options());
    server.occupy(1);
    const told = vi.fn();
    const waiting = client.checkout({ wait: 60_000 });
    waiting.then(told, told);
    await server.advance(20_000);
    expect(told).not.toHaveBeenCalled();
    server.occupy(0);
    await server.advance(5_000);
    await (await waiting).release();
    server.occupy(1);
    const late = client.checkout({ wait: 10_000 });
    late.catch(told);
    await server.advance(15_000);
    await expect(late).rejects.toMatchObject({ code: 'NO_SEAT' });
  });

  it('revoke and message: an administrator does what administrators do', async () => {
    const { server, seat, events } = await seated();
    await server.message('Please save');
    await server.revoke('Maintenance', 'it@studio.example');
    expect(events).toEqual(['message', 'lost']);
    expect(seat.lost).toMatchObject({
      code: 'LEASE_REVOKED',
      message: 'Maintenance',
      by: 'it@studio.example',
    });
    await seat.release();
    expect(server.inUse()).toBe(0);
  });

  it('borrows: they work without the server, and are returned to it', async () => {
    const { server, client, seat } = await seated();
    const borrow = await client.borrow({ seconds: 3600 });
    expect(borrow).toMatchObject({ state: 'valid', seats: 1 });
    expect(seat.kind).toBe('borrow');
    expect(server.inUse()).toBe(1);
    await seat.release();
    await server.drop(10 * 60_000);
    const offline = await client.checkout();
    expect(offline).toMatchObject({ state: 'held', kind: 'borrow' });
    await server.advance(10 * 60_000 + 15_000);
    expect(offline.state).toBe('held');
    await offline.release();
    await client.returnBorrow();
    expect(server.inUse()).toBe(0);
  });

  it('gives the same bytes in every run', async () => {
    const tokens = async () => (await seated()).seat.tokens;
    expect(await tokens()).toEqual(await tokens());
  });

  it('leaves nothing behind: no timer that keeps the process, no time that goes by alone', async () => {
    const { server, seat, client } = await seated();
    const before = server.nowMs;
    await client.close();
    expect(seat.state).toBe('released');
    expect(server.nowMs).toBe(before);
  });
});
