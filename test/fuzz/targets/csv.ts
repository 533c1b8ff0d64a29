import assert from 'node:assert/strict';
import { readCsv, type Table, writeCsv } from '@berth/cli/csv';
import type { Random } from '../../store/random.js';
import { bytes, oddTexts, pick, type Target } from '../target.js';

// Tables as `berth bulk` reads them: whoever made one made it with a spreadsheet, a refusal is a sentence, not a TypeError, and never for what is
// wrong in one row behind the first line. What was read is written and read again: the failures of one job are the table of the next.

export function csvTarget(): Target {
  return {
    name: 'csv',
    maxBytes: 4 * 1024,
    words: [
      'email',
      'name',
      ';',
      '"',
      '""',
      '\r\n',
      '\n',
      '\ufeff',
      'Email;Name\n',
      'anna@studio.example',
      ';;',
      '";',
      ';"',
      'a"b',
      '"\u00a0',
    ],
    covers: ['/admin-cli/dist/csv', '/csv-parse/', '/csv-stringify/'],
    generate,
    run,
  };
}

function run(input: Uint8Array): void {
  const table = tableIn(Buffer.from(input).toString('utf8'));
  if (table === null) return;
  const { header, rows } = table;
  // Where each row is in the file, for whoever mends it.
  for (const [at, { line }] of rows.entries()) assert(line > (rows[at - 1]?.line ?? 0));
  const again = tableIn(
    writeCsv(
      header,
      rows.map(({ cells }) => cells),
    ),
  );
  assert.deepEqual(again?.header, header.map(harmless));
  assert.deepEqual(
    again.rows.map(({ cells }) => cells),
    rows.map(({ cells }) => cells.map(harmless)),
  );
}

/** `null` when it is refused. */
function tableIn(text: string): Table | null {
  try {
    return readCsv(text, 'people.csv');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'CSV_INVALID') {
      // In the words of csv-parse there would be a quote that it refuses and csv-quotes.ts does not.
      assert.match(error.message, /: (it is |in line |the quote that begins line )/);
      return null;
    }
    throw error;
  }
}

/** As it is written: nobody's name runs in a spreadsheet. */
const harmless = (cell: string): string =>
  /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(cell) ? `'${cell}` : cell;

function generate(random: Random): Uint8Array {
  const head = pick(random, [
    'email;name',
    'Email;Name',
    '\ufeffE-mail;Name',
    'name;email;age',
    'email',
    '"email";"name"',
  ]);
  const field = (): string => {
    const written = pick(random, [...oddTexts, 'anna@studio.example', 'Anna "A" Berg', 'a;b', 'Ærø']);
    return random(2) === 0 ? `"${written.replaceAll('"', random(8) === 0 ? '"' : '""')}"` : written;
  };
  const rows = Array.from({ length: random(20) }, () => Array.from({ length: random(4) }, field).join(';'));
  return bytes([head, ...rows].join(pick(random, ['\n', '\r\n', '\r'])));
}
