import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';

export interface Invitee {
  readonly email: string;
  readonly name: string;
}

interface Row {
  readonly email: string;
  readonly name: string;
}

/** The first people of a list as a Danish spreadsheet saves it: BOM, semicolons, quotes, capitals, padding. */
export async function firstPeople(path: string | URL, count: number): Promise<Invitee[]> {
  return peopleIn(await readFile(path), count);
}

/** @returns up to `count` people. Throws an error with a `code`, csv-parse's or ours, when it is no such list. */
export function peopleIn(csv: Buffer, count: number): Invitee[] {
  const rows = parse<Row>(csv, {
    bom: true,
    delimiter: ';',
    trim: true,
    skip_empty_lines: true,
    columns: (header: string[]) => titlesOf(header),
    to: count,
  });
  return rows.map(({ email, name }) => ({ email, name }));
}

/** Without these columns every row would have a person without an address. */
function titlesOf(header: readonly string[]): string[] {
  const titles = header.map((title) => title.toLowerCase());
  if (titles.includes('email') && titles.includes('name')) return titles;
  const message = `The list needs the columns "email" and "name", separated by semicolons; it has: ${titles.join(', ')}.`;
  throw Object.assign(new Error(message), { code: 'CSV_COLUMNS_MISSING' });
}
