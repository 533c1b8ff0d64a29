import { allocationHandlers } from '@berth/server/admin/allocation-handlers';
import type { HandlerDeps } from '@berth/server/admin/deps';
import { memberHandlers } from '@berth/server/admin/member-handlers';
import { userHandlers } from '@berth/server/admin/user-handlers';
import type { Command } from '@berth/server/domain/commands';
import { beforeEach, expect, test } from 'vitest';
import { World } from './domain/world.js';

// Whom a login name means (PRODUCT.md, find users) is known when a request first comes; a retry gets what that led to (I7).

const [ANNA, BO] = ['anna@studio.example', 'bo@studio.example'];
let world: World;

beforeEach(() => {
  world = new World();
  world.import({ seats: 2, share: 'user' });
  world.user('anna');
  world.user('bo');
  alias({ email: ANNA, add: ['lgt07'] });
  alias({ email: BO, add: ['lgt08'] });
});

function alias({ email, add = [], remove = [] }: { email: string; add?: string[]; remove?: string[] }): void {
  const none = { name: null, role: null, was: {} };
  const aliases = { addAliases: add, removeAliases: remove };
  world.ok({ type: 'setUser', ...world.admin(), email, ...none, ...aliases });
}

function assign(): void {
  const of = { email: ANNA, product: 'render', quantity: 1, endMs: null };
  world.ok({ type: 'assign', ...world.admin(), ...of });
}

/** What an owner asks, with the handlers of the server over the domain. */
function ask(method: keyof ReturnType<typeof handlers>, params: object): Promise<unknown> {
  const { device: deviceId, email } = world.admin().by;
  const handler = handlers()[method] as unknown as (params: object, caller: object) => Promise<unknown>;
  return handler(params, { deviceId, email });
}

function handlers() {
  const engine = { submit: async (command: Command) => world.send(command) };
  const deps = { engine, state: world.state } as unknown as HandlerDeps;
  return { ...userHandlers(deps), ...memberHandlers(deps), ...allocationHandlers(deps) };
}

/** The answer is lost, the login name leads nowhere or to somebody else by then, and the client asks again. */
async function retried(method: Parameters<typeof ask>[0], params: object, meanwhile = (): void => {}) {
  const asked = { key: 'k'.repeat(22), ...params };
  const first = await ask(method, asked);
  expect(first).toMatchObject({ ok: true });
  meanwhile();
  expect(await ask(method, asked)).toEqual(first);
}

const gone = (): void => alias({ email: ANNA, remove: ['lgt07'] });
/** From then on each login name is the other one's. */
function swapped(): void {
  alias({ email: ANNA, remove: ['lgt07'] });
  alias({ email: BO, remove: ['lgt08'], add: ['lgt07'] });
  alias({ email: ANNA, add: ['lgt08'] });
}

test('a removal by a login name, which goes with its user', () =>
  retried('user.remove', { email: 'STUDIO\\LGT07' }));

test('a change that takes the login name away by which it names the user', () =>
  retried('user.set', { email: 'lgt07', removeAliases: ['lgt07'] }));

test('a device that is locked out, and links that end', async () => {
  const invited = { email: ANNA, name: null, role: null, device: true, invitationMs: 60_000 };
  world.ok({ type: 'invite', ...world.admin(), ...invited });
  await retried('user.invitation.cancel', { email: 'lgt07' }, gone);
  alias({ email: ANNA, add: ['lgt07'] });
  const params = { key: 'u'.repeat(22), email: 'lgt07', device: 'anna-pc' };
  await retried('user.unenrol', params, gone);
});

test('seats that are set aside', () =>
  retried('allocation.assign', { email: 'lgt07', product: 'render', quantity: 1 }, gone));

test.each([gone, swapped])(
  'seats that are moved: the answer names those whom it was about (%#)',
  async (meanwhile) => {
    assign();
    await retried('allocation.move', { email: 'lgt07', to: 'lgt08', product: 'render' }, meanwhile);
  },
);

test.each([gone, swapped])('seats that are taken back: the same (%#)', async (meanwhile) => {
  assign();
  await retried('allocation.revoke', { email: 'lgt07', product: 'render' }, meanwhile);
});

test('a login name that leads nowhere is refused as ever, the first time', async () => {
  const of = { email: 'lgt99', product: 'render' };
  const refused = { ok: false, code: 'EMAIL_INVALID', detail: { email: 'lgt99' } };
  const key = 'k'.repeat(22);
  expect(await ask('user.remove', { key, email: 'lgt99' })).toMatchObject(refused);
  expect(await ask('user.set', { key, email: 'lgt99', name: 'A' })).toMatchObject(refused);
  expect(await ask('user.unenrol', { key, email: 'lgt99', device: 'pc' })).toMatchObject(refused);
  expect(await ask('user.invitation.cancel', { key, email: 'lgt99' })).toMatchObject(refused);
  expect(await ask('allocation.assign', { key, ...of, quantity: 1 })).toMatchObject(refused);
  expect(await ask('allocation.move', { key, ...of, to: ANNA })).toMatchObject(refused);
  expect(await ask('allocation.move', { key, ...of, email: ANNA, to: 'lgt99' })).toMatchObject(refused);
  expect(await ask('allocation.revoke', { key, ...of })).toMatchObject(refused);
  expect(await ask('user.remove', { key, email: 'not@an-address' })).toMatchObject({ code: 'EMAIL_INVALID' });
  expect(await ask('user.remove', { key, email: 'nobody@studio.example' })).toMatchObject({
    code: 'USER_UNKNOWN',
  });
});
