import type { Answer } from '@berth/server/transport/api';
import { describe, expect, it } from 'vitest';
import { startRig } from './rig.js';
import { TestClient } from './test-client.js';

type Pools = Answer<'pool.status'>;
const emptyPools: Pools = { ok: true, result: { pools: [], next: null } };
const longMs = 60_000;

describe('draining', () => {
  it('tells every client, answers what is in flight, refuses what is new, and closes', async () => {
    const pending: ((answer: Pools) => void)[] = [];
    const rig = await startRig({
      handlers: { 'pool.status': () => new Promise((resolve) => pending.push(resolve)) },
    });
    const [busy, idle] = [await TestClient.open(rig, rig.enrolled()), await TestClient.connect(rig, 'admin')];
    const id = busy.post('pool.status');
    await expect.poll(() => pending.length).toBe(1);

    const drained = rig.listener.drain(longMs);
    const { reconnectAfterMs } = await busy.push('server.draining');
    expect(reconnectAfterMs).toBeGreaterThanOrEqual(1_000);
    expect(reconnectAfterMs).toBeLessThan(11_000);
    expect(await idle.closed).toBe(1001);
    expect((await busy.request('pool.status')).code).toBe('DRAINING');
    await expect(TestClient.connect(rig)).rejects.toThrow();

    pending[0]!(emptyPools);
    expect((await busy.reply(id)).code).toBeUndefined();
    expect(await busy.closed).toBe(1001);
    await drained;
    expect(rig.listener.sessions.count).toBe(0);
  });

  it('cuts who is left after the grace', async () => {
    let entered = false;
    const rig = await startRig({
      handlers: {
        'pool.status': () => {
          entered = true;
          return new Promise(() => {});
        },
      },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    client.post('pool.status');
    await expect.poll(() => entered).toBe(true);
    await rig.listener.drain(50);
    expect(await client.closed).toBe(1006);
    expect(await rig.events.first('sessionClosed')).toMatchObject({ reason: 'GOING_AWAY' });
  });

  it('of a listener without clients ends at once, and stopping again is harmless', async () => {
    const rig = await startRig();
    await rig.listener.drain(longMs);
    await rig.listener.stop();
  });
});

describe('stopping', () => {
  it('cuts every socket and frees the port', async () => {
    const rig = await startRig();
    const client = await TestClient.open(rig, rig.enrolled());
    const { port } = rig.listener;
    await rig.listener.stop();
    expect(await client.closed).toBe(1006);
    const successor = await startRig({ listener: { port } });
    expect(successor.listener.port).toBe(port);
  });
});
