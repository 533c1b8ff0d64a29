import { hash as digest } from 'node:crypto';
import type { Method, ParamsOf } from '@berth/protocol';
import { type By, type Denial, deny, type RequestKey, type When } from '../domain/commands.js';
import type { Caller } from '../transport/api.js';

type Changing = { [M in Method]: ParamsOf<M> extends { key: string } ? M : never }[Method];

/** What a retry may say differently: the clock it reads again, the stops it signs again, how long it still waits. */
const notCompared = new Set(['key', 'wallMs', 'stops', 'waitMs']);

/** What the engine needs to know a retry (I7): scoped to the device, compared by the hash of what was asked. */
export function asked<M extends Changing>(
  method: M,
  params: ParamsOf<M> & { readonly key: string } & Readonly<Record<string, unknown>>,
  caller: Caller,
): { by: By; request: RequestKey } {
  const body = Object.entries(params)
    .filter(([name]) => !notCompared.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = digest('sha256', JSON.stringify([method, body]), 'base64url');
  return { by: byOf(caller), request: { device: caller.deviceId, key: params.key, hash } };
}

/** The same for a question ahead, which has no key: nothing is kept that could have the one it is given here. */
export function unasked<M extends Changing>(
  method: M,
  params: Omit<ParamsOf<M>, 'key'>,
  caller: Caller,
): { by: By; request: RequestKey } {
  return asked(method, { ...params, key: '' } as ParamsOf<M> & { key: string }, caller);
}

/** Now, pending or not at all: what a revoke or removal may say (I8). */
export function whenOf({ pending, cancel }: { pending?: boolean; cancel?: boolean }): When | Denial {
  if (pending === true && cancel === true)
    return deny('PARAMS_INVALID', '`pending` and `cancel` exclude each other.', { field: 'cancel' });
  if (cancel === true) return 'cancel';
  return pending === true ? 'pending' : 'now';
}

export function byOf(caller: Caller): By {
  return { device: caller.deviceId, email: caller.email, from: caller.address };
}
