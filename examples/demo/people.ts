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
  const rows = parse<Row>(await readFile(path), {
    bom: true,
    delimiter: ';',
    trim: true,
    skip_empty_lines: true,
    columns: (header: string[]) => header.map((title) => title.toLowerCase()),
    to: count,
  });
  return rows.map(({ email, name }) => ({ email, name }));
}
