import { nativeEd25519 } from '@berth/client/internal';
import { parsePublicKey, parseToken } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { settle, World } from './world.js';

const W = 130_241;

async function withSeat() {
  const world = new World();
  const client = await world.connect();
  return { world, client, seat: await client.checkout() };
}

describe('release', () => {
  it('gives the leases back once', async () => {
    const { world, seat } = await withSeat();
    await Promise.all([seat.release(), seat.release()]);
    await seat.release();
    expect(world.server.of('lease.release')).toHaveLength(1);
    expect(world.server.of('lease.release')[0]?.params).not.toHaveProperty('stops');
  });

  it('is sent again with the same key when its answer is lost', async () => {
    const { world, seat } = await withSeat();
    let asked = 0;
    world.server.scripts['lease.release'] = ({ leases }) =>
      ++asked === 1 ? { lost: { released: leases } } : { released: leases };
    await world.run(seat.release());
    const [first, second] = world.server.of('lease.release');
    expect(second?.params).toEqual(first?.params);
  });

  it('goes on through an outage until the window has ended anyhow, and then resolves', async () => {
    const { world, seat } = await withSeat();
    world.cut();
    let done = false;
    void seat.release().then(() => {
      done = true;
    });
    expect(seat.state).toBe('released');
    await world.time.advance(W - 1_000);
    expect(done).toBe(false);
    await world.time.advance(2_000);
    expect(done).toBe(true);
    expect(world.host.holds).toBe(0);
  });

  it('is done at once when the client closes', async () => {
    const { world, client, seat } = await withSeat();
    world.cut();
    const released = seat.release();
    await world.run(client.close());
    await released;
    expect(world.time.timers).toBe(0);
    expect(world.host.holds).toBe(0);
  });

  it('does not throw whatever the server answers', async () => {
    const { world, seat } = await withSeat();
    world.server.scripts['lease.release'] = () => ({ error: 'LEASE_UNKNOWN' });
    await expect(seat.release()).resolves.toBeUndefined();
  });
});

describe('a revoked seat', () => {
  async function revoked() {
    const made = await withSeat();
    made.world.server.push('lease.revoked', { lease: 'lease-1', reason: 'Maintenance', by: 'it@x.org' });
    await settle();
    return made;
  }

  it('is lost at once, with who and why', async () => {
    const { seat } = await revoked();
    expect(seat.state).toBe('lost');
    expect(seat.lost).toMatchObject({ code: 'LEASE_REVOKED', message: 'Maintenance', by: 'it@x.org' });
  });

  it('is given back with a stop signed by the device, only once the plugin says that it stopped', async () => {
    const { world, seat } = await revoked();
    await world.time.advance(60_000);
    expect(world.server.of('lease.release')).toEqual([]);
    await seat.release();
    const { stops } = world.server.of('lease.release')[0]!.params;
    const parsed = parseToken('stop', String(stops));
    expect(parsed).toMatchObject({ ok: true, token: { claims: { jti: 'lease-1' } } });
    if (!parsed.ok) return;
    const { claims, signed, signature } = parsed.token;
    expect(claims.dev).toBe(world.server.deviceKey);
    expect(nativeEd25519.verify(parsePublicKey(claims.dev)!, signed, signature)).toBe(true);
  });

  it('is given back with a stop also when the push was lost', async () => {
    const { world, seat } = await withSeat();
    world.server.scripts['lease.release'] = ({ stops, leases }) =>
      stops === undefined ? { error: 'STOP_REQUIRED' } : { released: leases };
    await seat.release();
    const [first, second] = world.server.of('lease.release');
    expect(second?.params.stops).toHaveLength(1);
    expect(second?.params.key).not.toBe(first?.params.key);
  });

  it('is given back when the client closes', async () => {
    const { world, client } = await revoked();
    await world.run(client.close());
    expect(world.server.of('lease.release')[0]?.params.stops).toHaveLength(1);
  });
});

describe('a message of an admin', () => {
  it('reaches the seat it is for', async () => {
    const { world, client, seat } = await withSeat();
    const other = await client.checkout();
    const told: string[] = [];
    seat.on('message', ({ text, from }) => told.push(`${from}: ${text}`));
    other.on('message', () => told.push('wrong seat'));
    world.server.push('admin.message', { lease: 'lease-1', text: 'Please save', from: 'it@x.org' });
    await settle();
    expect(told).toEqual(['it@x.org: Please save']);
  });
});
