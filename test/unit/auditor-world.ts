import { createHash, sign } from 'node:crypto';
import type { Case } from '../auditor/auditor.js';
import type { Entry, Happening, PoolSeen } from '../auditor/history.js';
import type { Act, Change, JournalEntry } from '../auditor/journal-entry.js';
import type { LeaseClaims } from '../auditor/token.js';
import { type Keys, newKeys } from '../system/device-keys.js';

/** A wall clock of 2026-11-22 at t = 0: whole seconds, so that `exp` falls on a whole t. */
const WALL_MS = Date.UTC(2026, 10, 22);
const ANSWER_MS = 10;

const base64Url = (text: string): string => Buffer.from(text).toString('base64url');

export function signed(type: string, claims: object, { secret }: Keys): string {
  const text = `${base64Url(`{"alg":"Ed25519","typ":"berth-${type}+jwt"}`)}.${base64Url(JSON.stringify(claims))}`;
  return `${text}.${sign(null, Buffer.from(text), secret).toString('base64url')}`;
}

interface Asked {
  readonly by?: string;
  /** Whose it is by the journal; left out: of who asked. */
  readonly device?: string;
  readonly ent?: string;
  readonly lease?: string;
  readonly seat?: string;
  readonly n?: number;
  readonly key?: string;
  readonly durSeconds?: number;
  readonly kind?: 'online' | 'borrow';
  /** What the token says otherwise than it should. */
  readonly lie?: Partial<LeaseClaims>;
  readonly signer?: Keys;
  /** What the seat is otherwise than it should be. */
  readonly of?: object;
  /** Of the server that grants it; left out: the first one. */
  readonly epoch?: string;
  /** It was asked for before, with this nonce. */
  readonly nonce?: string;
  /** What the journal says that the same command led to just before, after a restore. */
  readonly readmits?: readonly Change[];
  /** The journal does not know of it. */
  readonly unjournaled?: boolean;
}

/** Makes a history by hand, right in every way unless it is told to lie. */
export class World {
  readonly vendor = newKeys();
  readonly server = newKeys();
  readonly entries: Entry[] = [];
  readonly records: JournalEntry[] = [];
  readonly #devices = new Map<string, Keys>();
  readonly #claims = new Map<string, LeaseClaims>();
  #count = 0;

  constructor(seats = 2) {
    this.import(0, 'e1', seats);
  }

  case(): Case {
    const entries = [...this.entries].sort((a, b) => a.t - b.t);
    const journal = { records: this.records, fault: null };
    const keys = { vendorKey: this.vendor.text, serverKey: this.server.text };
    return { entries, ...keys, journal, isThorough: true };
  }

  write(t: number, process: string, happening: Happening): void {
    this.entries.push({ t, wallMs: WALL_MS + t, process, ...happening });
  }

  import(t: number, jti: string, seats: number, more: object = {}, signer = this.vendor): string {
    const day = 86_400;
    const claims = {
      jti,
      rev: 1,
      iss: this.vendor.text,
      sub: this.server.text,
      product: 'render',
      seats,
      nbf: WALL_MS / 1000 - day,
      exp: WALL_MS / 1000 + 30 * day,
      share: 'device',
      borrow: { maxSeconds: 7 * day, seats },
      earlyReturn: 'at-once',
      display: {},
      ...more,
    };
    const entitlement = signed('entitlement', claims, signer);
    this.write(t + ANSWER_MS, 'admin', { event: 'imported', entitlement, sentAt: t });
    if (this.records.length === 0) this.put({});
    this.journal({ type: 'entitlement.put', entitlement: { claims, token: entitlement, state: 'active' } });
    return entitlement;
  }

  /** What an admin has set of the product. */
  put(product: object): void {
    const row = { product: 'render', vendor: this.vendor.text, share: 'device', sharing: true, ...product };
    this.journal({ type: 'product.put', product: row });
  }

  /** A seat as the journal has it. */
  seat(id: string, more: object = {}): Change {
    const row = { id, product: 'render', entitlement: 'e1', count: 1, allocation: null, takenAtMs: 0 };
    return { type: 'seat.taken', seat: { ...row, email: 'plugin@x', device: 'plugin', ...more } };
  }

  journal(...changes: Change[]): void {
    this.#record(changes);
  }

  /** Somebody who may answer for the server. */
  admin(): string {
    this.device('admin');
    this.did('found', undefined, {
      type: 'user.put',
      user: { email: 'admin@x', role: 'admin', state: 'active' },
    });
    return 'admin';
  }

  /** What a command led to, in a record of its own. @param by left out: the server itself */
  did(did: string, by: string | undefined, ...changes: Change[]): void {
    const who = by === undefined ? {} : { by: `${by}@x`, device: by };
    this.#record(changes, [{ first: 0, count: changes.length, did, ...who }]);
  }

  #record(changes: readonly Change[], acts?: readonly Act[]): void {
    const seq = this.records.length + 1;
    const hash = createHash('sha256')
      .update(`${seq}${JSON.stringify(changes)}`)
      .digest('hex');
    this.records.push({ seq, hash, changes, ...(acts === undefined ? {} : { acts }) });
  }

  /** Asked at `t`, answered a moment later. @returns the lease */
  take(t: number, asked: Asked = {}): string {
    const { by = 'plugin', n = 1, kind = 'online', durSeconds = kind === 'online' ? 3 : 3600 } = asked;
    const id = ++this.#count;
    const { lease = `l${id}`, seat = `s${id}`, key = `key${id}` } = asked;
    const iat = Math.floor((WALL_MS + t) / 1000);
    const honest: LeaseClaims = {
      ...{ jti: lease, ent: asked.ent ?? 'e1', product: 'render', seat, n, kind },
      ...{
        dev: this.device(by).text,
        nonce: asked.nonce ?? `nonce${id}`,
        iat,
        exp: iat + durSeconds,
        dur: durSeconds,
      },
      ...this.#witness(),
      ...(asked.epoch === undefined ? {} : { epoch: asked.epoch }),
    };
    const isNewSeat = ![...this.#claims.values()].some((claims) => claims.seat === seat);
    const { device = by } = asked;
    if (asked.unjournaled !== true)
      this.did(
        asked.readmits === undefined ? 'checkout' : 'readmit',
        by,
        ...(asked.readmits ?? []),
        ...(isNewSeat ? [this.seat(seat, { count: n, device: by, email: `${by}@x`, ...asked.of })] : []),
        { type: 'lease.granted', lease: { claims: honest, device, email: `${device}@x` } },
      );
    this.#claims.set(lease, honest);
    const method = kind === 'online' ? 'lease.checkout' : 'borrow.take';
    if (asked.nonce === undefined) this.#ask(t, by, method, key);
    this.#answer(
      t,
      by,
      method,
      key,
      signed('lease', { ...honest, ...asked.lie }, asked.signer ?? this.server),
    );
    return lease;
  }

  /** A request and its answer with one token. */
  answer(
    t: number,
    by: string,
    method: string,
    key: string | undefined,
    claims: LeaseClaims,
    signer = this.server,
  ): void {
    this.#ask(t, by, method, key);
    this.#answer(t, by, method, key, signed('lease', claims, signer));
  }

  #ask(t: number, by: string, method: string, key: string | undefined): void {
    const keyed = key === undefined ? {} : { key };
    this.write(t, by, { event: 'request', method, nonce: `nonce${this.#count}`, ...keyed });
  }

  #answer(t: number, by: string, method: string, key: string | undefined, token: string): void {
    const keyed = key === undefined ? {} : { key };
    this.write(t + ANSWER_MS, by, { event: 'answer', method, ...keyed, leases: [token], entitlements: [] });
  }

  renew(t: number, lease: string, by = 'plugin', lie: Partial<LeaseClaims> = {}): void {
    const id = ++this.#count;
    const before = this.#claims.get(lease)!;
    const iat = Math.floor((WALL_MS + t) / 1000);
    const claims = { ...before, nonce: `nonce${id}`, iat, exp: iat + before.dur, ...this.#witness(), ...lie };
    this.answer(t, by, 'lease.renew', undefined, claims);
  }

  release(t: number, lease: string, by = 'plugin', unjournaled = false): void {
    this.write(t, by, { event: 'released', leases: [lease], stopped: false });
    if (!unjournaled) this.journal({ type: 'lease.ended', id: lease, reason: 'released' });
    this.write(t + ANSWER_MS, by, { event: 'confirmed', leases: [lease] });
  }

  giveBack(t: number, lease: string, by = 'plugin'): void {
    const stop = { jti: lease, dev: this.device(by).text, iat: Math.floor((WALL_MS + t) / 1000) };
    const stops = [signed('stop', stop, this.device(by))];
    this.write(t, by, { event: 'returned', leases: [lease], stops });
    this.journal({ type: 'lease.ended', id: lease, reason: 'returned' });
    this.write(t + ANSWER_MS, by, { event: 'confirmed', leases: [lease] });
  }

  status(t: number, pool: Partial<PoolSeen>): void {
    const full = {
      product: 'render',
      owned: 2,
      allocated: 0,
      shared: 2,
      inUse: 0,
      borrowed: 0,
      held: 0,
      free: 2,
      over: 0,
    };
    this.write(t + ANSWER_MS, 'admin', { event: 'status', sentAt: t, pools: [{ ...full, ...pool }] });
  }

  device(process: string): Keys {
    const known = this.#devices.get(process);
    if (known !== undefined) return known;
    const keys = newKeys();
    this.#devices.set(process, keys);
    this.write(0, process, { event: 'session', device: keys.text });
    const email = `${process}@x`;
    this.journal(
      { type: 'user.put', user: { email, role: 'user', state: 'active' } },
      { type: 'device.enrolled', device: { id: process, email, leaseKey: keys.text, invitation: '' } },
    );
    return keys;
  }

  #witness(): Pick<LeaseClaims, 'epoch' | 'seq' | 'head'> {
    const last = this.records.at(-1)!;
    return { epoch: 'epoch', seq: last.seq, head: Buffer.from(last.hash, 'hex').toString('base64url') };
  }
}
