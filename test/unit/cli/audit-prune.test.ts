import { BerthError } from '@berth/client';
import { describe, expect, test } from 'vitest';
import { auditLines, checkpoint, server } from '../audit/audit-lines.js';
import { berth, fakeAdmin } from './fake-host.js';

const YEAR = Date.UTC(2025, 0, 15);
const { lines, hashes } = auditLines(12);
const whole = lines.slice(1, -1).map((line) => JSON.parse(line) as { seq: number; payload: string });

/** Two full files of the journal: records 1 to 5 of long ago, 6 to 9 of yesterday. */
const segments = [
  { from: 1, until: 5, head: hashes[5]!, bytes: 3_000_000, fromMs: YEAR - 1e9, untilMs: YEAR },
  {
    from: 6,
    until: 9,
    head: hashes[9]!,
    bytes: 1_000_000,
    fromMs: Date.UTC(2026, 0, 1),
    untilMs: Date.UTC(2026, 0, 14),
  },
];

const done = {
  pruned: { until: 5, head: hashes[5]!, atMs: 1, by: 'it@studio.example' },
  from: 1,
  bytes: 3_000_000,
};

/** @param records as the server hands them out */
function site(records = whole, prune: () => unknown = () => done) {
  const files = new Map<string, string>();
  const admin = fakeAdmin({
    'audit.segments': () => ({ segments, next: null, pruned: null }),
    'audit.checkpoint': () => ({ checkpoint: checkpoint(5, hashes[5]!) }),
    'audit.records': ({ until }) => ({
      parts: records
        .filter(({ seq }) => seq <= (until as number))
        .map(({ seq, payload }) => {
          const bytes = Buffer.from(payload);
          return {
            seq,
            prev: hashes[seq - 1]!,
            offset: 0,
            size: bytes.length,
            bytes: bytes.toString('base64url'),
          };
        }),
      next: null,
    }),
    'audit.prune': prune,
  });
  const openAdmin: typeof admin.sdk.openAdmin = async (options) => {
    const channel = await admin.sdk.openAdmin(options);
    return { ...channel, me: { ...channel.me, server: { ...channel.me.server, key: server } } };
  };
  const sdk = { ...admin.sdk, openAdmin };
  const run = (...words: string[]) =>
    berth(['audit', 'prune', '--out', 'old.jsonl', ...words, '--json'], { sdk, files });
  return { files, run, asked: () => admin.calls.map(({ method }) => method), calls: admin.calls };
}

describe('berth audit prune', () => {
  test('exports whole files that are old enough, proves the file, and only then asks for the records to go', async () => {
    const { files, run, calls } = site();
    const ran = await run('--older-than', '300d');
    expect(ran.json()).toMatchObject({
      from: 1,
      until: 5,
      fromMs: YEAR - 1e9,
      untilMs: YEAR,
      bytes: 3_000_000,
    });
    expect(calls.at(-1)).toEqual({
      method: 'audit.prune',
      params: { key: 'test-key-0123456789', until: 5, head: hashes[5] },
    });
    expect([...files.keys()]).toEqual(['old.jsonl']);
    expect(files.get('old.jsonl')).toBe(
      [...lines.slice(0, 6), `${JSON.stringify({ checkpoint: checkpoint(5, hashes[5]!) })}\n`].join(''),
    );
    const verified = await berth(['audit', 'verify', 'old.jsonl', '--server-key', server, '--json'], {
      files,
    });
    expect(verified.json()).toMatchObject({ ok: true, until: 5 });
  });

  test.each([
    [
      'changed',
      whole.map((one) => (one.seq === 3 ? { ...one, payload: one.payload.replace('u3@', 'u4@') } : one)),
    ],
    ['missing', whole.filter(({ seq }) => seq !== 3)],
  ])('a record that comes %s: nothing is removed, and no file is left', async (_, records) => {
    const { files, run, asked } = site(records);
    const ran = await run('--before', '2025-06-01');
    expect([ran.exitCode, ran.json()]).toMatchObject([1, { error: { code: 'AUDIT_BROKEN' } }]);
    expect(asked()).not.toContain('audit.prune');
    expect([...files.keys()]).toEqual([]);
  });

  test('refused: the file does not stay; without an answer it may be all that is left, and does', async () => {
    const refuse = (code: 'PRUNE_REFUSED' | 'CONNECTION_LOST') => () => {
      throw new BerthError(code);
    };
    const refused = site(whole, refuse('PRUNE_REFUSED'));
    expect((await refused.run('--older-than', '300d')).exitCode).toBe(8);
    expect([...refused.files.keys()]).toEqual([]);
    const lost = site(whole, refuse('CONNECTION_LOST'));
    const unanswered = await lost.run('--older-than', '300d');
    expect(unanswered.json()).toMatchObject({
      error: { code: 'CONNECTION_LOST', message: expect.stringContaining('old.jsonl') },
    });
    expect([...lost.files.keys()]).toEqual(['old.jsonl']);
    const again = await lost.run('--older-than', '300d');
    expect(again.json()).toMatchObject({ error: { code: 'FILE_EXISTS' } });
  });

  test('--dry-run and what is not old enough change nothing', async () => {
    const { files, run, asked } = site();
    expect((await run('--older-than', '300d', '--dry-run')).json()).toMatchObject({
      dryRun: true,
      until: 5,
      bytes: 3_000_000,
    });
    // A file of which a part is younger stays as a whole.
    expect((await run('--older-than', '7d', '--dry-run')).json()).toMatchObject({ until: 5 });
    expect((await run('--older-than', '12h', '--dry-run')).json()).toMatchObject({
      until: 9,
      bytes: 4_000_000,
    });
    expect((await run('--older-than', '3000d')).json()).toMatchObject({ segments: [] });
    expect(new Set(asked())).toEqual(new Set(['audit.segments']));
    expect(files.size).toBe(0);
  });

  test.each([[[]], [['--older-than', '1d', '--before', '2025-01-01']], [['--older-than', 'soon']]])(
    'refuses %j before anything is asked',
    async (words) => {
      const { run, asked } = site();
      expect((await run(...words)).exitCode).toBe(2);
      expect(asked()).toEqual([]);
    },
  );
});

test('a file that begins behind another says what it follows, and whether the server signed that', async () => {
  const files = new Map([['rest.jsonl', '']]);
  const rest = (from: number) => {
    const head = { berth: 'audit', version: 1, server, from, prev: hashes[from - 1] };
    files.set('rest.jsonl', [`${JSON.stringify(head)}\n`, ...lines.slice(from)].join(''));
    return berth(['audit', 'verify', 'rest.jsonl', '--server-key', server], { files });
  };
  // Record 5 has the checkpoint of record 4, record 10 that of 9; none that follows signs record 2.
  expect((await rest(5)).stdout).toMatch(
    new RegExp(`before them +record 4, head ${hashes[4]}, as the server signed it`),
  );
  expect((await rest(3)).stdout).toMatch(
    new RegExp(`before them +record 2, head ${hashes[2]}; what comes before`),
  );
});
