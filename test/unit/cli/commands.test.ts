import { newSeed, publicKeyOf, signWith } from '@berth/cli/ed25519';
import type { Sdk } from '@berth/cli/sdk';
import { BerthError, type Borrow } from '@berth/client';
import { type ErrorCode, errors, formatPublicKey, signToken } from '@berth/protocol';
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

describe('what is unknown', () => {
  const refusing = (code: 'PRODUCT_UNKNOWN' | 'USER_UNKNOWN' | 'ALLOCATION_UNKNOWN', detail: object) =>
    fakeAdmin({
      'allocation.assign': () => {
        throw new BerthError(code, { detail: { ...detail } });
      },
      'allocation.move': () => {
        throw new BerthError(code, { detail: { ...detail } });
      },
      'pool.status': () => ({ pools: [{ product: 'render' }, { product: 'comp' }], next: null }),
      'user.list': () => ({
        items: [{ email: 'bo@studio.example' }, { email: 'anna@studio.example' }],
        next: null,
      }),
      'audit.list': () => ({
        items: [
          {
            ...{ seq: 9, place: 0, atMs: Date.UTC(2026, 0, 1), did: 'move', by: 'it@studio.example' },
            changes: [{ kind: 'allocation.set', facts: [{ name: 'quantity', value: '0', was: '1' }] }],
          },
        ],
        next: null,
        at: '9.0',
      }),
    });
  const error = async (line: string, admin: ReturnType<typeof fakeAdmin>) =>
    ((await berth([...line.split(' '), '--json'], { sdk: admin.sdk })).json() as { error: object }).error;

  it('is asked back: a product, an address, and nobody who is merely alike', async () => {
    const product = refusing('PRODUCT_UNKNOWN', { product: 'rendr' });
    expect(await error('license assign a@b.org rendr', product)).toMatchObject({ didYouMean: 'render' });
    const user = refusing('USER_UNKNOWN', { email: 'ana@studio.example' });
    expect(await error('license assign ana@studio.example render', user)).toMatchObject({
      didYouMean: 'anna@studio.example',
      next: expect.stringContaining('anna@studio.example'),
    });
    const cem = refusing('USER_UNKNOWN', { email: 'cem@studio.example' });
    expect(await error('license assign cem@studio.example render', cem)).not.toHaveProperty('didYouMean');
  });

  it('is asked back where there is no admin channel: by credit consume, borrow take and run', async () => {
    const refuse = (code: ErrorCode) => async () => {
      throw new BerthError(code, { detail: { product: 'rendr' } });
    };
    const pools = { pools: [{ product: 'render' }, { product: 'comp' }] };
    const call = async (method: string) =>
      method === 'pool.status' ? pools : await refuse('PRODUCT_UNKNOWN')();
    const close = async () => {};
    const [borrow, checkout, bundle] = [refuse('NO_PRODUCT'), refuse('NO_PRODUCT'), refuse('NO_PRODUCT')];
    const sdk = {
      openLease: async () => ({ call, close }),
      connect: async () => ({ borrow, checkout, checkoutBundle: bundle, close }),
    } as unknown as Partial<Sdk>;
    const processes = {
      start: refuse('INTERNAL'),
      onSignals: () => () => undefined,
      after: () => () => undefined,
    } as never;
    for (const line of [
      'credit consume rendr 1',
      'borrow take --product rendr --for 1h',
      'run --product rendr -- true',
    ]) {
      const ran = await berth(line.split(' '), { sdk, processes });
      expect([line, ran.stderr]).toEqual([line, expect.stringContaining('Next: Did you mean render? ')]);
    }
    const away = { ...sdk, openLease: refuse('UNREACHABLE') };
    const ran = await berth('borrow take --product rendr --for 1h'.split(' '), { sdk: away });
    expect([ran.exitCode, ran.stderr]).toEqual([7, expect.stringContaining('NO_PRODUCT')]);
  });

  it('never offers what was typed: a product may be there and grant nothing', async () => {
    const admin = refusing('PRODUCT_UNKNOWN', { product: 'render' });
    expect(await error('license assign a@b.org render', admin)).not.toHaveProperty('didYouMean');
  });

  it('says who was quicker', async () => {
    const admin = refusing('ALLOCATION_UNKNOWN', { email: 'bo@studio.example', product: 'render' });
    expect(await error('license move bo@studio.example render --to a@b.org', admin)).toMatchObject({
      code: 'ALLOCATION_UNKNOWN',
      message: expect.stringContaining('by it@studio.example: allocation.set quantity=0 (was 1)'),
    });
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
