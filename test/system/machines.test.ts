import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, type Ran, Site } from './site.js';
import { until } from './waiting.js';

// Part 5 of issue 3: render nodes that join by themselves. In order.

let site: Site;
let link: string;
let token: string;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 3 });
  await site.grant({ seats: 2, share: 'process', borrow: { max: '2h', seats: 1 } });
}, 120_000);

afterAll(() => site?.close());

const asOwner = async (...words: string[]) =>
  (await site.berthOk(site.owner, [...words, '--json', '--yes'])).json;
/** A computer of its own: nobody has joined anything there. */
const node = (name: string): Person => site.person(`${name}@node`);
const render = (where: Person, env: Record<string, string>, line = 'console.log("rendered")'): Promise<Ran> =>
  site.berth(
    where,
    ['run', '--product', 'render', '--wait', '60s', '--vendor-key', site.vendorKey, '--', 'node', '-e', line],
    { env },
  );
const machines = async () => (await asOwner('machine', 'list')).items;

describe('berth machine token', () => {
  test('create prints the link alone; neither the journal nor the list has its secret', async () => {
    const past = await site.berth(site.owner, [
      'machine',
      'token',
      'create',
      '--expires',
      '2020-01-01',
      '--json',
    ]);
    expect([past.code, past.json.error.code]).toEqual([2, 'DATE_INVALID']);
    const words = ['machine', 'token', 'create', '--uses', '2', '--group', 'farm', '--expires', '30d'];
    const ran = await site.berthOk(site.owner, words);
    link = ran.stdout.trim();
    expect(link).toMatch(/^berth:\/\/\S+&token=\S+$/);
    const secret = link.split('.').at(-1)!;
    const { items, next } = await asOwner('machine', 'token', 'list');
    expect({ items, next }).toMatchObject({
      items: [{ group: 'farm', uses: 0, maxUses: 2, state: 'open', by: site.owner.email }],
      next: null,
    });
    token = items[0].id;
    expect(items[0].expiresAtMs).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    expect(JSON.stringify([items, site.evidence().journal])).not.toContain(secret);
  });

  test('is not for plain users', async () => {
    const [anna] = (await site.hire('anna@studio.example')) as [Person];
    const ran = await site.berth(anna, ['machine', 'token', 'create', '--json']);
    expect([ran.code, ran.json.error.code]).toEqual([4, 'NOT_ALLOWED']);
  });
});

describe('a render node', () => {
  test('without a link: NOT_JOINED, as before', async () => {
    const ran = await render(node('bare'), {});
    expect([ran.code, ran.stdout]).toEqual([4, '']);
    expect(ran.stderr).toContain('NOT_JOINED');
  });

  test('ten processes at once on a new node: one machine, one use, all of them render', async () => {
    const env = { BERTH_JOIN: link };
    const runs = await Promise.all(Array.from({ length: 10 }, () => render(node('one'), env)));
    expect(runs.map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual(
      runs.map(() => [0, 'rendered\n', expect.any(String)]),
    );
    expect(await machines()).toMatchObject([{ group: 'farm', token, seats: 0 }]);
    expect((await asOwner('machine', 'token', 'list')).items).toMatchObject([{ uses: 1, state: 'open' }]);
    const joined = (await site.berthOk(node('one'), ['context', 'list', '--json'])).json;
    expect(joined.items).toHaveLength(1);
  }, 180_000);

  test('joined once, it needs the link no more', async () => {
    expect(await render(node('one'), {})).toMatchObject({ code: 0, stdout: 'rendered\n' });
  });

  test('has the scope lease alone', async () => {
    const { json } = await site.berthOk(node('one'), ['whoami', '--json']);
    expect(json.scopes).toEqual(['lease']);
    const ran = await site.berth(node('one'), ['user', 'list', '--json']);
    expect([ran.code, ran.json.error.code]).toEqual([4, 'NOT_ALLOWED']);
  });

  test('set up anew it takes another use, here from a file; then the token is used up', async () => {
    const file = await site.write('join-link', `# the farm\n${link}\n`);
    await chmod(file, 0o600);
    expect(await render(node('two'), { BERTH_JOIN_FILE: file })).toMatchObject({ code: 0 });
    expect((await asOwner('machine', 'token', 'list')).items).toMatchObject([{ uses: 2, state: 'used-up' }]);
    const third = await render(node('three'), { BERTH_JOIN_FILE: file });
    expect([third.code, third.stdout]).toEqual([4, '']);
    expect(third.stderr).toContain('MACHINE_TOKEN_USED_UP');
    expect(third.stderr).toContain('--uses N');
  });

  test.each([
    [{ BERTH_JOIN: 'nonsense' }, 2, 'LINK_INVALID'],
    [{ BERTH_JOIN_FILE: '/nowhere/link' }, 1, 'FILE_UNREADABLE'],
  ])('%j says what is wrong', async (env, code, error) => {
    const ran = await render(node('wrong'), env);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toContain(error);
  });

  test('a revoked token: its own code; the machines that have joined stay', async () => {
    const made = await asOwner('machine', 'token', 'create', '--uses', '5');
    await asOwner('machine', 'token', 'revoke', made.token.id);
    const ran = await render(node('late'), { BERTH_JOIN: made.link });
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain('MACHINE_TOKEN_REVOKED');
    await asOwner('machine', 'token', 'revoke', token);
    expect(await render(node('one'), {})).toMatchObject({ code: 0 });
  });
});

describe('the seats of a machine', () => {
  test('it is a holder by its name and group, and never takes what is allocated', async () => {
    await asOwner('license', 'assign', 'anna@studio.example', 'render');
    // It ends when it is told to, however busy this computer is.
    const enough = join(site.folder, 'enough');
    // And it ends with the folder of the test: nothing else would end it where an expectation below fails.
    const [told, gone] = [enough, site.folder].map((path) => JSON.stringify(path));
    const script = `const t = setInterval(() => (fs.existsSync(${told}) || !fs.existsSync(${gone})) && (clearInterval(t), console.log("rendered")), 50)`;
    const long = render(node('one'), {}, script);
    const items = await until('the lease of the machine', async () => {
      const { items: leases } = await asOwner('lease', 'list');
      return leases.length > 0 && leases;
    });
    expect(items).toMatchObject([{ user: 'machine (farm)', allocated: false }]);
    expect(await machines()).toContainEqual(expect.objectContaining({ seats: 1 }));
    const refused = await site.berth(node('two'), [
      'run',
      '--product',
      'render',
      '--vendor-key',
      site.vendorKey,
      '--',
      'node',
      '-e',
      '',
    ]);
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain('NO_SEAT');
    expect(refused.stderr).toContain('machine (farm)');
    await writeFile(enough, '');
    expect(await long).toMatchObject({ code: 0 });
  });

  test('removed while it borrows: BORROWED; after the return it goes, and is unknown from then on', async () => {
    await asOwner('license', 'revoke', 'anna@studio.example', 'render');
    await site.berthOk(node('one'), ['borrow', 'take', '--product', 'render', '--for', '1h']);
    const { id } = (await machines()).find((row: { borrowed: number }) => row.borrowed === 1);
    const remove = (...more: string[]) =>
      site.berth(site.owner, ['machine', 'remove', id, '--json', '--yes', ...more]);
    const [refused, ahead] = await Promise.all([remove(), remove('--dry-run')]);
    expect([refused.code, refused.json.error.code]).toEqual([8, 'BORROWED']);
    expect([ahead.code, ahead.json.error.code]).toEqual([8, 'BORROWED']);
    await site.berthOk(node('one'), ['borrow', 'return', '--yes']);
    expect((await remove('--dry-run')).json).toMatchObject({ dryRun: true, machine: { id } });
    expect(await asOwner('machine', 'remove', id)).toMatchObject({ machine: { id } });
    expect(await machines()).toHaveLength(1);
    const ran = await render(node('one'), {});
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain('DEVICE_UNKNOWN');
  });

  test('a kill of the server forgets no machine and no use', async () => {
    await site.restart();
    expect(await machines()).toHaveLength(1);
    expect((await asOwner('machine', 'token', 'list')).items).toContainEqual(
      expect.objectContaining({ id: token, uses: 2, state: 'revoked' }),
    );
    expect(await render(node('two'), {})).toMatchObject({ code: 0 });
  });
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.tokens).toBeGreaterThan(10);
  expect((await site.check()).json).toMatchObject({ ok: true });
});
