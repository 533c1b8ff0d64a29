import { formatLine } from '@berth/cli/audit/audit-file';
import { type Against, type Broken, type Proved, verifyAudit } from '@berth/cli/audit/verify';
import type { Context } from '@berth/cli/context';
import { readLines } from '@berth/cli/files';
import { describe, expect, test } from 'vitest';
import { type AuditLines, auditLines, checkpoint, EPOCH, server } from './audit-lines.js';

const alone: Against = { serverKey: server, known: [] };
const whole = auditLines(12);

async function verify(file: string | Uint8Array, against = alone): Promise<Proved | Broken> {
  const chunks = async function* () {
    // In pieces: lines do not end where chunks do.
    const bytes = Buffer.from(file);
    for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
  };
  const context = { files: { chunks } } as unknown as Context;
  return await verifyAudit(readLines(context, 'audit.jsonl'), against);
}

/** The same file from a record on, as a server with a pruned journal would write it. */
function partFrom({ lines, hashes }: AuditLines, from: number): string {
  const head = formatLine({ berth: 'audit', version: 1, server, from, prev: hashes[from - 1]! });
  return [head, ...lines.slice(from)].join('');
}

const without = (lines: readonly string[], at: number): string =>
  lines.filter((_, line) => line !== at).join('');

test('whole: proved to its last record, with every checkpoint on the way', async () => {
  expect(await verify(whole.lines.join(''))).toMatchObject({
    ...{
      ok: true,
      serverKey: server,
      from: 1,
      until: 12,
      head: whole.hashes[12],
      epoch: EPOCH,
      checkpoints: 2,
    },
  });
});

describe('what was changed is named', () => {
  test('one byte, whichever it is: refused, and in a record by its number', async () => {
    const small = auditLines(4, 3);
    const bytes = Buffer.from(small.lines.join(''));
    let line = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bit of [0x01, 0x02, 0x04]) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= bit;
        const verdict = await verify(changed);
        expect(verdict.ok, `byte ${at}, bit ${bit}`).toBe(false);
        if (!verdict.ok && line > 0 && line <= 4)
          expect(Math.abs(verdict.seq - line), `byte ${at}`).toBeLessThanOrEqual(1);
      }
      if (bytes[at] === 0x0a) line += 1;
    }
  }, 60_000);

  test('the hash that a part of the journal begins with has one spelling only', async () => {
    const file = partFrom(whole, 5);
    expect(await verify(file)).toMatchObject({ ok: true, from: 5, until: 12 });
    const { prev } = JSON.parse(file.split('\n')[0]!) as { prev: string };
    const last = prev.at(-1)!;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // Two bits of its last character are in no byte.
    const spelling = `${prev.slice(0, -1)}${alphabet[alphabet.indexOf(last) ^ 1]}`;
    expect(Buffer.from(spelling, 'base64url')).toEqual(Buffer.from(prev, 'base64url'));
    for (const other of [spelling, `${prev}=`, `${prev}A`])
      expect(await verify(file.replace(prev, other))).toMatchObject({ ok: false, reason: 'HEAD' });
  });

  test('a replacement character is not exchanged for half a surrogate pair, which is hashed alike', async () => {
    const named = auditLines(4, 3, (payload, seq) =>
      seq === 2 ? payload.replace('u2@', '\ufffd@') : payload,
    );
    const file = named.lines.join('');
    expect(await verify(file)).toMatchObject({ ok: true });
    expect(await verify(file.replace('\ufffd', '\\ud800'))).toMatchObject({ reason: 'DAMAGED', seq: 2 });
  });

  test.each([
    '"journal.checkpoint" {',
    '{"journal.checkpoint":5}',
    '{"changes":["journal.checkpoint",null]}',
  ])('a record that no server wrote: %s', async (foreign) => {
    const forged = auditLines(6, 9, (payload, seq) => (seq === 3 ? foreign : payload));
    const verdict = await verify(forged.lines.join(''));
    if (foreign.startsWith('{"changes"')) expect(verdict).toMatchObject({ ok: true });
    else expect(verdict).toMatchObject({ reason: 'DAMAGED', seq: 3 });
  });

  test('one record is missing', async () => {
    expect(await verify(without(whole.lines, 7))).toMatchObject({
      ok: false,
      reason: 'MISSING',
      seq: 7,
      line: 8,
    });
  });

  test('several are', async () => {
    const verdict = await verify([...whole.lines.slice(0, 4), ...whole.lines.slice(8)].join(''));
    expect(verdict).toMatchObject({ reason: 'MISSING', seq: 4, message: 'Records 4 to 7 are missing.' });
  });

  test('two are swapped', async () => {
    const { lines } = whole;
    const verdict = await verify([...lines.slice(0, 3), lines[4]!, lines[3]!, ...lines.slice(5)].join(''));
    expect(verdict).toMatchObject({ ok: false, reason: 'SWAPPED', seq: 3, line: 4 });
  });

  test('one is there twice', async () => {
    const { lines } = whole;
    const verdict = await verify([...lines.slice(0, 4), lines[3]!, ...lines.slice(4)].join(''));
    expect(verdict).toMatchObject({ ok: false, reason: 'SWAPPED', seq: 4 });
  });

  test('all hashes made anew: the next signed position says between which two it was', async () => {
    const forged = auditLines(12, 5, (payload, seq) => (seq === 7 ? payload.replace('u7@', 'x7@') : payload));
    const mixed = [...forged.lines.slice(0, 10), ...whole.lines.slice(10)];
    // Record 10 carries the server's word for record 9; whoever made the hashes anew cannot.
    // By its beginning: two letters alone are in a random key now and then.
    const token = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;
    mixed[10] = forged.lines[10]!.replace(token, () => token.exec(whole.lines[10]!)![0]);
    const { payload } = JSON.parse(mixed[10]) as { payload: string };
    const { chainHash } = await import('@berth/cli/audit/audit-file');
    mixed[10] = formatLine({ seq: 10, hash: chainHash(10, forged.hashes[9]!, payload), payload });
    expect(await verify(mixed.join(''))).toMatchObject({ ok: false, reason: 'CHECKPOINT', seq: 5 });
  });
});

describe('a tail that was cut off', () => {
  test('without the closing checkpoint', async () => {
    expect(await verify(whole.lines.slice(0, 9).join(''))).toMatchObject({ reason: 'UNSIGNED', seq: 9 });
  });

  test('with the closing checkpoint kept', async () => {
    const cut = [...whole.lines.slice(0, 9), whole.lines[13]!].join('');
    expect(await verify(cut)).toMatchObject({ reason: 'TRUNCATED', seq: 9 });
  });

  test('of a file that is whole in itself: a later checkpoint or a witness names what is missing', async () => {
    const short = auditLines(8);
    const file = [...whole.lines.slice(0, 9), ...short.lines.slice(9)].join('');
    expect(await verify(file)).toMatchObject({ ok: true, until: 8 });
    const token = checkpoint(12, whole.hashes[12]!);
    const later = { what: 'the checkpoint', epoch: EPOCH, seq: 12, head: whole.hashes[12]!, token };
    expect(await verify(file, { serverKey: server, known: [later] })).toMatchObject({
      reason: 'TRUNCATED',
      seq: 9,
    });
    const { token: _, ...witness } = later;
    expect(await verify(file, { serverKey: server, known: [witness] })).toMatchObject({
      reason: 'TRUNCATED',
      seq: 9,
    });
  });
});

describe('held against what others know', () => {
  const known = (seq: number, head: string) => [{ what: 'the witness', epoch: EPOCH, seq, head }];

  test('a witness inside: right, and of another history', async () => {
    const file = whole.lines.join('');
    expect(await verify(file, { serverKey: server, known: known(6, whole.hashes[6]!) })).toMatchObject({
      compared: 1,
    });
    expect(await verify(file, { serverKey: server, known: known(6, whole.hashes[5]!) })).toMatchObject({
      ...{ ok: false, reason: 'WITNESS', seq: 6 },
    });
  });

  test('another server, and a checkpoint that it signed', async () => {
    const other = `ed25519:${'A'.repeat(43)}`;
    expect(await verify(whole.lines.join(''), { serverKey: other, known: [] })).toMatchObject({
      reason: 'SERVER_KEY',
    });
    const forged = {
      ...known(12, whole.hashes[12]!)[0]!,
      token: `${checkpoint(12, whole.hashes[12]!).slice(0, -4)}AAAA`,
    };
    expect(await verify(whole.lines.join(''), { serverKey: server, known: [forged] })).toMatchObject({
      reason: 'CHECKPOINT',
    });
  });

  test('no audit file', async () => {
    for (const text of ['', 'hello\n', '{}\n']) expect(await verify(text)).toMatchObject({ reason: 'HEAD' });
  });
});

describe('a restore that the file tells of', () => {
  const restored = { type: 'organisation.restored', epoch: 'epoch-2', restore: { atMs: 1_788_300_000_000 } };
  const file = auditLines(12, 5, (payload, seq) =>
    seq === 7 ? JSON.stringify({ v: 1, changes: [restored] }) : payload,
  );
  const against = (seq: number, epoch: string, more: object = { seen: true }): Against => ({
    ...alone,
    known: [{ what: 'the witness', epoch, seq, head: whole.hashes[3]!, ...more }],
  });

  test('excuses what a client saw of the epoch before it, from that record on, and says so', async () => {
    for (const at of [7, 9, 12, 40])
      expect(await verify(file.lines.join(''), against(at, EPOCH))).toMatchObject({
        ok: true,
        compared: 0,
        givenUp: [{ what: 'the witness', at, seq: 7, restoredAtMs: 1_788_300_000_000 }],
      });
  });

  test('excuses nothing else: before it, of the new epoch, or of a file without one', async () => {
    for (const [seq, epoch, more] of [
      [6, EPOCH, { seen: true }],
      [9, 'epoch-2', { seen: true }],
      [9, EPOCH, {}],
    ] as const)
      expect(await verify(file.lines.join(''), against(seq, epoch, more))).toMatchObject({
        reason: 'WITNESS',
      });
    expect(await verify(file.lines.join(''), against(40, 'epoch-2'))).toMatchObject({ reason: 'TRUNCATED' });
    expect(await verify(whole.lines.join(''), against(9, EPOCH))).toMatchObject({ reason: 'WITNESS' });
  });
});
