import { closeCodes, errors, type ResultOf } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { startRig } from './rig.js';
import { newNonce, TestClient } from './test-client.js';

const pools: ResultOf<'pool.status'> = { pools: [], next: null };
const emptyPools = { ok: true, result: pools } as const;

describe('frames', () => {
  it('answers what is not JSON, and what is not JSON-RPC', async () => {
    const rig = await startRig();
    const client = await TestClient.connect(rig);
    client.socket.send('{"jsonrpc":');
    expect(await client.reply(null)).toMatchObject({ code: 'FRAME_INVALID' });
    client.socket.send('{"jsonrpc":"1.0","id":4,"method":"pool.status"}');
    expect(await client.reply(4)).toMatchObject({ code: 'REQUEST_INVALID' });
    client.socket.send('[]');
    expect(await client.reply(null)).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('does not take an answer to a question it never asked', async () => {
    const rig = await startRig();
    const client = await TestClient.connect(rig);
    client.socket.send('{"jsonrpc":"2.0","id":4,"result":{}}');
    expect(await client.reply(null)).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('closes on a binary frame', async () => {
    const rig = await startRig();
    const client = await TestClient.connect(rig);
    client.socket.send(Buffer.from('{}'));
    expect(await client.closed).toBe(closeCodes.BINARY.number);
    await rig.events.first('refused', ({ reason }) => reason === 'BINARY');
  });

  it('closes on an oversized frame', async () => {
    const rig = await startRig();
    const client = await TestClient.open(rig, rig.enrolled());
    client.socket.send(' '.repeat(16 * 1024 + 1));
    expect(await client.closed).toBe(1009);
    expect(await rig.events.first('sessionClosed')).toMatchObject({ reason: 'TOO_LARGE' });
  });

  it('closes on a frame in too many fragments', async () => {
    const rig = await startRig();
    const client = await TestClient.open(rig, rig.enrolled());
    for (let i = 0; i < 40; i++) client.socket.send(' ', { fin: false });
    expect(await client.closed).toBe(1008);
    expect(await rig.events.first('sessionClosed')).toMatchObject({ reason: 'PROTOCOL_ERROR' });
  });

  it('ignores notifications', async () => {
    const rig = await startRig({ handlers: { 'pool.status': async () => emptyPools } });
    const client = await TestClient.open(rig, rig.enrolled());
    client.socket.send('{"jsonrpc":"2.0","method":"pool.status"}');
    await client.call('pool.status', {});
    expect(client.untaken).toEqual([]);
  });
});

describe('requests', () => {
  it('reach their handler with the caller, and their answer comes back', async () => {
    const seen: unknown[] = [];
    const rig = await startRig({
      handlers: {
        'pool.status': async (params, caller) => {
          seen.push(params, caller.deviceId, caller.path, caller.email);
          return emptyPools;
        },
      },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    expect(await client.call('pool.status', { product: 'comp' })).toEqual(emptyPools.result);
    expect(seen).toEqual([{ product: 'comp' }, 'dev-1', 'lease', 'dev-1@example.com']);
    const event = await rig.events.first('request', ({ method }) => method === 'pool.status');
    expect(event).toMatchObject({ ok: true, code: null });
  });

  it('carry code, text and next step when they are refused', async () => {
    const rig = await startRig({
      handlers: {
        'pool.status': async () => ({
          ok: false,
          code: 'NO_PRODUCT',
          message: 'There is no product x.',
          detail: { rule: 'NOT_ENTITLED', code: 'NOT_THIS' },
        }),
      },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    expect(await client.request('pool.status')).toMatchObject({
      message: 'There is no product x.',
      data: { code: 'NO_PRODUCT', next: errors.NO_PRODUCT.next, rule: 'NOT_ENTITLED' },
    });
  });

  it('are unknown when they are not in the table, or belong to the other path', async () => {
    const rig = await startRig();
    const client = await TestClient.open(rig, rig.enrolled());
    expect(await client.request('pool.drain')).toMatchObject({ code: 'METHOD_UNKNOWN' });
    expect(await client.request('toString')).toMatchObject({ code: 'METHOD_UNKNOWN' });
    expect(await client.request('organisation.show')).toMatchObject({ code: 'METHOD_UNKNOWN' });
    await rig.events.first('request', ({ method, code }) => method === null && code === 'METHOD_UNKNOWN');
  });

  it('need a session', async () => {
    const rig = await startRig();
    const client = await TestClient.connect(rig);
    expect(await client.request('pool.status')).toMatchObject({ code: 'SESSION_REQUIRED' });
  });

  it('name the field that is wrong', async () => {
    const rig = await startRig();
    const client = await TestClient.open(rig, rig.enrolled());
    const wants = (seats: number) => [{ products: ['comp'], seats }];
    const params = { key: 'k'.repeat(16), wants: wants(0), nonce: newNonce() };
    const [wrong, missing] = [
      await client.request('lease.checkout', params),
      await client.request('lease.checkout', { ...params, wants: wants(1), nonce: undefined }),
    ];
    expect(wrong).toMatchObject({ code: 'PARAMS_INVALID', data: { field: 'wants.0.seats' } });
    expect(wrong.message).toContain('seats');
    expect(missing).toMatchObject({ code: 'PARAMS_INVALID', data: { field: 'nonce' } });
  });

  it('need the role of the table at the moment they are made', async () => {
    const rig = await startRig({ handlers: { 'pool.status': async () => emptyPools } });
    const client = await TestClient.open(rig, rig.enrolled('admin', 'viewer'), 'admin');
    await client.call('pool.status', {});
    const forbidden = await client.request('entitlement.import', {
      key: 'k'.repeat(16),
      entitlement: 'a.b.c',
    });
    expect(forbidden.code).toBe('NOT_ALLOWED');
    rig.roles.set('dev-1@example.com', 'user');
    expect((await client.request('pool.status')).code).toBe('NOT_ALLOWED');
  });

  it('end the session of a user who was removed', async () => {
    const rig = await startRig();
    const client = await TestClient.open(rig, rig.enrolled());
    rig.roles.clear();
    expect((await client.request('pool.status')).code).toBe('NOT_ALLOWED');
    expect(await client.closed).toBe(closeCodes.DEVICE_REMOVED.number);
    expect(rig.listener.sessions.count).toBe(0);
  });

  it('are answered INTERNAL when their handler throws, and the server lives on', async () => {
    const rig = await startRig({
      handlers: {
        'pool.status': () => {
          throw new Error('a bug');
        },
      },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    expect(await client.request('pool.status')).toMatchObject({
      code: 'INTERNAL',
      message: errors.INTERNAL.text,
    });
    expect(await rig.events.first('handlerError')).toMatchObject({ method: 'pool.status' });
    expect((await client.request('lease.renew', { nonce: newNonce() })).code).toBe('INTERNAL');
  });

  it('are answered INTERNAL when the answer does not fit a frame', async () => {
    const rig = await startRig({
      limits: { replyBytes: 1024 },
      handlers: {
        'pool.status': async () => ({ ok: true, result: { pools: [], next: 'x'.repeat(2000) } }),
      },
    });
    const client = await TestClient.open(rig, rig.enrolled());
    expect((await client.request('pool.status')).code).toBe('INTERNAL');
    await rig.events.first('handlerError', ({ error }) => error instanceof RangeError);
  });
});
