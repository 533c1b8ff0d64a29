import {
  decodeBase64Url,
  encodeBase64Url,
  type Holder,
  type Method,
  type ParamsOf,
  parsePublicKey,
  parseToken,
  type Renewal,
  type ResultOf,
  transcriptBytes,
} from '@berth/protocol';
import { portableEd25519 } from '../portable/ed25519.js';
import type { FakeCredits } from './fake-credits.js';
import type { FakeLine } from './fake-line.js';
import type { FakeLease, FakePool } from './fake-pool.js';
import type { Answer, FakeSocket, Refusal } from './fake-socket.js';
import type { FakeTime } from './fake-time.js';
import { fakeKeys, leaseToken } from './fake-vendor.js';

/** What the desk works with. */
export interface DeskParts {
  readonly time: FakeTime;
  readonly pool: FakePool;
  readonly line: FakeLine;
  readonly credits: FakeCredits;
  readonly leaseSeconds: number;
  /** Why seats are refused at the moment, whatever the pool has. */
  denial(): Refusal | null;
}

type Handlers = { readonly [M in Method]?: (params: ParamsOf<M>, socket: FakeSocket) => Answer<M> };

export const fakeUser = { email: 'you@fake.example', name: 'You', role: 'user', state: 'active' } as const;

/** Answers as a server does, with real signatures; what it does not know is METHOD_UNKNOWN. */
export class FakeDesk {
  readonly #parts: DeskParts;
  readonly #devices = new WeakMap<FakeSocket, string>();
  readonly handlers: Handlers;

  constructor(parts: DeskParts) {
    this.#parts = parts;
    const { pool, line, credits } = parts;
    this.handlers = {
      'session.open': (params, socket) => this.#open(params, socket),
      'session.resume': ({ leases, nonce }, socket) => {
        for (const id of leases) if (pool.lease(id) !== undefined) socket.leases.add(id);
        const entitlements = [...new Set(leases.flatMap((id) => pool.lease(id)?.product ?? []))];
        return {
          ...this.#renewals(leases, nonce),
          entitlements: entitlements.map((name) => pool.entitlement(name)),
        };
      },
      'lease.renew': ({ nonce }, socket) => this.#renewals([...socket.leases], nonce),
      'lease.checkout': (params, socket) => this.#checkout(params, socket),
      'lease.cancelWait': ({ checkout }) => ({ left: line.cancel(checkout) }),
      'lease.release': ({ leases }, socket) => this.#release(leases, socket),
      'borrow.take': (params, socket) => this.#borrow(params, socket),
      'borrow.return': ({ stops }) => this.#return(stops),
      'credit.consume': (params) => credits.consume(params),
      'credit.request': ({ credits: more }) => ({ id: 'fake-request', credits: more }),
      'user.me': () => ({
        ...{ user: fakeUser, allocations: [], leases: [], shared: [], more: false },
        credits: credits.info(),
      }),
      'pool.status': ({ product }) => ({
        pools: (product === undefined ? pool.products : [product])
          .filter((name) => pool.has(name))
          .map((name) => pool.status(name)),
        next: null,
      }),
    };
  }

  #open(params: ParamsOf<'session.open'>, socket: FakeSocket): Answer<'session.open'> {
    const transcript = {
      path: socket.path,
      serverKey: fakeKeys.serverText,
      deviceKey: params.deviceKey,
      serverNonce: socket.nonce,
      clientNonce: params.nonce,
      binding: new Uint8Array(0),
      token: '',
    };
    const [key, signature] = [parsePublicKey(params.deviceKey), decodeBase64Url(params.signature)];
    const signed = transcriptBytes('deviceOpens', transcript);
    if (key === null || signature === null || !portableEd25519.verify(key, signed, signature)) {
      return { error: 'SIGNATURE_INVALID' };
    }
    this.#devices.set(socket, params.deviceKey);
    return {
      session: 'fake-session',
      signature: encodeBase64Url(fakeKeys.server.sign(transcriptBytes('serverAccepts', transcript))),
      device: { id: 'fake-device', name: 'a fake device' },
      user: fakeUser,
      server: { id: 'fake-server', key: fakeKeys.serverText },
      organisation: { name: 'Fake Studio' },
      leaseSeconds: this.#parts.leaseSeconds,
      nowMs: this.#parts.time.wallMs(),
    };
  }

  #checkout(params: ParamsOf<'lease.checkout'>, socket: FakeSocket): Answer<'lease.checkout'> {
    const { pool, line } = this.#parts;
    const unknown = params.wants.find(({ products }) => !products.some((name) => pool.has(name)));
    if (unknown !== undefined) {
      const [product] = unknown.products;
      return { error: 'NO_PRODUCT', data: { product, rule: 'NOT_ENTITLED' } };
    }
    const serve = () => this.#grant(params, socket);
    const denied = () => this.#parts.denial() ?? this.#refusal(params);
    return (
      serve() ??
      (params.waitMs === undefined || params.waitMs === 0
        ? denied()
        : line.wait(params, socket, serve, denied))
    );
  }

  /** `null` when there is nothing for one of the wants. */
  #grant(
    { wants, nonce }: ParamsOf<'lease.checkout'>,
    socket: FakeSocket,
  ): ResultOf<'lease.checkout'> | null {
    const { pool, leaseSeconds: durationSeconds } = this.#parts;
    if (this.#parts.denial() !== null) return null;
    const chosen = wants.map(({ products, seats }) => ({
      product: products.find((name) => pool.free(name) >= seats),
      seats,
    }));
    const leases: FakeLease[] = [];
    for (const { product, seats } of chosen) {
      if (product === undefined || chosen.some((one) => one.product === undefined)) return null;
      leases.push(
        pool.take({ product, seats, kind: 'online', device: this.#deviceOf(socket), durationSeconds }),
      );
    }
    for (const { id } of leases) socket.leases.add(id);
    return {
      leases: leases.map((lease) => this.#token(lease, nonce)),
      ...this.#entitlements(leases),
      joined: false,
    };
  }

  #refusal({ wants }: ParamsOf<'lease.checkout'>): Refusal {
    const { pool, time } = this.#parts;
    const missing = wants.find(({ products, seats }) => !products.some((name) => pool.free(name) >= seats));
    const product = missing?.products[0] ?? '';
    const holders: Holder[] = pool
      .leases()
      .filter((lease) => lease.product === product)
      .map(({ seats, kind, freeAtMs }) => holder(fakeUser.email, seats, kind, time.wallMs(), freeAtMs));
    const occupied = pool.occupied(product);
    const soonMs = time.wallMs() + this.#parts.leaseSeconds * 1000;
    if (occupied > 0)
      holders.push(holder('somebody@fake.example', occupied, 'online', time.wallMs(), soonMs));
    const rule = (missing?.seats ?? 0) > pool.owned(product) ? 'MORE_THAN_OWNED' : 'ALL_IN_USE';
    const nextFreeAtMs = holders.length === 0 ? null : Math.min(...holders.map(({ untilMs }) => untilMs));
    return { error: 'NO_SEAT', data: { product, rule, holders: holders.slice(0, 10), nextFreeAtMs } };
  }

  #renewals(ids: readonly string[], nonce: string): ResultOf<'lease.renew'> {
    const leases = ids.map((id): Renewal => {
      const lease = this.#parts.pool.lease(id);
      if (lease === undefined) return { lease: id, code: 'LEASE_UNKNOWN' };
      if (lease.isRevoked) return { lease: id, code: 'LEASE_REVOKED' };
      this.#parts.pool.renew(lease);
      return { lease: id, token: this.#token(lease, nonce) };
    });
    return { leases, entitlements: [] };
  }

  #release(leases: string[], socket: FakeSocket): Answer<'lease.release'> {
    for (const id of leases) {
      this.#parts.pool.end(id);
      socket.leases.delete(id);
    }
    this.#parts.line.serve();
    return { released: leases };
  }

  #borrow(
    { product, seats, seconds, nonce }: ParamsOf<'borrow.take'>,
    socket: FakeSocket,
  ): Answer<'borrow.take'> {
    const { pool } = this.#parts;
    const denial = this.#parts.denial();
    if (denial !== null) return denial;
    if (!pool.has(product)) return { error: 'NO_PRODUCT', data: { product, rule: 'NOT_ENTITLED' } };
    const maxSeconds = pool.maxBorrowSeconds(product);
    if (maxSeconds === 0) return { error: 'BORROW_NOT_ALLOWED', data: { product } };
    if (seconds > maxSeconds) return { error: 'BORROW_TOO_LONG', data: { product, maxSeconds } };
    const device = this.#deviceOf(socket);
    // Borrowing what is held converts it: the lease stays until the client gives it back, but counts no more.
    const held = pool
      .leases()
      .find((lease) => lease.product === product && lease.device === device && lease.seats === seats);
    if (held !== undefined) pool.end(held.id);
    else if (pool.free(product) < seats)
      return { error: 'NO_SEAT', data: { product, rule: 'ALL_IN_USE', holders: [] } };
    const lease = pool.take({ product, seats, kind: 'borrow', device, durationSeconds: seconds });
    const leases = [this.#token(lease, nonce, held?.id)];
    return {
      leases,
      ...this.#entitlements([lease]),
      freeAtMs: Math.round(lease.freeAtMs),
      earlyReturn: 'at-once',
    };
  }

  #return(stops: readonly string[]): Answer<'borrow.return'> {
    const ids = stops.flatMap((stop) => {
      const parsed = parseToken('stop', stop);
      return parsed.ok ? [parsed.token.claims.jti] : [];
    });
    for (const id of ids) this.#parts.pool.end(id);
    this.#parts.line.serve();
    return { returned: ids.map((lease) => ({ lease, freeAtMs: this.#parts.time.wallMs() })) };
  }

  #deviceOf(socket: FakeSocket): string {
    return this.#devices.get(socket) ?? '';
  }

  #entitlements(leases: readonly FakeLease[]): { entitlements: string[] } {
    return { entitlements: [...new Set(leases.map(({ product }) => this.#parts.pool.entitlement(product)))] };
  }

  /** @param seatOf the lease whose seat it has taken over */
  #token(
    { id, product, seats, kind, device, durationSeconds }: FakeLease,
    nonce: string,
    seatOf = id,
  ): string {
    const iat = Math.floor(this.#parts.time.wallMs() / 1000);
    const seat = seatOf.replace('lease', 'seat');
    return leaseToken({
      jti: id,
      product,
      seat,
      n: seats,
      kind,
      dev: device,
      nonce,
      iat,
      dur: durationSeconds,
    });
  }
}

function holder(user: string, seats: number, kind: Holder['kind'], sinceMs: number, untilMs: number): Holder {
  return { user, device: 'a fake device', seats, kind, sinceMs, untilMs: Math.round(untilMs) };
}
