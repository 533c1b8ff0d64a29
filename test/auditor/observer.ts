import { createHash } from 'node:crypto';
import type { Happening, PoolSeen } from './history.js';

/** Their `until` is the record that they are about. */
const ofOneRecord: ReadonlySet<string> = new Set(['audit.checkpoint', 'audit.prune']);

/** What an admin asks for, told whole (office-asked.ts). */
const ofTheOffice: ReadonlySet<string> = new Set([
  ...['allocation.assign', 'allocation.revoke', 'allocation.move', 'sharing.set', 'pool.set'],
  ...['lease.revoke', 'lease.keep', 'user.remove', 'entitlement.remove', 'credit.limit', 'credit.decide'],
]);

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
  readonly wants?: { readonly products: string[]; readonly seats: number }[];
  readonly idle?: { readonly lease: string; readonly seconds: number }[];
  readonly credits?: number;
  readonly checkout?: string;
  readonly position?: number;
  readonly endorsement?: string;
  readonly deviceKey?: string;
  readonly entitlement?: string;
  readonly id?: string;
  readonly lease?: string;
  /** A borrow request that was carried in a file. */
  readonly request?: string;
  /** Of `audit.records`, `audit.checkpoint` and `audit.prune`. */
  readonly until?: number;
  /** Of `audit.records`. */
  readonly from?: { readonly seq: number; readonly offset: number };
}

interface Frame {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly data?: { readonly code?: string } };
}

/** Turns the frames of one connection, as its client sends and hears them, into what the auditor judges. */
export class Observer {
  readonly #write: (happening: Happening) => void;
  readonly #nowMs: () => number;
  readonly #asked = new Map<number | string, Asked>();

  constructor(write: (happening: Happening) => void, nowMs: () => number) {
    this.#write = write;
    this.#nowMs = nowMs;
  }

  /** Call it before the frame leaves: a process that dies in between has given back too early, never too late. */
  sent(data: unknown): void {
    const frame = parse(data);
    if (frame?.method === undefined || frame.id === undefined) return;
    const { method, params = {} } = frame;
    const { leases = [], stops = [] } = params;
    // An admin carries the words of a machine that no network reaches: who asked is that machine.
    const carried = method === 'borrow.grant' ? claimsOf<Carried>(params.request ?? '') : undefined;
    const nonce = params.nonce ?? carried?.nonce;
    this.#asked.set(frame.id, { method, params, sentAt: this.#nowMs() });
    this.#write({
      event: 'request',
      method,
      ...keyOf(params),
      ...(nonce === undefined ? {} : { nonce }),
      ...(carried === undefined ? {} : { signedAtMs: carried.iat * 1000 }),
      ...(params.wants === undefined ? {} : { wants: params.wants }),
      ...(params.idle === undefined ? {} : { idle: params.idle }),
      ...(params.credits === undefined ? {} : { credits: params.credits }),
      ...(ofTheOffice.has(method) ? { office: params as Readonly<Record<string, unknown>> } : {}),
      ...(params.until === undefined || !ofOneRecord.has(method) ? {} : { until: params.until }),
    });
    if (method === 'entitlement.remove') this.#write({ event: 'removing', id: params.id ?? '' });
    if (method === 'session.open' && params.deviceKey !== undefined)
      this.#write({ event: 'session', device: params.deviceKey });
    if (carried !== undefined) this.#write({ event: 'session', device: carried.dev });
    if (method === 'lease.release')
      this.#write({ event: 'released', leases, stopped: stops.length > 0, stops });
    if (method === 'borrow.return' || method === 'borrow.accept')
      this.#write({ event: 'returned', leases: stops.map(leaseOf), stops });
  }

  /** Call it before the client sees the frame. */
  heard(data: unknown): void {
    const { id, method, params, result, error } = parse(data) ?? {};
    if (method !== undefined) {
      this.#write({
        event: 'pushed',
        method,
        ...(params?.lease === undefined ? {} : { lease: params.lease }),
        ...(params?.checkout === undefined ? {} : { checkout: params.checkout }),
        ...(params?.position === undefined ? {} : { position: params.position }),
      });
      return;
    }
    const asked = this.#asked.get(id ?? '');
    if (asked === undefined) return;
    if (error !== undefined) {
      const { data: details } = error;
      this.#write({ event: 'denied', method: asked.method, code: details?.code ?? '?', data: details });
    } else if (result !== undefined) this.#answered(asked, result);
  }

  #answered({ method, params, sentAt }: Asked, result: Record<string, unknown>): void {
    const write = this.#write;
    const { entitlements: _, endorsements = [], ...rest } = result;
    for (const endorsement of endorsements as string[]) write({ event: 'endorsed', endorsement });
    if (params.key !== undefined)
      write({
        ...{ event: 'result', method, key: params.key, text: JSON.stringify(lasting(method, rest)) },
        ...(params.credits === undefined || method !== 'credit.consume' ? {} : { credits: params.credits }),
      });
    const leases = tokensIn(result);
    if (leases.length > 0) {
      const entitlements = (result.entitlements ?? []) as string[];
      write({ event: 'answer', method, ...keyOf(params), leases, entitlements });
    }
    if (method === 'lease.release') write({ event: 'confirmed', leases: params.leases ?? [] });
    if (method === 'borrow.return' || method === 'borrow.accept')
      write({ event: 'confirmed', leases: (params.stops ?? []).map(leaseOf) });
    if (method === 'bulk.report') write(reportIn(result as unknown as Report));
    if (method === 'audit.records' && params.from !== undefined)
      // The rest of a record that came in pieces is none.
      write({
        ...{ event: 'exported', records: wholeIn(result.parts as Part[]) },
        from: params.from.seq + (params.from.offset > 0 ? 1 : 0),
      });
    if (method === 'pool.status') write({ event: 'status', sentAt, pools: result.pools as PoolSeen[] });
    if (method === 'entitlement.import')
      write({ event: 'imported', ...keyOf(params), entitlement: params.entitlement ?? '', sentAt });
    if (method === 'endorsement.import') write({ event: 'endorsed', endorsement: params.endorsement ?? '' });
    if (method === 'entitlement.remove' && result.cancelled !== undefined)
      write({ event: 'kept', id: params.id ?? '' });
    // One that is left pending, or taken back, has removed nothing.
    if (method === 'entitlement.remove' && result.pending === undefined && result.cancelled === undefined)
      write({ event: 'removed', id: params.id ?? '' });
  }
}

/** How far a job is changes by itself; which one it is does not. A retry of `backup.begin` begins anew (PROTOCOL 7.82). */
function lasting(method: string, result: Record<string, unknown>): unknown {
  if (method === 'backup.begin') return { server: result.server, epoch: result.epoch };
  return method === 'bulk.apply' ? { ...result, job: (result.job as { id: string }).id } : result;
}

interface Report {
  readonly job: { readonly id: string; readonly endedAtMs?: number };
  readonly items: readonly { readonly line: number; readonly verdict: string }[];
}

function reportIn({ job, items }: Report): Happening {
  const rows = items.map(({ line, verdict }) => ({ line, verdict }));
  return { event: 'report', job: job.id, ended: job.endedAtMs !== undefined, rows };
}

interface Part {
  readonly seq: number;
  readonly prev: string;
  readonly offset: number;
  readonly size: number;
  readonly bytes: string;
}

/** Records that came in one piece, by their hash: SHA-256(seq, prev, payload). */
function wholeIn(parts: readonly Part[]): { seq: number; hash: string }[] {
  return parts.flatMap(({ seq, prev, offset, size, bytes }) => {
    const payload = Buffer.from(bytes, 'base64url');
    if (offset !== 0 || payload.length !== size) return [];
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(seq));
    const hash = createHash('sha256').update(number).update(Buffer.from(prev, 'base64url')).update(payload);
    return [{ seq, hash: hash.digest('hex') }];
  });
}

function keyOf({ key }: Params): { key?: string } {
  return key === undefined ? {} : { key };
}

function parse(data: unknown): Frame | null {
  if (typeof data !== 'string' && !Buffer.isBuffer(data)) return null;
  try {
    return JSON.parse(data.toString()) as Frame;
  } catch {
    return null;
  }
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
  return claimsOf<{ jti: string }>(stop).jti;
}

interface Carried {
  readonly nonce: string;
  readonly dev: string;
  readonly iat: number;
}

function claimsOf<Claims>(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
}
