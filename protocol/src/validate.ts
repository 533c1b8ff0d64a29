import {
  type Method,
  type ParamsOf,
  type Push,
  type PushParams,
  pushes,
  type ResultOf,
  requests,
} from './messages.js';
import { HttpHead, type HttpMethodOf, type HttpPath, httpRequests } from './messages-http.js';
import type { Static, TSchema } from './typebox.js';
import { Compile, type Validator } from './typebox.js';

export type Checked<T> = { ok: true; value: T } | { ok: false; field: string; message: string };

// Validators are compiled at first use and kept: 0.2 us a check afterwards (DESIGN 6).
const compiled = new Map<string, Validator>();

function check<T>(name: string, schema: () => TSchema, value: unknown): Checked<T> {
  let validator = compiled.get(name);
  if (validator === undefined) {
    validator = Compile(schema());
    compiled.set(name, validator);
  }
  if (validator.Check(value)) return { ok: true, value: value as T };
  const first = validator.Errors(value)[0];
  const field = (first?.instancePath ?? '').slice(1).replaceAll('/', '.') || missingField(first) || 'params';
  return { ok: false, field, message: first?.message ?? 'does not fit its schema' };
}

function missingField(error: { keyword?: string; params?: object } | undefined): string {
  const names =
    error?.params !== undefined && 'requiredProperties' in error.params
      ? error.params.requiredProperties
      : [];
  return Array.isArray(names) ? names.join(', ') : '';
}

/** The one place where the parameters of a request become typed. */
export function checkParams<M extends Method>(method: M, value: unknown): Checked<ParamsOf<M>> {
  return check(`params ${method}`, () => requests[method].params, value);
}

/** The one place where the result of a request becomes typed (client side). */
export function checkResult<M extends Method>(method: M, value: unknown): Checked<ResultOf<M>> {
  return check(`result ${method}`, () => requests[method].result, value);
}

/** The one place where the parameters of a pushed message become typed (client side). */
export function checkPush<P extends Push>(name: P, value: unknown): Checked<PushParams<P>> {
  return check(`push ${name}`, () => pushes[name].params, value);
}

/** What a signed request asks, its body already JSON. Typed as the message it is; `leases` of a renewal are read by the transport. */
export function checkHttpParams<P extends HttpPath>(
  path: P,
  value: unknown,
): Checked<Static<(typeof httpRequests)[P]['params']> & ParamsOf<HttpMethodOf<P>>> {
  return check(`http ${path}`, () => httpRequests[path].params, value);
}

/** The headers that sign a request, each at most once. */
export function checkHttpHead(value: unknown): Checked<HttpHead> {
  return check('http head', () => HttpHead, value);
}
