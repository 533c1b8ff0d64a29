import { formatLine } from '@berth/cli/audit/audit-file';
import { type AuditFile, verifyChain } from '@berth/cli/audit/verify-chain';
import { describe, expect, test } from 'vitest';
import { berth } from '../cli/fake-host.js';
import { type AuditLines, auditLines, checkpoint, EPOCH, server } from './audit-lines.js';

const whole = auditLines(30);
const other = auditLines(30, 5, (payload, seq) => payload.replace('u12@', seq === 12 ? 'eve@' : 'u12@'));

/** Records `from` to `until` as an export of them has them: what a prune leaves, a file a year. */
function text({ lines, hashes }: AuditLines, from: number, until: number): string {
  const head = formatLine({ berth: 'audit', version: 1, server, from, prev: hashes[from - 1]! });
  const foot = formatLine({ checkpoint: checkpoint(until, hashes[until]!) });
  return [head, ...lines.slice(from, until + 1), foot].join('');
}

function piece(from: number, until: number, of = whole, file = `${from}-${until}`): AuditFile {
  return {
    file,
    lines: async function* () {
      yield* text(of, from, until).trimEnd().split('\n');
    },
  };
}

const verify = (files: AuditFile[], known: Parameters<typeof verifyChain>[1]['known'] = []) =>
  verifyChain(files, { serverKey: server, known });

test('files that follow one another are one chain, in whatever order they are given', async () => {
  expect(await verify([piece(21, 30), piece(1, 10), piece(11, 20)])).toMatchObject({
    ...{ ok: true, from: 1, until: 30, head: whole.hashes[30] },
    files: [{ file: '1-10' }, { file: '11-20' }, { file: '21-30' }],
  });
  // Also with records that are in two files, or all of one in another.
  expect(await verify([piece(1, 20), piece(11, 30), piece(4, 9)])).toMatchObject({ ok: true, until: 30 });
  expect(await verify([piece(4, 9), piece(6, 9), piece(4, 9)])).toMatchObject({
    ok: true,
    from: 4,
    until: 9,
  });
});

describe('refused, with the file and the record', () => {
  test.each([
    ['a file that is missing in between', [piece(1, 10), piece(21, 30)], 'MISSING', '21-30', 11],
    ['one record that is in none', [piece(1, 10), piece(12, 30)], 'MISSING', '12-30', 11],
    ['one that goes on from another history', [piece(1, 12), piece(13, 30, other)], 'CHANGED', '13-30', 13],
    ['two that differ where both have it', [piece(1, 20), piece(11, 30, other)], 'WITNESS', '11-30', 20],
    ['one within another that differs', [piece(1, 30), piece(10, 15, other)], 'WITNESS', '1-30', 15],
    [
      'the same records twice, and not the same',
      [piece(1, 30), piece(1, 30, other, 'b')],
      'WITNESS',
      'b',
      30,
    ],
  ])('%s', async (_, files, reason, file, seq) => {
    expect(await verify(files)).toMatchObject({ ok: false, reason, file, seq });
  });

  test('one that is broken in itself, and one of another server', async () => {
    const { lines, ...rest } = whole;
    const broken = {
      ...rest,
      lines: lines.map((line, at) => (at === 15 ? line.replace('payload', 'PAYLOAD') : line)),
    };
    expect(await verify([piece(1, 10), piece(11, 20, broken)])).toMatchObject({ file: '11-20', seq: 15 });
    const foreign = {
      ...piece(11, 20),
      lines: async function* () {
        yield* text(whole, 11, 20)
          .replace(server, server.slice(0, -1) + (server.endsWith('A') ? 'B' : 'A'))
          .split('\n');
      },
    };
    // Nobody said which key it must be: then the one of the first file.
    expect(await verifyChain([piece(1, 10), foreign], { serverKey: null, known: [] })).toMatchObject({
      file: '11-20',
      reason: 'SERVER_KEY',
    });
  });
});

test('a checkpoint or a witness is held against the file that has the record', async () => {
  const at = (seq: number, { hashes }: AuditLines = whole) => ({
    what: 'the witness',
    epoch: EPOCH,
    seq,
    head: hashes[seq]!,
  });
  const files = [piece(5, 10), piece(11, 20), piece(21, 30)];
  expect(await verify(files, [at(4), at(7), at(15), at(30)])).toMatchObject({ ok: true, compared: 4 });
  expect(await verify(files, [at(2)])).toMatchObject({ ok: true, compared: 0 });
  expect(await verify(files, [at(15, other)])).toMatchObject({
    ok: false,
    file: '11-20',
    reason: 'WITNESS',
    seq: 15,
  });
  expect(await verify(files, [{ ...at(30), seq: 31 }])).toMatchObject({
    ok: false,
    file: '21-30',
    reason: 'TRUNCATED',
  });
});

test('berth audit verify names the files, and the one that is not right', async () => {
  const files = new Map([
    ['2024.jsonl', text(whole, 1, 10)],
    ['2025.jsonl', text(whole, 11, 20)],
    ['2026.jsonl', text(whole, 21, 30)],
  ]);
  const run = (...names: string[]) =>
    berth(['audit', 'verify', ...names, '--server-key', server, '--json'], { files });
  const all = await run('2026.jsonl', '2024.jsonl', '2025.jsonl');
  expect([all.exitCode, all.json()]).toMatchObject([
    0,
    { ok: true, from: 1, until: 30, files: [{ file: '2024.jsonl', until: 10 }, {}, {}] },
  ]);
  const some = await run('2024.jsonl', '2026.jsonl');
  expect([some.exitCode, some.json()]).toMatchObject([
    1,
    {
      reason: 'MISSING',
      seq: 11,
      error: { code: 'AUDIT_BROKEN', message: expect.stringContaining('2026.jsonl') },
    },
  ]);
  const shown = await berth(['audit', 'verify', '2024.jsonl', '2025.jsonl', '--server-key', server], {
    files,
  });
  expect(shown.stdout).toMatch(/records +1 to 20\nfiles +2024\.jsonl \(1 to 10\), 2025\.jsonl \(11 to 20\)/);
});

test('a restore in one file excuses what a client saw of before it in the next; the end of another file it does not', async () => {
  const restored = { type: 'organisation.restored', epoch: 'epoch-2', restore: { atMs: 1_788_300_000_000 } };
  const file = auditLines(30, 5, (payload, seq) =>
    seq === 7 ? JSON.stringify({ v: 1, changes: [restored] }) : payload,
  );
  const known = { what: 'the witness', epoch: EPOCH, seq: 14, head: whole.hashes[14]! };
  const files = [piece(1, 10, file), piece(11, 30, file)];
  expect(await verify(files, [{ ...known, seen: true }])).toMatchObject({
    ok: true,
    compared: 0,
    givenUp: [{ seq: 7, at: 14 }],
  });
  expect(await verify(files, [known])).toMatchObject({ reason: 'WITNESS' });
});
