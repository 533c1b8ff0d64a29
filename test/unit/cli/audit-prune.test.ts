import { BerthError } from '@berth/client';
import { describe, expect, test } from 'vitest';
import { auditLines, checkpoint, server } from '../audit/audit-lines.js';
import { berth, fakeAdmin } from './fake-host.js';

const YEAR = Date.UTC(2025, 0, 15);
const { lines, hashes } = auditLines(12);
const whole = lines.slice(1, -1).map((line) => JSON.parse(line) as { seq: number; payload: string });

const none = (): never => {
  throw new Error('not expected by this test');
};

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

/** @param records as the server hands them out @param preview as the server answers before the export */
function site(
  records = whole,
  prune: () => unknown = () => done,
  preview: () => unknown = () => ({ from: 1, bytes: 3_000_000 }),
) {
  const files = new Map<string, string>();
  const first = new Map<string, () => unknown>();
  const recordsNow = () => {
    first.get('audit.records')?.();
    return records;
  };
  const admin = fakeAdmin({
    'audit.segments': () => ({ segments, next: null, pruned: null }),
    'audit.checkpoint': () => {
      first.get('audit.checkpoint')?.();
      return { checkpoint: checkpoint(5, hashes[5]!) };
    },
    'audit.records': ({ until }) => ({
      parts: recordsNow()
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
    'audit.prune.preview': preview,
    'audit.prune': prune,
  });
  const openAdmin: typeof admin.sdk.openAdmin = async (options) => {
    const channel = await admin.sdk.openAdmin(options);
    return { ...channel, me: { ...channel.me, server: { ...channel.me.server, key: server } } };
  };
  const sdk = { ...admin.sdk, openAdmin };
  const run = (...words: (string | { signal: AbortSignal })[]) => {
    const typed = words.filter((word) => typeof word === 'string');
    const [more] = words.filter((word) => typeof word !== 'string');
    return berth(['audit', 'prune', '--out', 'old.jsonl', ...typed, '--json'], {
      ...{ sdk, files, processes: { start: none, onSignals: none, after: at } },
      ...more,
    });
  };
  const waitedMs: number[] = [];
  const at = (delayMs: number, call: () => void) => {
    waitedMs.push(delayMs);
    queueMicrotask(call);
    return () => undefined;
  };
  const before = (method: string, work: () => unknown) => first.set(method, work);
  return {
    files,
    run,
    before,
    waitedMs,
    asked: () => admin.calls.map(({ method }) => method),
    calls: admin.calls,
  };
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
    [['--before', '2024-06-01'], / from before 2024-06-01: /],
    // Of a day that is not over yet nobody asked.
    [['--older-than', '15000h'], / from before 2024-04-30 12:00 UTC: /],
  ])('where nothing is old enough, the moment that was asked for is said: %j', async (words, said) => {
    const { run, asked } = site();
    const ran = await run(...words);
    expect([ran.exitCode, ran.stderr, asked()]).toEqual([0, expect.stringMatching(said), ['audit.segments']]);
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

  const refuse = (code: 'PRUNE_REFUSED' | 'PRUNE_BUSY' | 'CONNECTION_LOST' | 'NOT_ALLOWED', rule?: string) =>
    site(whole, () => {
      throw new BerthError(code, { rule });
    });

  test.each([
    ['PRUNE_REFUSED', 'BASE'],
    ['PRUNE_REFUSED', 'DAMAGED'],
  ] as const)('%s %s only after the export: nothing went, and the file stays', async (code, rule) => {
    const refused = refuse(code, rule);
    const ran = await refused.run('--older-than', '300d');
    expect(ran.json()).toMatchObject({
      error: { code, rule, message: expect.stringMatching(/Nothing was removed.*old\.jsonl.*stays/) },
    });
    expect([...refused.files.keys()]).toEqual(['old.jsonl']);
  });

  test('a backup that began during the export is waited for, and the file stays however long it takes', async () => {
    let asked = 0;
    const busy = (): never => {
      throw new BerthError('PRUNE_BUSY', { rule: 'BACKUP' });
    };
    const soon = site(whole, () => {
      asked += 1;
      return asked < 40 ? busy() : done;
    });
    expect((await soon.run('--older-than', '300d')).json()).toMatchObject({ until: 5, pruned: done.pruned });
    expect([soon.waitedMs.length, [...soon.files.keys()]]).toEqual([39, ['old.jsonl']]);
    const never = site(whole, busy);
    const ran = await never.run('--older-than', '300d');
    expect([ran.exitCode, ran.json()]).toMatchObject([8, { error: { code: 'PRUNE_BUSY', rule: 'BACKUP' } }]);
    expect([...never.files.keys()]).toEqual(['old.jsonl']);
  });

  test.each([
    ['PRUNE_REFUSED', 'RECENT'],
    ['PRUNE_REFUSED', 'DAMAGED'],
    ['PRUNE_BUSY', 'VERIFYING'],
  ] as const)('%s %s is told before anything is exported, and by --dry-run', async (code, rule) => {
    const refused = site(whole, none, () => {
      throw new BerthError(code, { rule });
    });
    const dry = await refused.run('--older-than', '300d', '--dry-run');
    expect([dry.exitCode, dry.json()]).toMatchObject([
      8,
      { dryRun: true, until: 5, refused: { code, rule } },
    ]);
    expect(dry.stderr).toMatch(/Would not export.*\n.*Would be refused/);
    const ran = await refused.run('--older-than', '300d', '--recent');
    expect([ran.exitCode, ran.json()]).toMatchObject([8, { error: { code, rule } }]);
    expect(new Set(refused.asked())).toEqual(new Set(['audit.segments', 'audit.prune.preview']));
    expect(refused.calls.filter(({ method }) => method === 'audit.prune.preview')).toMatchObject([
      { params: { until: 5, head: hashes[5] } },
      { params: { until: 5, head: hashes[5], recent: true } },
    ]);
    expect(refused.files.size).toBe(0);
  });

  test('who may not prune is told before anything is exported', async () => {
    const admin = site(whole, none, () => {
      throw new BerthError('NOT_ALLOWED');
    });
    for (const words of [[], ['--dry-run'], ['--recent']]) {
      const ran = await admin.run('--older-than', '300d', ...words);
      expect([ran.exitCode, ran.json()]).toMatchObject([4, { error: { code: 'NOT_ALLOWED' } }]);
      expect(ran.stdout).not.toContain('old.jsonl');
    }
    expect(new Set(admin.asked())).toEqual(new Set(['audit.segments', 'audit.prune.preview']));
    expect(admin.files.size).toBe(0);
  });

  test.each([
    // It says that they are gone: a prune whose answer was lost, and another one since.
    ['PRUNE_REFUSED', 'PRUNED'],
    ['PRUNE_REFUSED', 'OF_A_LATER_SERVER'],
    ['PRUNE_REFUSED', undefined],
    ['NOT_ALLOWED', undefined],
  ] as const)('%s %s: the file may be all that is left, and stays', async (code, rule) => {
    const refused = refuse(code, rule);
    const ran = await refused.run('--older-than', '300d');
    expect(ran.json()).toMatchObject({ error: { code, message: expect.stringContaining('old.jsonl') } });
    expect([...refused.files.keys()]).toEqual(['old.jsonl']);
  });

  test('without an answer it asks again with the same key, looks once more, and the file stays', async () => {
    const lost = refuse('CONNECTION_LOST');
    expect((await lost.run('--older-than', '300d')).json()).toMatchObject({
      error: { code: 'CONNECTION_LOST', message: expect.stringContaining('still had the records') },
    });
    const tries = lost.calls.filter(({ method }) => method === 'audit.prune');
    expect(tries.length).toBeGreaterThan(5);
    expect(new Set(tries.map(({ params }) => JSON.stringify(params))).size).toBe(1);
    expect(lost.asked().at(-1)).toBe('audit.segments');
    expect([...lost.files.keys()]).toEqual(['old.jsonl']);
    const again = await lost.run('--older-than', '300d');
    expect(again.json()).toMatchObject({ error: { code: 'FILE_EXISTS' } });
    let asked = 0;
    const late = site(whole, () => {
      asked += 1;
      if (asked < 4) throw new BerthError('TIMEOUT');
      return done;
    });
    expect((await late.run('--older-than', '300d')).json()).toMatchObject({ until: 5, pruned: done.pruned });
  });

  test('Ctrl-C while the server works says which file to keep', async () => {
    const controller = new AbortController();
    const stopped = site(whole, () => {
      controller.abort();
      return new Promise(() => {});
    });
    const ran = await stopped.run('--older-than', '300d', { signal: controller.signal });
    expect(ran.json()).toMatchObject({
      error: { code: 'CANCELLED', message: expect.stringMatching(/not known: keep "?old\.jsonl/) },
    });
    expect([...stopped.files.keys()]).toEqual(['old.jsonl']);
  });

  test('a server that cannot be asked before is asked when the file is proved', async () => {
    const older = site(
      whole,
      () => done,
      () => {
        throw new BerthError('METHOD_UNKNOWN');
      },
    );
    expect((await older.run('--older-than', '300d')).json()).toMatchObject({ pruned: done.pruned });
  });

  test('Ctrl-C while a backup is waited for: it is asked no more', async () => {
    const controller = new AbortController();
    let asked = 0;
    const busy = site(whole, () => {
      asked += 1;
      throw new BerthError('PRUNE_BUSY', { rule: 'BACKUP' });
    });
    // While it waits: what it waits for is noted then.
    busy.waitedMs.push = () => {
      controller.abort();
      return 1;
    };
    await busy.run('--older-than', '300d', { signal: controller.signal });
    await new Promise(setImmediate);
    expect(asked).toBe(1);
  });

  test.each(['old.jsonl', 'old.jsonl.new'])(
    '%s of somebody else is neither replaced nor removed',
    async (path) => {
      const meanwhile = site();
      const name = path === 'old.jsonl' ? 'audit.records' : 'audit.checkpoint';
      meanwhile.before(name, () => meanwhile.files.set(path, 'mine'));
      expect((await meanwhile.run('--older-than', '300d')).json()).toMatchObject({
        error: { code: 'FILE_EXISTS' },
      });
      expect([...meanwhile.files]).toEqual([[path, 'mine']]);
      expect(meanwhile.asked()).not.toContain('audit.prune');
    },
  );

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
    expect(new Set(asked())).toEqual(new Set(['audit.segments', 'audit.prune.preview']));
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

test('an export that meets a prune is no file: what comes must follow what came', async () => {
  const files = new Map<string, string>();
  const partOf = ({ seq, payload }: { seq: number; payload: string }, prev = hashes[seq - 1]!) => {
    const bytes = Buffer.from(payload);
    return { seq, prev, offset: 0, size: bytes.length, bytes: bytes.toString('base64url') };
  };
  const run = async (then: object[]) => {
    const admin = fakeAdmin({
      'audit.list': () => ({ items: [], next: null, at: '0.0' }),
      'audit.checkpoint': () => ({ checkpoint: checkpoint(11, hashes[11]!) }),
      'audit.records': ({ from }) =>
        (from as { seq: number }).seq === 1
          ? { parts: whole.slice(0, 3).map((one) => partOf(one)), next: { seq: 4, offset: 0 } }
          : { parts: then, next: null },
    });
    const { sdk } = admin;
    return await berth(['audit', 'export', '--out', 'all.jsonl', '--json'], { sdk, files });
  };
  const rest = whole.slice(3, 11);
  expect((await run(rest.map((one) => partOf(one)))).exitCode).toBe(0);
  files.clear();
  const broken = [
    rest.slice(2).map((one) => partOf(one)),
    rest.map((one) => partOf(one, one.seq === 4 ? hashes[5] : undefined)),
    [{ ...partOf(rest[0]!), offset: 7 }],
    rest.slice(0, -1).map((one) => partOf(one)),
  ];
  for (const then of broken) {
    expect((await run(then)).json()).toMatchObject({ error: { code: 'AUDIT_BROKEN' } });
    expect([...files.keys()]).toEqual([]);
  }
});

test('a file that begins behind another says what it follows, and whether the server signed that', async () => {
  const files = new Map([['rest.jsonl', '']]);
  const rest = (from: number) => {
    const head = { berth: 'audit', version: 1, server, from, prev: hashes[from - 1] };
    files.set('rest.jsonl', [`${JSON.stringify(head)}\n`, ...lines.slice(from)].join(''));
    return berth(['audit', 'verify', 'rest.jsonl', '--server-key', server], { files });
  };
  // Record 5 has the checkpoint of record 4, record 10 that of 9; none that follows signs record 2.
  // Said aloud where nothing signs what is not there.
  expect([(await rest(5)).stderr, (await rest(3)).stderr]).toEqual(['', expect.stringContaining(hashes[2]!)]);
  expect((await rest(5)).stdout).toMatch(
    new RegExp(`before them +record 4, head ${hashes[4]}, as the server signed it`),
  );
  expect((await rest(3)).stdout).toMatch(
    new RegExp(`before them +record 2, head ${hashes[2]}; what comes before`),
  );
});
