import { signToken } from '@berth/protocol';
import type { HandlerDeps } from '@berth/server/admin/deps';
import { offlineHandlers } from '@berth/server/admin/offline-handlers';
import type { Command } from '@berth/server/domain/commands';
import { expect, test } from 'vitest';
import { keyOf, World } from './domain/world.js';

type Grant = Parameters<ReturnType<typeof offlineHandlers>['borrow.grant']>;

test('a render node that has joined by itself gets its offline borrow: it has no user', async () => {
  const world = new World();
  world.import({ share: 'device' });
  const making = { name: 'farm', group: 'farm', maxUses: 1, expiresAtMs: null };
  const { token } = world.ok({ type: 'createMachineToken', ...world.admin(), ...making });
  const leaseKey = keyOf('node');
  const node = world.ok({ type: 'enrolMachine', token: token.id, leaseKey, name: 'node-1' });
  const claims = {
    ...{ nonce: 'n'.repeat(22), dev: leaseKey, name: 'node-1', product: 'render', seats: 1, seconds: 3600 },
    iat: world.now.wallMs / 1000,
  };
  const request = signToken('borrowRequest', claims, () => new Uint8Array(64));
  const handlers = offlineHandlers(depsOf(world));
  const caller = { deviceId: world.admin().by.device, email: 'owner@studio.example' };
  const answer = await handlers['borrow.grant']({ request } as Grant[0], caller as Grant[1]);
  expect(answer).toMatchObject({
    ok: true,
    result: { leases: ['signed'], device: { id: node.device }, user: { email: node.email, role: 'user' } },
  });
  expect(world.usage()).toMatchObject({ borrowed: 1 });
});

function depsOf(world: World): HandlerDeps {
  const deps = {
    engine: {
      submit: async (command: Command) => world.send(command),
      readOf: (_: unknown, view: (state: World['state']) => unknown) => view(world.state),
      read: async (view: (state: World['state'], now: World['now']) => unknown) =>
        view(world.state, world.now),
    },
    issuer: { issue: () => 'signed' },
    verify: () => true,
    metrics: { checkout: () => {}, denial: () => {} },
  };
  return deps as unknown as HandlerDeps;
}
