import assert from 'node:assert/strict';
import type { EntitlementClaims } from '@berth/protocol';
import type { Command, CommandType, Context, Decision } from '@berth/server/domain/commands';
import { decide } from '@berth/server/domain/decide/decide';
import { takeDue } from '@berth/server/domain/due';
import { evolve } from '@berth/server/domain/evolve';
import { brokenInvariants } from '@berth/server/domain/invariants';
import { loadState } from '@berth/server/domain/load';
import { usageOf } from '@berth/server/domain/pools';
import { emptyState, type Now, type State } from '@berth/server/domain/state';
import { decodeRows, takeChangedRows } from '@berth/server/store/records';

export const SERVER_KEY = `ed25519:${'S'.repeat(42)}Q`;
export const VENDOR_KEY = `ed25519:${'V'.repeat(42)}U`;
export const DAY_MS = 86_400_000;
export const START_MS = Date.UTC(2026, 10, 22, 12);
export const LEASE_SECONDS = 120;
/** W of a 120 s lease: 120 * 1.001 / 0.999 + 10 s, rounded up to a millisecond. */
export const WINDOW_MS = 130_241;

/**
 * A domain with a clock of its own: commands in, changes applied, every invariant checked after each step. It needs no test runner: the
 * fuzzer uses it too.
 */
export class World {
  state: State = emptyState();
  now: Now = { monoMs: 1_000_000, wallMs: START_MS, steadyWallMs: START_MS };
  diskLow = false;
  awaited = new Map<string, number>();
  leaseSeconds = LEASE_SECONDS;
  /** In every id it makes: what two histories that begin alike grant is told apart. */
  branch = '';
  #ids = 0;
  #keys = 0;

  constructor() {
    const founding = {
      name: 'Studio',
      serverId: 'srv',
      serverKey: SERVER_KEY,
      epoch: 'epoch',
      owner: 'owner@studio.example',
    };
    this.ok({ type: 'found', ...founding, invitationMs: DAY_MS });
    const invitation = [...this.state.tables.invitation.values()][0]!.id;
    this.ok({
      type: 'enrol',
      invitation,
      leaseKey: keyOf('owner'),
      adminKey: keyOf('owner-admin'),
      name: 'owner-pc',
    });
  }

  get context(): Context {
    return {
      now: this.now,
      witness: { epoch: this.epoch, seq: 1, head: 'h'.repeat(43) },
      newId: (letter) => `${letter}${this.branch}${++this.#ids}`,
      leaseSeconds: this.leaseSeconds,
      diskLow: this.diskLow,
      awaited: this.awaited,
    };
  }

  get epoch(): string {
    return this.state.tables.organisation.get('self')?.epoch ?? 'epoch';
  }

  send<T extends CommandType>(command: Command<T>): Decision<T> {
    this.tick();
    const decision = decide(this.state, command, this.context);
    if (decision.ok) for (const change of decision.changes) evolve(this.state, change, this.now.monoMs);
    this.settle();
    assert.deepEqual(brokenInvariants(this.state, this.now), []);
    return decision;
  }

  ok<T extends CommandType>(command: Command<T>): Extract<Decision<T>, { ok: true }>['outcome'] {
    const decision = this.send(command);
    if (!decision.ok) assert.fail(`${command.type} was refused: ${JSON.stringify(decision)}`);
    return decision.outcome;
  }

  refused<T extends CommandType>(command: Command<T>, code: string): Extract<Decision<T>, { ok: false }> {
    const decision = this.send(command);
    if (decision.ok) assert.fail(`${command.type} was not refused: ${JSON.stringify(decision)}`);
    assert.equal(decision.code, code);
    return decision;
  }

  tick(): void {
    for (const due of takeDue(this.state, this.now)) {
      const decision = decide(this.state, { type: 'expire', due }, this.context);
      if (decision.ok) for (const change of decision.changes) evolve(this.state, change, this.now.monoMs);
      this.settle();
    }
  }

  /** As the engine does, in the same turn: what was pending and waits for nothing more takes effect (I8). */
  settle(): void {
    for (;;) {
      const decision = decide(this.state, { type: 'settlePending' }, this.context);
      if (!decision.ok || decision.changes.length === 0) return;
      for (const change of decision.changes) evolve(this.state, change, this.now.monoMs);
    }
  }

  /** As `berthd restore` of these rows and the first start after it (I9). */
  restore(backup: Map<string, string>): void {
    this.branch = `${this.branch}r`;
    this.restart(backup);
    const known = { epoch: this.epoch, seq: 7 };
    this.ok({ type: 'restore', epoch: `${this.epoch}'`, known, backupAtMs: START_MS });
    this.ok({ type: 'beginRestore' });
  }

  /** Lets both clocks run. */
  pass(ms: number): void {
    const { monoMs, wallMs, steadyWallMs } = this.now;
    this.now = { monoMs: monoMs + ms, wallMs: wallMs + ms, steadyWallMs: steadyWallMs + ms };
    this.tick();
    assert.deepEqual(brokenInvariants(this.state, this.now), []);
  }

  /** What a backup would bring back: its rows as they are now. */
  rows(): Map<string, string> {
    for (const table of Object.values(this.state.tables))
      for (const [id, row] of [...table.entries()]) table.set(id, row as never);
    return new Map(
      [...takeChangedRows(this.state)].flatMap(([key, value]) =>
        value === null ? [] : [[key, JSON.stringify(value)] as const],
      ),
    );
  }

  /** Stops and starts the server: the state comes back from its rows, the monotonic clock starts anew (I4). */
  restart(rows = this.rows()): void {
    // The bound on the wall clock starts anew as well.
    this.now = { ...this.now, monoMs: 5, steadyWallMs: this.now.wallMs };
    this.state = loadState(decodeRows(rows), this.now.monoMs);
    assert.deepEqual(brokenInvariants(this.state, this.now), []);
  }

  user(name: string): string {
    const email = `${name}@studio.example`;
    const { invitation } = this.ok({
      type: 'invite',
      ...this.admin(),
      email,
      name: null,
      role: null,
      device: false,
      invitationMs: DAY_MS,
    });
    return this.ok({ type: 'enrol', invitation, leaseKey: keyOf(name), adminKey: null, name: `${name}-pc` })
      .device;
  }

  admin(): { by: { device: string; email: string }; request: { device: string; key: string; hash: string } } {
    const device = [...this.state.tables.device.values()].find(
      ({ email }) => email === 'owner@studio.example',
    )!.id;
    return this.by(device);
  }

  by(device: string, key = `key-${++this.#keys}`, hash = 'hash'): ReturnType<World['admin']> {
    const email = this.state.tables.device.get(device)?.email ?? 'nobody@studio.example';
    return { by: { device, email }, request: { device, key, hash } };
  }

  import(claims: Partial<EntitlementClaims> = {}): string {
    return this.ok(this.importing(claims)).entitlement.id;
  }

  importing(claims: Partial<EntitlementClaims> = {}): Command<'import'> {
    const full = entitlement(claims);
    return { type: 'import', ...this.admin(), claims: full, token: JSON.stringify(full) };
  }

  checkout(
    device: string,
    seats = 1,
    product = 'render',
  ): Extract<Decision<'checkout'>, { ok: true }>['outcome'] {
    return this.ok(this.checkingOut(device, seats, product));
  }

  checkingOut(device: string, seats = 1, product = 'render'): Command<'checkout'> {
    return {
      type: 'checkout',
      ...this.by(device),
      wants: [{ products: [product], seats }],
      nonce: 'n'.repeat(22),
      places: 64,
    };
  }

  borrowing(device: string, seconds: number, seats = 1): Command<'borrow'> {
    return {
      type: 'borrow',
      ...this.by(device),
      product: 'render',
      seats,
      seconds,
      clientWallMs: this.now.wallMs,
      nonce: 'n'.repeat(22),
    };
  }

  renew(device: string, leases: readonly string[]): Extract<Decision<'renew'>, { ok: true }>['outcome'] {
    return this.ok({ type: 'renew', by: this.by(device).by, leases, nonce: 'm'.repeat(22) });
  }

  release(device: string, leases: readonly string[], stopped: readonly string[] = []): void {
    this.ok({ type: 'release', ...this.by(device), leases, stopped });
  }

  usage(product = 'render'): ReturnType<typeof usageOf> {
    return usageOf(this.state, product, this.now);
  }
}

export function keyOf(name: string): string {
  return `ed25519:${name.padEnd(43, '0').slice(0, 43)}`;
}

export function entitlement(claims: Partial<EntitlementClaims> = {}): EntitlementClaims {
  return {
    jti: 'ent-1',
    rev: 1,
    iss: VENDOR_KEY,
    sub: SERVER_KEY,
    product: 'render',
    seats: 3,
    nbf: (START_MS - DAY_MS) / 1000,
    exp: (START_MS + 100 * DAY_MS) / 1000,
    share: 'process',
    borrow: { maxSeconds: 30 * 86_400, seats: 2 },
    earlyReturn: 'at-once',
    display: {},
    ...claims,
  };
}
