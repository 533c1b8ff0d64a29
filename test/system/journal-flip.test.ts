import { appendFile, cp, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bins } from './paths.js';
import { Site } from './site.js';
import { within } from './waiting.js';

// DESIGN 2: what was acknowledged and is broken is refused and named; what was not is cut and said. Nothing is repaired silently.

const SEGMENT = join('journal', '00000000000000000001.log');
const SEGMENT_HEADER = 52;
const RECORD_HEADER = 48;

let site: Site;
/** Where each record begins, and where the last one ends. */
let starts: number[] = [];
let copies = 0;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 2, borrow: { max: '1d', seats: 1 } });
  await site.berthOk(site.owner, ['borrow', 'take', '--product', 'render', '--for', '2h']);
  await site.berthOk(site.owner, ['borrow', 'return']);
  await site.stop();
  starts = recordStarts(await readFile(join(site.data, SEGMENT)));
}, 120_000);

afterAll(() => site?.close());

/** By the lengths the records say themselves; the file is whole here. */
function recordStarts(bytes: Buffer): number[] {
  const found = [SEGMENT_HEADER];
  while (found.at(-1)! < bytes.length) {
    const at = found.at(-1)!;
    found.push(at + RECORD_HEADER + bytes.readUInt32BE(at));
  }
  return found;
}

async function copyData(): Promise<string> {
  const copy = join(site.folder, `copy-${++copies}`);
  await cp(site.data, copy, { recursive: true });
  return copy;
}

/** `berthd serve` on a folder that it must refuse. */
async function refusal(data: string): Promise<{ code: number; stderr: string; stdout: string }> {
  const served = site.start({ argv: [process.execPath, bins.berthd, 'serve', '--data', data] });
  return within('berthd to refuse', served.exited, 30_000);
}

async function flip(file: string, at: number): Promise<Buffer> {
  const bytes = await readFile(file);
  bytes[at]! ^= 0x10;
  await writeFile(file, bytes);
  return bytes;
}

const fields = [
  ['the high byte of its length', 0],
  ['the low byte of its length', 3],
  ['its checksum', 5],
  ['its sequence', 15],
  ['the previous hash', 20],
  ['the first byte of its payload', RECORD_HEADER],
  ['the last byte of its payload', -1],
] as const;

describe('one flipped bit in an acknowledged record', () => {
  test.concurrent.each([
    ...fields.map(([field, at]) => ['a record in the middle', field, at] as const),
    ['the first record', 'the previous hash', 20],
    ['the first record', 'the first byte of its payload', RECORD_HEADER],
    ['the last record', 'the low byte of its length', 3],
    ['the last record', 'its checksum', 5],
    ['the last record', 'the last byte of its payload', -1],
  ] as const)(
    '%s, %s: berthd serve refuses, exits 1, names file and record',
    async (which, _field, offset) => {
      const last = starts.length - 1;
      const seq = which === 'the first record' ? 1 : which === 'the last record' ? last : Math.ceil(last / 2);
      const data = await copyData();
      const file = join(data, SEGMENT);
      const flipped = await flip(file, offset < 0 ? starts[seq]! + offset : starts[seq - 1]! + offset);
      const { code, stderr, stdout } = await refusal(data);
      expect(code).toBe(1);
      expect(stderr).toContain('JOURNAL_CORRUPT');
      expect(stderr).toContain(`${file}, record ${seq}:`);
      expect(stdout).not.toContain('"msg":"serving"');
      expect(await readFile(file)).toEqual(flipped);
    },
  );

  test('the header of the segment: refused, file and first record named', async () => {
    const data = await copyData();
    await flip(join(data, SEGMENT), 10);
    const { code, stderr } = await refusal(data);
    expect(code).toBe(1);
    expect(stderr).toContain(`${join(data, SEGMENT)}, record 1:`);
  });

  test('berthd check says the same and exits 1', async () => {
    const data = await copyData();
    await flip(join(data, SEGMENT), starts[1]! + RECORD_HEADER);
    const { code, json } = await site.check(data);
    expect(code).toBe(1);
    expect(json).toMatchObject({ ok: false });
    const [journal] = json.findings;
    expect(journal).toMatchObject({ check: 'journal', verdict: 'failed', code: 'JOURNAL_CORRUPT' });
    expect(journal.message).toContain(`${join(data, SEGMENT)}, record 2:`);
  });
});

describe('acknowledged records that are missing', () => {
  test('the last one cut off: refused', async () => {
    const data = await copyData();
    const whole = await readFile(join(data, SEGMENT));
    await writeFile(join(data, SEGMENT), whole.subarray(0, starts.at(-2)));
    const { code, stderr } = await refusal(data);
    expect(code).toBe(1);
    expect(stderr).toContain(`record ${starts.length - 1}:`);
  });

  test('the head file emptied: refused', async () => {
    const data = await copyData();
    await writeFile(join(data, 'journal', 'head'), '');
    const { code, stderr } = await refusal(data);
    expect(code).toBe(1);
    expect(stderr).toContain('JOURNAL_CORRUPT');
    expect(stderr).toContain(join(data, 'journal', 'head'));
  });
});

describe('what follows the head was never acknowledged', () => {
  test.each([
    ['a few bytes', () => Buffer.from('garbage')],
    ['the torn beginning of a record', (whole: Buffer) => whole.subarray(starts[0], starts[0]! + 60)],
    ['a long run of zeros', () => Buffer.alloc(5000)],
  ])('%s: cut, said in the log, and served', async (_, tailOf) => {
    const file = join(site.data, SEGMENT);
    const before = await readFile(file);
    const { size } = await stat(file);
    await appendFile(file, tailOf(before));
    const server = await site.serve();
    const line = server.said.find(({ cut }) => cut !== undefined);
    expect(line).toMatchObject({ level: 'warn', cut: { file, seq: recordStarts(before).length } });
    // The records of before are untouched; what comes now follows them.
    expect((await readFile(file)).subarray(0, size)).toEqual(before);
    expect((await site.pool()).owned).toBe(2);
    expect((await site.stop()).code).toBe(0);
    const { code, json } = await site.check();
    expect([code, json.ok]).toEqual([0, true]);
  });

  test('the auditor agrees: nothing that any client was told is gone', () => {
    const { findings, judged } = site.audit();
    expect(findings).toEqual([]);
    expect(judged.tokens).toBeGreaterThan(0);
  });
});
