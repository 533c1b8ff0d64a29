import { rowCsv } from '@berth/cli/bulk';
import { readCsv, writeCsv } from '@berth/cli/csv';
import { readTable } from '@berth/server/admin/bulk-table';
import { describe, expect, test } from 'vitest';

const read = (text: string) => readCsv(text, 'people.csv');

describe('a table as spreadsheets write it', () => {
  test.each([
    ['commas', 'email,name\na@x.example,Anna\n'],
    ['semicolons', 'email;name\na@x.example;Anna\n'],
    ['tabs', 'email\tname\na@x.example\tAnna\n'],
    ['a byte-order mark and CRLF', '\ufeffemail;name\r\na@x.example;Anna\r\n'],
    ['padding', ' email , name \n  a@x.example ,Anna  \n'],
    ['no end of line at the end', 'email,name\na@x.example,Anna'],
  ])('%s', (_, text) => {
    expect(read(text)).toEqual({
      header: ['email', 'name'],
      rows: [{ line: 2, cells: ['a@x.example', 'Anna'] }],
    });
  });

  test.each([
    ['as Excel writes it', 'sep=;\r\nemail;name\r\na@x.example;Ek, Anna\r\n'],
    ['a comma within titles is none', 'sep=;\nemail;name\na@x.example;Ek, Anna\n'],
    ['of another delimiter', 'SEP=|\nemail|name\na@x.example|Ek, Anna\n'],
    ['a tab', 'sep=\t\nemail\tname\na@x.example\tEk, Anna\n'],
    ['a byte-order mark before it', '\ufeffsep=;\r\nemail;name\r\na@x.example;Ek, Anna\r\n'],
    ['in quotes, and cells behind it', '"sep=;";;\r\nemail;name\r\na@x.example;Ek, Anna\r\n'],
  ])('a first line that says the delimiter is no row, and counts as a line: %s', (_, text) => {
    expect(read(text)).toEqual({
      header: ['email', 'name'],
      rows: [{ line: 3, cells: ['a@x.example', 'Ek, Anna'] }],
    });
  });

  test('quotes, with separators, quotes and lines in them', () => {
    expect(read('email;name\na@x.example;"Lead; ""nat"" – Ærø"\n').rows[0]!.cells[1]).toBe(
      'Lead; "nat" – Ærø',
    );
    expect(
      read('email,name\n"a@x.example","two\nlines"\nb@x.example,B\n').rows.map(({ line }) => line),
    ).toEqual([3, 4]);
  });

  test('any end of line, also several in one file: two that were put together', () => {
    expect(read('email;name\r\na@x.example;A\nb@x.example;B\r\nc@x.example;C\r').rows).toEqual(
      ['a', 'b', 'c'].map((name, at) => ({
        line: at + 2,
        cells: [`${name}@x.example`, name.toUpperCase()],
      })),
    );
    const [two, next] = read('email,name\r\na@x.example,"two\r\nlines"\r\nb@x.example,B\r\n').rows;
    expect([two!.line, next!.line]).toEqual([3, 4]);
  });

  test('blank lines, also of separators alone, are no rows; lines count them', () => {
    expect(read('email;name\n\na@x.example;A\n;\n\nb@x.example;B\n').rows.map(({ line }) => line)).toEqual([
      3, 6,
    ]);
  });

  test('a row with more cells than the first line has columns is bad, unless they are empty; it stays so in the table of what became of it', () => {
    const table = readTable(
      'invite',
      ['email', 'name'],
      rowsOf(['a@x.example', 'Ek', 'Anna'], ['b@x.example', 'Bo', '', ' ']),
      {},
    );
    expect('cells' in table && table.cells).toEqual([
      { line: 2, email: 'a@x.example', name: 'Ek', long: true },
      { line: 3, email: 'b@x.example', name: 'Bo' },
    ]);
    const row = { line: 2, email: 'a@x.example', verdict: 'failed', code: 'ROW_LONG' } as const;
    const again = read(rowCsv('invite', [row]));
    const back = readTable('invite', again.header, again.rows, {});
    expect('cells' in back && back.cells).toMatchObject([{ long: true }]);
  });

  const rowsOf = (...rows: string[][]) => rows.map((cells, at) => ({ line: at + 2, cells }));

  test('a short row stays short, a long one long: what it means is for the server', () => {
    expect(
      read('email,name,role\na@x.example,A\nb@x.example,B,user,x\n').rows.map(({ cells }) => cells.length),
    ).toEqual([2, 4]);
  });

  test('a row that is shorter than the first line costs what any row does', () => {
    const row = 'a@x.example\n';
    const costMs = (header: string): number => {
      const text = `${header}\n${row.repeat(5_000)}`;
      const runs = Array.from({ length: 7 }, () => {
        const before = process.cpuUsage();
        expect(read(text).rows).toHaveLength(5_000);
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1000;
      });
      return Math.min(...runs);
    };
    costMs('email');
    // An error made of each, and thrown away, is five times the rest.
    expect(costMs('email,name')).toBeLessThan(3 * costMs('email'));
  });

  test.each([
    ['nothing', ''],
    ['blank lines', '\n\n'],
    ['an open quote in the first line', 'email,"name\na@x.example,A\n'],
    ['Windows-1252', Buffer.from('email;name\r\na@x.example;S\u00f8ren\r\n', 'latin1').toString('utf8')],
    ['UTF-16', Buffer.from('\ufeffemail\tname\r\n', 'utf16le').toString('utf8')],
  ])('%s is refused', (_, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'CSV_INVALID' }));
  });

  test.each([
    ['email,"na"me\na@x.example,A\n', 'in line 1, cell 2, a quote stands within the text'],
    ['\n\nemail,"name\na@x.example,A\n', 'the quote that begins line 3, cell 2, is not closed'],
    ['email "x"', 'in line 1, cell 1, a quote'],
  ])(
    'a wrong quote in the first line is found by line and cell, and refuses the table: %j',
    (text, words) => {
      expect(() => read(text)).toThrow(
        expect.objectContaining({
          code: 'CSV_INVALID',
          message: expect.stringContaining(words),
          next: expect.stringContaining('written twice'),
        }),
      );
    },
  );
});

describe('a table that is written', () => {
  test.each(['=1+1', '+44', '-1', '@SUM(A1)', '\t=1', '\r=1', '\uff1d1'])(
    '%j runs in no spreadsheet',
    (cell) => {
      const text = writeCsv(['name'], [[cell]]);
      const [, row] = text.split('\r\n');
      expect(row).toMatch(/^"?'/);
    },
  );

  test('is read back as it was', () => {
    const rows = [
      ['a@x.example', 'Lead; "x", y'],
      ['b@x.example', 'two\nlines'],
      ['c@x.example', 'Ærø'],
      ['d@x.example', 'a;b\tc'],
    ];
    expect(read(writeCsv(['email', 'name'], rows)).rows.map(({ cells }) => cells)).toEqual(rows);
  });
});

test('what is not UTF-8 is named by its line, and what to do', () => {
  const latin = Buffer.from('email;name\r\na@x.example;Anna\r\nb@x.example;S\u00f8ren\r\n', 'latin1');
  expect(() => read(latin.toString('utf8'))).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('line 3'),
      next: expect.stringContaining('CSV UTF-8'),
    }),
  );
});

test('a short row stays short in the table of what became of it: filled up it would be a good one', () => {
  const row = {
    line: 2,
    email: 'a@x.example',
    product: 'render',
    verdict: 'failed',
    code: 'ROW_SHORT',
    message: 'Line 2 ends before the last column.',
  } as const;
  const { header, rows } = read(
    rowCsv('assign', [row, { ...row, email: 'b@x.example', code: 'USER_UNKNOWN' }]),
  );
  expect(rows.map(({ cells }) => cells.length)).toEqual([header.length - 1, header.length]);
  expect(rows[0]!.cells).toEqual([
    ...['a@x.example', 'render', '', ''],
    ...['failed', 'ROW_SHORT', 'Line 2 ends before the last column.'],
  ]);
  expect(readTable('assign', header, rows, {})).toMatchObject({ cells: [{ short: true }, {}] });
});

test('a quoted cell of the header that goes over lines says nothing of what is between cells', () => {
  const { header, rows } = readCsv('"e;mail\n(of ;; work)",name\r\na@b.example,Anna\r\n', 'people.csv');
  expect(header).toEqual(['e;mail\n(of ;; work)', 'name']);
  expect(rows.map(({ cells }) => cells)).toEqual([['a@b.example', 'Anna']]);
  expect(readCsv('"email"\r\na;b\r\n', 'people.csv').rows[0]!.cells).toEqual(['a;b']);
});
