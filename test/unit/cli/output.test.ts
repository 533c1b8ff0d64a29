import { execFileSync } from 'node:child_process';
import type { Output } from '@berth/cli/context';
import { type Column, clean, fields, table, textWidth } from '@berth/cli/output';
import { momentWords, shellQuote, spanWords } from '@berth/cli/words';
import { describe, expect, it } from 'vitest';

const screen = (columns: number | undefined, colours = false): Output => ({
  isTty: columns !== undefined,
  columns,
  ...{ colours, readerGone: false },
  write: () => undefined,
});

const rows = [
  { name: 'anna@studio.example', seats: 3 },
  { name: 'a-very-long-address-of-somebody@department.studio.example', seats: 12 },
];
const columns = [
  { title: 'USER', cell: (row: (typeof rows)[number]) => row.name },
  { title: 'SEATS', cell: (row: (typeof rows)[number]) => row.seats },
];

describe('tables', () => {
  it('line up, numbers to the right', () => {
    const lines = table(rows, columns, screen(undefined)).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]?.endsWith('      3')).toBe(true);
    expect(new Set(lines.slice(1).map(textWidth)).size).toBe(1);
  });

  const leases = [
    {
      id: 'l-0123456789',
      user: 'a-long-address@studio.example',
      device: 'a workstation with a long name',
      n: 3,
    },
    { id: 'l-2', user: 'b@studio.example', device: 'ws-2', n: 12 },
  ];
  const wide: readonly Column<(typeof leases)[number]>[] = [
    { title: 'ID', cell: (row) => row.id },
    { title: 'USER', cell: (row) => row.user },
    { title: 'DEVICE', cell: (row) => row.device },
    { title: 'WHY', weight: 'low', cell: () => 'because it is needed' },
    { title: 'SINCE', cell: () => '2026-03-01 14:32' },
    { title: 'SEATS', cell: (row) => row.n },
  ];

  it('fit the terminal: the least important text is shortened first, ids and numbers never', () => {
    const natural = Math.max(...table(leases, wide, screen(undefined)).split('\n').map(textWidth));
    const slightly = table(leases, wide, screen(natural - 5));
    expect(slightly).toContain('because it is …');
    expect(slightly).toContain('a workstation with a long name');
    const narrow = table(leases, wide, screen(natural - 25));
    expect(narrow).toMatch(/because…\s+2026-03-01 14:32/);
    expect(narrow).toContain('a workstation wi…');
    for (const text of [slightly, narrow]) {
      expect(Math.max(...text.split('\n').map(textWidth))).toBeLessThanOrEqual(natural - 5);
      for (const { id, user } of leases) expect(text).toMatch(new RegExp(`${id} +${user} `));
    }
  });

  it('leave whole columns out where that is not enough, and name them', () => {
    const lines = table(leases, wide, screen(60)).split('\n');
    expect(lines.at(-1)).toBe('Not shown: WHY, SINCE, SEATS (see a wider terminal, or --json).');
    expect(lines.slice(0, -1).every((line) => textWidth(line) <= 60)).toBe(true);
    const least = table(leases, wide, screen(10)).split('\n');
    expect(least[1]).toBe('l-0123456789  a-long-address@studio.example');
  });

  it('leave what one looks for to the last', () => {
    const high = wide.map((column) =>
      column.title === 'SEATS' ? { ...column, weight: 'high' as const } : column,
    );
    const lines = table(leases, high, screen(60)).split('\n');
    expect(lines.at(-1)).toBe('Not shown: WHY, SINCE (see a wider terminal, or --json).');
    expect(lines[0]).toMatch(/^ID +USER +DEVICE +SEATS$/);
  });

  it('leave out what is less important before a text that one looks for can be read no more', () => {
    const failed = [
      { line: 26, email: 'model-01@studio.example', quantity: 'all', code: 'QUANTITY_INVALID' },
      { line: 31, email: 'lighting-05@studio.example', quantity: '9', code: 'ALL_ALLOCATED' },
    ];
    const reason = 'Only 6 seats of render-premium are left to allocate.';
    const of: Column<(typeof failed)[number]>[] = [
      { title: 'LINE', cell: ({ line }) => line },
      { title: 'EMAIL', cell: ({ email }) => email },
      { title: 'QUANTITY', cell: ({ quantity }) => quantity },
      { title: 'VERDICT', weight: 'id', cell: ({ code }) => code },
      { title: 'REASON', weight: 'high', cell: () => reason },
    ];
    const at = (width: number) => table(failed, of, screen(width)).split('\n');
    expect(at(86)[0]).toMatch(/^LINE +EMAIL +QUANTITY +VERDICT +REASON$/);
    expect(at(80)[0]).toMatch(/^LINE +EMAIL +VERDICT +REASON$/);
    expect(at(80)[2]).toContain('ALL_ALLOCATED     Only 6 seats of render-prem');
    expect(at(50)[2]).toMatch(/Only 6 …$/);
  });

  it('keep what holds something, before what is 0 or empty in every row and before ids of something else', () => {
    const seats = [
      {
        email: 'anna@studio.example',
        borrowed: 1,
        pending: '',
        ent: 'entitlement-0123456789-of-render',
        held: 0,
      },
      { email: 'bo@studio.example', borrowed: 0, pending: '1 until noon', ent: 'e', held: 0 },
    ];
    const of: readonly Column<(typeof seats)[number]>[] = [
      { title: 'EMAIL', cell: (row) => row.email },
      { title: 'ENTITLEMENT', cell: (row) => row.ent },
      { title: 'HELD', weight: 'high', cell: (row) => row.held },
      { title: 'BORROWED', cell: (row) => row.borrowed },
      { title: 'REVOKE PENDING', cell: (row) => row.pending },
    ];
    const lines = table(seats, of, screen(60)).split('\n');
    expect(lines[0]).toMatch(/^EMAIL +BORROWED +REVOKE PENDING$/);
    expect(lines.slice(3)).toEqual([
      'Not shown, 0 or empty in every row: HELD.',
      'Not shown: ENTITLEMENT (see a wider terminal, or --json).',
    ]);
    // What one looks for goes last: rather than that, an id is cut.
    const looked: typeof of = [of[0]!, { ...of[3]!, weight: 'high' }, { ...of[4]!, weight: 'high' }];
    const narrow = table(seats, looked, screen(44)).split('\n');
    expect(narrow[0]).toMatch(/^EMAIL +BORROWED +REVOKE PENDING$/);
    expect(narrow[1]).toMatch(/^anna@studio.ex\w*…/);
  });

  it('are never cut where no terminal is', () => {
    expect(table(rows, columns, screen(undefined))).toContain(rows[1]?.name);
  });

  it('have colours only where they are wanted', () => {
    expect(table(rows, columns, screen(80))).not.toContain('\u001b');
    expect(table(rows, columns, screen(80, true))).toContain('\u001b[1m');
  });

  it('show nothing that drives a terminal', () => {
    const text = table([{ name: 'x\u001b[2J\u009b\u202eevil', seats: 1 }], columns, screen(80));
    expect(clean(text)).toBe(text);
  });

  it('count wide characters twice', () => {
    expect(textWidth('日本')).toBe(4);
    expect(textWidth('Søren')).toBe(5);
  });

  it('leave out fields without a value', () => {
    expect(
      fields([
        ['a', 1],
        ['bcd', undefined],
        ['ef', null],
      ]),
    ).toBe('a  1');
  });
});

describe('words', () => {
  it.each([
    '/home/x/.config/berth',
    '/a b/$(date)/`id`',
    "/it's/here",
    `/${'long/'.repeat(30)}end`,
    '/bö\\"!*',
    '-rf',
  ])('%s as a shell takes it', (path) => {
    const said = execFileSync('/bin/sh', ['-c', `printf %s ${shellQuote(path)}`], { encoding: 'utf8' });
    expect(said).toBe(path === '-rf' ? './-rf' : path);
  });

  it.each([
    [1, '1 s'],
    [119_000, '119 s'],
    [3 * 86_400_000 - 1, '3 d'],
    [120_000, '2 min'],
    [2 * 3_600_000 + 5 * 60_000, '2 h 5 min'],
    [3 * 86_400_000 + 4 * 3_600_000, '3 d 4 h'],
    [86_400_000 * 30, '30 d'],
  ])('%i ms is %s', (ms, words) => {
    expect(spanWords(ms)).toBe(words);
  });

  it('says moments in local time', () => {
    const now = new Date(2026, 2, 10, 14, 0).getTime();
    expect(momentWords(now + 5 * 60_000, now)).toBe('today at 14:05 (in 5 min)');
    expect(momentWords(now + 10_000, now)).toBe('today at 14:00:10 (in 10 s)');
    expect(momentWords(now - 16 * 3_600_000, now)).toBe('yesterday at 22:00 (16 h ago)');
    expect(momentWords(new Date(2026, 2, 13, 9, 30).getTime(), now)).toContain(
      'Fri, 13 Mar 2026 at 09:30 (in 2 d 20 h)',
    );
  });
});
