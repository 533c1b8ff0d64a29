import type { Context } from '@berth/cli/context';
import { lookAtMail } from '@berth/cli/doctor/session';
import { BerthError } from '@berth/client';
import { errors } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin, type HostOptions, joined, oneIdentity } from './fake-host.js';

const nowMs = Date.UTC(2026, 0, 15, 12);
const dayMs = 86_400_000;
const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
const unexpected = (): never => {
  throw new Error('not expected by this test');
};
const rejects = (error: Error) => async (): Promise<never> => {
  throw error;
};

const healthy: Context['network'] = {
  resolve: async () => ['192.0.2.7'],
  services: async () => [{ host: 'a.example', port: 7433 }],
  reach: async () => undefined,
  certificate: async () => ({ fault: null, notAfterMs: nowMs + 90 * dayMs }),
  get: async () => ({ status: 200, body: '{"status":"ok","reason":"serving","warnings":[]}' }),
};

interface Found {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
  readonly fix: string | null;
  readonly code?: string;
}

async function doctor(options: HostOptions & { clockMs?: number } = {}) {
  const admin = fakeAdmin({ 'organisation.show': () => ({ version: '0.1.0' }) });
  const me = {
    user: { email: 'o@studio.example', role: 'owner' },
    address: 'x:1',
    nowMs: options.clockMs ?? nowMs,
  };
  const openLease = async () => ({ me, close: async () => undefined }) as never;
  const ran = await berth(['doctor', '--json'], {
    nowMs,
    network: healthy,
    ...options,
    sdk: { ...admin.sdk, openLease, ...options.sdk },
  });
  const { checks } = ran.json() as { checks: Found[] };
  const found = (name: string) => checks.find((check) => check.name.startsWith(name));
  return { ran, checks, found };
}

describe('berth doctor', () => {
  it('exits with 0 when nothing failed, and does not know what it cannot know', async () => {
    const { ran, checks } = await doctor();
    expect(ran.exitCode).toBe(0);
    expect(checks.filter(({ state }) => state !== 'ok')).toMatchObject([{ name: 'backup', state: 'warn' }]);
    expect(checks.map(({ name }) => name.split(':')[0])).toEqual([
      ...['context', 'key-modes', 'disk', 'dns', 'port', 'tls', 'certificate', 'ready'],
      ...['session', 'clock', 'admin', 'backup', 'versions'],
    ]);
  });

  it('says plainly that somebody is no admin any more, which is no fault', async () => {
    const { ran, found } = await doctor({ sdk: { openAdmin: rejects(new BerthError('NOT_ALLOWED')) } });
    expect(found('admin')).toMatchObject({ state: 'warn', fix: expect.stringContaining('berth user set') });
    expect(ran.exitCode).toBe(0);
    const { found: late } = await doctor({ sdk: { openAdmin: rejects(new BerthError('DEVICE_UNKNOWN')) } });
    expect(late('admin')).toMatchObject({ state: 'fail', code: 'DEVICE_UNKNOWN' });
  });

  it('does not call a server never backed up that was made of a backup', async () => {
    const answers = (lastMs: number | null) => ({
      'organisation.show': () => ({ version: '0.1.0' }),
      'backup.show': () => ({ last: lastMs === null ? null : { atMs: lastMs }, everyMs: null, failed: null }),
      'restore.show': () => ({
        restore: { backupAtMs: nowMs - dayMs, holding: false, kept: [], missing: [], accepted: { by: 'o' } },
      }),
    });
    for (const last of [null, nowMs - 2 * dayMs]) {
      const { found } = await doctor({ sdk: fakeAdmin(answers(last)).sdk });
      expect(found('backup')).toMatchObject({
        state: 'warn',
        detail: expect.stringContaining('restored from'),
      });
    }
    const { found } = await doctor({ sdk: fakeAdmin(answers(nowMs - 60_000)).sdk });
    expect(found('backup')).toMatchObject({ state: 'ok' });
  });

  it('has a fix for whatever is not ok', async () => {
    const { ran, found } = await doctor({
      nowMs: nowMs + 80 * dayMs,
      network: { ...healthy, get: async () => ({ status: 200, body: '{"warnings":["DISK_LOW"]}' }) },
      clockMs: nowMs + 80 * dayMs + 120_000,
      modes: new Map([['/home/x/state/studio/lease.key', 0o644]]),
      files: new Map([['/home/x/state/studio/lease.key', '']]),
    });
    expect(found('certificate')).toMatchObject({ state: 'warn' });
    expect(found('ready')).toMatchObject({ state: 'warn', fix: expect.stringContaining('Make room') });
    expect(found('clock')).toMatchObject({ state: 'warn', fix: expect.stringContaining('clock') });
    expect(found('key-modes')).toMatchObject({
      state: 'fail',
      fix: 'chmod 600 /home/x/state/studio/lease.key',
    });
    expect(ran.exitCode).toBe(1);
  });

  it.each<[string, Partial<Context['network']>, string, string, number]>([
    [
      'no name',
      { resolve: rejects(Object.assign(new Error(), { code: 'ENOTFOUND' })) },
      'dns',
      'UNREACHABLE',
      5,
    ],
    ['a closed port', { reach: rejects(refused) }, 'port', 'UNREACHABLE', 5],
    ['no TLS', { certificate: rejects(new Error('wrong version number')) }, 'tls', 'UNREACHABLE', 5],
    [
      'a stranger',
      { certificate: async () => ({ fault: 'self-signed', notAfterMs: nowMs + 90 * dayMs }) },
      'tls',
      'CERTIFICATE_UNTRUSTED',
      5,
    ],
    [
      'draining',
      { get: async () => ({ status: 503, body: '{"reason":"draining"}' }) },
      'ready',
      'DRAINING',
      5,
    ],
  ])(
    '%s: the first failure says how it exits, and what stands on it is not tried',
    async (_, broken, name, code, exit) => {
      const { ran, checks, found } = await doctor({ network: { ...healthy, ...broken } });
      expect(found(name)).toMatchObject({ state: 'fail', code, fix: expect.stringMatching(/\S/) });
      expect(ran.exitCode).toBe(exit);
      const steps = ['dns', 'port', 'tls', 'certificate', 'ready'];
      const last = checks.filter(({ name: one }) => steps.includes(one.split(':')[0]!)).at(-1)!;
      expect([name, 'certificate']).toContain(last.name.split(':')[0]);
    },
  );

  it('a server that takes connections and answers none is not said to lack TLS 1.3', async () => {
    const late = Object.assign(new BerthError('TIMEOUT'), { message: 'no answer within 10 s' });
    for (const broken of [{ certificate: rejects(late) }, { get: rejects(late) }]) {
      const { ran, checks } = await doctor({ network: { ...healthy, ...broken } });
      const { detail, fix } = checks.find(({ state }) => state === 'fail')!;
      expect([ran.exitCode, detail]).toEqual([5, expect.stringContaining('does not answer')]);
      expect(fix).toContain('systemctl restart berthd');
    }
  });

  it('says in words what is no TLS, and sends nobody to itself', async () => {
    const ssl = new Error('804C:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:..c:350:\n');
    const { found } = await doctor({
      network: { ...healthy, certificate: rejects(ssl) },
      sdk: {
        openLease: rejects(new BerthError('UNREACHABLE')),
        openAdmin: rejects(new BerthError('UNREACHABLE')),
      },
    });
    expect(found('tls')!.detail).toMatch(/^It does not speak TLS 1\.3: [a-z ,]+\.$/);
    for (const name of ['session', 'admin'])
      expect(found(name)).toMatchObject({ state: 'fail', fix: expect.not.stringContaining('berth doctor') });
  });

  it('looks servers up in DNS where BERTH_SERVERS says so', async () => {
    const env = { BERTH_SERVERS: 'srv:studio.example' };
    const { found } = await doctor({ env });
    expect(found('srv:_berth._tcp.studio.example')).toMatchObject({ state: 'ok' });
    expect(found('port:a.example:7433')).toMatchObject({ state: 'ok' });
    const none = await doctor({ env, network: { ...healthy, services: rejects(new Error('x')) } });
    expect(none.found('srv:')).toMatchObject({ state: 'fail' });
    expect(none.ran.exitCode).toBe(5);
  });

  it('a clock that lends nothing fails; an unknown device too, with the words of the catalogue', async () => {
    expect((await doctor({ clockMs: nowMs - 500_000 })).found('clock')).toMatchObject({ code: 'CLOCK_SKEW' });
    const openLease = rejects(new BerthError('DEVICE_UNKNOWN'));
    const { ran, found } = await doctor({ sdk: { openLease } });
    expect(found('session')).toMatchObject({ code: 'DEVICE_UNKNOWN', fix: expect.stringMatching(/\S/) });
    expect(ran.exitCode).toBe(4);
  });

  it('Ctrl-C ends it, and is no failure of the server', async () => {
    const controller = new AbortController();
    const openLease = (): Promise<never> => {
      controller.abort();
      return new Promise(() => undefined);
    };
    const { ran } = await doctor({ sdk: { openLease }, signal: controller.signal });
    expect([ran.exitCode, ran.json()]).toMatchObject([3, { error: { code: 'CANCELLED' } }]);
  });

  it('a server that does not answer is late, not a fault to report', async () => {
    const processes = {
      start: unexpected,
      onSignals: unexpected,
      after: (_: number, call: () => void) => {
        setImmediate(call);
        return () => undefined;
      },
    };
    const openLease = () => new Promise<never>(() => undefined);
    const { ran, found } = await doctor({ sdk: { openLease }, processes });
    expect(found('session')).toMatchObject({ state: 'fail', code: 'TIMEOUT' });
    expect(ran.stdout).not.toContain('BERTH_DEBUG');
    expect(ran.exitCode).toBe(errors.TIMEOUT.exit);
  });

  it('mail that was refused, or that nobody sends, is said with its fix', () => {
    const shown = { items: [], next: null, configured: true, failed: 0, waiting: 0 };
    const states = [
      shown,
      { ...shown, failed: 8 },
      { ...shown, configured: false, waiting: 3 },
      { ...shown, configured: false },
    ].map((each) => lookAtMail(each)[0]!.state);
    expect(states).toEqual(['ok', 'warn', 'warn', 'ok']);
    expect(lookAtMail({ ...shown, failed: 1 })[0]!.fix).toContain('berth mail list --state failed');
    const [unusable] = lookAtMail({ ...shown, waiting: 10, fault: 'self-signed certificate.' });
    expect(unusable).toMatchObject({ state: 'warn', fix: expect.stringContaining('mail.ca') });
    expect(unusable!.detail).toContain('self-signed certificate; 10 waiting');
    // What waited was sent by hand, or is not wanted any more.
    expect(lookAtMail({ ...shown, fault: 'self-signed certificate.' })[0]!.state).toBe('ok');
  });

  it('without a context it says so, and nothing of servers', async () => {
    const read = rejects(new BerthError('NOT_JOINED'));
    const identities = () => ({ ...oneIdentity(joined)(undefined), read });
    const { ran, checks } = await doctor({ sdk: { identities } });
    expect(checks.map(({ name }) => name)).toEqual(['context', 'versions', 'disk']);
    expect(ran.exitCode).toBe(new BerthError('NOT_JOINED').exitCode);
  });
});
