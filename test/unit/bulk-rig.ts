import { bulkHandlers } from '@berth/server/admin/bulk-handlers';
import type { HandlerDeps } from '@berth/server/admin/deps';
import type { Command } from '@berth/server/domain/commands';
import { DAY_MS, type World } from './domain/world.js';

type Handlers = ReturnType<typeof bulkHandlers>;
export type BulkCaller = Parameters<Handlers['bulk.apply']>[1];

/** The handlers of bulk work over a world, and the admin who calls them. */
export function bulkRig(world: World): { handlers: Handlers; caller: BulkCaller } {
  const deps = {
    clock: { now: () => world.now },
    invitationMs: DAY_MS,
    engine: {
      submit: async (command: Command) => world.send(command),
      read: async (view: (state: World['state'], now: World['now']) => unknown) =>
        view(world.state, world.now),
      ask: async (view: (state: World['state'], context: World['context']) => unknown) =>
        view(world.state, world.context),
    },
  };
  const { by } = world.admin();
  const caller = { deviceId: by.device, deviceKey: 'k', email: by.email } as BulkCaller;
  return { handlers: bulkHandlers(deps as unknown as HandlerDeps), caller };
}
