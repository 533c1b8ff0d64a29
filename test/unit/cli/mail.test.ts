import type { MailInfo } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin, joined, noSdk, oneIdentity } from './fake-host.js';

const mail: MailInfo = {
  ...{ id: 'm-1', to: 'anna@studio.example', kind: 'assigned', subject: 'Licences for you: render (Studio)' },
  ...{ state: 'queued', madeAtMs: 6_000, attempts: 0, nextAtMs: 6_000 },
};

describe('berth mail list', () => {
  const outbox = () =>
    fakeAdmin({
      'mail.list': ({ cursor = '0', limit }) => {
        const from = Number(cursor);
        const items = Array.from({ length: Number(limit) }, (_, at) => ({ ...mail, id: `m-${from + at}` }));
        const kept = items.slice(0, 1200 - from);
        const next = from + kept.length < 1200 ? String(from + kept.length) : null;
        return { items: kept, next, configured: true };
      },
    });
  const rows = (stdout: string) => stdout.match(/^m-\d+/gm)!.length;

  it('shows the newest, and says how to see more', async () => {
    const { exitCode, stdout, stderr } = await berth(['mail', 'list'], outbox());
    expect([exitCode, rows(stdout)]).toEqual([0, 50]);
    expect(stderr).toMatch(/^50 mails are shown\. .*--limit N.*--cursor 50\n$/);
    const rest = await berth(['mail', 'list', '--cursor', '1190'], outbox());
    expect([rows(rest.stdout), rest.stderr]).toEqual([10, '']);
  });

  it('with --limit so many, and all of them for a script', async () => {
    const more = await berth(['mail', 'list', '--limit', '700'], outbox());
    expect([rows(more.stdout), more.stderr]).toEqual([700, 'There are more: --cursor 700\n']);
    const { items, next } = (await berth(['mail', 'list', '--json'], outbox())).json() as {
      items: object[];
      next: string | null;
    };
    expect([items.length, next]).toEqual([1200, null]);
  });
});

describe('berth mail show', () => {
  const shown = async (is: Partial<MailInfo>, configured: boolean | undefined) => {
    const result = { mail: { ...mail, ...is }, text: 'Hello,\n', html: '<p>', configured };
    return berth(['mail', 'show', 'm-1'], { ...fakeAdmin({ 'mail.show': () => result }), nowMs: 10_000 });
  };
  const next = (stdout: string) => /^next try +(.*)$/m.exec(stdout)?.[1];

  it('says that nobody sends it where no mail server is configured, and what to do', async () => {
    const { stdout, stderr } = await shown({}, false);
    expect(next(stdout)).toBe('none: no mail server is configured');
    expect(stderr).toContain('Give anna@studio.example what it says yourself');
    expect((await shown({ kind: 'invited' }, false)).stderr).toContain('the command with its link yourself');
  });

  it.each([true, undefined])('says when it is tried next where one is (%s)', async (configured) => {
    const late = await shown({}, configured);
    expect([next(late.stdout), late.stderr]).toEqual(['as soon as its turn comes', '']);
    expect(next((await shown({ nextAtMs: 70_000 }, configured)).stdout)).toContain('(in 60 s)');
  });

  it('of one that was sent says nothing of it', async () => {
    const { nextAtMs: _, ...sent } = { ...mail, state: 'sent' as const };
    const result = { mail: sent, text: 'Hello,\n', html: '<p>', configured: false };
    const { stdout, stderr } = await berth(['mail', 'show', 'm-1'], fakeAdmin({ 'mail.show': () => result }));
    expect([next(stdout), stderr]).toEqual([undefined, '']);
  });
});

describe('berth me', () => {
  const allocation = {
    ...{ email: 'owner@studio.example', product: 'render', entitlement: 'e-1', quantity: 3, inUse: 0 },
    ...{ borrowed: 1, expires: '2027-05-09', personal: false },
  };
  const me = async (revoking: object, removing: object = {}) => {
    const result = {
      ...removing,
      user: { email: 'owner@studio.example', name: '', role: 'owner', state: 'active' },
      ...{ allocations: [{ ...allocation, ...revoking }], leases: [], shared: [], more: false },
    };
    const close = async () => undefined;
    const lease = { call: async () => result, close, [Symbol.asyncDispose]: close };
    const sdk = { ...noSdk, identities: oneIdentity(joined), openLease: async () => lease };
    return berth(['me'], { sdk: sdk as never, nowMs: 10_000 });
  };

  it('says that a revoke is pending, of how many and until when', async () => {
    const untilMs = 130_000;
    const { stdout } = await me({ revoking: { by: 'it@b.example', sinceMs: 0, untilMs, seats: 2 } });
    expect(stdout).toMatch(/REVOKE PENDING\n.*2 until .*\(in 2 min\)/);
    expect(stdout).not.toContain('removal');
  });

  it('says that the removal of whoever asks is pending, and who asked for it', async () => {
    const removing = { by: 'it@b.example', sinceMs: 0, untilMs: 130_000 };
    const { stdout } = await me({}, { removing });
    expect(stdout).toMatch(/^removal +pending until .*\(in 2 min\), asked by it@b\.example$/m);
  });
});
