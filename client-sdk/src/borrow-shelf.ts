import { BORROW_CLOCK_SIGMA_MS, type Share } from '@berth/protocol';
import { OfflineRequests } from './airgap-request.js';
import type { Borrow, BorrowState } from './api.js';
import {
  type BorrowEntry,
  type BorrowFile,
  fileNameOf,
  groupBorrows,
  newestPerSeat,
  pairOf,
  readBorrowFile,
} from './borrow-file.js';
import type { Files, Host } from './host.js';
import type { PendingRequests } from './pending.js';
import type { SeatLease } from './seat.js';
import { borrowRight, readClock } from './seat-clock.js';
import type { CheckedLease, TokenCheck } from './token-check.js';

/** A borrow as stored, with what only the SDK needs of it. */
export interface StoredBorrow {
  readonly borrow: Borrow;
  readonly share: Share | null;
  /** Seats on the server that it is. */
  readonly seatIds: readonly string[];
  /** The leases that count, ready for a seat; empty unless valid. */
  readonly leases: readonly SeatLease[];
}

/** A file, and the borrow that it is; `null`: none. */
interface FileRead {
  readonly json: string;
  readonly entry: BorrowEntry | null;
}

/** The borrows of one context on disk: `state/<context>/borrows/<jti>.json`, each read and verified anew. */
export class BorrowShelf {
  readonly #host: Host;
  readonly #files: Files;
  readonly #folder: string;
  readonly #check: TokenCheck;
  readonly #pending: PendingRequests;
  readonly #requests: OfflineRequests;
  readonly #context: string;
  /** As last read: a file that says what it said need not be taken apart again. */
  #known = new Map<string, FileRead>();

  constructor(host: Host, files: Files, context: string, check: TokenCheck, pending: PendingRequests) {
    this.#host = host;
    this.#files = files;
    this.#folder = `state/${context}/borrows`;
    this.#check = check;
    this.#pending = pending;
    this.#requests = new OfflineRequests(files);
    this.#context = context;
  }

  /** Every borrow that still keeps a seat, or those of a product, longest first. Files that are not borrows are passed over. */
  async all(product?: string): Promise<StoredBorrow[]> {
    const wallMs = this.#host.clock.wallMs();
    const returning = new Set((await this.#pending.all('return')).flatMap((request) => request.leases));
    const groups = groupBorrows(await this.#entries());
    return groups
      .map((group) => this.#stored(group, returning))
      .filter(({ borrow }) => borrow.freeAtMs > wallMs)
      .filter(({ borrow }) => product === undefined || borrow.product === product)
      .sort((a, b) => b.borrow.expiresAtMs - a.borrow.expiresAtMs);
  }

  /** The leases of all of them that have not run out, those of earlier extensions too. */
  async tokens(): Promise<string[]> {
    const wallMs = this.#host.clock.wallMs();
    const lasting = (await this.#entries()).filter(({ claims }) => claims.exp * 1000 > wallMs);
    return lasting.map(({ file }) => file.lease);
  }

  /** On disk before it resolves. @throws BerthError FOLDER_UNWRITABLE */
  async store(
    leases: readonly CheckedLease[],
    facts: Omit<BorrowFile, 'lease' | 'entitlement' | 'endorsements'>,
  ): Promise<void> {
    for (const { pair, claims } of leases) {
      const { extend, ...others } = facts;
      const file = { ...pair, ...others, ...(extend === null ? {} : { extend }) };
      await this.#files.write(this.#path(claims.jti), `${JSON.stringify(file, null, 2)}\n`);
    }
  }

  /** A grant in a file can be installed while its request is open: that one goes first, or a returned borrow could come back. */
  async remove(leaseIds: readonly string[]): Promise<void> {
    for (const id of leaseIds) {
      const json = await this.#files.read(this.#path(id));
      const asked = json === null ? null : (readBorrowFile(json)?.file.take ?? null);
      if (asked !== null) await this.#requests.remove(this.#context, asked);
      await this.#files.remove(this.#path(id));
    }
  }

  /** Removes what the server has taken back by its own clock. @param serverNowMs ms since 1970, as the server said */
  async tidy(serverNowMs: number): Promise<void> {
    const ended = (await this.#entries()).filter(({ file }) => file.freeAtMs < serverNowMs);
    await this.remove(ended.map(({ id }) => id));
  }

  async #entries(): Promise<BorrowEntry[]> {
    const known = new Map<string, FileRead>();
    for (const name of await this.#files.list(this.#folder)) {
      const json = name.endsWith('.json') ? await this.#files.read(`${this.#folder}/${name}`) : null;
      if (json === null) continue;
      const before = this.#known.get(name);
      known.set(name, before?.json === json ? before : { json, entry: readBorrowFile(json) });
    }
    this.#known = known;
    return [...known.values()].flatMap(({ entry }) => entry ?? []);
  }

  #stored(group: readonly BorrowEntry[], returning: ReadonlySet<string>): StoredBorrow {
    const counting = newestPerSeat(group);
    const judged = counting.map((entry) => this.#judge(entry));
    const fault = judged.find((verdict) => verdict.fault !== null)?.fault ?? null;
    const now = readClock(this.#host.clock);
    const [first] = counting;
    const borrow: Borrow = {
      id: first!.id,
      product: first!.claims.product,
      seats: counting.reduce((sum, { claims }) => sum + claims.n, 0),
      state: this.#state(
        counting,
        fault,
        group.some(({ id }) => returning.has(id)),
      ),
      fault,
      takenAtMs: group[0]!.file.takenAtMs,
      expiresAtMs: Math.min(...counting.map(({ claims }) => claims.exp * 1000)),
      freeAtMs: Math.max(...counting.map(({ file }) => file.freeAtMs)),
      earlyReturn: first!.file.earlyReturn,
      autoExtend: first!.file.extend,
      leaseIds: group.map(({ id }) => id),
      tokens: counting.map(({ file }) => pairOf(file)),
    };
    const leases = borrow.state === 'valid' ? counting.map((entry) => seatLeaseOf(entry, now)) : [];
    return { borrow, share: judged[0]!.share, seatIds: counting.map(({ claims }) => claims.seat), leases };
  }

  /** Offline, by the chain alone: vendor, server, this device (DESIGN 4). */
  #judge({ file, claims }: BorrowEntry): { fault: string | null; share: Share | null } {
    const result = this.#check.judgePair(pairOf(file));
    if (!result.ok) return { fault: result.fault, share: null };
    const { share } = result.entitlement;
    if (claims.kind !== 'borrow') return { fault: 'LEASE_OTHER_KIND', share };
    // I3: a clock set back before the borrow began would prolong it.
    const early = this.#host.clock.wallMs() < claims.iat * 1000 - BORROW_CLOCK_SIGMA_MS;
    return { fault: early ? 'CLOCK_BEFORE_BORROW' : null, share };
  }

  #state(counting: readonly BorrowEntry[], fault: string | null, returning: boolean): BorrowState {
    if (fault !== null) return 'invalid';
    if (returning) return 'returning';
    const wallMs = this.#host.clock.wallMs();
    return counting.some(({ claims }) => wallMs >= claims.exp * 1000) ? 'expired' : 'valid';
  }

  #path(id: string): string {
    return `${this.#folder}/${fileNameOf(id)}.json`;
  }
}

function seatLeaseOf({ id, claims, file }: BorrowEntry, now: ReturnType<typeof readClock>): SeatLease {
  const right = borrowRight(now, claims.exp * 1000);
  return { id, seat: claims.seat, product: claims.product, seats: claims.n, pair: pairOf(file), right };
}
