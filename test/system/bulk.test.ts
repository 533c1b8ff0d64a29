import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withTable } from '@berth/cli/bulk';
import type { Context } from '@berth/cli/context';
import { type AdminConnection, newIdempotencyKey, openAdmin } from '@berth/client';
import { limits } from '@berth/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './paths.js';
import { type Json, type Ran, Site } from './site.js';

// PRODUCT.md, rows "invite users", "remove users" and "bulk assign / revoke" from CSV files (issue 5, part 5): real `berth` and `berthd`.
// In order.

let site: Site;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ product: 'render-premium', seats: 19, id: 'ent-render', until: '2027-05-09' });
  await site.grant({ product: 'archviz-floating', seats: 10, id: 'ent-arch', until: '2027-05-09' });
}, 120_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
const invitees = join(root, 'examples/invite-excel-da.csv');
const assignments = join(root, 'examples/assign.csv');
const failures = (items: Json[]): [number, string][] =>
  items.filter(({ verdict }) => verdict === 'failed').map(({ line, code }) => [line, code]);

describe('invite from a Danish spreadsheet', () => {
  const bad = [
    [51, 'ROW_DUPLICATE'],
    [52, 'EMAIL_INVALID'],
    [53, 'EMAIL_INVALID'],
    [54, 'EMAIL_INVALID'],
    [55, 'CELL_FORMULA'],
    [56, 'CELL_FORMULA'],
    [57, 'ROLE_INVALID'],
    [58, 'EMAIL_MISSING'],
    [59, 'EMAIL_INVALID'],
  ];

  test('a preview says what is wrong with which line, and changes nothing', async () => {
    const { code, json } = await owner('bulk', 'preview', 'invite', '--csv', invitees);
    expect(code).toBe(1);
    expect(failures(json.items)).toEqual(bad);
    expect(json).toMatchObject({ rows: 57, done: 48, unchanged: 0, failed: 9 });
    expect((await owner('org', 'show')).json).toMatchObject({ users: 1 });
  });

  test('applied: 48 members, nine reasons; the same again is the same job', async () => {
    const applied = await owner('bulk', 'apply', 'invite', '--csv', invitees);
    expect(applied.code).toBe(1);
    expect(applied.json.job).toMatchObject({ rows: 57, done: 48, unchanged: 0, failed: 9 });
    const { id } = applied.json.job;
    const report = await owner('bulk', 'report', id, '--failures');
    expect(failures(report.json.items)).toEqual(bad);
    expect((await owner('org', 'show')).json).toMatchObject({ users: 49 });
    const { items } = (await owner('bulk', 'list')).json;
    expect(items).toMatchObject([{ id, kind: 'invite', by: site.owner.email, done: 48, failed: 9 }]);
    const again = await owner('bulk', 'apply', 'invite', '--csv', invitees);
    expect(again.json).toMatchObject({ existing: true, job: { id } });
    // In this process: a command costs a second. Each row is an act from where the job was asked for.
    const admin = await openAdmin({ home: site.owner.home });
    const rows = await admin.call('audit.list', { kind: 'job.row', limit: 100 }).finally(() => admin.close());
    expect(rows.items).toHaveLength(57);
    for (const { by, from } of rows.items) expect([by, from]).toEqual([site.owner.email, '127.0.0.1']);
  });
});

describe('bulk assign / revoke', () => {
  test('every bad row has its own reason, no good one is lost, and again changes nothing', async () => {
    const applied = await owner('bulk', 'apply', 'assign', '--csv', assignments);
    const { id } = applied.json.job;
    expect(applied.json.job).toMatchObject({ rows: 31, done: 24, failed: 7 });
    const { json } = await owner('bulk', 'report', id);
    expect(failures(json.items)).toEqual([
      [26, 'QUANTITY_INVALID'],
      [27, 'QUANTITY_INVALID'],
      [28, 'DATE_INVALID'],
      [29, 'PRODUCT_UNKNOWN'],
      [30, 'USER_UNKNOWN'],
      [31, 'ALL_ALLOCATED'],
      [32, 'ROW_SHORT'],
    ]);
    expect(await site.pool('render-premium')).toMatchObject({ allocated: 19 });
    expect(await site.pool('archviz-floating')).toMatchObject({ allocated: 10 });
    const again = await owner('bulk', 'apply', 'assign', '--csv', assignments, '--again');
    expect(again.json.job).toMatchObject({ done: 0, unchanged: 24, failed: 7 });
  });
});

test('who has seats is not removed; the failures are fed to revoke, and then to remove', async () => {
  const people = ['email', 'model-01@studio.example', 'model-35@studio.example', 'fx-02@studio.example'];
  const gone = await site.write('gone.csv', people.join('\n'));
  const removed = await owner('bulk', 'apply', 'remove', '--csv', gone, '--yes');
  expect(removed.json.job).toMatchObject({ done: 1, failed: 2 });
  const report = await site.berth(site.owner, ['bulk', 'report', removed.json.job.id, '--failures', '--csv']);
  const failed = await site.write('failed.csv', report.stdout);
  const revoked = await owner('bulk', 'apply', 'revoke', '--csv', failed, '--yes');
  expect(revoked.json).toMatchObject({
    job: { done: 2, failed: 0 },
    ignored: ['verdict', 'code', 'reason', 'line'],
  });
  const again = await owner('bulk', 'apply', 'remove', '--csv', failed, '--yes');
  expect(again.json.job).toMatchObject({ done: 2, failed: 0 });
  // Nothing failed: its failures are a first line alone, and fed to the next command they are nothing to do.
  const none = await site.berth(site.owner, ['bulk', 'report', again.json.job.id, '--failures', '--csv']);
  const nobody = await site.write('nobody.csv', none.stdout);
  const nothing = await owner('bulk', 'apply', 'remove', '--csv', nobody, '--yes');
  expect(nothing).toMatchObject({ code: 0, json: { job: { rows: 0, done: 0, failed: 0 } } });
});

describe('a quote where none can be', () => {
  const lines = [
    'email,name,role',
    'una@quotes.example,Una "U" Ek,user',
    'vic@quotes.example,Vic,user',
    'wim@quotes.example,"Wim"x,user',
    'xia@quotes.example,"Xia,user',
    'yul@quotes.example,"Yul ""Y"" Ek",user',
  ];
  const bad = [
    [2, 'QUOTE_STRAY'],
    [4, 'QUOTE_STRAY'],
    [5, 'QUOTE_OPEN'],
  ];

  test('costs its row alone, wherever a table is read; what failed is refused until it is mended', async () => {
    const csv = await site.write('quotes.csv', lines.join('\r\n'));
    const out = join(site.folder, 'quotes-out.csv');
    for (const words of [
      ['bulk', 'preview', 'invite', '--csv', csv, '--out', out],
      ['user', 'invite', '--csv', csv, '--dry-run'],
      ['bulk', 'apply', 'invite', '--csv', csv, '--dry-run'],
    ]) {
      const { code, json } = await owner(...words);
      expect([code, json.done, failures(json.items)], words.join(' ')).toEqual([1, 2, bad]);
    }
    const applied = await owner('user', 'invite', '--csv', csv);
    expect(applied).toMatchObject({ code: 1, json: { job: { rows: 5, done: 2, failed: 3 } } });
    const { id } = applied.json.job;
    const report = await site.berth(site.owner, ['bulk', 'report', id, '--failures', '--csv']);
    expect((await owner('bulk', 'report', id, '--failures')).json.items).toMatchObject([
      { name: 'Una "U" Ek', message: expect.stringContaining('line 2, cell 2') },
      { name: '"Wim"x' },
      { name: '"Xia', message: expect.stringContaining('line 5, cell 2') },
    ]);
    for (const file of [report.stdout, await readFile(out, 'utf8')]) {
      const again = await owner('bulk', 'preview', 'invite', '--csv', await site.write('again.csv', file));
      expect(again.json).toMatchObject({ done: 0, failed: 3 });
    }
    const mended = report.stdout
      .replace('"""Wim""x"', 'Wim')
      .replace('"""Xia"', 'Xia')
      .replaceAll(',?\r\n', '\r\n');
    const next = await owner('bulk', 'apply', 'invite', '--csv', await site.write('mended.csv', mended));
    expect(next.json.job).toMatchObject({ rows: 3, done: 3 });
    expect((await owner('user', 'show', 'una@quotes.example')).json).toMatchObject({
      user: { name: 'Una "U" Ek' },
    });
    const gone = await owner('user', 'remove', '--csv', csv, '--yes');
    expect(gone.json.job).toMatchObject({ rows: 5, done: 2, failed: 3 });
  }, 60_000);
});

test('`user invite --csv` and `user remove --csv` are bulk jobs too', async () => {
  const csv = await site.write('few.csv', 'email;name\r\nzoe@few.example;Zoe\r\nyan@few.example;\r\n');
  const invited = await owner('user', 'invite', '--csv', csv);
  expect(invited.json.job).toMatchObject({ kind: 'invite', rows: 2, done: 2 });
  const preview = await owner('user', 'remove', '--csv', csv, '--dry-run');
  expect(preview.json).toMatchObject({ rows: 2, done: 2, failed: 0 });
  const removed = await owner('user', 'remove', '--csv', csv, '--yes');
  expect(removed.json.job).toMatchObject({ kind: 'remove', rows: 2, done: 2 });
  const wrong = [
    ['invite', 'ida@few.example', '--csv', csv],
    ['invite', '--csv', csv, '--role', 'admin'],
    ['invite'],
    ['remove'],
  ];
  for (const words of wrong) expect((await owner('user', ...words)).code, words.join(' ')).toBe(2);
});

test('a preview can be edited and applied; rows without a product are one for each of --products', async () => {
  const csv = await site.write(
    'some.csv',
    'Email\tTeam\r\ncomp-30@studio.example\tA\r\nstranger@x.example\tB\r\n',
  );
  const out = join(site.folder, 'edited.csv');
  const products = ['--products', 'render-premium,archviz-floating', '--expires', '2027-05-09'];
  const preview = await owner('bulk', 'preview', 'assign', '--csv', csv, ...products, '--out', out);
  expect(preview.json).toMatchObject({ rows: 4, done: 2, failed: 2, ignored: ['Team'] });
  const lines = (await readFile(out, 'utf8')).split('\r\n').filter((line) => !line.startsWith('stranger'));
  const edited = await site.write('edited.csv', lines.join('\r\n'));
  expect((await owner('bulk', 'apply', 'assign', '--csv', edited)).json.job).toMatchObject({
    rows: 2,
    done: 2,
  });
});

test('who has joined is not invited with another role: the row fails and says what does it', async () => {
  const [eve] = await site.hire('eve@few.example');
  const table = `sep=;\r\nemail;name;role\r\n${eve!.email};;user\r\n`;
  const same = await site.write('same.csv', table);
  expect((await owner('bulk', 'apply', 'invite', '--csv', same)).json.job).toMatchObject({ unchanged: 1 });
  const other = await site.write('other.csv', table.replace(';user', ';admin'));
  for (const what of ['preview', 'apply'])
    expect((await owner('bulk', what, 'invite', '--csv', other)).code, what).toBe(1);
  const { items } = (await owner('bulk', 'list')).json;
  const report = (await owner('bulk', 'report', items[0].id)).json;
  expect(report.items).toMatchObject([{ line: 3, verdict: 'failed', code: 'USER_EXISTS' }]);
  expect(report.items[0].message).toContain(`berth user set ${eve!.email} --role admin`);
  expect((await owner('user', 'show', eve!.email)).json.user).toMatchObject({ role: 'user' });
});

test('a revoke says how many seats it takes, ahead and afterwards; the file of its preview can be applied', async () => {
  await site.grant({ product: 'comp', seats: 2, id: 'ent-comp', until: '2027-05-09' });
  const assigned = 'email,product,quantity\neve@few.example,comp,2\n';
  const csv = await site.write('eve.csv', assigned);
  expect((await owner('bulk', 'apply', 'assign', '--csv', csv)).json.job).toMatchObject({ done: 1 });
  const back = await site.write('back.csv', 'email,product\neve@few.example,COMP\n');
  const out = join(site.folder, 'takes.csv');
  const ahead = await owner('bulk', 'preview', 'revoke', '--csv', back, '--out', out);
  expect(ahead.json.items).toMatchObject([{ verdict: 'done', seats: 2 }]);
  expect(await readFile(out, 'utf8')).toContain('eve@few.example,COMP,all,,2,done,');
  const { job } = (await owner('bulk', 'apply', 'revoke', '--csv', out, '--yes')).json;
  expect((await owner('bulk', 'report', job.id)).json.items).toMatchObject([{ quantity: 'all', seats: 2 }]);
});

test.each([
  ['no header', 'anna@studio.example\nbo@studio.example\n', 'HEADER_INVALID'],
  ['another header', 'address;name\nanna@studio.example;Anna\n', 'HEADER_INVALID'],
  ['a mistyped column', 'email;nmae\nanna@studio.example;Anna\n', 'HEADER_INVALID'],
  ['nothing', '', 'CSV_INVALID'],
])('%s: refused as a whole, and told what is expected', async (_, text, code) => {
  const csv = await site.write('bad.csv', text);
  const { code: exit, json } = await owner('bulk', 'apply', 'invite', '--csv', csv);
  expect([exit, json.error.code]).toEqual([2, code]);
});

test('a server that is killed in the middle of an upload is sent the rows anew, and has them all', async () => {
  const admin = await openAdmin({ home: site.owner.home });
  const puts: number[] = [];
  const killing = async (...asked: Parameters<AdminConnection['call']>) => {
    const answer = await admin.call(...asked);
    if (asked[0] === 'bulk.put' && puts.push((answer as { received: number }).received) === 2)
      await site.restart();
    return answer;
  };
  const rows = Array.from({ length: 2.5 * limits.bulkRowsPerPut }, (_, at) => ({
    line: at + 2,
    cells: [`nobody${at}@few.example`],
  }));
  const [upload, key] = [newIdempotencyKey(), newIdempotencyKey()];
  const context = { progress: { say: () => undefined } } as unknown as Context;
  const tapped = { call: killing } as unknown as AdminConnection;
  const { job } = await withTable(context, tapped, upload, { header: ['email'], rows }, () =>
    admin.call('bulk.apply', { key, upload, kind: 'remove' }),
  ).finally(() => admin.close());
  expect(puts.slice(2, 4)).toEqual(puts.slice(0, 2));
  expect([puts.at(-1), job.rows]).toEqual([rows.length, rows.length]);
});
