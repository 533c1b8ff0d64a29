import { createHash } from 'node:crypto';
import type { Method, ParamsOf } from '@berth/protocol';
import type { By, RequestKey } from '../domain/commands.js';
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
  const hash = createHash('sha256')
    .update(JSON.stringify([method, body]))
    .digest('base64url');
  return { by: byOf(caller), request: { device: caller.deviceId, key: params.key, hash } };
}

export function byOf(caller: Caller): By {
  return { device: caller.deviceId, email: caller.email };
}
