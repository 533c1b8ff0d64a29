import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, type Person, type Ran, Site } from './site.js';
import { day } from './terms.js';
import { until, within } from './waiting.js';

// `berth` as admins and scripts use it: one JSON document on stdout, messages on stderr, exit codes (issue 2, part 10).

let site: Site;
let anna: Person;
let bo: Person;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({
    seats: 3,
    borrow: { max: '1d', seats: 1 },
    id: 'ent-render',
    more: ['--number', 'S-42'],
  });
  [anna, bo] = (await site.hire('anna@studio.example', 'bo@studio.example')) as [Person, Person];
}, 120_000);

afterAll(() => site?.close());

const owner = (...args: string[]): Promise<Ran> => site.berth(site.owner, [...args, '--json']);

/** Code and exit of a failure; `error` is the one member of stdout, and stderr says it to people. */
function failure({ code, json, stderr }: Ran): [number, string] {
  expect(Object.keys(json)).toEqual(['error']);
  const { error } = json;
  expect(error).toMatchObject({
    exitCode: code,
    message: expect.stringMatching(/./),
    next: expect.stringMatching(/./),
  });
  expect(stderr).toContain(`berth: ${error.code} `);
  expect(stderr).toContain('Next: ');
  return [code, error.code];
}

describe('who we are', () => {
  test('join keeps keys to their owner, apart from the contexts, and makes the context current', async () => {
    const link = await site.invite('cem@studio.example');
    const roots = {
      XDG_CONFIG_HOME: join(site.folder, 'xdg/config'),
      XDG_STATE_HOME: join(site.folder, 'xdg/state'),
    };
    const env = { ...roots, BERTH_HOME: '' };
    const cem = site.person('cem@studio.example');
    const joined = await site.berth(cem, ['join', '--json'], {
      env,
      input: `Hello, here is your link:\n\n  ${link}\n`,
    });
    expect(joined.json).toMatchObject({
      user: { email: cem.email, role: 'user', state: 'active' },
      scopes: ['lease'],
    });
    expect(joined.code).toBe(0);
    const secret = await modesOf(join(roots.XDG_STATE_HOME, 'berth'));
    expect(secret.length).toBeGreaterThan(0);
    expect(secret.every((mode) => (mode & 0o077) === 0)).toBe(true);
    expect(await readdir(join(roots.XDG_CONFIG_HOME, 'berth'))).not.toEqual([]);
    const whoami = await site.berth(cem, ['whoami', '--json'], { env });
    expect(whoami.json).toMatchObject({
      user: { email: cem.email, role: 'user' },
      organisation: { name: 'Studio' },
      server: { key: site.serverKey, address: site.address },
      leaseSeconds: 3,
    });
    const contexts = await site.berth(cem, ['context', 'list', '--json'], { env });
    expect(contexts.json).toMatchObject({
      items: [{ name: joined.json.context, current: true }],
      next: null,
    });
    expect((await site.berth(cem, ['context', 'use', joined.json.context], { env })).code).toBe(0);
    expect((await site.berth(cem, ['context', 'use', 'nobody', '--json'], { env })).code).not.toBe(0);
  });

  test('join without a link never waits for one that cannot come', async () => {
    const ran = await site.berth(site.person('nobody@studio.example'), ['join', '--json']);
    expect(failure(ran)[0]).toBe(2);
  });

  test('without a context: 4, and what to do', async () => {
    expect(failure(await site.berth(site.person('nobody@studio.example'), ['status', '--json']))).toEqual([
      4,
      'NOT_JOINED',
    ]);
  });
});

async function modesOf(folder: string): Promise<number[]> {
  const names = await readdir(folder, { recursive: true });
  return Promise.all(names.map(async (name) => (await stat(join(folder, name))).mode));
}

describe('status', () => {
  test('centralized server: prints exactly its members: integers, vendor, product and one boolean', async () => {
    for (const who of [site.owner, anna]) {
      const { json } = await site.berthOk(who, ['status', '--json']);
      expect(json).toEqual({
        pools: [
          {
            ...{
              product: 'render',
              vendor: site.vendorKey,
              owned: 3,
              allocated: 0,
              shared: 3,
              floatingSharing: true,
            },
            ...{ inUse: 0, borrowed: 0, held: 0, free: 3, over: 0 },
          },
        ],
      });
    }
  });

  test('for people: no colours when they are not wanted', async () => {
    const { stdout } = await site.berthOk(site.owner, ['status']);
    expect(stdout).toContain('render');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what must not be there.
    expect(stdout).not.toMatch(/\u001b/);
  });
});

describe('entitlements', () => {
  test('issue takes what `entitlement request --json` printed, unchanged; inspect shows what was signed', async () => {
    const { stdout, json } = await owner('entitlement', 'request');
    expect(json).toEqual({ serverId: expect.stringMatching(/^srv-/), serverKey: site.serverKey });
    const asFile = await site.write('request.json', stdout);
    const out = join(site.folder, 'issued.ent');
    const terms = [
      '--product',
      'comp',
      '--seats',
      '2',
      '--from',
      day(0),
      '--until',
      day(9),
      '--share',
      'user',
    ];
    const rest = [
      '--borrow-max',
      '30d',
      '--borrow-seats',
      '1',
      '--rev',
      '7',
      '--holder',
      'Bo@Studio.example',
      '--out',
      out,
    ];
    const key = ['--key', join(site.vendor, 'vendor.key')];
    for (const server of [stdout, asFile, site.serverKey])
      expect((await owner('vendor', 'issue', ...key, '--server', server, ...terms, ...rest)).code).toBe(0);
    const inspected = await owner('vendor', 'inspect', out, '--vendor-key', join(site.vendor, 'vendor.pub'));
    expect(inspected.json.claims).toMatchObject({
      ...{
        product: 'comp',
        seats: 2,
        rev: 7,
        share: 'user',
        holder: 'bo@studio.example',
        sub: site.serverKey,
      },
      borrow: { maxSeconds: 30 * 86_400, seats: 1 },
      nbf: Date.parse(day(0)) / 1000,
      exp: Date.parse(day(10)) / 1000,
    });
    expect(inspected.json.signature).toMatchObject({ verdict: 'valid', pinned: true });
  });

  test('import again changes nothing; list and show', async () => {
    const { json: shown } = await owner('entitlement', 'show', 'ent-render');
    expect(shown.entitlement).toMatchObject({
      ...{
        id: 'ent-render',
        rev: 1,
        product: 'render',
        seats: 3,
        allocated: 0,
        state: 'active',
        share: 'device',
      },
      ...{ until: day(365), borrow: { maxSeconds: 86_400, seats: 1 }, display: { number: 'S-42' } },
    });
    const again = await owner('entitlement', 'import', await site.write('again.ent', shown.token));
    expect(again.json).toMatchObject({
      items: [{ changed: false, entitlement: { id: 'ent-render' } }],
      next: null,
    });
    const { json: list } = await owner('entitlement', 'list');
    expect(list).toMatchObject({ items: [{ id: 'ent-render' }], next: null });
    expect(failure(await owner('entitlement', 'show', 'ent-none'))).toEqual([6, 'ENTITLEMENT_UNKNOWN']);
  });

  test('removed when nobody has it: its seats are gone', async () => {
    await site.grant({ product: 'paint', seats: 1, id: 'ent-paint' });
    expect((await owner('entitlement', 'remove', 'ent-paint', '--yes')).json).toMatchObject({
      id: 'ent-paint',
    });
    expect(await site.pool('paint')).toMatchObject({ owned: 0, free: 0 });
  });
});

describe('users', () => {
  test('invited, listed, found, removed', async () => {
    const { json } = await owner(
      'user',
      'invite',
      'Dua@Studio.Example',
      '--name',
      'Dua Lind',
      '--role',
      'viewer',
    );
    expect(json).toMatchObject({ user: { email: 'dua@studio.example', role: 'viewer', state: 'invited' } });
    expect(json.link).toMatch(/^berth:\/\/127\.0\.0\.1:\d+\/\?key=ed25519:[\w-]+&token=\S+$/);
    const found = await owner('user', 'list', '--search', 'lind');
    expect(found.json).toMatchObject({
      items: [{ email: 'dua@studio.example', name: 'Dua Lind', devices: 0 }],
      next: null,
    });
    expect((await owner('user', 'remove', 'DUA@studio.example', '--yes')).json).toEqual({
      email: 'dua@studio.example',
    });
    expect((await owner('user', 'list', '--search', 'lind')).json).toEqual({ items: [], next: null });
  });

  test('a list goes on page by page', async () => {
    const first = (await owner('user', 'list', '--limit', '2')).json;
    expect(first.items).toHaveLength(2);
    const rest = (await owner('user', 'list', '--cursor', first.next)).json;
    const emails = [...first.items, ...rest.items].map(({ email }: Json) => email);
    expect(new Set(emails).size).toBe(emails.length);
    expect(emails).toEqual(expect.arrayContaining([site.owner.email, anna.email, bo.email]));
  });

  test.each([
    [['user', 'invite', 'anna@studio.example'], 1, 'USER_EXISTS'],
    [['user', 'invite', 'not an address'], 2, 'EMAIL_INVALID'],
    [['user', 'invite', 'x@studio.example', '--role', 'king'], 2, 'ROLE_INVALID'],
    [['user', 'invite', 'x@studio.example', '--name', '=1+1'], 2, 'NAME_INVALID'],
    [['user', 'remove', 'nobody@studio.example', '--yes'], 6, 'USER_UNKNOWN'],
    [['user', 'remove', 'it@studio.example', '--yes'], 8, 'LAST_OWNER'],
    [['license', 'assign', 'nobody@studio.example', 'render'], 6, 'USER_UNKNOWN'],
    [['license', 'assign', 'anna@studio.example', 'nothing'], 6, 'PRODUCT_UNKNOWN'],
    [['license', 'assign', 'anna@studio.example', 'render', '--quantity', '4'], 8, 'ALL_ALLOCATED'],
    [
      ['license', 'assign', 'anna@studio.example', 'render', '--expires', '2099-01-01'],
      6,
      'ENTITLEMENT_UNKNOWN',
    ],
    [['license', 'revoke', 'anna@studio.example', 'render'], 6, 'ALLOCATION_UNKNOWN'],
    [['lease', 'release', 'l-none', '--yes'], 6, 'LEASE_UNKNOWN'],
    [['entitlement', 'remove', 'ent-none', '--yes'], 6, 'ENTITLEMENT_UNKNOWN'],
    [['borrow', 'return', 'l-none'], 6, 'BORROW_UNKNOWN'],
  ])('berth %s: exit %i, %s', async (words, exit, code) => {
    expect(failure(await owner(...words))).toEqual([exit, code]);
  });

  test('who is not an admin may not: 4', async () => {
    expect(failure(await site.berth(anna, ['user', 'list', '--json']))).toEqual([4, 'NOT_ALLOWED']);
  });
});

describe('licenses', () => {
  test('revoke: assigned twice, listed, one taken back at a time, the user kept until all are', async () => {
    const { json } = await owner(
      'license',
      'assign',
      'ANNA@studio.example',
      'render',
      '--quantity',
      '2',
      '--expires',
      day(365),
    );
    expect(json.allocation).toMatchObject({
      email: anna.email,
      product: 'render',
      quantity: 2,
      expires: day(365),
    });
    expect(await site.pool()).toMatchObject({ owned: 3, allocated: 2, shared: 1, free: 3 });
    expect((await owner('license', 'list', anna.email)).json).toMatchObject({
      items: [{ quantity: 2 }],
      next: null,
    });
    expect(failure(await owner('user', 'remove', anna.email, '--yes'))).toEqual([8, 'ALLOCATED']);
    expect(failure(await owner('entitlement', 'remove', 'ent-render', '--yes'))).toEqual([8, 'ALLOCATED']);
    expect((await owner('license', 'revoke', anna.email, 'render')).json).toMatchObject({
      revoked: 1,
      left: 1,
    });
    expect((await owner('license', 'revoke', anna.email, 'render', '--all', '--yes')).json).toMatchObject({
      revoked: 1,
      left: 0,
    });
  });

  test('seats that are set aside are not for others, who are told why', async () => {
    await site.berthOk(site.owner, ['license', 'assign', anna.email, 'render', '--quantity', '3']);
    const refused = await site.berth(bo, ['run', '--product', 'render', '--', 'true']);
    expect([refused.code, refused.stderr]).toEqual([7, expect.stringContaining('ALLOCATED_TO_OTHERS')]);
    expect((await site.berth(anna, ['run', '--product', 'render', '--', 'true'])).code).toBe(0);
    await site.berthOk(site.owner, ['license', 'revoke', anna.email, 'render', '--all', '--yes']);
  });

  test('the owner may check out like anyone', async () => {
    expect((await site.berth(site.owner, ['run', '--product', 'render', '--', 'true'])).code).toBe(0);
  });
});

describe('the command line itself', () => {
  test('help has examples; what is wrong with a command line: 2, one document', async () => {
    const help = await site.berth(anna, ['license', 'assign', '--help']);
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('Examples:')]);
    for (const words of [
      ['status', '--nonsense'],
      ['licence'],
      ['license', 'assign'],
      ['run', '--product', 'render'],
    ]) {
      const ran = await owner(...words);
      expect(ran.code).toBe(2);
      // What `run` runs owns stdout: there a failure is on stderr only.
      if (words[0] !== 'run') expect(failure(ran)).toEqual([2, 'USAGE']);
      expect(ran.stderr).toMatch(/^berth: USAGE /);
    }
  });

  test('Ctrl-C while it waits for a seat: cancelled, 3', async () => {
    await site.berthOk(site.owner, ['license', 'assign', anna.email, 'render', '--quantity', '3']);
    const waiting = site.start({
      argv: site.berthArgv(['run', '--product', 'render', '--wait', '60s', '--', 'true']),
      env: site.environmentOf(bo, 'run'),
    });
    await until('it to say that it waits', () => waiting.stderr.includes('waiting'));
    waiting.signal('SIGINT');
    const exit = await within('berth run to end', waiting.exited, 10_000);
    expect([exit.code, exit.stderr]).toEqual([3, expect.stringContaining('berth: CANCELLED ')]);
    await site.berthOk(site.owner, ['license', 'revoke', anna.email, 'render', '--all', '--yes']);
  });

  test('no server: 5, and every server that was tried', async () => {
    await site.stop();
    const ran = await owner('status');
    expect(failure(ran)).toEqual([5, 'UNREACHABLE']);
    expect(ran.json.error.servers).toMatchObject([{ address: site.address, code: 'UNREACHABLE' }]);
    // What needs no server works.
    expect((await owner('context', 'list')).code).toBe(0);
    expect((await owner('entitlement', 'request')).code).toBe(0);
  });

  test('a folder that cannot be written: said, nothing half done', async () => {
    const file = await site.write('not-a-folder', '');
    const who: Person = { email: 'x@studio.example', home: join(file, 'home') };
    await mkdir(join(site.folder, 'homes'), { recursive: true });
    const ran = await site.berth(who, ['join', site.ownerLink, '--json']);
    expect(failure(ran)[0]).not.toBe(0);
  });
});

test('the auditor has nothing to say', async () => {
  expect((await site.check()).json).toMatchObject({ ok: true });
  expect(site.audit().findings).toEqual([]);
});
