import { newSeed, publicKeyOf, signWith } from '@berth/cli/ed25519';
import { BerthError, type Borrow } from '@berth/client';
import { errors, formatPublicKey, signToken } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin, joined, oneIdentity } from './fake-host.js';

describe('lists', () => {
  const rows = Array.from({ length: 250 }, (_, at) => ({
    email: `u${at}@studio.example`,
    name: '',
    role: 'user',
    state: 'active',
    devices: 1,
    products: [],
  }));
  const admin = fakeAdmin({
    'user.list': ({ cursor, limit }) => {
      const from = Number(cursor ?? 0);
      const to = from + Number(limit);
      return { items: rows.slice(from, to), next: to < rows.length ? String(to) : null };
    },
  });

  it('are whole unless limited', async () => {
    const ran = await berth(['user', 'list', '--json'], { sdk: admin.sdk });
    expect(ran.json()).toEqual({ items: rows, next: null });
  });

  it('go on where they ended', async () => {
    const first = await berth(['user', 'list', '--limit', '120', '--json'], { sdk: admin.sdk });
    expect(first.json()).toEqual({ items: rows.slice(0, 120), next: '120' });
    const ran = await berth(['user', 'list', '--cursor', '120', '--json'], { sdk: admin.sdk });
    expect(ran.json()).toEqual({ items: rows.slice(120), next: null });
  });
});

describe('berth user invite', () => {
  const invited = {
    user: { email: 'anna@studio.example', name: '', role: 'user', state: 'invited' },
    link: 'berth://h:1/?key=k&token=t',
    expiresAtMs: Date.UTC(2026, 0, 22),
  };

  it('prints the link alone on stdout', async () => {
    const admin = fakeAdmin({ 'user.invite': () => invited });
    const ran = await berth(['user', 'invite', 'Anna@Studio.example'], { sdk: admin.sdk });
    expect(ran.stdout).toBe(`${invited.link}\n`);
    expect(ran.stderr).toContain('anna@studio.example');
    const params = { key: 'test-key-0123456789', email: 'anna@studio.example' };
    expect(admin.calls).toEqual([{ method: 'user.invite', params }]);
    expect((await berth(['user', 'invite', 'a@b.org', '--json'], { sdk: admin.sdk })).json()).toEqual(
      invited,
    );
  });
});

describe('what takes something away', () => {
  const commands: [string, string][] = [
    ['user remove a@b.org', 'user.remove'],
    ['entitlement remove ent-1', 'entitlement.remove'],
    ['lease release l-1', 'lease.revoke'],
    ['license revoke a@b.org render --all', 'allocation.revoke'],
    ['license move a@b.org render --to c@d.org --all', 'allocation.move'],
    ['user unenrol a@b.org pc', 'user.unenrol'],
    ['machine remove node-1', 'machine.remove'],
    ['machine token revoke m-1', 'machine.token.revoke'],
    ['sharing off --cut', 'sharing.set'],
    ['clock accept', 'clock.accept'],
  ];
  const clock = { state: 'ahead', offMs: 7_200_000, wallMs: 7_200_000, highWaterMs: 0, steadyWallMs: 0 };
  /** What is looked up for the question: it takes nothing. */
  const looks = {
    'entitlement.show': () => ({
      entitlement: { product: 'render', seats: 1, until: '2026-12-31', allocated: 0 },
    }),
    'lease.list': () => ({ items: [{ entitlement: 'ent-1', user: 'a@b.org' }], next: null }),
    'pool.status': () => ({ pools: [{ product: 'render', floatingSharing: true }], next: null }),
    'clock.show': () => ({ clock, borrowsThatEnd: 1, entitlementsThatEnd: 0 }),
    'allocation.revoke.preview': () => ({ email: 'a@b.org', product: 'render', revoked: 2, left: 0 }),
  };
  const changing = Object.fromEntries(
    commands.map(([, method]) => [
      method,
      () => ({
        email: 'a@b.org',
        id: 'x',
        lease: 'l-1',
        freeAtMs: 0,
        product: 'render',
        revoked: 1,
        left: 0,
        leasesRevoked: 0,
        allocations: [],
        device: { name: 'pc' },
        machine: { name: 'node-1' },
        token: { id: 'm-1' },
        products: [],
        changed: true,
        before: clock,
      }),
    ]),
  );

  const answers = { ...looks, ...changing };

  // Decision 0010: what stands in a script is meant.
  it.each(commands)('berth %s asks a person, and only a person', async (line, method) => {
    const words = line.split(' ');
    const asked = async (options: { answers?: string[] }, ...more: string[]) => {
      const admin = fakeAdmin(answers);
      const ran = await berth([...words, ...more], { sdk: admin.sdk, ...options });
      return {
        exitCode: ran.exitCode,
        asked: ran.stderr.includes('[y/N]'),
        calls: admin.calls.map((call) => call.method).filter((name) => !(name in looks)),
      };
    };
    expect(await asked({})).toEqual({ exitCode: 0, asked: false, calls: [method] });
    expect(await asked({ answers: ['y'] })).toEqual({ exitCode: 0, asked: true, calls: [method] });
    expect(await asked({ answers: ['no'] })).toEqual({ exitCode: 3, asked: true, calls: [] });
    expect(await asked({ answers: [] }, '--yes')).toEqual({ exitCode: 0, asked: false, calls: [method] });
    expect(await asked({ answers: [] }, '--no-input')).toEqual({
      exitCode: 0,
      asked: false,
      calls: [method],
    });
  });
});

describe('failures', () => {
  const failing = (error: Error) => ({
    sdk: fakeAdmin({
      'allocation.revoke': () => {
        throw error;
      },
    }).sdk,
  });

  it('say the sentence of the server and when the borrow ends', async () => {
    const message =
      'The source user example@user.com has borrowed licenses for offline use. To reallocate them, the borrowing period should first expire or the user should release them for offline use.';
    const untilMs = Date.UTC(2026, 0, 17, 12);
    const error = new BerthError('BORROWED', { message, detail: { untilMs } });
    const ran = await berth(['license', 'revoke', 'a@b.org', 'render', '--json'], failing(error));
    expect(ran.exitCode).toBe(8);
    expect(ran.json()).toMatchObject({ error: { code: 'BORROWED', message, untilMs, exitCode: 8 } });
    expect(ran.stderr).toContain(`berth: BORROWED ${message}\n`);
    expect(ran.stderr).toContain('(in 2 d)');
  });

  it.each([
    ['NOT_ALLOWED', 4],
    ['UNREACHABLE', 5],
    ['USER_UNKNOWN', 6],
    ['BUSY', 1],
    ['PERSONAL', 8],
  ] as const)('%s exits with %i', async (code, exitCode) => {
    const ran = await berth(['license', 'revoke', 'a@b.org', 'render'], failing(new BerthError(code)));
    expect(ran).toMatchObject({ exitCode, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^berth: ${code} .+\nNext: .+\n$`));
  });

  it('that nobody expected end with 1 and do not pass for the server', async () => {
    const ran = await berth(
      ['license', 'revoke', 'a@b.org', 'render'],
      failing(new TypeError('x is not a function')),
    );
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('BERTH_DEBUG');
  });

  it('end with 3 on Ctrl-C, the channel closed', async () => {
    const controller = new AbortController();
    const admin = fakeAdmin({
      'allocation.list': () => {
        controller.abort();
        return new Promise(() => undefined);
      },
    });
    const ran = await berth(['license', 'list'], { sdk: admin.sdk, signal: controller.signal });
    expect(ran.exitCode).toBe(3);
    expect(admin.stillOpen()).toBe(0);
  });
});

describe('berth join', () => {
  const link = `berth://licences.example:7433/?key=${joined.serverKey}&token=${'t'.repeat(32)}`;
  const user = { email: 'anna@studio.example', name: '', role: 'user', state: 'active' } as const;
  const sdk = (seen: string[]) => ({
    joinServer: async (options: { link: string }) => {
      seen.push(options.link);
      return { context: joined, user };
    },
  });

  it.each([
    ['as an argument', ['join', link], ''],
    ['on stdin', ['join'], `${link}\n`],
    ['for -', ['join', '-'], `Owner's link: ${link} (works once)\r\n`],
  ])('takes the link %s', async (_, words, stdin) => {
    const seen: string[] = [];
    const ran = await berth([...words, '--json'], { sdk: sdk(seen), stdin });
    expect(ran.json()).toMatchObject({ context: 'studio', user, scopes: ['lease', 'admin'] });
    expect(seen).toEqual([link]);
  });

  it('asks only a person who may be asked', async () => {
    const seen: string[] = [];
    expect((await berth(['join'], { sdk: sdk(seen), answers: [link] })).exitCode).toBe(0);
    expect((await berth(['join', '--no-input'], { sdk: sdk(seen), answers: [link] })).exitCode).toBe(2);
    expect(seen).toEqual([link]);
  });

  it('says what happens to a link that the shell cut', async () => {
    const ran = await berth(['join', link.split('&')[0] ?? ''], { sdk: sdk([]) });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain('quotes');
  });
});

describe('berth entitlement', () => {
  it('request needs no server, and its JSON is what vendors take', async () => {
    const files = new Map<string, string>();
    const sdk = { identities: oneIdentity() };
    const document = { serverId: joined.serverId, serverKey: joined.serverKey };
    expect((await berth(['entitlement', 'request', '--json'], { sdk })).json()).toEqual(document);
    await berth(['entitlement', 'request', '--out', 'r.json'], { sdk, files });
    expect(JSON.parse(files.get('r.json') ?? '')).toEqual(document);
  });

  it('import refuses by name what is no entitlement', async () => {
    const files = new Map([['a.ent', 'nonsense']]);
    const ran = await berth(['entitlement', 'import', 'a.ent', '--json'], { sdk: fakeAdmin({}).sdk, files });
    expect(ran).toMatchObject({ exitCode: 2 });
    expect(ran.json()).toMatchObject({ error: { code: 'ENTITLEMENT_INVALID' } });
  });

  it('import of several: one that cannot be read is refused by itself, wherever it stands', async () => {
    const vendor = newSeed();
    const token = signToken(
      'entitlement',
      {
        ...{ jti: 'e-1', rev: 1, iss: formatPublicKey(publicKeyOf(vendor)), sub: joined.serverKey },
        ...{ product: 'render', seats: 1, nbf: 0, exp: 86_400, share: 'device', earlyReturn: 'at-once' },
        display: {},
      },
      signWith(vendor),
    );
    const entitlement = { id: 'e-1', rev: 1, product: 'render', seats: 1, from: 'a', until: 'b' };
    for (const names of [
      ['none', 'a.ent'],
      ['a.ent', 'none'],
    ]) {
      const admin = fakeAdmin({ 'entitlement.import': () => ({ entitlement, changed: true }) });
      const files = new Map([['a.ent', token]]);
      const ran = await berth(['entitlement', 'import', ...names, '--json'], { sdk: admin.sdk, files });
      expect([admin.calls.length, ran.exitCode]).toEqual([1, errors.FILE_UNREADABLE.exit]);
      const { items } = ran.json() as { items: { file: string }[] };
      expect(items.map(({ file }) => file)).toEqual(names);
      expect(items[names.indexOf('a.ent')]).toMatchObject({ changed: true });
      expect(items[names.indexOf('none')]).toMatchObject({ error: { code: 'FILE_UNREADABLE' } });
    }
  });
});

describe('berth borrow', () => {
  const borrow: Borrow = {
    id: 'b-1',
    product: 'render',
    seats: 1,
    state: 'valid',
    fault: null,
    takenAtMs: 0,
    expiresAtMs: 1,
    freeAtMs: 2,
    earlyReturn: 'at-once',
    autoExtend: null,
    leaseIds: ['b-1'],
    tokens: [],
  };

  it('list works without a server', async () => {
    const ran = await berth(['borrow', 'list', '--json'], {
      sdk: { listBorrows: async () => [borrow], listBorrowRequests: async () => [] },
    });
    expect(ran.json()).toEqual({ items: [borrow], next: null });
  });

  it('return names what it returned, and says when there was nothing', async () => {
    const asked: object[] = [];
    const returnBorrows = async (options: object = {}) => {
      asked.push(options);
      return 'product' in options && options.product === 'render' ? [{ ...borrow, freeAtMs: 2 }] : [];
    };
    const ran = await berth(['borrow', 'return', '--product', 'render', '--json'], {
      sdk: { returnBorrows },
    });
    expect(ran.json()).toEqual({
      items: [{ id: 'b-1', product: 'render', leaseIds: ['b-1'], freeAtMs: 2 }],
      next: null,
    });
    const nothing = await berth(['borrow', 'return', '--json'], { sdk: { returnBorrows } });
    expect(nothing).toMatchObject({ exitCode: 0 });
    expect(nothing.json()).toEqual({ items: [], next: null });
    expect(asked).toMatchObject([{ product: 'render' }, {}]);
  });
});
