import { canonicalName, dayStartMs, limits } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import { machineInfo, machineTokenInfo } from '../domain/machines.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { cut, inOrder, keyIn, page } from './pages.js';
import { asked, unasked } from './request.js';
import { inTurns, Selection } from './selection.js';

type MachineHandlers = Pick<
  Handlers,
  | 'machine.token.create'
  | 'machine.token.list'
  | 'machine.token.revoke'
  | 'machine.list'
  | 'machine.remove'
  | 'machine.remove.preview'
>;

const dayMs = 86_400_000;

/** By name; the id keeps those of one name apart. */
interface Place {
  readonly key: string;
  readonly id: string;
}

export function machineHandlers(deps: HandlerDeps): MachineHandlers {
  const { engine } = deps;
  return {
    'machine.token.create': (params, caller) => createToken(deps, params, caller),
    'machine.token.list': ({ cursor, limit }) =>
      engine.read((state, now): Answer<'machine.token.list'> => {
        const rows = state.tables.machineToken.values();
        const view = (row: Parameters<typeof machineTokenInfo>[0]) => machineTokenInfo(row, now);
        return { ok: true, result: page(rows, ({ id }) => id, { cursor, limit }, view) };
      }),
    'machine.token.revoke': async (params, caller) => {
      const key = asked('machine.token.revoke', params, caller);
      const settled = await engine.submit({ type: 'revokeMachineToken', ...key, id: params.id });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'machine.list': async ({ cursor, limit = limits.pageRows, group }) => {
      const [behind, found] = [
        keyIn(cursor),
        new Selection<Place>(limit + 1, (a, b) => inOrder(a.key, b.key)),
      ];
      await inTurns(deps.state.tables.device.values(), ({ machine, name, id }) => {
        if (machine === undefined || (group !== undefined && machine.group !== group.trim())) return;
        const key = `${name} ${id}`;
        if (behind === null || key > behind) found.add({ key, id });
      });
      return engine.read((state): Answer<'machine.list'> => {
        const result = cut(
          found.sorted(),
          ({ key }) => key,
          limit,
          ({ id }) => {
            const row = state.tables.device.get(id);
            return row === undefined ? null : machineInfo(state, row);
          },
        );
        return { ok: true, result };
      });
    },
    'machine.remove': async (params, caller) => {
      const key = asked('machine.remove', params, caller);
      const settled = await engine.submit({ type: 'removeMachine', ...key, machine: params.machine });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'machine.remove.preview': async (params, caller) => {
      const command = { type: 'removeMachine', machine: params.machine } as const;
      const settled = await engine.would({ ...command, ...unasked('machine.remove', params, caller) });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}

const createToken = async (
  deps: HandlerDeps,
  params: Parameters<Handlers['machine.token.create']>[0],
  caller: Parameters<Handlers['machine.token.create']>[1],
): Promise<Answer<'machine.token.create'>> => {
  const [name, group] = [canonicalName(params.name ?? ''), canonicalName(params.group ?? '')];
  if (name === null || group === null) return deny('NAME_INVALID');
  const day = params.expires === undefined ? null : dayStartMs(params.expires);
  if (params.expires !== undefined && day === null) return deny('DATE_INVALID');
  const { wallMs } = deps.clock.now();
  if (day !== null && day + dayMs <= wallMs)
    return deny(
      'DATE_INVALID',
      `${params.expires} is over.`,
      undefined,
      'Give a day that is still to come, or today.',
    );
  const untilMs = params.seconds === undefined ? null : wallMs + params.seconds * 1000;
  const settled = await deps.engine.submit({
    type: 'createMachineToken',
    ...asked('machine.token.create', params, caller),
    name,
    group: group === '' ? null : group,
    maxUses: params.uses ?? 1,
    // Through the end of that day (PRODUCT.md, Words).
    expiresAtMs: day === null ? untilMs : day + dayMs,
  });
  if (!settled.ok) return settled;
  const { token } = settled.outcome;
  const link = deps.invitations.link(token.id, deps.address(), deps.serverKey);
  return { ok: true, result: { token, link } };
};
