import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  checkParams,
  checkPush,
  checkResult,
  contexts,
  decodeFrame,
  errors,
  isErrorCode,
  isMethod,
  isPush,
  type Method,
  pushes,
  requests,
  tokenTypes,
} from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import {
  codeWords,
  documentText,
  exampleFrames,
  fieldTable,
  section,
  sections,
  tableAfter,
} from './document.js';
import { fieldRows, type Schema, shapes, textTypes } from './schema-text.js';
import { loadVectors, protocolFolder } from './vectors.js';

// PROTOCOL.md says what the code does: the code's tables are compared with the document's, and every example frame is validated.

const messageSections = sections.filter(({ number }) => number.startsWith('7.') && number !== '7.1');
const titleOf = (name: string): string => `\`${name}\``;
const sectionOf = (name: string) => messageSections.find(({ title }) => title === titleOf(name))!;

test('every message has its section, and every section its message', () => {
  const names = [...Object.keys(requests), ...Object.keys(pushes)].map(titleOf);
  expect(messageSections.map(({ title }) => title).sort()).toEqual(names.sort());
});

describe.each(Object.keys(requests) as Method[])('%s', (method) => {
  const row = requests[method];
  const { text } = sectionOf(method);

  test('direction, paths, role', () => {
    const changes = row.changes ? 'yes' : 'no';
    expect(text.split('\n')[2]).toBe(
      `Client → server · paths: ${row.paths.join(', ')} · least role: ${row.least} · changes: ${changes}`,
    );
  });

  test('params and result', () => {
    expect(fieldTable(text, 'Params:') ?? []).toEqual(fieldRows(row.params));
    expect(fieldTable(text, 'Result:')).toEqual(fieldRows(row.result));
  });

  test('errors', () => {
    const line = text.split('\n').find((entry) => entry.startsWith('Errors: '))!;
    expect(codeWords(line)).toEqual(row.errors);
    if (row.errors.length === 0) expect(line).toBe('Errors: none of its own');
  });

  test('examples: a request and an answer, all valid', () => {
    const frames = exampleFrames(text).map(decodeFrame);
    expect(frames.map(({ type }) => type)).toContain('request');
    expect(frames.length).toBeGreaterThan(1);
    for (const frame of frames) {
      if (frame.type === 'request') {
        expect(frame.method).toBe(method);
        expect(checkParams(method, frame.params)).toMatchObject({ ok: true });
      } else if (frame.type === 'result')
        expect(checkResult(method, frame.result)).toMatchObject({ ok: true });
      else expect(errorOf(frame)).toMatch(/^[A-Z_]+$/);
    }
  });

  test('examples: an error is one that this method can give', () => {
    const general = codeWords(section('3.3').text);
    for (const frame of exampleFrames(text).map(decodeFrame)) {
      if (frame.type === 'error') expect([...row.errors, ...general]).toContain(errorOf(frame));
    }
  });
});

/** The code of an error frame whose number and members agree with the catalogue. */
function errorOf(frame: ReturnType<typeof decodeFrame>): string {
  if (frame.type !== 'error') throw new Error(`${frame.type} is not an error`);
  const { code, next } = frame.data as { code: string; next: string };
  if (!isErrorCode(code)) throw new Error(`${code} is not in the catalogue`);
  expect(frame.number).toBe(errors[code].number);
  expect(next).toBe(errors[code].next);
  return code;
}

describe.each(Object.keys(pushes) as (keyof typeof pushes)[])('%s', (name) => {
  const row = pushes[name];
  const { text } = sectionOf(name);

  test('direction and paths', () => {
    expect(text.split('\n')[2]).toBe(`Server → client · paths: ${row.paths.join(', ')}`);
  });

  test('params', () => expect(fieldTable(text, 'Params:')).toEqual(fieldRows(row.params)));

  test('examples', () => {
    const frames = exampleFrames(text).map(decodeFrame);
    expect(frames).not.toHaveLength(0);
    for (const frame of frames) {
      expect(frame).toMatchObject({ type: 'notification', method: name });
      if (frame.type === 'notification') expect(checkPush(name, frame.params)).toMatchObject({ ok: true });
    }
  });
});

test('no example frame is outside of a section that checks it', () => {
  const checked = messageSections.flatMap(({ text }) => exampleFrames(text));
  expect(exampleFrames(documentText)).toHaveLength(checked.length);
  for (const frame of checked.map(decodeFrame)) {
    if (frame.type === 'request') expect(isMethod(frame.method)).toBe(true);
    if (frame.type === 'notification') expect(isPush(frame.method)).toBe(true);
  }
});

describe('types and shapes', () => {
  const { text } = section('7.1');

  test('patterns and lengths', () => {
    const lengths = (schema: Schema, given: string): string =>
      schema.maxLength === undefined ? given : `${schema.minLength}..${schema.maxLength}`;
    const table = tableAfter(text, '### 7.1')!.map((row) => row.slice(0, 3));
    expect(table).toEqual(
      Object.entries(textTypes).map(([name, schema], i) => [
        titleOf(name),
        titleOf(schema.pattern!),
        lengths(schema, table[i]![2]!),
      ]),
    );
  });

  test.each(Object.entries(shapes))('%s', (name, schema) => {
    expect(fieldTable(text, `**${name}**`)).toEqual(fieldRows(schema));
  });
});

describe('tokens', () => {
  const numbers = {
    entitlement: '4.3',
    lease: '4.4',
    stop: '4.5',
    checkpoint: '4.6',
    authority: '4.7',
    borrowRequest: '4.9',
  } as const;

  test.each(Object.entries(numbers))('claims of %s', (type, number) => {
    const { claims } = tokenTypes[type as keyof typeof tokenTypes];
    expect(fieldTable(section(number).text, '### ')).toEqual(fieldRows(claims));
  });

  test('headers', () => {
    const table = tableAfter(section('4.2').text, '### ')!.map(([type, header]) => [type, header]);
    expect(table).toEqual(Object.entries(tokenTypes).map(([type, { header }]) => [type, titleOf(header)]));
  });

  test('the stop of 4.5 is the one of the vectors', () => {
    const stop = loadVectors('tokens').valid.find(({ name }) => name === 'a stop')!;
    expect(section('4.5').text).toContain(stop.token);
  });

  test('every fault of the chain is in section 5, in the order of the checks', () => {
    const words = new Set(codeWords(section('5').text));
    const faults = loadVectors('chain').cases.flatMap(({ verdict }) => (verdict.ok ? [] : [verdict.fault]));
    for (const fault of faults) expect(words).toContain(fault);
  });
});

describe('transcript', () => {
  const { text } = section('2.3');
  const example = loadVectors('transcript').cases[0]!;

  test('contexts', () => {
    const squeezed = text.replaceAll(/ +/g, ' ');
    for (const [name, context] of Object.entries(contexts))
      expect(squeezed).toContain(`| ${name} | \`${context}\` |`);
  });

  test('the bytes are those of the vectors', () => {
    expect(text.replaceAll(/\s/g, '')).toContain(`\`\`\`text${example.bytes}\`\`\``);
  });

  test('the examples of 7.2 and 7.3 are signed', () => {
    const signatures = (name: string) => JSON.stringify(exampleFrames(sectionOf(name).text));
    const of = (name: string) =>
      loadVectors('transcript').cases.find((entry) => entry.name === name)!.signature;
    expect(signatures('session.open')).toContain(of('a device opens a session'));
    expect(signatures('session.open')).toContain(of('the server accepts it'));
    expect(signatures('device.enrol')).toContain(of('a lease key enrols'));
  });
});

test('the tables of 3.4, 9 and 10 are those of the code', () => {
  const script = fileURLToPath(new URL('scripts/catalogue.js', protocolFolder));
  execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8', stdio: 'pipe' });
});

describe('references', () => {
  const numbers = new Set(sections.map(({ number }) => number));

  test('inside the document', () => {
    const cited = [
      ...documentText.matchAll(/\((?:\w+, )?(\d+\.\d+)(?:, checks[^)]*)?\)|sections? (\d+(?:\.\d+)?)\b/g),
    ];
    const rfc = /RFC \d+ section $/;
    for (const match of cited) {
      if (rfc.test(documentText.slice(0, match.index))) continue;
      const before = documentText.slice(Math.max(0, match.index - 12), match.index);
      if (!/RFC \d+ $/.test(before)) expect(numbers, match[0]).toContain(match[1] ?? match[2]);
    }
  });

  test('from the code', () => {
    const folder = new URL('src/', protocolFolder);
    for (const name of readdirSync(folder)) {
      const source = readFileSync(new URL(name, folder), 'utf8');
      for (const [, number] of source.matchAll(/PROTOCOL (\d+(?:\.\d+)?)/g))
        expect(numbers, name).toContain(number);
    }
  });

  test('to the vectors', () => {
    const files = readdirSync(new URL('vectors/', protocolFolder));
    for (const [, name] of documentText.matchAll(/`(\w+\.json)`/g)) expect(files).toContain(name);
  });
});
