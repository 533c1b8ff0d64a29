import type { BulkCells, BulkKind } from '@berth/server/domain/bulk';
import { withDuplicates } from '@berth/server/domain/bulk';
import type { Command } from '@berth/server/domain/commands';
import { describe, expect, test } from 'vitest';
import { DAY_MS, World } from './world.js';

// Rows of a table: each succeeds or fails alone, is decided once, and tells people what happened to them in one mail.

function table(kind: BulkKind, rows: readonly Omit<BulkCells, 'line'>[]): BulkCells[] {
  return withDuplicates(
    kind,
    rows.map((row, at) => ({ line: at + 2, ...row })),
  );
}

function make(
  world: World,
  kind: BulkKind,
  rows: readonly Omit<BulkCells, 'line'>[],
  { hash = JSON.stringify([kind, rows]), ...more }: { hash?: string } & Partial<Command<'makeJob'>> = {},
) {
  const cells = table(kind, rows);
  const uploaded = { cells, hash, ignored: [] };
  const options = { pending: false, again: false, invitationMs: DAY_MS };
  return world.ok({ type: 'makeJob', ...world.admin(), kind, table: uploaded, ...options, ...more });
}

const asker = (world: World) => world.admin().by;

function run(world: World, id: string): string[] {
  const { rows, next } = world.state.tables.job.get(id)!;
  for (let index = next; index < rows; index++)
    world.ok({ type: 'decideRow', job: id, index, by: asker(world) });
  return verdicts(world, id);
}

function verdicts(world: World, id: string): string[] {
  return [...world.state.tables.jobRow.values()]
    .filter(({ job }) => job === id)
    .sort((a, b) => a.index - b.index)
    .map(({ verdict }) => (verdict?.is === 'failed' ? verdict.code : (verdict?.is ?? 'waiting')));
}

const mailTo = (world: World, name: string) =>
  [...world.state.tables.mail.values()].filter(({ to }) => to === `${name}@studio.example`);

describe('invite', () => {
  test('each row by itself; bad ones with their own code, good ones not lost', () => {
    const world = new World();
    const { id } = make(world, 'invite', [
      { email: ' A@Studio.Example'.trim(), name: 'Anna', role: 'Viewer' },
      { email: 'not-an-address' },
      { email: 'a@studio.example', name: 'once more' },
      { email: 'b@studio.example', name: '=HYPERLINK("x")' },
      { email: 'c@studio.example', role: 'emperor' },
      { email: '' },
      { email: 'd@studio.example', short: true },
      { email: 'Ædelsten@studio.example' },
      { email: 'owner@studio.example' },
      { email: 'e@studio.example' },
      { email: 'f@studio.example', long: true },
      { email: 'g@studio.example', long: true, quote: { is: 'stray', cell: 2 } },
      { email: '"g@studio.example', long: true, quote: { is: 'open', cell: 1 } },
      { email: 'g@studio.example' },
    ]);
    expect(run(world, id)).toEqual([
      'done',
      'EMAIL_INVALID',
      'ROW_DUPLICATE',
      'CELL_FORMULA',
      'ROLE_INVALID',
      'EMAIL_MISSING',
      'ROW_SHORT',
      'EMAIL_INVALID',
      'unchanged',
      'done',
      'ROW_LONG',
      'QUOTE_STRAY',
      'QUOTE_OPEN',
      // What was said of the same user before could not be read.
      'done',
    ]);
    expect(world.state.tables.job.get(id)).toMatchObject({
      rows: 14,
      next: 14,
      done: 3,
      unchanged: 1,
      failed: 10,
    });
    expect(world.state.tables.user.get('a@studio.example')).toMatchObject({ name: 'Anna', role: 'viewer' });
    expect(mailTo(world, 'owner')).toMatchObject([{ facts: [{ kind: 'bulk', done: 3, failed: 10 }] }]);
  });

  test('nobody grants above their own role, nor goes on when they have lost it', () => {
    const world = new World();
    world.ok({
      type: 'invite',
      ...world.admin(),
      ...{ email: 'adm@studio.example', name: null, role: 'admin', device: false, invitationMs: DAY_MS },
    });
    const by = { by: { device: 'd', email: 'adm@studio.example' } };
    const { id } = make(
      world,
      'invite',
      [{ email: 'x@studio.example', role: 'owner' }, { email: 'y@studio.example' }],
      by,
    );
    world.ok({ type: 'decideRow', job: id, index: 0, by: asker(world) });
    const set = { addAliases: [], removeAliases: [], was: {}, name: null, role: 'viewer' } as const;
    world.ok({ type: 'setUser', ...world.admin(), email: 'adm@studio.example', ...set });
    expect(run(world, id)).toEqual(['NOT_ALLOWED', 'NOT_ALLOWED']);
    expect(world.state.tables.user.size).toBe(2);
  });
});

describe('assign, revoke, remove', () => {
  test('a row of assign means "has at least so many": again it changes nothing; bad ones have their own code', () => {
    const world = new World();
    world.import({ seats: 5, exp: Date.UTC(2027, 4, 10) / 1000 });
    world.user('a');
    const until = '2027-05-09';
    const rows = [
      { email: 'a@studio.example', product: 'render', quantity: '2', expires: until },
      { email: 'a@studio.example', product: 'render', quantity: '3' },
      { email: 'a@studio.example', product: 'render', quantity: '0' },
      { email: 'a@studio.example', product: 'render', quantity: '-1' },
      { email: 'a@studio.example', product: 'render', quantity: '1', expires: '09/05/2027' },
      { email: 'a@studio.example', product: 'no-such-product', quantity: '1' },
      { email: 'stranger@elsewhere.example', product: 'render' },
      { email: 'a@studio.example', product: 'render', quantity: '999999' },
      { email: 'a@studio.example', product: 'render', quantity: '1', short: true },
      { email: 'a@studio.example' },
    ];
    const wanted = [
      ...['QUANTITY_INVALID', 'QUANTITY_INVALID', 'DATE_INVALID', 'PRODUCT_UNKNOWN', 'USER_UNKNOWN'],
      ...['ALL_ALLOCATED', 'ROW_SHORT', 'PRODUCT_UNKNOWN'],
    ];
    expect(run(world, make(world, 'assign', rows).id)).toEqual(['done', 'done', ...wanted]);
    expect(world.usage()).toMatchObject({ allocated: 3 });
    expect(run(world, make(world, 'assign', rows, { again: true }).id)).toEqual([
      'unchanged',
      'unchanged',
      ...wanted,
    ]);
    expect(world.usage()).toMatchObject({ allocated: 3 });
  });

  test('credit: what a user may spend; the second row about somebody, and what is no limit, have their own code', () => {
    const world = new World();
    world.user('a');
    world.user('b');
    const rows = [
      { email: 'A@studio.example', limit: '100', per: 'Month' },
      { email: 'b@studio.example', limit: 'Unlimited' },
      { email: 'a@studio.example', limit: '5' },
      { email: 'stranger@elsewhere.example', limit: '5' },
      { email: 'owner@studio.example' },
    ];
    const bad = ['-1', '1.5', '1e3', 'many', '1000000001'].map((limit) => [
      { email: 'owner@studio.example', limit },
    ]);
    const wanted = ['ROW_DUPLICATE', 'USER_UNKNOWN', 'CREDIT_LIMIT_INVALID'];
    expect(run(world, make(world, 'credit', rows).id)).toEqual(['done', 'done', ...wanted]);
    expect(run(world, make(world, 'credit', rows, { again: true }).id)).toEqual([
      ...['unchanged', 'unchanged'],
      ...wanted,
    ]);
    for (const [at, each] of bad.entries())
      expect(run(world, make(world, 'credit', each, { hash: `b${at}` }).id)).toEqual([
        'CREDIT_LIMIT_INVALID',
      ]);
    const periods = [
      ['5', 'week'],
      ['disabled', 'week'],
      ['unlimited', 'day'],
      ['unlimited', 'total'],
    ];
    for (const [limit, per] of periods) {
      const row = [{ email: 'owner@studio.example', limit: limit!, per: per! }];
      expect(run(world, make(world, 'credit', row, { hash: `${limit} ${per}` }).id)).toEqual([
        'CREDIT_LIMIT_INVALID',
      ]);
    }
    expect([...world.state.tables.creditAccess.values()].map(({ email, grant }) => [email, grant])).toEqual([
      ['a@studio.example', { access: 'limited', limit: 100, per: 'month' }],
      ['b@studio.example', { access: 'unlimited' }],
    ]);
  });

  test('one mail for what several rows tell the same person, sent when the job is done', () => {
    const world = new World();
    world.import({ seats: 5 });
    world.import({ jti: 'ent-2', product: 'comp', seats: 5 });
    world.user('a');
    const { id } = make(world, 'assign', [
      { email: 'a@studio.example', product: 'render' },
      { email: 'a@studio.example', product: 'comp' },
    ]);
    world.ok({ type: 'decideRow', job: id, index: 0, by: asker(world) });
    expect(mailTo(world, 'a').at(-1)).toMatchObject({ state: 'gathering', facts: [{ product: 'render' }] });
    world.restart();
    world.ok({ type: 'decideRow', job: id, index: 1, by: asker(world) });
    expect(mailTo(world, 'a')).toHaveLength(2);
    expect(mailTo(world, 'a').find(({ job }) => job === id)).toMatchObject({
      state: 'queued',
      facts: [
        { kind: 'assigned', product: 'render' },
        { kind: 'assigned', product: 'comp' },
      ],
    });
  });

  test('who cannot be removed because of seats: the same rows revoked, and then removed', () => {
    const world = new World();
    world.import({ seats: 5 });
    world.import({ jti: 'ent-2', product: 'comp', seats: 5 });
    world.user('a');
    world.user('b');
    const rows = [
      { email: 'a@studio.example' },
      { email: 'b@studio.example' },
      { email: 'owner@studio.example' },
    ];
    make(world, 'assign', [
      { email: 'a@studio.example', product: 'render', quantity: '2' },
      { email: 'a@studio.example', product: 'comp' },
    ]);
    run(world, [...world.state.tables.job.keys()][0]!);
    expect(run(world, make(world, 'remove', rows).id)).toEqual(['ALLOCATED', 'done', 'LAST_OWNER']);
    expect(run(world, make(world, 'revoke', [rows[0]!]).id)).toEqual(['done']);
    expect(world.usage()).toMatchObject({ allocated: 0 });
    expect(run(world, make(world, 'revoke', [rows[0]!], { again: true }).id)).toEqual(['unchanged']);
    expect(run(world, make(world, 'remove', [rows[0]!]).id)).toEqual(['done']);
    expect(mailTo(world, 'a').filter(({ facts }) => facts[0]!.kind === 'removed')).toHaveLength(1);
  });

  test('a borrow is in the way of its own row alone, or is waited for', () => {
    const world = new World();
    world.import({ seats: 5, borrow: { maxSeconds: 86_400, seats: 5 } });
    const a = world.user('a');
    world.user('b');
    run(
      world,
      make(world, 'assign', [
        { email: 'a@studio.example', product: 'render' },
        { email: 'b@studio.example', product: 'render' },
      ]).id,
    );
    world.ok(world.borrowing(a, 3600));
    const rows = [{ email: 'a@studio.example' }, { email: 'b@studio.example' }];
    const { id } = make(world, 'revoke', rows);
    expect(run(world, id)).toEqual(['BORROWED', 'done']);
    const [blocked] = [...world.state.tables.jobRow.values()].filter(({ job }) => job === id);
    // The moment it ends, hold included, and what to do: as of one revoke alone.
    expect(blocked).toMatchObject({
      verdict: {
        message: expect.stringMatching(/It ends 2026-11-22 13:15 UTC\. Wait for the end .*borrow return/),
      },
    });
    expect(run(world, make(world, 'revoke', rows, { pending: true, hash: 'p' }).id)).toEqual([
      'done',
      'unchanged',
    ]);
    world.pass(DAY_MS);
    expect(world.usage()).toMatchObject({ allocated: 0 });
  });
});

describe('a job', () => {
  test('of the same rows is the same one, unless asked otherwise; a retry by its key anyway', () => {
    const world = new World();
    const rows = [{ email: 'x@studio.example' }];
    const first = make(world, 'invite', rows);
    expect(first.existing).toBe(false);
    expect(make(world, 'invite', rows)).toEqual({ id: first.id, existing: true, ignored: [] });
    const again = make(world, 'invite', rows, { again: true });
    expect(again).toMatchObject({ existing: false });
    expect(make(world, 'invite', rows)).toEqual({ id: again.id, existing: true, ignored: [] });
    world.restart();
    expect(make(world, 'invite', rows)).toEqual({ id: again.id, existing: true, ignored: [] });
  });

  test('goes on where it was after a restart; a row that was decided is nothing', () => {
    const world = new World();
    const { id } = make(world, 'invite', [{ email: 'x@studio.example' }, { email: 'y@studio.example' }]);
    world.ok({ type: 'decideRow', job: id, index: 1, by: asker(world) });
    expect(verdicts(world, id)).toEqual(['waiting', 'waiting']);
    world.ok({ type: 'decideRow', job: id, index: 0, by: asker(world) });
    world.restart();
    expect([...world.state.derived.jobsRunning]).toEqual([id]);
    world.ok({ type: 'decideRow', job: id, index: 0, by: asker(world) });
    expect(verdicts(world, id)).toEqual(['done', 'waiting']);
    expect(mailTo(world, 'x')).toHaveLength(1);
    expect(run(world, id)).toEqual(['done', 'done']);
    expect(world.state.derived.jobsRunning.size).toBe(0);
    world.ok({ type: 'decideRow', job: id, index: 1, by: asker(world) });
    expect(mailTo(world, 'owner')).toHaveLength(1);
  });

  test('and its rows go 90 days after its end', () => {
    const world = new World();
    const { id } = make(world, 'invite', [{ email: 'x@studio.example' }]);
    world.pass(89 * DAY_MS);
    run(world, id);
    world.pass(89 * DAY_MS);
    world.restart();
    expect(world.state.tables.job.size).toBe(1);
    world.pass(2 * DAY_MS);
    expect([world.state.tables.job.size, world.state.tables.jobRow.size]).toEqual([0, 0]);
  });
});

describe('what is not the rows\u2019 fault', () => {
  test('a retry has its job although the upload is gone; asked for the first time it is refused', () => {
    const world = new World();
    const asked = world.admin();
    const { id } = make(world, 'invite', [{ email: 'a@studio.example' }], asked);
    const gone = { ok: false, code: 'UPLOAD_UNKNOWN' } as const;
    const again = {
      kind: 'invite',
      table: gone,
      pending: false,
      again: false,
      invitationMs: DAY_MS,
    } as const;
    expect(world.ok({ type: 'makeJob', ...asked, ...again })).toMatchObject({ id, existing: false });
    world.refused({ type: 'makeJob', ...world.admin(), ...again }, 'UPLOAD_UNKNOWN');
  });

  test('a full disk refuses the row, which has no verdict and comes again', () => {
    const world = new World();
    const { id } = make(world, 'invite', [{ email: 'a@studio.example' }]);
    world.diskLow = true;
    world.refused({ type: 'decideRow', job: id, index: 0, by: asker(world) }, 'DISK_LOW');
    expect(verdicts(world, id)).toEqual(['waiting']);
    world.diskLow = false;
    expect(run(world, id)).toEqual(['done']);
  });
});

test('what was refused to one admin is a job for whoever asks next: of those rows alone', () => {
  const world = new World();
  const adm = {
    email: 'adm@studio.example',
    name: null,
    role: 'admin',
    device: false,
    invitationMs: DAY_MS,
  } as const;
  world.ok({ type: 'invite', ...world.admin(), ...adm });
  const rows = [{ email: 'x@studio.example', role: 'owner' }, { email: 'y@studio.example' }, { email: 'no' }];
  const by = { by: { device: 'd', email: adm.email } };
  const { id } = make(world, 'invite', rows, by);
  // While it runs there is nothing that was refused.
  expect(make(world, 'invite', rows)).toMatchObject({ id, existing: true });
  expect(run(world, id)).toEqual(['NOT_ALLOWED', 'done', 'EMAIL_INVALID']);
  const request = { device: 'd', key: 'k-of-the-same-admin', hash: 'h' };
  expect(make(world, 'invite', rows, { ...by, request })).toMatchObject({ id, existing: true });
  const second = make(world, 'invite', rows);
  expect(second.existing).toBe(false);
  expect(run(world, second.id)).toEqual(['done']);
  expect(world.state.tables.user.get('x@studio.example')).toMatchObject({ role: 'owner' });
  expect(make(world, 'invite', rows)).toMatchObject({ id: second.id, existing: true });
});

test('who was removed before is no member: a row of remove finds it so, and a stranger is unknown', () => {
  const world = new World();
  world.user('a');
  const rows = [{ email: 'a@studio.example' }, { email: 'stranger@studio.example' }];
  expect(run(world, make(world, 'remove', rows).id)).toEqual(['done', 'USER_UNKNOWN']);
  expect(run(world, make(world, 'remove', rows, { again: true }).id)).toEqual(['unchanged', 'USER_UNKNOWN']);
});
