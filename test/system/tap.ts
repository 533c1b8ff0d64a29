// Loaded into a process with `node --import`: writes down what the process says to a licence server and hears from it, frame by frame
// and before anything of Berth has looked at it, for the auditor. BERTH_TAP names the folder, BERTH_TAP_NAME the process.
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { Happening, PoolSeen } from '../auditor/history.js';

const folder = process.env.BERTH_TAP;
if (folder !== undefined) tap(folder, `${process.env.BERTH_TAP_NAME ?? 'process'}-${process.pid}`);

/** A request that has no answer yet. */
interface Asked {
  readonly method: string;
  readonly params: Params;
  readonly sentAt: number;
}

interface Params {
  readonly key?: string;
  readonly nonce?: string;
  readonly leases?: string[];
  readonly stops?: string[];
  readonly deviceKey?: string;
  readonly entitlement?: string;
  readonly id?: string;
  readonly lease?: string;
}

interface Frame {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly data?: { readonly code?: string } };
}

type Write = (happening: Happening) => void;

function tap(into: string, name: string): void {
  const write = writer(into, name);
  const asked = new WeakMap<WebSocket, Map<number | string, Asked>>();
  const { send, emit } = WebSocket.prototype;
  WebSocket.prototype.send = function (this: WebSocket, data: unknown, ...rest: unknown[]) {
    const frame = parse(data);
    if (frame?.method !== undefined && frame.id !== undefined) {
      const open = asked.get(this) ?? new Map<number | string, Asked>();
      asked.set(this, open);
      // Before it leaves: a process that dies in between has given back too early, never too late.
      open.set(frame.id, sent(frame.method, frame.params ?? {}, write));
    }
    return (send as (...all: unknown[]) => void).call(this, data, ...rest);
  } as typeof send;
  WebSocket.prototype.emit = function (this: WebSocket, event: string | symbol, ...rest: unknown[]) {
    if (event === 'message') {
      const frame = parse(rest[0]);
      if (frame !== null) heard(frame, asked.get(this)?.get(frame.id ?? ''), write);
    }
    return (emit as (...all: unknown[]) => boolean).call(this, event, ...rest);
  } as typeof emit;
}

/** One write a line: a SIGKILL leaves whole lines behind, but perhaps for the last. */
function writer(into: string, name: string): Write {
  const file = openSync(join(into, `${name}.jsonl`), 'a');
  return (happening) => {
    writeSync(file, `${JSON.stringify({ t: nowMs(), wallMs: Date.now(), process: name, ...happening })}\n`);
  };
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function parse(data: unknown): Frame | null {
  if (typeof data !== 'string' && !Buffer.isBuffer(data)) return null;
  try {
    return JSON.parse(data.toString()) as Frame;
  } catch {
    return null;
  }
}

function sent(method: string, params: Params, write: Write): Asked {
  const sentAt = nowMs();
  const { key, nonce, leases = [], stops = [] } = params;
  write({
    event: 'request',
    method,
    ...(key === undefined ? {} : { key }),
    ...(nonce === undefined ? {} : { nonce }),
  });
  if (method === 'session.open' && params.deviceKey !== undefined)
    write({ event: 'session', device: params.deviceKey });
  if (method === 'lease.release') write({ event: 'released', leases, stopped: stops.length > 0 });
  if (method === 'borrow.return') write({ event: 'returned', leases: stops.map(leaseOf) });
  return { method, params, sentAt };
}

function heard({ method, params, result, error }: Frame, asked: Asked | undefined, write: Write): void {
  if (method !== undefined) {
    write({ event: 'pushed', method, ...(params?.lease === undefined ? {} : { lease: params.lease }) });
  } else if (asked !== undefined && error !== undefined) {
    write({ event: 'denied', method: asked.method, code: error.data?.code ?? '?', data: error.data });
  } else if (asked !== undefined && result !== undefined) answered(asked, result, write);
}

function answered({ method, params, sentAt }: Asked, result: Record<string, unknown>, write: Write): void {
  const leases = tokensIn(result);
  if (leases.length > 0) {
    const entitlements = (result.entitlements ?? []) as string[];
    write({
      event: 'answer',
      method,
      ...(params.key === undefined ? {} : { key: params.key }),
      leases,
      entitlements,
    });
  }
  if (method === 'lease.release') write({ event: 'confirmed', leases: params.leases ?? [] });
  if (method === 'borrow.return') write({ event: 'confirmed', leases: (params.stops ?? []).map(leaseOf) });
  if (method === 'pool.status') write({ event: 'status', sentAt, pools: result.pools as PoolSeen[] });
  if (method === 'entitlement.import')
    write({ event: 'imported', entitlement: params.entitlement ?? '', sentAt });
  if (method === 'entitlement.remove') write({ event: 'removed', id: params.id ?? '' });
}

/** A grant lists tokens, a renewal rows with or without one. */
function tokensIn({ leases = [] }: Record<string, unknown>): string[] {
  return (leases as (string | { token?: string })[]).flatMap((row) => {
    const token = typeof row === 'string' ? row : row.token;
    return token === undefined ? [] : [token];
  });
}

/** The lease a stop names. */
function leaseOf(stop: string): string {
  const claims = JSON.parse(Buffer.from(stop.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
  return claims.jti;
}
