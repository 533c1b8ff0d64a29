import type { BulkKind, BulkRowInfo } from '@berth/protocol';
import { expect, test } from 'vitest';
import { bulkRig } from './bulk-rig.js';
import { World } from './domain/world.js';

// What a table is told of its rows: ahead, and in the report of the job.

type Line = readonly [header: string, ...rows: string[]];

interface Told {
  readonly items: readonly BulkRowInfo[];
  readonly waits?: number;
}

/** Sends the lines, previews them, applies them as a job of their own, and has its rows decided. */
async function told(world: World, kind: BulkKind, [header, ...rows]: Line, more: { pending?: true } = {}) {
  const { handlers, caller } = bulkRig(world);
  const { by, request } = world.admin();
  const upload = 'u-0123456789abcdef';
  const numbered = rows.map((row, at) => ({ line: at + 2, cells: row.split(',') }));
  await handlers['bulk.put']({ upload, header: header.split(','), from: 0, rows: numbered }, caller);
  const asked = { upload, kind, ...more };
  const ahead = resultOf<Told>(await handlers['bulk.preview'](asked, caller));
  const applying = { ...asked, key: `k-${request.key}`, again: true };
  const { job } = resultOf<{ job: { id: string } }>(await handlers['bulk.apply'](applying, caller));
  for (const index of rows.keys()) world.ok({ type: 'decideRow', job: job.id, index, by });
  const report = resultOf<{ job: Told } & Told>(await handlers['bulk.report']({ id: job.id }, caller));
  expect(report.items).toEqual(ahead.items);
  expect(report.job.waits).toBe(ahead.waits);
  return ahead;
}

function resultOf<T>(answer: object): T {
  expect(answer).toMatchObject({ ok: true });
  return (answer as { result: T }).result;
}

test('invite: who has joined and has another role or name is not passed over; the row says what does it', async () => {
  const world = new World();
  for (const name of ['a', 'b', 'c', 'd']) world.user(name);
  const rows = [
    'a@studio.example,,user',
    'b@studio.example,,Admin',
    'c@studio.example,Other Name,',
    'd@studio.example,Dan,viewer',
    'OWNER@studio.example,,',
  ];
  const { items } = await told(world, 'invite', ['email,name,role', ...rows]);
  expect(items.map(({ code, verdict }) => code ?? verdict)).toEqual([
    ...['unchanged', 'USER_EXISTS', 'USER_EXISTS', 'USER_EXISTS', 'unchanged'],
  ]);
  expect(items[1]!.message).toMatch(
    /the role user and no name.*berth user set b@studio\.example --role admin$/,
  );
  expect(items[2]!.message).toMatch(/: berth user set c@studio\.example --name NAME$/);
  expect(items[3]!.message).toMatch(/: berth user set d@studio\.example --role viewer --name NAME$/);
  expect(world.state.tables.user.get('b@studio.example')).toMatchObject({ role: 'user', name: '' });
});

test('invite: a table applied again undoes nothing that an admin changed since for who has not joined yet, nor their link', async () => {
  const world = new World();
  const table = ['email,name,role', 'i@studio.example,Ida,user', 'k@studio.example,,User'] as const;
  expect((await told(world, 'invite', table)).items.map(({ verdict }) => verdict)).toEqual(['done', 'done']);
  const i = 'i@studio.example';
  const change = { name: null, role: 'viewer', addAliases: [], removeAliases: [], was: {} } as const;
  world.ok({ type: 'setUser', ...world.admin(), email: i, ...change });
  const links = [...world.state.tables.invitation.keys()];
  const { items } = await told(world, 'invite', table);
  expect(items.map(({ code, verdict }) => code ?? verdict)).toEqual(['USER_EXISTS', 'unchanged']);
  expect(items[0]!.message).toMatch(/already invited.*: berth user set i@studio\.example --role user$/);
  expect(world.state.tables.user.get(i)).toMatchObject({ role: 'viewer', name: 'Ida' });
  expect([...world.state.tables.invitation.keys()]).toEqual(links);
});

function withSeats(): { world: World; a: string } {
  const world = new World();
  const borrow = { maxSeconds: 86_400, seats: 5 };
  world.import({ seats: 9, borrow });
  world.import({ jti: 'ent-2', product: 'comp', seats: 9 });
  const a = world.user('a');
  world.user('b');
  const assign = (email: string, product: string, quantity: number) =>
    world.ok({ type: 'assign', ...world.admin(), email, product, quantity, endMs: null });
  assign('a@studio.example', 'render', 3);
  assign('b@studio.example', 'render', 2);
  assign('b@studio.example', 'comp', 2);
  return { world, a };
}

test('revoke: an empty quantity and the word all take every seat, and each row says how many', async () => {
  const { world } = withSeats();
  const rows = [
    'a@studio.example,Render,1',
    'a@studio.example,RENDER,All',
    'b@studio.example,,2',
    'b@studio.example,,',
    'b@studio.example,,all',
    'a@studio.example,rendr,all',
  ];
  const { items, waits } = await told(world, 'revoke', ['email,product,quantity', ...rows]);
  expect(items.map(({ code, verdict, seats }) => [code ?? verdict, seats])).toEqual([
    ['done', 1],
    ['done', 2],
    // It would take all of every product, whatever the number.
    ['QUANTITY_INVALID', undefined],
    ['done', 4],
    ['unchanged', 0],
    ['ALLOCATION_UNKNOWN', undefined],
  ]);
  expect(items[2]!.message).toContain('leave the quantity empty');
  expect(items[5]!.message).toMatch(/ Did you mean render\?$/);
  expect(waits).toBeUndefined();
  expect(world.usage()).toMatchObject({ allocated: 0 });
});

test('what a borrow holds up is said of its row, with the moment, and counted, also by a server that was restarted', async () => {
  const { world, a } = withSeats();
  world.ok(world.borrowing(a, 3600));
  const rows = ['a@studio.example,render', 'b@studio.example,render'];
  const one = { email: 'a@studio.example', product: 'render', quantity: 'all', endMs: null } as const;
  const refused = world.refused({ type: 'revoke', ...world.admin(), ...one }, 'BORROWED');
  const until = { pendingUntilMs: refused.detail?.untilMs };
  const once = await told(world, 'revoke', ['email,product', ...rows], { pending: true });
  const said = '1 seat waits for the end of a borrow, 2026-11-22 13:15 UTC.';
  expect(once).toMatchObject({
    items: [
      { verdict: 'done', seats: 2, pending: 1, ...until, message: said },
      { verdict: 'done', seats: 2 },
    ],
    waits: 1,
  });
  expect(once.items[1]).not.toHaveProperty('message');
  const again = await told(world, 'revoke', ['email,product', rows[0]!], { pending: true });
  expect(again.items).toMatchObject([{ verdict: 'unchanged', seats: 0, pending: 1, message: said }]);
  const leaving = await told(world, 'remove', ['email', 'a@studio.example'], { pending: true });
  expect(leaving).toMatchObject({
    items: [{ verdict: 'done', ...until, message: 'Waits for the end of a borrow, 2026-11-22 13:15 UTC.' }],
    waits: 1,
  });
  world.restart();
  expect([...world.state.tables.job.values()].map(({ waits }) => waits)).toEqual([1, 1, 1]);
});

test('assign: a product in capitals is that product; a mistyped one is asked about; one that is missing can be named for all rows', async () => {
  const { world } = withSeats();
  const rows = [
    'b@studio.example,COMP',
    'b@studio.example,Rendre',
    'b@studio.example,zbrush',
    'b@studio.example,',
  ];
  const { items } = await told(world, 'assign', ['email,product', ...rows]);
  expect(items.map(({ code, verdict }) => code ?? verdict)).toEqual([
    ...['unchanged', 'PRODUCT_UNKNOWN', 'PRODUCT_UNKNOWN', 'PRODUCT_UNKNOWN'],
  ]);
  expect(items[1]!.message).toMatch(/ Did you mean render\?$/);
  expect(items[2]!.message).not.toContain('Did you mean');
  expect(items[3]!.message).toContain('--products');
});
