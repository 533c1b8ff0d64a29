import type { ParamsOf } from '@berth/protocol';
import { listUsers } from '@berth/server/admin/user-list';
import { beforeAll, describe, expect, test } from 'vitest';
import { World } from './domain/world.js';

// Lists of members: filters, orders, pages; and that a page of many users does not look at all of them.

const world = new World();
const MANY = 3000;

beforeAll(() => {
  world.import({ seats: 100, borrow: { maxSeconds: 60, seats: 1 } });
  const { user } = world.state.tables;
  const [row] = user.values();
  for (let at = 0; at < MANY; at += 1) {
    const email = `u${String((at * 7919) % MANY).padStart(5, '0')}@studio.example`;
    const role = at % 1000 === 0 ? 'viewer' : 'user';
    user.set(email, { ...row!, email, name: `N${at % 10}`, role, state: 'active' });
  }
  world.restart();
  for (const [name, quantity] of [
    ['u00007', 3],
    ['u00500', 5],
    ['u02999', 1],
  ] as const) {
    const asked = { email: `${name}@studio.example`, product: 'render', quantity, endMs: null };
    world.ok({ type: 'assign', ...world.admin(), ...asked });
  }
});

async function list(asked: ParamsOf<'user.list'>) {
  const read = async <R>(view: (state: World['state'], now: World['now']) => R) =>
    view(world.state, world.now);
  const answer = await listUsers({ state: world.state, engine: { read } }, asked);
  if (!answer.ok) throw new Error(answer.code);
  return answer.result;
}
const emails = async (asked: ParamsOf<'user.list'>) =>
  (await list(asked)).items.map(({ email }) => email.split('@')[0]);

/** Every page, one after the other. */
async function all(asked: ParamsOf<'user.list'>): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { items, next } = await list({ ...asked, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...items.map(({ email }) => email));
    cursor = next;
  }
  return found;
}

describe('pages', () => {
  test.each([
    { limit: 100 },
    { limit: 97, descending: true },
    { limit: 100, sort: 'name' },
    { limit: 100, sort: 'name', descending: true },
    { limit: 100, sort: 'seats', descending: true },
  ] as const)('%j: everybody, once', async (asked) => {
    const found = await all(asked);
    expect(found).toHaveLength(MANY + 1);
    expect(new Set(found).size).toBe(MANY + 1);
  });

  test('by number, and how many there are', async () => {
    const { items, total, next } = await list({ page: 3, limit: 10, search: 'u0' });
    expect(total).toBe(MANY);
    expect(items.map(({ email }) => email.slice(0, 6))).toEqual(
      (await emails({ limit: 30, search: 'u0' })).slice(20),
    );
    const { items: after } = await list({ cursor: next!, limit: 1, search: 'u0', sort: 'email' });
    expect(after[0]!.email).toBe('u00030@studio.example');
    expect(await list({ page: 400, limit: 10 })).toMatchObject({ items: [], next: null });
  });

  test('by e-mail, a page of many users looks at as many as it shows', async () => {
    const looked: string[] = [];
    const { user } = world.state.tables;
    const get = user.get.bind(user);
    user.get = (email) => {
      looked.push(email);
      return get(email);
    };
    const { next } = await list({ limit: 10 });
    await list({ limit: 10, cursor: next! });
    user.get = get;
    expect(looked.length).toBeLessThan(30);
  });
});

describe('filters and orders', () => {
  test('of a product: who has it allocated, most seats first', async () => {
    expect(await emails({ product: 'render' })).toEqual(['u00007', 'u00500', 'u02999']);
    expect(await emails({ product: 'render', sort: 'seats', descending: true })).toEqual([
      'u00500',
      'u00007',
      'u02999',
    ]);
    // An empty list would look as if nobody had any.
    await expect(emails({ product: 'none' })).rejects.toThrow('PRODUCT_UNKNOWN');
    expect((await list({ product: 'render' })).items[0]).toMatchObject({
      products: [{ product: 'render', quantity: 3 }],
    });
  });

  test('of a role, a state, a search; together', async () => {
    expect(await emails({ role: 'viewer' })).toHaveLength(3);
    expect(await emails({ role: 'owner' })).toEqual(['owner']);
    expect(await emails({ state: 'invited' })).toEqual([]);
    expect(await emails({ search: ' U0050 ', limit: 20 })).toEqual([
      'u00500',
      'u00501',
      'u00502',
      'u00503',
      'u00504',
      'u00505',
      'u00506',
      'u00507',
      'u00508',
      'u00509',
    ]);
    expect(await emails({ search: 'u005', product: 'render', role: 'user' })).toEqual(['u00500']);
    expect(await emails({ role: 'viewer', product: 'render' })).toEqual([]);
  });
});
