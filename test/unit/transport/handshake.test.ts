import { decodeBase64Url, type ParamsOf, parsePublicKey, transcriptBytes } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { type KeyPair, newKeyPair, type Rig, startRig, verifyEd25519 } from './rig.js';
import { newNonce, TestClient } from './test-client.js';

describe('session.open', () => {
  it('opens a session, and the server signs the same transcript', async () => {
    const rig = await startRig();
    const device = rig.enrolled();
    const client = await TestClient.connect(rig);
    expect(client.challenge).toMatchObject({ versions: ['berth.v1'], server: rig.gate.server });

    const params = client.openParams(device);
    const result = await client.call('session.open', { ...params, client: { name: 'test', pid: 7 } });

    expect(result).toMatchObject({
      device: { id: 'dev-1' },
      server: rig.gate.server,
      organisation: rig.gate.organisation,
      leaseSeconds: 120,
    });
    const transcript = client.transcript(device.text, params.nonce);
    const serverKey = parsePublicKey(rig.serverKey.text)!;
    const signature = decodeBase64Url(result.signature)!;
    expect(verifyEd25519(serverKey, transcriptBytes('serverAccepts', transcript), signature)).toBe(true);
    expect(rig.listener.sessions.count).toBe(1);
    const opened = await rig.events.first('sessionOpened');
    expect(opened).toMatchObject({
      session: { session: result.session, deviceId: 'dev-1', address: '127.0.0.1' },
      client: { name: 'test', pid: 7 },
      witness: null,
    });
  });

  it('hands on what the client has witnessed', async () => {
    const rig = await startRig();
    const client = await TestClient.connect(rig);
    const witness = { epoch: 'e1', seq: 12, head: 'h'.repeat(43) };
    await client.call('session.open', { ...client.openParams(rig.enrolled()), witness });
    expect(await rig.events.first('sessionOpened')).toMatchObject({ witness });
  });

  it('is refused with a signature by another key', async () => {
    const rig = await startRig();
    const client = await TestClient.connect(rig);
    const device = rig.enrolled();
    const forged = { ...client.openParams(newKeyPair()), deviceKey: device.text };
    expect(await client.request('session.open', forged)).toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(rig.listener.sessions.count).toBe(0);
    await rig.events.first('refused', ({ reason }) => reason === 'SIGNATURE_INVALID');
  });

  it.each([
    ['path', { path: '/v1/admin' }],
    ['server', { serverKey: newKeyPair().text }],
    ['nonce', { serverNonce: newNonce() }],
    ['TLS connection', { binding: new Uint8Array(32) }],
  ])('is refused when the signature is for another %s', async (_what, changed) => {
    const rig = await startRig();
    const client = await TestClient.connect(rig);
    const reply = await client.request('session.open', client.openParams(rig.enrolled(), changed));
    expect(reply.code).toBe('SIGNATURE_INVALID');
  });

  it('is refused when replayed on another connection', async () => {
    const rig = await startRig();
    const device = rig.enrolled();
    const [first, second] = [await TestClient.connect(rig), await TestClient.connect(rig)];
    const params = first.openParams(device);
    await first.call('session.open', params);
    expect(await second.request('session.open', params)).toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('works after a failed try, but only once', async () => {
    const rig = await startRig();
    const device = rig.enrolled();
    const client = await TestClient.connect(rig);
    await client.request('session.open', client.openParams(device, { serverNonce: newNonce() }));
    const params = client.openParams(device);
    await client.call('session.open', params);
    expect(await client.request('session.open', params)).toMatchObject({ code: 'SESSION_OPEN' });
  });

  it('tells a stranger who signs well that the device is unknown, and one who does not nothing', async () => {
    const rig = await startRig();
    const stranger = newKeyPair();
    const client = await TestClient.connect(rig);
    expect(await client.request('session.open', client.openParams(stranger))).toMatchObject({
      code: 'DEVICE_UNKNOWN',
    });
    const unsigned = { ...client.openParams(stranger), signature: 'A'.repeat(86) };
    expect(await client.request('session.open', unsigned)).toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('accepts no binding from a browser for leases, and never for administration', async () => {
    const rig = await startRig();
    const unbound = async (device: KeyPair, path: 'lease' | 'admin') => {
      const client = await TestClient.connect(rig, path);
      const params = client.openParams(device, { binding: new Uint8Array(0) });
      return client.request('session.open', { ...params, binding: 'none' });
    };
    expect((await unbound(rig.enrolled('lease'), 'lease')).code).toBeUndefined();
    expect((await unbound(rig.enrolled('admin', 'owner', 'dev-2'), 'admin')).code).toBe('BINDING_REQUIRED');
  });

  it('asks for a viewer on the admin path', async () => {
    const rig = await startRig();
    const open = async (device: KeyPair) => {
      const client = await TestClient.connect(rig, 'admin');
      return client.request('session.open', client.openParams(device));
    };
    expect((await open(rig.enrolled('admin', 'user', 'dev-1'))).code).toBe('NOT_ALLOWED');
    expect((await open(rig.enrolled('admin', 'viewer', 'dev-2'))).code).toBeUndefined();
    expect((await open(rig.enrolled('lease', 'owner', 'dev-3'))).code).toBe('DEVICE_UNKNOWN');
  });
});

describe('device.enrol', () => {
  const token = 'invitation-token-of-a-link';

  async function startEnrolling(): Promise<{ rig: Rig; enrolled: ParamsOf<'device.enrol'>[] }> {
    const enrolled: ParamsOf<'device.enrol'>[] = [];
    const rig: Rig = await startRig({
      gate: {
        enrol: async (params) => {
          enrolled.push(params);
          const user = { email: 'ada@example.com', name: 'Ada', role: 'user', state: 'active' } as const;
          const { server, organisation } = rig.gate;
          return { ok: true, result: { device: 'dev-9', user, server, organisation, scopes: ['lease'] } };
        },
      },
    });
    return { rig, enrolled };
  }

  function enrolParams(
    client: TestClient,
    keys: { lease: KeyPair; admin?: KeyPair },
    binding = client.exporter(),
  ): ParamsOf<'device.enrol'> {
    const nonce = newNonce();
    const common = { token, binding };
    const leaseTranscript = client.transcript(keys.lease.text, nonce, common);
    const leaseSignature = client.signature(keys.lease, 'leaseKeyEnrols', leaseTranscript);
    const params = { token, leaseKey: keys.lease.text, deviceName: 'WS', nonce, leaseSignature };
    if (keys.admin === undefined) return params;
    const adminTranscript = client.transcript(keys.admin.text, nonce, common);
    const adminSignature = client.signature(keys.admin, 'adminKeyEnrols', adminTranscript);
    return { ...params, adminKey: keys.admin.text, adminSignature };
  }

  it('passes proven keys to the gate, and the device may then open its session', async () => {
    const { rig, enrolled } = await startEnrolling();
    const client = await TestClient.connect(rig, 'admin');
    const keys = { lease: newKeyPair(), admin: newKeyPair() };
    const result = await client.call('device.enrol', enrolParams(client, keys));
    expect(result.device).toBe('dev-9');
    expect(enrolled).toMatchObject([{ leaseKey: keys.lease.text, adminKey: keys.admin.text, token }]);
  });

  it('is refused when either signature is wrong or for another token', async () => {
    const { rig, enrolled } = await startEnrolling();
    const client = await TestClient.connect(rig);
    const good = enrolParams(client, { lease: newKeyPair(), admin: newKeyPair() });
    const wrong = [
      { ...good, leaseSignature: good.adminSignature },
      { ...good, adminSignature: good.leaseSignature },
      { ...good, token: 'another-token-of-a-link' },
    ];
    for (const params of wrong) {
      expect((await client.request('device.enrol', params)).code).toBe('SIGNATURE_INVALID');
    }
    expect(enrolled).toEqual([]);
  });

  it('is refused when the admin key comes without its proof, or is the lease key', async () => {
    const { rig } = await startEnrolling();
    const client = await TestClient.connect(rig);
    const { adminSignature, ...unproven } = enrolParams(client, { lease: newKeyPair(), admin: newKeyPair() });
    expect(adminSignature).toBeDefined();
    const [one, two] = [
      await client.request('device.enrol', unproven),
      await client.request('device.enrol', { ...unproven, adminKey: unproven.leaseKey, adminSignature }),
    ];
    expect(one).toMatchObject({ code: 'PARAMS_INVALID', data: { field: 'adminSignature' } });
    expect(two).toMatchObject({ code: 'PARAMS_INVALID', data: { field: 'adminKey' } });
  });

  it('takes an unbound proof for a lease key only', async () => {
    const { rig } = await startEnrolling();
    const client = await TestClient.connect(rig);
    const unbound = new Uint8Array(0);
    const lease = enrolParams(client, { lease: newKeyPair() }, unbound);
    const both = enrolParams(client, { lease: newKeyPair(), admin: newKeyPair() }, unbound);
    expect((await client.request('device.enrol', lease)).code).toBeUndefined();
    expect((await client.request('device.enrol', both)).code).toBe('SIGNATURE_INVALID');
  });
});
