import { readCsv } from '@berth/cli/csv';
import { BerthError } from '@berth/client';
import { limits } from '@berth/protocol';
import { columnsOf, readTable, spellings } from '@berth/server/admin/bulk-table';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

const job = {
  id: 'j-7',
  kind: 'invite',
  by: 'owner@studio.example',
  madeAtMs: 0,
  rows: 2,
  done: 0,
  unchanged: 0,
  failed: 0,
};
const files = () => new Map([['people.csv', 'email,name\na@b.example,A\nb@b.example,B\n']]);
const processes = {
  start: () => {
    throw new Error('not expected by this test');
  },
  onSignals: () => () => undefined,
  after: (_ms: number, run: () => void) => {
    queueMicrotask(run);
    return () => undefined;
  },
} as never;

/** A server that takes the rows and is gone when it is asked what became of them. */
function lost(report: () => unknown) {
  return fakeAdmin({
    'bulk.put': () => ({ received: 2 }),
    'bulk.apply': () => ({ job, existing: false, ignored: [] }),
    'bulk.report': report,
  });
}

describe('a job of which the end is not seen', () => {
  it.each([
    ['bulk apply invite --csv people.csv'],
    ['user invite --csv people.csv'],
    ['bulk apply remove --csv people.csv --yes'],
    ['user remove --csv people.csv --yes'],
  ])('berth %s: the server is lost: the job goes on, and how to look at it', async (line) => {
    const { sdk } = lost(() => {
      throw new BerthError('UNREACHABLE', { message: 'The server cannot be reached.' });
    });
    const ran = await berth([...line.split(' '), '--json'], { sdk, files: files(), processes });
    expect(ran.exitCode).toBe(5);
    expect(ran.json()).toMatchObject({
      error: {
        code: 'UNREACHABLE',
        job: 'j-7',
        message: expect.stringContaining('The job j-7 goes on'),
        next: 'See what became of it: berth bulk report j-7',
      },
    });
  });

  it('Ctrl-C: the same', async () => {
    const controller = new AbortController();
    const { sdk } = lost(() => {
      controller.abort();
      return { job: { ...job, endedAtMs: 1 }, items: [], next: null };
    });
    const words = ['bulk', 'apply', 'invite', '--csv', 'people.csv', '--json'];
    const ran = await berth(words, { sdk, files: files(), processes, signal: controller.signal });
    expect(ran.exitCode).toBe(3);
    expect(ran.json()).toMatchObject({ error: { code: 'CANCELLED', job: 'j-7' } });
  });

  it('before it is one there is none', async () => {
    const { sdk } = fakeAdmin({
      'bulk.put': () => {
        throw new BerthError('UNREACHABLE', { message: 'The server cannot be reached.' });
      },
    });
    const ran = await berth(['bulk', 'apply', 'invite', '--csv', 'people.csv', '--json'], {
      sdk,
      files: files(),
      processes,
    });
    expect(JSON.stringify(ran.json())).not.toContain('j-7');
  });
});

it('one cell that is too long, and columns that nobody reads, cost no other row', async () => {
  const admin = lost(() => ({ job: { ...job, endedAtMs: 1 }, items: [], next: null }));
  const wide = Array.from({ length: limits.bulkColumns + 5 }, (_, at) => `c${at}`).join(',');
  const text = `email,name,${wide}\na@b.example,${'A'.repeat(1000)}${','.repeat(limits.bulkColumns + 5)}\nb@b.example,B${','.repeat(limits.bulkColumns + 5)}\n`;
  await berth(['bulk', 'apply', 'invite', '--csv', 'wide.csv'], {
    sdk: admin.sdk,
    files: new Map([['wide.csv', text]]),
    processes,
  });
  const { header, rows } = admin.calls[0]!.params as { header: string[]; rows: { cells: string[] }[] };
  expect(header).toHaveLength(limits.bulkColumns);
  expect(rows.map(({ cells }) => [cells.length, cells[1]!.length])).toEqual([
    [limits.bulkColumns, limits.bulkCellChars],
    [limits.bulkColumns, 1],
  ]);
});

it('a row with a wrong quote says so, and is too long for a server that does not know what that means', async () => {
  const admin = lost(() => ({ job: { ...job, endedAtMs: 1 }, items: [], next: null }));
  const text = 'email,name,role\na@b.example,Anna "Nan" X\nb@b.example,B,user\n';
  await berth(['user', 'invite', '--csv', 'people.csv'], {
    sdk: admin.sdk,
    files: new Map([['people.csv', text]]),
    processes,
  });
  expect(admin.calls[0]!.params).toMatchObject({
    rows: [
      { line: 2, cells: ['a@b.example', 'Anna "Nan" X', '', '"'], quote: { is: 'stray', cell: 2 } },
      { line: 3, cells: ['b@b.example', 'B', 'user'] },
    ],
  });
});

it.each([
  ['invite', ['k1@studio.example', 'Karl', 'user']],
  ['invite', ['email', 'k1@studio.example']],
  ['remove', ['lgt07', 'user']],
  ['remove', ['address', 'name']],
] as const)('%s: a first line that is a row, or names other columns, is no header: %j', (kind, header) => {
  const read = readTable(kind, header, [], {});
  expect(read).toMatchObject({ ok: false, code: 'HEADER_INVALID', detail: { found: header } });
  const said = 'ok' in read ? read.message : '';
  expect(said).toContain(header.some((cell) => cell.includes('@')) ? '"k1@studio.example" is no' : '"email"');
});

it.each([
  ['assign', 'emial,product', 'emial', 'email'],
  ['invite', 'nmae,E-mial', 'E-mial', 'email'],
  ['invite', 'email,nmae', 'nmae', 'name'],
  ['invite', 'email,name,rol', 'rol', 'role'],
  ['assign', 'email,product,quantty', 'quantty', 'quantity'],
  ['assign', 'email,products', 'products', 'product'],
  ['assign', 'email,Exprires', 'Exprires', 'expires'],
  ['assign', 'email,exipry', 'exipry', 'expires'],
  ['credit', 'email,limit,perod', 'perod', 'per'],
] as const)('%s: %s: a mistyped column is asked about, and nothing is read', (kind, line, title, column) => {
  const read = readTable(kind, line.split(','), [{ line: 2, cells: ['a@b.example', 'x', 'y'] }], {});
  expect(read).toMatchObject({
    ok: false,
    code: 'HEADER_INVALID',
    message: `There is no column "${title}": did you mean "${column}"?`,
    next: expect.stringContaining(`"${column}"`),
  });
});

it.each([
  ['invite', 'email,name,game'],
  ['invite', 'email,note,Team'],
  ['remove', 'email,nmae'],
  ['assign', 'email,verdict,code,reason,line'],
  ['credit', 'email,limit,pet'],
] as const)('%s: %s: a column that is no other one, or of one that is there, is not read', (kind, line) => {
  expect(readTable(kind, line.split(','), [], {})).toMatchObject({ cells: [] });
});

it('berth bulk template --help says every other name of a column', async () => {
  const { stdout } = await berth(['bulk', 'template', '--help']);
  const words = stdout.replaceAll(/\s+/g, ' ');
  for (const name of Object.keys(spellings)) expect(words).toMatch(new RegExp(`[ ,]${name}\\b`));
});

it.each([
  ['bulk preview invite --csv people.csv', 1],
  ['bulk apply invite --csv people.csv --dry-run', 1],
  ['user invite --csv people.csv --dry-run', 1],
  ['user remove --csv people.csv --dry-run', 0],
])('berth %s with a row that would fail, or none, ends with %i', async (line, exitCode) => {
  const { sdk } = fakeAdmin({
    'bulk.put': () => ({ received: 2 }),
    'bulk.preview': () => ({
      ...{ items: [], next: null, ignored: [] },
      ...{ rows: 2, done: 2 - exitCode, unchanged: 0, failed: exitCode },
    }),
  });
  expect((await berth(line.split(' '), { sdk, files: files() })).exitCode).toBe(exitCode);
});

it.each([
  [['user']],
  [['User', 'Kostenstelle']],
  [['Name', 'USER']],
  [['product', 'user']],
  [['E-Mail', 'user name']],
])('a header as people write it: %j', (header) => {
  const cells = header.map((title) => (/^(user|e-mail)$/i.test(title) ? 'a@b.example' : 'x'));
  const read = readTable('assign', header, [{ line: 2, cells }], {});
  expect(read).toMatchObject({ cells: [{ email: 'a@b.example' }] });
});

it('a cell too many is one under a title of nothing as well', () => {
  const header = ['email', 'product', '', ' '];
  const rows = [
    ['a@b.example', 'x', '', '?'],
    ['a@b.example', 'x', '', ''],
    ['a@b.example', 'x'],
    ['a@b.example'],
  ];
  const read = readTable(
    'assign',
    header,
    rows.map((cells, at) => ({ line: at + 2, cells })),
    {},
  );
  expect('cells' in read && read.cells.map(({ long, short }) => [long, short])).toEqual([
    [true, undefined],
    [undefined, undefined],
    [undefined, undefined],
    [undefined, true],
  ]);
});

it('berth bulk preview --out replaces no file: it may be the one that was just edited', async () => {
  const invite = { line: 2, email: 'a@b.example', name: 'A', verdict: 'done' };
  const admin = fakeAdmin({
    'bulk.put': () => ({ received: 2 }),
    'bulk.preview': () => ({
      ...{ items: [invite], next: null, rows: 1, done: 1, unchanged: 0, failed: 0, ignored: [] },
    }),
  });
  const here = files();
  const words = ['bulk', 'preview', 'invite', '--csv', 'people.csv', '--json', '--out'];
  const edited = await berth([...words, 'people.csv'], { sdk: admin.sdk, files: here });
  expect([edited.exitCode, edited.json()]).toMatchObject([1, { error: { code: 'FILE_EXISTS' } }]);
  expect([here, admin.calls]).toEqual([files(), []]);
  expect((await berth([...words, 'new.csv'], { sdk: admin.sdk, files: here })).exitCode).toBe(0);
  expect(here.get('new.csv')).toContain('a@b.example,A,,done,,,2');
});

it.each(['invite', 'remove', 'assign', 'revoke', 'credit'] as const)(
  'berth bulk template %s: the server reads every column of it, and the row that it has as an example',
  async (kind) => {
    const { stdout } = await berth(['bulk', 'template', kind]);
    const { header, rows } = readCsv(stdout, 'template');
    expect(header).toEqual(columnsOf[kind]);
    const read = readTable(kind, header, rows, {});
    expect(read).toMatchObject({ ignored: [], cells: [{ email: 'anna@studio.example' }] });
    expect('cells' in read && ['short', 'long'].some((fault) => fault in read.cells[0]!)).toBe(false);
  },
);

it('berth bulk preview --out leaves no file that a full disk cut: the same again can write it', async () => {
  const { sdk } = fakeAdmin({
    'bulk.put': () => ({ received: 2 }),
    'bulk.preview': () => ({ items: [], next: null, rows: 2, done: 2, unchanged: 0, failed: 0, ignored: [] }),
  });
  const here = files();
  const words = ['bulk', 'preview', 'invite', '--csv', 'people.csv', '--out', 'out.csv'];
  const ran = await berth(words, { sdk, files: here, full: 'files' });
  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain('FOLDER_UNWRITABLE "out.csv" cannot be written: the disk is full.');
  expect(here.has('out.csv')).toBe(false);
  expect((await berth(words, { sdk, files: here })).exitCode).toBe(0);
});

describe('what a revoke takes', () => {
  const rows = [
    { line: 2, email: 'a@b.example', product: 'render', verdict: 'done', seats: 3 },
    { line: 3, email: 'b@b.example', product: 'render', quantity: '1', verdict: 'done', seats: 1 },
    { line: 4, email: 'c@b.example', verdict: 'failed', code: 'ROW_SHORT', message: 'It ends.' },
    {
      ...{ line: 5, email: 'd@b.example', product: 'comp', verdict: 'done', seats: 0 },
      ...{ pending: 2, pendingUntilMs: 1, message: '2 seats wait for the end of a borrow, then.' },
    },
  ];
  const { sdk } = fakeAdmin({
    'bulk.put': () => ({ received: 4 }),
    'bulk.preview': () => ({
      ...{ items: rows, next: null, rows: 4, done: 3, unchanged: 0, failed: 1, waits: 1, ignored: [] },
    }),
    'bulk.report': () => ({
      job: { ...job, kind: 'revoke', rows: 4, done: 3, failed: 1, waits: 1, endedAtMs: 1 },
      items: rows,
      next: null,
    }),
  });
  const preview = ['bulk', 'preview', 'revoke', '--csv', 'people.csv'];

  it.each([[preview], [['bulk', 'report', 'j-7']]])('%j: the table says all, and how many', async (words) => {
    const ran = await berth(words, { sdk, files: files() });
    expect(ran.stdout).toMatch(/^LINE +EMAIL +PRODUCT +QUANTITY +EXPIRES +TAKES +VERDICT +REASON/);
    expect(ran.stdout).toMatch(/^ *2 +a@b\.example +render +all +3 +done/m);
    expect(ran.stdout).toMatch(/comp +all +0 +waits +2 seats wait for the end of a borrow, then\./);
    expect(ran.stderr).toContain(
      '3 done, 0 unchanged, 1 failed, of 4; 1 waits for the end of a borrow and takes effect then',
    );
  });

  it('so does --json', async () => {
    const ran = await berth([...preview, '--json'], { sdk, files: files() });
    expect(ran.json()).toMatchObject({ items: [{ seats: 3 }, { seats: 1 }, {}, { pending: 2 }], waits: 1 });
  });

  it('and so does the file, which can be applied: what it says of seats is read by nobody', async () => {
    const here = files();
    await berth([...preview, '--out', 'out.csv'], { sdk, files: here });
    expect(here.get('out.csv')!.split('\r\n').slice(0, 4)).toEqual([
      'email,product,quantity,expires,takes,verdict,code,reason,line',
      'a@b.example,render,all,,3,done,,,2',
      'b@b.example,render,1,,1,done,,,3',
      // What is missing in a row that was cut nobody knows.
      'c@b.example,,,,,failed,ROW_SHORT,It ends.',
    ]);
    const { header, rows: again } = readCsv(here.get('out.csv')!, 'out.csv');
    expect(readTable('revoke', header, again, {})).toMatchObject({
      cells: [{ quantity: 'all' }, { quantity: '1' }, { short: true }, { quantity: 'all' }],
      ignored: ['takes', 'verdict', 'code', 'reason', 'line'],
    });
  });
});

describe('a server that ended before it had a job of the rows', () => {
  /** Ends once, when it is asked this. */
  function ending(at: 'bulk.put' | 'bulk.preview' | 'bulk.apply', times = 1) {
    let left = times;
    const answer = (method: string, result: object) => () => {
      if (method !== at || left-- <= 0) return result;
      throw new BerthError('UPLOAD_UNKNOWN', { message: 'Gone.' });
    };
    const done = { job: { ...job, done: 2, endedAtMs: 1 }, existing: false, ignored: [] };
    const judged = { items: [], next: null, rows: 2, done: 2, unchanged: 0, failed: 0, ignored: [] };
    return fakeAdmin({
      'bulk.put': answer('bulk.put', { received: 2 }),
      'bulk.preview': answer('bulk.preview', judged),
      'bulk.apply': answer('bulk.apply', done),
    });
  }
  const said = (admin: ReturnType<typeof ending>) => admin.calls.map(({ method }) => method);

  it.each([
    ['apply', 'bulk.put', ['bulk.put', 'bulk.put', 'bulk.apply']],
    ['apply', 'bulk.apply', ['bulk.put', 'bulk.apply', 'bulk.put', 'bulk.apply']],
    ['preview', 'bulk.preview', ['bulk.put', 'bulk.preview', 'bulk.put', 'bulk.preview']],
  ] as const)(
    '%s, at %s: the rows are sent again, and the request is the same',
    async (what, at, methods) => {
      const admin = ending(at);
      const ran = await berth(['bulk', what, 'invite', '--csv', 'people.csv'], {
        sdk: admin.sdk,
        files: files(),
      });
      expect([ran.exitCode, said(admin)]).toEqual([0, methods]);
      const asked = admin.calls.filter(({ method }) => method === at).map(({ params }) => params);
      expect(asked[1]).toEqual(asked[0]);
    },
  );

  it('one that ends each time is told of', async () => {
    const admin = ending('bulk.apply', 100);
    const words = ['bulk', 'apply', 'invite', '--csv', 'people.csv', '--json'];
    const ran = await berth(words, { sdk: admin.sdk, files: files() });
    expect(ran.json()).toMatchObject({ error: { code: 'UPLOAD_UNKNOWN' } });
  });
});

it('the same rows again: it says that nothing was done, of when the report is, and how to do it anew', async () => {
  const ended = { ...job, madeAtMs: Date.UTC(2026, 0, 15, 11), done: 1, failed: 1, endedAtMs: 1 };
  const { sdk } = fakeAdmin({
    'bulk.put': () => ({ received: 2 }),
    'bulk.apply': () => ({ job: ended, existing: true, ignored: [] }),
  });
  const ran = await berth(['bulk', 'apply', 'invite', '--csv', 'people.csv'], { sdk, files: files() });
  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toMatch(/Nothing was done now: .* \(1 h ago\), by owner@studio\.example, .*--again/);
});

it('--products takes capitals, as a cell does', async () => {
  const { sdk, calls } = fakeAdmin({
    'bulk.put': () => ({ received: 2 }),
    'bulk.preview': () => ({ items: [], next: null, rows: 2, done: 2, unchanged: 0, failed: 0, ignored: [] }),
  });
  const words = ['bulk', 'preview', 'assign', '--csv', 'people.csv', '--products', 'Render, COMP'];
  expect((await berth(words, { sdk, files: files() })).exitCode).toBe(0);
  expect(calls.at(-1)!.params).toMatchObject({ products: ['render', 'comp'] });
});

it('a list of jobs has a column for rows that wait, where some do', async () => {
  const listed = async (waits?: number) => {
    const item = { ...job, kind: 'revoke', ...(waits === undefined ? {} : { waits }) };
    const { sdk } = fakeAdmin({ 'bulk.list': () => ({ items: [item], next: null }) });
    return (await berth(['bulk', 'list'], { sdk })).stdout;
  };
  expect(await listed(3)).toMatch(/FAILED +WAITS\n.* 3\n/);
  expect(await listed()).not.toContain('WAITS');
});
