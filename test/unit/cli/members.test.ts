import { BerthError } from '@berth/client';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

// Several addresses in one command, and what the commands about members send (issue 5, part 2).

const refuse = (code: 'ALLOCATED' | 'USER_EXISTS') => {
  throw new BerthError(code, { message: `no: ${code}` } as never);
};
const user = {
  email: 'anna@studio.example',
  name: '',
  role: 'user',
  state: 'active',
  aliases: [],
  devices: 1,
  products: [],
};

describe('several addresses', () => {
  const invited = (email: unknown) => ({
    user: { ...user, email, state: 'invited' },
    link: `berth://h:1/?key=k&token=${String(email).split('@')[0]}`,
    expiresAtMs: Date.UTC(2026, 0, 22),
  });

  it('each succeeds or fails alone; a report, exit 1', async () => {
    const admin = fakeAdmin({
      'user.invite': ({ email }) => (email === 'bo@b.org' ? refuse('USER_EXISTS') : invited(email)),
    });
    const words = ['user', 'invite', 'A@b.org', 'bo@b.org', 'no address', 'a@B.org', 'cem@b.org'];
    const ran = await berth([...words, '--json'], { sdk: admin.sdk });
    expect(ran.exitCode).toBe(1);
    expect(ran.json()).toMatchObject({
      items: [
        { email: 'a@b.org', ok: true, link: 'berth://h:1/?key=k&token=a' },
        { email: 'bo@b.org', ok: false, error: { code: 'USER_EXISTS' } },
        { email: 'no address', ok: false, error: { code: 'EMAIL_INVALID' } },
        { email: 'cem@b.org', ok: true },
      ],
      next: null,
      failed: 2,
    });
    // The same address twice is one invitation.
    expect(admin.calls).toHaveLength(3);
    const text = await berth(words, { sdk: admin.sdk });
    expect(text.stdout).toBe(
      'a@b.org\tberth://h:1/?key=k&token=a\ncem@b.org\tberth://h:1/?key=k&token=cem\n',
    );
    expect(text.stderr).toContain('2 of 4 failed.');
  });

  it.each([['lost'], ['cancelled']])(
    'the connection is %s: the links that were made are said',
    async (how) => {
      const controller = new AbortController();
      const ends = () => {
        if (how === 'lost') throw new BerthError('CONNECTION_LOST');
        controller.abort();
        return new Promise(() => undefined);
      };
      const sdk = () =>
        fakeAdmin({ 'user.invite': ({ email }) => (email === 'bo@b.org' ? ends() : invited(email)) });
      const [code, exitCode] = how === 'lost' ? ['CONNECTION_LOST', 5] : ['CANCELLED', 3];
      const admin = sdk();
      const words = ['user', 'invite', 'anna@b.org', 'bo@b.org', 'cem@b.org', 'dan@b.org'];
      const host = { sdk: admin.sdk, signal: controller.signal };
      const ran = await berth([...words, '--json'], host);
      expect(ran.json()).toMatchObject({
        items: [
          { email: 'anna@b.org', ok: true, link: 'berth://h:1/?key=k&token=anna' },
          ...['bo@b.org', 'cem@b.org', 'dan@b.org'].map((email) => ({ email, ok: false, error: { code } })),
        ],
        failed: 3,
      });
      // After the end nobody is asked any more, and the channel is closed.
      expect([ran.exitCode, admin.calls.length, admin.stillOpen()]).toEqual([exitCode, 2, 0]);
    },
  );

  it('what failed is said without colours, which a note has none of', async () => {
    const admin = fakeAdmin({ 'user.invite': () => refuse('USER_EXISTS') });
    const ran = await berth(['user', 'invite', 'a@b.org', 'bo@b.org'], { sdk: admin.sdk, colours: 'stderr' });
    expect(ran.stderr).toContain('a@b.org: USER_EXISTS no: USER_EXISTS\n');
  });

  it('removed: one question for all', async () => {
    const admin = fakeAdmin({
      'user.remove': ({ email }) => (email === 'bo@b.org' ? refuse('ALLOCATED') : { email }),
    });
    const words = ['user', 'remove', 'anna@b.org', 'bo@b.org', '--json'];
    const ran = await berth(words, { sdk: admin.sdk, answers: ['y'] });
    expect(ran.stderr.match(/\[y\/N\]/g)).toHaveLength(1);
    expect([ran.exitCode, admin.calls.length]).toEqual([1, 2]);
    expect(ran.json()).toMatchObject({ items: [{ ok: true }, { ok: false }], failed: 1 });
    const cancelled = await berth(words, { sdk: admin.sdk, answers: ['n'] });
    expect([cancelled.exitCode, admin.calls.length]).toEqual([3, 2]);
  });
});

describe('berth why', () => {
  const why = {
    ...{ email: 'anna@b.org', product: 'render', seats: 1, from: [], granted: false, awaited: 0 },
    ...{ own: { quantity: 0, inUse: 0, borrowed: 0 }, device: 'ws\u001b[2J\u202e' },
    pool: { owned: 1, shared: 1, inUse: 1, borrowed: 0, held: 0, free: 0, floatingSharing: true },
  };
  const ask = async (answer: object, colours: 'stdout' | 'stderr') => {
    const admin = fakeAdmin({ 'user.why': () => ({ ...why, ...answer }) });
    return await berth(['why', 'anna@b.org', 'render'], { sdk: admin.sdk, colours });
  };

  it('has the colours of the screen it is on', async () => {
    const refusal = { code: 'NO_SEAT', message: 'All are in use.', next: 'Wait.', holders: [] };
    expect((await ask({ refusal }, 'stdout')).stdout).toContain('No: \u001b[31mNO_SEAT\u001b[0m All');
    expect((await ask({ refusal }, 'stderr')).stdout).toContain('No: NO_SEAT All');
  });

  it('says which borrows a refusal does not touch, and that a revoke is pending', async () => {
    const refusal = { code: 'REVOKE_PENDING', message: 'Pending.', next: 'Wait.', holders: [] };
    const own = { quantity: 1, inUse: 0, borrowed: 1, revoking: { seats: 1, untilMs: 5_000 } };
    const borrows = [{ device: 'ws-7', seats: 1, untilMs: 5_000 }];
    const { stdout } = await ask({ refusal, own, borrows }, 'stdout');
    expect(stdout).toContain('on ws-7 can go on using what is borrowed there');
    expect(stdout).toContain('berth license revoke anna@b.org render --cancel');
  });

  it('says what an admin can do about it, and whom a seat could come from', async () => {
    const refusal = { code: 'NO_SEAT', message: 'All are in use.', next: 'Wait.', holders: [] };
    const allocatedTo = [{ email: 'bo@b.org', quantity: 2, idle: 1 }];
    const { stdout } = await ask({ refusal, allocatedTo, advice: ['Move\u001b[2J one.'] }, 'stdout');
    expect(stdout).toContain('Set aside of render:\n  bo@b.org: 2 seats, 1 of them idle\n');
    expect(stdout).toContain('An admin can do this: Move\ufffd[2J one.');
  });

  it('the name of a device does not drive the terminal', async () => {
    const from = [{ seats: 1, entitlement: 'e', expires: '2026-12-31', allocated: false, how: 'new' }];
    const { stdout } = await ask({ granted: true, from }, 'stdout');
    expect(stdout).toContain('anna@b.org on ws\ufffd[2J\ufffd would get');
  });
});

describe('berth user set', () => {
  it('says what it saw, so that nobody is overwritten', async () => {
    const admin = fakeAdmin({
      'user.show': () => ({ user, invitation: null, allocations: [] }),
      'user.set': () => ({ user: { ...user, role: 'admin' }, changed: true }),
      'user.devices': () => ({ items: [{ name: 'ws-7', scopes: ['lease'] }], next: null }),
    });
    const ran = await berth(['user', 'set', 'STUDIO\\lgt07', '--role', 'admin'], { sdk: admin.sdk });
    expect(admin.calls).toMatchObject([
      { method: 'user.show', params: { email: 'STUDIO\\lgt07' } },
      { method: 'user.set', params: { email: user.email, role: 'admin', was: { role: 'user' } } },
      { method: 'user.devices', params: { email: user.email } },
    ]);
    expect(ran.stderr).toContain('Joined without administration: ws-7.');
    expect(ran.stderr).toContain(`berth user invite ${user.email} --device`);
  });

  it('does not say of a device that may administer that it may not', async () => {
    const admin = fakeAdmin({
      'user.show': () => ({ user, invitation: null, allocations: [] }),
      'user.set': () => ({ user: { ...user, role: 'owner' }, changed: true }),
      'user.devices': () => ({ items: [{ name: 'ws-7', scopes: ['lease', 'admin'] }], next: null }),
    });
    const ran = await berth(['user', 'set', user.email, '--role', 'owner'], { sdk: admin.sdk });
    expect([ran.exitCode, ran.stderr]).toEqual([0, expect.not.stringContaining('--device')]);
  });

  it('with nothing to set is a mistake', async () => {
    expect((await berth(['user', 'set', 'anna@b.org'])).exitCode).toBe(2);
  });
});

describe('berth user invite', () => {
  it('whoever gets no link, since the disk is full, is told that the invitation stands, and where another link is', async () => {
    const { sdk, calls } = fakeAdmin({
      'user.invite': () => ({
        user: { email: 'a@b.example', role: 'user' },
        link: 'berth://x',
        expiresAtMs: 0,
      }),
    });
    for (const more of [[], ['--json']]) {
      const ran = await berth(['user', 'invite', 'a@b.example', ...more], { sdk, full: 'stdout' });
      expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
      expect(ran.stderr).toContain('OUTPUT_LOST stdout cannot be written: the disk is full.');
      expect(ran.stderr).toContain('What the command does is done');
      expect(ran.stderr).toContain('berth user invite EMAIL --resend');
    }
    expect(calls).toHaveLength(2);
  });

  it.each([
    ['--device', '--role', 'admin'],
    ['--device', '--name', 'Anna'],
    ['--resend', '--role', 'admin'],
  ])('%s keeps what %s would set: both at once are a mistake', async (...words) => {
    const admin = fakeAdmin({});
    const ran = await berth(['user', 'invite', user.email, ...words, '--json'], { sdk: admin.sdk });
    expect([ran.exitCode, ran.json(), admin.calls]).toMatchObject([2, { error: { code: 'USAGE' } }, []]);
  });
});

describe('berth user list', () => {
  const rows = Array.from({ length: 30 }, (_, at) => ({ ...user, email: `u${at}@b.org` }));

  it('shows one numbered page, whole even when it comes in parts', async () => {
    const admin = fakeAdmin({
      'user.list': ({ cursor }) =>
        cursor === undefined
          ? { items: rows.slice(20, 24), next: 'more', total: 30 }
          : { items: rows.slice(24), next: null },
    });
    const ran = await berth(['user', 'list', '--page', '3', '--page-size', '10', '--json'], {
      sdk: admin.sdk,
    });
    expect(ran.json()).toEqual({ items: rows.slice(20), next: null, total: 30 });
    expect(ran.stderr).toContain('Page 3 of 3; 30 in all.');
    expect(admin.calls[0]).toMatchObject({ params: { page: 3, limit: 10 } });
  });

  it('says that a page behind the last one is none', async () => {
    const admin = fakeAdmin({ 'user.list': () => ({ items: [], next: null, total: 30 }) });
    const ran = await berth(['user', 'list', '--page', '9'], { sdk: admin.sdk });
    expect(ran.stderr).toContain('There is no page 9: the last one is 1; 30 in all.');
  });

  it('refuses pages and cursors at once, and roles that are none', async () => {
    expect((await berth(['user', 'list', '--page', '1', '--limit', '5'])).exitCode).toBe(2);
    expect((await berth(['user', 'list', '--role', 'king'])).exitCode).toBe(2);
  });
});
