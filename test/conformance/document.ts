import { readFileSync } from 'node:fs';
import type { FieldRow } from './schema-text.js';
import { protocolFolder } from './vectors.js';

// PROTOCOL.md taken apart: sections, tables, example frames.

export const documentText = readFileSync(new URL('PROTOCOL.md', protocolFolder), 'utf8');

export interface Section {
  /** `7.5`, `10`. */
  readonly number: string;
  readonly title: string;
  readonly text: string;
}

const heading = /^#{2,3} (\d+(?:\.\d+)?)\.? (.+)$/;

export const sections: readonly Section[] = documentText.split(/^(?=#{2,3} )/m).flatMap((text) => {
  const match = heading.exec(text.slice(0, text.indexOf('\n')));
  return match === null ? [] : [{ number: match[1]!, title: match[2]!, text }];
});

export function section(number: string): Section {
  const found = sections.find((entry) => entry.number === number);
  if (found === undefined) throw new Error(`PROTOCOL.md has no section ${number}`);
  return found;
}

/** The cells of the first table after a line that begins with `label`; `null` when another label or the end comes first. */
export function tableAfter(text: string, label: string): string[][] | null {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith(label));
  if (at < 0) return null;
  const first = lines.findIndex((line, i) => i > at && line.trim() !== '');
  if (lines[first]?.startsWith('|') !== true) return null;
  const rows: string[][] = [];
  for (let i = first; lines[i]?.startsWith('|') === true; i++) rows.push(cells(lines[i]!));
  return rows.slice(2);
}

function cells(line: string): string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** A table of fields as `fieldRows` gives it: without the column of meanings. */
export function fieldTable(text: string, label: string): FieldRow[] | null {
  const rows = tableAfter(text, label);
  return (
    rows?.map(([field, type, need]) => ({
      field: field!.replaceAll('`', ''),
      type: type!,
      need: need as FieldRow['need'],
    })) ?? null
  );
}

/** The words between backquotes. */
export function codeWords(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
}

/** Example frames: JSON values in fences marked `json`, with an empty line between two. */
export function exampleFrames(text: string): string[] {
  return [...text.matchAll(/^```json\n([\s\S]*?)^```$/gm)].flatMap((match) => match[1]!.trim().split(/\n\n/));
}
