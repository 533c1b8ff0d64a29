import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { type EntitlementClaims, signToken } from '@berth/protocol';
import type { Command, CommandType, Settled } from '@berth/server/domain/commands';
import type { FileSystem } from '@berth/server/store/files';
import { emptyMemoryDisk } from '@berth/server/store/memory-store';
import type { Position } from '@berth/server/store/position';
import { newKeys } from '../../system/device-keys.js';
import { OneProcess, type Outside } from './one-process.js';

const START_MS = Date.UTC(2026, 10, 28, 12);
const DAY_SECONDS = 86_400;
const OWNER = 'it@studio.example';

/** A command that somebody was given an answer to, and where the journal stood by then. */
export interface Acknowledged {
  readonly command: Command;
  readonly outcome: unknown;
  readonly position: Position;
}

/** What a site asks of its server, always the same: everything that writes, over some lives of the process. */
export class History {
  readonly outside: Outside = {
    rows: emptyMemoryDisk(),
    now: { monoMs: 1_000_000, wallMs: START_MS, steadyWallMs: START_MS },
    ids: 0,
  };
  readonly acknowledged: Acknowledged[] = [];
  /** Asked, and not answered. */
  readonly inDoubt = new Set<Command>();
  process: OneProcess | null = null;
  #keys = 0;

  constructor(readonly files: FileSystem) {}

  /** Rejects with what ended it, at whatever step. */
  async run(): Promise<void> {
    this.process = await OneProcess.found(this.files, this.outside);
    const { invitation } = await this.ok(founding);
    await this.#restart();
    const owner = await this.#enrol(invitation, 'owner');
    await this.#importAll(owner);
    const [anna, bo] = [await this.#hire(owner, 'anna'), await this.#hire(owner, 'bo')];
    await this.ok({ ...this.#by(owner, OWNER), ...assigning('anna') });
    const first = await this.#checkout(anna, 'anna');
    const second = await this.#checkout(bo, 'bo');
    await this.process.store?.flush();
    await this.ok({ ...this.#by(anna, 'anna'), ...borrowing });
    await this.ok({ ...this.#by(bo, 'bo'), type: 'release', leases: second, stopped: [] });
    await this.#restart();
    await this.#together(anna, bo);
    await this.ok({ ...this.#by(anna, 'anna'), type: 'return', leases: [...this.#borrows()] });
    await this.ok({ ...this.#by(owner, OWNER), ...revoking('anna') });
    await this.ok({ type: 'checkpoint', token: 'of-no-consequence' });
    await this.#restart();
    await this.ok({ ...this.#by(anna, 'anna'), type: 'release', leases: first, stopped: first });
    await this.#stop();
  }

  /** Commands of one moment share a commit, and one that comes while it is written waits for the next. */
  async #together(anna: string, bo: string): Promise<void> {
    await Promise.all([this.#checkout(anna, 'anna'), this.#checkout(bo, 'bo'), this.#checkout(bo, 'bo')]);
  }

  async #importAll(owner: string): Promise<void> {
    for (const claims of [entitlement('ent-1', 3), entitlement('ent-2', 2)])
      await this.ok({ type: 'import', ...this.#by(owner, OWNER), claims, token: signed(claims) });
  }

  async #hire(owner: string, name: string): Promise<string> {
    const email = addressOf(name);
    const rest = { name: null, role: null, device: false, invitationMs: DAY_SECONDS * 1000 };
    const { invitation } = await this.ok({ type: 'invite', ...this.#by(owner, OWNER), email, ...rest });
    return this.#enrol(invitation, name);
  }

  async #enrol(invitation: string, name: string): Promise<string> {
    const [leaseKey, adminKey] = [keyOf(name), name === 'owner' ? keyOf('owner-admin') : null];
    return (await this.ok({ type: 'enrol', invitation, leaseKey, adminKey, name })).device;
  }

  async #checkout(device: string, name: string): Promise<string[]> {
    const wants = [{ products: ['render'], seats: 1 }];
    const asked = { ...this.#by(device, name), wants, nonce: 'n'.repeat(22), places: 64 };
    return (await this.ok({ type: 'checkout', ...asked })).leases.map(({ jti }) => jti);
  }

  #borrows(): string[] {
    const leases = [...this.process!.state.tables.lease.values()];
    return leases.filter(({ claims }) => claims.kind === 'borrow').map(({ claims }) => claims.jti);
  }

  #by(device: string, name: string) {
    const request = { device, key: `key-${++this.#keys}`.padEnd(22, 'k'), hash: 'hash' };
    return { by: { device, email: name.includes('@') ? name : addressOf(name) }, request };
  }

  async #restart(): Promise<void> {
    await this.#stop();
    this.process = await OneProcess.start(this.files, this.outside);
  }

  async #stop(): Promise<void> {
    const running = this.process;
    this.process = null;
    await running?.stop();
  }

  /** The outcome; a refusal is a mistake in this file. */
  async ok<T extends CommandType>(
    command: Command<T>,
  ): Promise<Extract<Settled<T>, { ok: true }>['outcome']> {
    const process = this.process!;
    this.inDoubt.add(command as Command);
    const settled = await process.submit(command);
    if (!settled.ok) assert.fail(`${command.type} was refused: ${JSON.stringify(settled)}`);
    this.inDoubt.delete(command as Command);
    this.acknowledged.push({
      ...{ command: command as Command, outcome: settled.outcome, position: process.journal.position },
    });
    return settled.outcome;
  }
}

const founding = {
  ...({ type: 'found', name: 'Studio', owner: OWNER, serverId: 'srv', epoch: 'epoch' } as const),
  ...{ serverKey: `ed25519:${'S'.repeat(42)}Q`, invitationMs: DAY_SECONDS * 1000 },
};
const borrowing = {
  ...({ type: 'borrow', product: 'render', seats: 1, seconds: 3600 } as const),
  ...{ clientWallMs: START_MS, nonce: 'b'.repeat(22) },
};

function assigning(name: string) {
  const what = { email: addressOf(name), product: 'render', quantity: 1, endMs: null };
  return { type: 'assign', ...what } as const;
}

function revoking(name: string) {
  const what = { email: addressOf(name), product: 'render', quantity: 'all', endMs: null } as const;
  return { type: 'revoke', ...what } as const;
}

function addressOf(name: string): string {
  return `${name}@studio.example`;
}

function keyOf(name: string): string {
  return `ed25519:${name.padEnd(43, '0')}`;
}

const vendor = newKeys();
const vendorKey = vendor.text;
const { serverKey } = founding;

function entitlement(jti: string, seats: number): EntitlementClaims {
  return {
    ...{ jti, rev: 1, iss: vendorKey, sub: serverKey, product: 'render', seats, share: 'process' },
    ...{ nbf: START_MS / 1000 - DAY_SECONDS, exp: START_MS / 1000 + 100 * DAY_SECONDS },
    ...{ borrow: { maxSeconds: DAY_SECONDS, seats: 1 }, earlyReturn: 'at-once', display: {} },
  };
}

function signed(claims: EntitlementClaims): string {
  return signToken('entitlement', claims, (bytes) => new Uint8Array(sign(null, bytes, vendor.secret)));
}
