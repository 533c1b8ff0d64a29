import { closeCodes } from '@berth/protocol';
import type { Answer, Caller } from '@berth/server/transport/api';
import { SessionRegistry } from '@berth/server/transport/session-registry';
import { describe, expect, it } from 'vitest';
import { startRig } from './rig.js';
import { newNonce, TestClient } from './test-client.js';

const revoked = { lease: 'l-1', reason: 'needed elsewhere', by: 'ada@example.com' };
const renewed: Answer<'lease.renew'> = { ok: true, result: { leases: [], entitlements: [] } };

describe('sessions of one device', () => {
  it('from a new address close the older ones', async () => {
    const rig = await startRig();
    const device = rig.enrolled();
    const older = [await TestClient.open(rig, device), await TestClient.open(rig, device)];
    const newer = await TestClient.open(rig, device, 'lease', { localAddress: '127.0.0.2' });
    for (const client of older) expect(await client.closed).toBe(closeCodes.SUPERSEDED.number);
    expect(await rig.events.first('superseded')).toMatchObject({
      session: { address: '127.0.0.1', deviceId: 'dev-1' },
      by: '127.0.0.2',
    });
    expect(newer.socket.readyState).toBe(newer.socket.OPEN);
    expect(rig.listener.sessions.count).toBe(1);
  });

  it('from one address live together, and other devices are left alone', async () => {
    const rig = await startRig();
    const device = rig.enrolled();
    await TestClient.open(rig, device);
    await TestClient.open(rig, device);
    await TestClient.open(rig, rig.enrolled('lease', 'user', 'dev-2'), 'lease', {
      localAddress: '127.0.0.2',
    });
    expect(rig.listener.sessions.count).toBe(3);
  });

  it('are closed when the device is removed', async () => {
    const rig = await startRig();
    const device = rig.enrolled();
    const client = await TestClient.open(rig, device);
    const other = await TestClient.open(rig, rig.enrolled('lease', 'user', 'dev-2'));
    rig.listener.sessions.closeDevice('dev-1');
    expect(await client.closed).toBe(closeCodes.DEVICE_REMOVED.number);
    expect(other.socket.readyState).toBe(other.socket.OPEN);
  });

  it('whose device is removed get the answers to what they asked before, and nothing more', async () => {
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const asked: string[] = [];
    const rig = await startRig({
      handlers: {
        'borrow.return': async () => {
          rig.listener.sessions.closeDevice('dev-1');
          await answered;
          return { ok: true, result: { returned: [] } };
        },
        'pool.status': async () => {
          asked.push('pool.status');
          return { ok: true, result: { pools: [], next: null } };
        },
      },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    const returned = client.call('borrow.return', { key: newNonce(), stops: ['a.b.c'] });
    void client.call('pool.status', {}).catch(() => undefined);
    // Its pong says that the server has read what came before it.
    const read = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping();
    await read;
    answer();
    expect(await returned).toEqual({ returned: [] });
    expect(await client.closed).toBe(closeCodes.DEVICE_REMOVED.number);
    expect(asked).toEqual([]);
  });

  it('are gone from the count when their socket closes', async () => {
    const rig = await startRig();
    const client = await TestClient.open(rig, rig.enrolled());
    client.socket.close();
    expect(await rig.events.first('sessionClosed')).toMatchObject({ reason: 'PEER_CLOSED' });
    expect(rig.listener.sessions.count).toBe(0);
  });
});

describe('pushes', () => {
  it('reach the sessions that have the lease bound, and no others', async () => {
    const rig = await startRig({
      handlers: {
        'lease.renew': async (_params, { leases }) => {
          leases.add('l-1');
          return renewed;
        },
        'pool.status': async () => ({ ok: true, result: { pools: [], next: null } }),
      },
    });
    const device = rig.enrolled();
    const [bound, unbound] = [await TestClient.open(rig, device), await TestClient.open(rig, device)];
    await bound.call('lease.renew', { nonce: newNonce() });
    rig.listener.sessions.pushToLease('l-1', 'lease.revoked', revoked);
    expect(await bound.push('lease.revoked')).toEqual(revoked);

    rig.listener.sessions.unbindLease('l-1');
    rig.listener.sessions.pushToLease('l-1', 'lease.revoked', revoked);
    await bound.call('pool.status', {});
    await unbound.call('pool.status', {});
    expect([...bound.untaken, ...unbound.untaken]).toEqual([]);
  });
});

describe('the registry', () => {
  const who: Omit<Caller, 'leases'> = {
    session: 's-1',
    path: 'lease',
    deviceId: 'dev-1',
    deviceKey: 'ed25519:a',
    email: 'ada@example.com',
    address: '10.0.0.1',
  };
  const quiet = { push() {}, close() {}, part() {} };

  it('keeps no lease of a session that ended, not even one that is granted afterwards', () => {
    const registry = new SessionRegistry();
    const { session } = registry.open(who, quiet);
    session.caller.leases.add('l-1').add('l-2');
    expect(registry.leaseCount).toBe(2);
    registry.remove(session);
    session.caller.leases.add('l-3');
    expect([registry.count, registry.leaseCount]).toEqual([0, 0]);
  });

  it('follows every way a set changes', () => {
    const registry = new SessionRegistry();
    const { leases } = registry.open(who, quiet).session.caller;
    leases.add('l-1').add('l-2').add('l-2');
    leases.delete('l-1');
    expect(registry.leaseCount).toBe(1);
    leases.clear();
    expect(registry.leaseCount).toBe(0);
    leases.add('l-4');
    registry.unbindLease('l-4');
    expect([registry.leaseCount, leases.size]).toEqual([0, 0]);
  });

  it('pushes only what the path of a session knows', () => {
    const registry = new SessionRegistry();
    const pushed: string[] = [];
    const socket = { push: (name: string) => void pushed.push(name), close() {}, part() {} };
    const { session } = registry.open({ ...who, path: 'admin' }, socket);
    session.caller.leases.add('l-1');
    registry.pushToLease('l-1', 'lease.revoked', revoked);
    expect(pushed).toEqual([]);
  });
});
