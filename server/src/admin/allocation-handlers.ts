import { dayEndMs, type ParamsOf } from '@berth/protocol';
import { type Command, type Denial, deny, type Settled } from '../domain/commands.js';
import type { Answer, Handlers } from '../transport/api.js';
import { listAllocations } from './allocation-list.js';
import type { HandlerDeps } from './deps.js';
import { userCalled, userMeant } from './people.js';
import { asked, unasked, whenOf } from './request.js';

type AllocationHandlers = Pick<
  Handlers,
  | 'allocation.assign'
  | 'allocation.assign.preview'
  | 'allocation.move'
  | 'allocation.move.preview'
  | 'allocation.revoke'
  | 'allocation.revoke.preview'
  | 'allocation.list'
>;

export function allocationHandlers(deps: HandlerDeps): AllocationHandlers {
  const { engine } = deps;
  return {
    'allocation.assign': (params, caller) =>
      assign(deps, params, (wish) =>
        engine.submit({ type: 'assign', ...asked('allocation.assign', params, caller), ...wish }),
      ),
    'allocation.assign.preview': (params, caller) =>
      assign(deps, params, (wish) =>
        engine.would({ type: 'assign', ...unasked('allocation.assign', params, caller), ...wish }),
      ),
    'allocation.move': (params, caller) =>
      move(deps, params, (wish) =>
        engine.submit({ type: 'move', ...asked('allocation.move', params, caller), ...wish }),
      ),
    'allocation.move.preview': (params, caller) =>
      move(deps, params, (wish) =>
        engine.would({ type: 'move', ...unasked('allocation.move', params, caller), ...wish }),
      ),
    'allocation.revoke': (params, caller) =>
      revoke(deps, params, (wish) =>
        engine.submit({ type: 'revoke', ...asked('allocation.revoke', params, caller), ...wish }),
      ),
    'allocation.revoke.preview': (params, caller) =>
      revoke(deps, params, (wish) =>
        engine.would({ type: 'revoke', ...unasked('allocation.revoke', params, caller), ...wish }),
      ),
    'allocation.list': async (params) => {
      const email = params.email === undefined ? undefined : userCalled(deps, params.email);
      return typeof email === 'object' ? email : listAllocations(deps, params, email);
    },
  };
}

type Wish<T extends 'assign' | 'move' | 'revoke'> = Omit<Command<T>, 'type' | 'by' | 'request'>;

async function assign(
  deps: HandlerDeps,
  params: ParamsOf<'allocation.assign.preview'>,
  settle: (wish: Wish<'assign'>) => Promise<Settled<'assign'>>,
): Promise<Answer<'allocation.assign'>> {
  const target = readTarget(deps, params.email, params.expires);
  if ('ok' in target) return target;
  const { product, quantity } = params;
  const settled = await settle({ ...target, product, ...subscriptionIn(params), quantity });
  return settled.ok ? { ok: true, result: settled.outcome } : settled;
}

async function move(
  deps: HandlerDeps,
  params: ParamsOf<'allocation.move.preview'>,
  settle: (wish: Wish<'move'>) => Promise<Settled<'move'>>,
): Promise<Answer<'allocation.move'>> {
  const target = readTarget(deps, params.email, params.expires);
  if ('ok' in target) return target;
  const to = userMeant(deps, params.to);
  if (typeof to !== 'string') return to;
  const { product, quantity = 1 } = params;
  const settled = await settle({ ...target, to, product, ...subscriptionIn(params), quantity });
  if (!settled.ok) return settled;
  // Outcomes that older versions kept do not name them.
  return { ok: true, result: { email: target.email, to, product, ...settled.outcome } };
}

async function revoke(
  deps: HandlerDeps,
  params: ParamsOf<'allocation.revoke.preview'>,
  settle: (wish: Wish<'revoke'>) => Promise<Settled<'revoke'>>,
): Promise<Answer<'allocation.revoke'>> {
  const target = readTarget(deps, params.email, params.expires);
  if ('ok' in target) return target;
  const when = whenOf(params);
  if (typeof when !== 'string') return when;
  const { product, quantity = 1 } = params;
  const settled = await settle({ ...target, product, quantity, when });
  return settled.ok ? { ok: true, result: { email: target.email, product, ...settled.outcome } } : settled;
}

function subscriptionIn({ subscription }: { readonly subscription?: string }): { subscription?: string } {
  return subscription === undefined ? {} : { subscription: subscription.trim() };
}

/** The user and the end of the entitlement as typed by a person. */
function readTarget(
  deps: HandlerDeps,
  email: string,
  expires: string | undefined,
): { email: string; endMs: number | null } | Denial {
  const canonical = userMeant(deps, email);
  if (typeof canonical !== 'string') return canonical;
  if (expires === undefined) return { email: canonical, endMs: null };
  const endMs = dayEndMs(expires.trim());
  return endMs === null
    ? deny('DATE_INVALID', `"${expires}" is not a day.`, { expires })
    : { email: canonical, endMs };
}
