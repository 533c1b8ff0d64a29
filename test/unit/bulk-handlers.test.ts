import { limits } from '@berth/protocol';
import type { bulkHandlers } from '@berth/server/admin/bulk-handlers';
import { expect, test } from 'vitest';
import { bulkRig } from './bulk-rig.js';
import { World } from './domain/world.js';

type Handlers = ReturnType<typeof bulkHandlers>;
type Applied = Parameters<Handlers['bulk.apply']>[0];

const upload = 'u-0123456789abcdef';

/** The handlers of one process: what was uploaded is gone with it. */
function open(world: World) {
  const { handlers, caller } = bulkRig(world);
  const put = async (header: readonly string[], rows: readonly (readonly string[])[]) => {
    const numbered = rows.map((cells, at) => ({ line: at + 2, cells: [...cells] }));
    const part = { upload, header: [...header], from: 0, rows: numbered };
    expect(await handlers['bulk.put'](part as never, caller)).toMatchObject({ ok: true });
  };
  const apply = (params: object) => handlers['bulk.apply']({ upload, ...params } as Applied, caller);
  const preview = (params: object) => handlers['bulk.preview']({ upload, ...params } as Applied, caller);
  return { put, apply, preview };
}

test('a request for it again has its job although another process has never seen the upload (I7)', async () => {
  const world = new World();
  const one = open(world);
  await one.put(['email', 'shoe size'], [['a@studio.example', '42']]);
  const asked = { key: 'k-0123456789abcdef', kind: 'invite' };
  const first = await one.apply(asked);
  expect(first).toMatchObject({ ok: true, result: { existing: false, ignored: ['shoe size'] } });
  const other = open(world);
  expect(await other.apply(asked)).toEqual(first);
  expect(await other.apply({ ...asked, key: 'k-1123456789abcdef' })).toMatchObject({
    code: 'UPLOAD_UNKNOWN',
  });
});

test('rows times products are no more than a job may have; rows that name their own count once', async () => {
  const world = new World();
  const { put, apply } = open(world);
  const half = Array.from({ length: limits.bulkRows / 2 + 1 }, (_, at) => `u${at}@studio.example`);
  const asked = { kind: 'assign', products: ['render', 'comp', 'render'] };
  await put(
    ['email', 'product'],
    half.map((email) => [email, '']),
  );
  const refused = await apply({ ...asked, key: 'k-0123456789abcdef' });
  expect(refused).toMatchObject({ ok: false, code: 'BULK_TOO_LARGE', detail: { rows: limits.bulkRows } });
  const named = open(world);
  await named.put(
    ['email', 'product'],
    half.map((email) => [email, 'render']),
  );
  const done = await named.apply({ ...asked, key: 'k-1123456789abcdef' });
  expect(done).toMatchObject({ ok: true, result: { job: { rows: half.length } } });
});

test('a page of a preview is of what was asked first; of anything else it is another preview', async () => {
  const world = new World();
  world.user('a');
  const { put, preview } = open(world);
  await put(['email'], [['a@studio.example'], ['b@studio.example']]);
  const first = await preview({ kind: 'invite', limit: 1 });
  expect(first).toMatchObject({ ok: true, result: { unchanged: 1, done: 1 } });
  const { next: cursor } = (first as unknown as { result: { next: string } }).result;
  expect(await preview({ kind: 'invite', limit: 1, cursor })).toMatchObject({
    result: { unchanged: 1, done: 1, items: [{ email: 'b@studio.example', verdict: 'done' }] },
  });
  expect(await preview({ kind: 'remove', limit: 1, cursor })).toMatchObject({
    result: { done: 1, failed: 1, items: [{ email: 'b@studio.example', code: 'USER_UNKNOWN' }] },
  });
});

test('the apostrophe before a formula is ours: the cell is judged as it was, and nobody is called so', async () => {
  const { put, preview } = open(new World());
  await put(
    ['email', 'name'],
    [
      ['a@studio.example', "'=1+1"],
      ["'+b@studio.example", 'Bo'],
      ['c@studio.example', "'t Hooft"],
    ],
  );
  expect(await preview({ kind: 'invite' })).toMatchObject({
    result: {
      items: [
        { code: 'CELL_FORMULA', name: '=1+1' },
        { code: 'CELL_FORMULA' },
        { verdict: 'done', name: "'t Hooft" },
      ],
    },
  });
});

test('a preview takes its turns with everybody else, and is of what was there when it was asked for', async () => {
  const world = new World();
  world.user('a');
  const row = world.state.tables.user.get('a@studio.example')!;
  const people = Array.from({ length: 8000 }, (_, at) => `u${String(at).padStart(4, '0')}@studio.example`);
  for (const email of people) world.state.tables.user.set(email, { ...row, email });
  world.restart();
  const { put, preview } = open(world);
  const asked = people.slice(-200);
  await put(
    ['email'],
    asked.map((email) => [email]),
  );
  let turns = 0;
  let isOver = false;
  const others = async (): Promise<void> => {
    for (; !isOver; turns += 1) {
      // Whoever it comes to last goes meanwhile, and somebody comes.
      const email = asked.at(-1 - turns);
      if (turns < 10) world.ok({ type: 'removeUser', ...world.admin(), email: email!, when: 'now' });
      if (turns < 10) world.user(`late${turns}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const [said] = await Promise.all([
    preview({ kind: 'remove' }).finally(() => {
      isOver = true;
    }),
    others(),
  ]);
  expect(said).toMatchObject({ ok: true, result: { rows: 200, done: 200, failed: 0 } });
  // 512 rows of users at once, and 50 of the table.
  expect(turns).toBeGreaterThanOrEqual(8000 / 512 + 200 / 50 - 2);
});
