import assert from 'node:assert/strict';
import { peopleIn } from '@berth/examples/demo/people';
import type { Random } from '../../store/random.js';
import { bytes, oddTexts, pick, type Target } from '../target.js';

// The list of people that the demo invites from. Whoever made it made it with a spreadsheet: a refusal is a sentence, not a TypeError.

export function csvTarget(): Target {
  return {
    name: 'csv',
    // A hundred people: csv-parse takes half a microsecond for each byte.
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
    ],
    covers: ['/examples/dist/demo/people', '/csv-parse/'],
    generate,
    run,
  };
}

function run(input: Uint8Array): void {
  let people: ReturnType<typeof peopleIn>;
  try {
    people = peopleIn(Buffer.from(input), 100);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    // csv-parse's, or ours.
    if (typeof code === 'string' && /^(CSV|INVALID)_[A-Z_]+$/.test(code)) return;
    throw error;
  }
  assert(people.length <= 100);
  for (const person of people) {
    assert.equal(typeof person.email, 'string');
    assert.equal(typeof person.name, 'string');
  }
}

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
