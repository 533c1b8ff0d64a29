import { type CloseReason, type Push, type PushParams, pushes } from '@berth/protocol';
import type { Caller, Sessions } from './api.js';

/** What a session can do with its socket. */
export interface SessionSocket {
  push<P extends Push>(name: P, params: PushParams<P>): void;
  close(reason: CloseReason): void;
  /** Closes once what it asked was answered. */
  part(reason: CloseReason): void;
}

export interface OpenSession {
  readonly caller: Caller;
  readonly socket: SessionSocket;
}

/** The open sessions, found by device and by lease. */
export class SessionRegistry implements Sessions {
  readonly #byDevice = new Map<string, Set<OpenSession>>();
  readonly #byLease = new Map<string, Set<OpenSession>>();
  readonly #leases = new Map<OpenSession, BoundLeases>();

  get count(): number {
    return this.#leases.size;
  }

  /** Leases bound to any session, for metrics. */
  get leaseCount(): number {
    return this.#byLease.size;
  }

  /**
   * Opens a session. Older ones of the same key from another address are closed: a copied key is not used in two places at once
   * (DESIGN 4); several plugins of one computer are fine.
   */
  open(
    who: Omit<Caller, 'leases'>,
    socket: SessionSocket,
  ): { readonly session: OpenSession; readonly superseded: readonly OpenSession[] } {
    const superseded = this.supersede(who);
    const leases: BoundLeases = new BoundLeases({
      bound: (lease) => addTo(this.#byLease, lease, session),
      unbound: (lease) => removeFrom(this.#byLease, lease, session),
    });
    const session: OpenSession = { caller: { leases, ...who }, socket };
    this.#leases.set(session, leases);
    addTo(this.#byDevice, who.deviceId, session);
    return { session, superseded };
  }

  /** Closes the sessions of this key from other addresses: it is in use here now. */
  supersede({ deviceId, deviceKey, address }: Omit<Caller, 'leases'>): readonly OpenSession[] {
    const elsewhere = this.#sessionsOf(deviceId).filter(
      ({ caller }) => caller.deviceKey === deviceKey && caller.address !== address,
    );
    for (const older of elsewhere) older.socket.close('SUPERSEDED');
    return elsewhere;
  }

  /** The session ended; its leases live on in the engine until their windows end or a new session resumes them. */
  remove(session: OpenSession): void {
    this.#leases.get(session)?.detach();
    this.#leases.delete(session);
    removeFrom(this.#byDevice, session.caller.deviceId, session);
  }

  pushToLease<P extends Push>(lease: string, push: P, params: PushParams<P>): void {
    // A copy: a push to a slow reader cuts it, and that changes the set.
    for (const { caller, socket } of [...(this.#byLease.get(lease) ?? [])]) {
      if (pushes[push].paths.some((path) => path === caller.path)) socket.push(push, params);
    }
  }

  isBound(lease: string): boolean {
    return this.#byLease.has(lease);
  }

  unbindLease(lease: string): void {
    for (const { caller } of [...(this.#byLease.get(lease) ?? [])]) caller.leases.delete(lease);
  }

  closeDevice(deviceId: string): void {
    for (const { socket } of this.#sessionsOf(deviceId)) socket.part('DEVICE_REMOVED');
  }

  #sessionsOf(deviceId: string): OpenSession[] {
    return [...(this.#byDevice.get(deviceId) ?? [])];
  }
}

interface LeaseIndex {
  bound(lease: string): void;
  unbound(lease: string): void;
}

/** `caller.leases`: handlers change it like any set, and the registry's index by lease follows. */
class BoundLeases extends Set<string> {
  /** Null once the session ended: a checkout that is answered after its socket closed must not come back into the index. */
  #index: LeaseIndex | null;

  constructor(index: LeaseIndex) {
    super();
    this.#index = index;
  }

  override add(lease: string): this {
    this.#index?.bound(lease);
    return super.add(lease);
  }

  override delete(lease: string): boolean {
    this.#index?.unbound(lease);
    return super.delete(lease);
  }

  override clear(): void {
    for (const lease of this) this.#index?.unbound(lease);
    super.clear();
  }

  detach(): void {
    for (const lease of this) this.#index?.unbound(lease);
    this.#index = null;
  }
}

function addTo(index: Map<string, Set<OpenSession>>, key: string, session: OpenSession): void {
  const sessions = index.get(key);
  if (sessions === undefined) index.set(key, new Set([session]));
  else sessions.add(session);
}

function removeFrom(index: Map<string, Set<OpenSession>>, key: string, session: OpenSession): void {
  const sessions = index.get(key);
  if (sessions?.delete(session) === true && sessions.size === 0) index.delete(key);
}
