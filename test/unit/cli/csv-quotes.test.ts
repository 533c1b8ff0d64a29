import { rowCsv } from '@berth/cli/bulk';
import { readCsv } from '@berth/cli/csv';
import { readTable } from '@berth/server/admin/bulk-table';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const head = 'email,name,role';
const read = (...lines: string[]) => readCsv([head, ...lines].join('\n'), 'people.csv').rows;

describe('a row with a quote where none can be is bad by itself', () => {
  const stray = (cell: number) => ({ is: 'stray', cell }) as const;
  const open = (cell: number) => ({ is: 'open', cell }) as const;

  test.each([
    ['within a cell without any around it', 'a@x,Anna "Nan" X,user', stray(2), 'Anna "Nan" X'],
    ['text behind the closing one', 'a@x,"Anna"x,user', stray(2), '"Anna"x'],
    ['and padding', 'a@x, "Anna" x ,user', stray(2), '"Anna" x'],
    ['two quoted ones in a cell', 'a@x,"Ek, Anna" "Nan",user', stray(2), '"Ek, Anna" "Nan"'],
    ['padding that csv-parse cannot read', 'a@x,"Anna"\u00a0,user', stray(2), '"Anna"'],
    ['never closed', 'a@x,"Anna,user', open(2), '"Anna'],
    ['closed by what is written twice', 'a@x,"Anna"",user', open(2), '"Anna""'],
    ['one alone', 'a@x,",user', open(2), '"'],
    ['the first of several', 'a@x,An"na,"user', stray(2), 'An"na'],
    ['an inch', 'a@x,24" monitor,user', stray(2), '24" monitor'],
  ])('%s', (_, line, quote, name) => {
    const rows = read('b@x,B,user', line, '', 'c@x,"C ""C"" C",user', 'd@x,"D",admin');
    expect(rows).toEqual([
      { line: 2, cells: ['b@x', 'B', 'user'] },
      { line: 3, cells: ['a@x', name, expect.stringMatching(/^"?user$/)], quote },
      { line: 5, cells: ['c@x', 'C "C" C', 'user'] },
      { line: 6, cells: ['d@x', 'D', 'admin'] },
    ]);
  });

  test('its other cells are read as ever: quoted ones, separators and lines in them', () => {
    expect(read('a@x,"Ek, ""A"" Anna",us"er', 'b@x,B "b","two\nlines, ok"', 'c@x,C,user')).toEqual([
      { line: 2, cells: ['a@x', 'Ek, "A" Anna', 'us"er'], quote: stray(3) },
      { line: 3, cells: ['b@x', 'B "b"', 'two\nlines, ok'], quote: stray(2) },
      { line: 5, cells: ['c@x', 'C', 'user'] },
    ]);
    expect(read('"a@x\na",A "a",user', 'b@x,B,user')).toMatchObject([
      { line: 3, quote: stray(2) },
      { line: 4, cells: ['b@x', 'B', 'user'] },
    ]);
  });

  test('an open one takes its line alone, wherever the next quotes are', () => {
    expect(
      read('a@x,"A,user', 'b@x,B,user', 'c@x,"C",user', 'd@x,"",""', 'e@x,"E,user', 'f@x,F,user'),
    ).toEqual([
      { line: 2, cells: ['a@x', '"A', 'user'], quote: open(2) },
      { line: 3, cells: ['b@x', 'B', 'user'] },
      { line: 4, cells: ['c@x', 'C', 'user'] },
      { line: 5, cells: ['d@x', '', ''] },
      { line: 6, cells: ['e@x', '"E', 'user'], quote: open(2) },
      { line: 7, cells: ['f@x', 'F', 'user'] },
    ]);
  });

  test('of any rows in any order the good ones are all read and the bad ones all told, each by its line', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'Æ', ' ', ',', ';', '=', '\t', '\u00a0'),
      maxLength: 6,
    });
    // It begins with a letter: with a separator or the end of a line behind it its first quote would close one that is open.
    const quoted = fc
      .array(fc.oneof(text, fc.constantFrom('""', '\n', '\r\n')), { maxLength: 4 })
      .map((parts) => `"q${parts.join('')}"`);
    const plain = text.map((cell) => cell.replaceAll(',', ''));
    const padded = fc
      .tuple(fc.constantFrom('', ' ', '\t'), quoted)
      .map(([pad, cell]) => `${pad}${cell}${pad}`);
    const cell = fc.oneof(plain, padded, fc.constant('""'));
    // Behind an open quote there are none in its line: which cell it is would be another question.
    const wrong = fc.oneof(
      fc.tuple(fc.constant('stray'), fc.constantFrom('a"b', '"a"b', '"a" b', 'a "b', '"a" "b"', '"a,b"c"')),
      fc.tuple(fc.constant('open'), fc.constantFrom('"a', '"a""', ' "a', '"a b')),
    );
    const good = fc.tuple(cell, cell).map(([a, b]) => ({ text: `x@y,${a},${b}`, is: undefined }));
    const bad = fc.tuple(cell, wrong, plain).map(([a, [is, b], c]) => ({ text: `x@y,${a},${b},${c}`, is }));
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 3, arbitrary: good }, bad), { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        (rows, eol) => {
          const file = [head, ...rows.map((row) => row.text)].join(eol);
          const lines = (part: string): number => part.split(/\r\n?|\n/).length;
          let line = 1;
          const wanted = rows.map(({ text: row, is }) => {
            line += lines(row);
            return { line, is };
          });
          const found = readCsv(file, 'people.csv').rows;
          expect(found.map((row) => ({ line: row.line, is: row.quote?.is }))).toEqual(wanted);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

test.each(['QUOTE_STRAY', 'QUOTE_OPEN'] as const)(
  '%s: in the table of what became of it it is refused until somebody has mended it',
  (code) => {
    const row = { line: 3, email: 'a@x.example', name: '"Anna" =x', verdict: 'failed', code } as const;
    const text = rowCsv('invite', [row, { ...row, name: '=1+1', code: 'CELL_FORMULA' }]);
    const again = readCsv(text, 'failed.csv');
    const back = (table: typeof again) => readTable('invite', table.header, table.rows, {});
    expect(back(again)).toMatchObject({ cells: [{ name: '"Anna" =x', long: true }, { name: '=1+1' }] });
    expect(again.rows.map(({ cells }) => cells.slice(again.header.indexOf('line')))).toEqual([
      ['3', '?'],
      ['3'],
    ]);
    // A spreadsheet fills the first line up to the longest: that alone makes no good row of it.
    const lines = text.split('\r\n');
    const padded = [`${lines[0]},`, ...lines.slice(1)].join('\r\n');
    expect(back(readCsv(padded, 'failed.csv'))).toMatchObject({ cells: [{ long: true }, {}] });
    const mended = padded.replace('"""Anna"" =x"', 'Anna').replace(',?', ',');
    const [first] = (back(readCsv(mended, 'failed.csv')) as { cells: object[] }).cells;
    expect(first).toEqual({ line: 2, email: 'a@x.example', name: 'Anna' });
  },
);

test('a job has its code; a server of the same format that knows none of it finds the row too long', () => {
  const rows = [{ line: 2, cells: ['a@x', 'A', 'user', '"'], quote: { is: 'stray', cell: 2 } }] as const;
  const read = readTable('invite', ['email', 'name', 'role'], rows, {});
  expect(read).toMatchObject({ cells: [{ line: 2, email: 'a@x', long: true, quote: { cell: 2 } }] });
});

test('a line that is the whole file, with a wrong quote in each cell, is read once', () => {
  const before = process.cpuUsage();
  const rows = read('"a"b,'.repeat(400_000));
  expect(rows).toMatchObject([{ line: 2, quote: { is: 'stray', cell: 1 } }]);
  // A search for the end of the line from every cell took seconds.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(1500);
});
