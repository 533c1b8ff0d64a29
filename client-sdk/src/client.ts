import type { Pool } from '@berth/protocol';
import type {
  Borrow,
  BorrowOptions,
  CheckoutOptions,
  Client,
  ConnectOptions,
  Me,
  ReturnedBorrow,
  Seat,
} from './api.js';
import type { BorrowDesk } from './borrow-desk.js';
import { BorrowExtender } from './borrow-extender.js';
import { BorrowRecovery } from './borrow-recovery.js';
import { returnStored } from './borrow-return.js';
import { BorrowSeats } from './borrow-seats.js';
import { BorrowShelf } from './borrow-shelf.js';
import { takeBorrow } from './borrow-take.js';
import { BorrowUses } from './borrow-use.js';
import { type Counter, takeSeats } from './checkout.js';
import type { Connection } from './connection.js';
import { Credits } from './credits.js';
import type { DialPlan } from './dial.js';
import { BerthError } from './errors.js';
import { Ghosts } from './ghosts.js';
import { Heartbeat } from './heartbeat.js';
import type { Host } from './host.js';
import type { LoadedIdentity } from './identity.js';
import { LeaseRecord } from './lease-record.js';
import { Link } from './link.js';
import { PendingRequests } from './pending.js';
import { Queue } from './queue.js';
import { releaseSeat } from './release.js';
import type { SeatLease } from './seat.js';
import { SeatBook } from './seat-book.js';
import { showTokens } from './show-tokens.js';
import { RECONNECT_FRACTION, timing } from './timing.js';
import { TokenCheck } from './token-check.js';
import { holding, sleep, throwIfAborted, unattended } from './waiting.js';
import { productsOf, wantsOf } from './wants.js';
import type { WitnessFile } from './witness.js';

export interface ClientParts {
  readonly host: Host;
  readonly options: ConnectOptions;
  readonly identity: LoadedIdentity;
  readonly plan: DialPlan;
  readonly witness: WitnessFile;
}

/** The composition of one client: it wires the parts and has no rules of its own. */
export class ProductClient implements Client {
  readonly product: string;
  readonly products: readonly string[];
  readonly credits: Credits;
  readonly #host: Host;
  readonly #witness: WitnessFile;
  readonly #link: Link;
  readonly #book: SeatBook;
  readonly #heartbeat: Heartbeat;
  readonly #borrowed: BorrowSeats;
  readonly #desk: BorrowDesk;
  readonly #recovery: BorrowRecovery;
  readonly #extender: BorrowExtender;
  readonly #counter: Counter;
  readonly #queue = new Queue();
  readonly #record: LeaseRecord;
  readonly #ghosts: Ghosts;
  #closing: Promise<void> | null = null;

  /** @throws BerthError KEY_INVALID when a pinned vendor key is none */
  constructor({ host, options, identity, plan, witness }: ClientParts) {
    const { vendorKeys, onToken, onExtension } = options;
    const products = productsOf(options.product);
    const product = products[0]!;
    const { files, key } = identity;
    const context = identity.context.name;
    const check = new TokenCheck(host, key.publicKey, vendorKeys, (lease) => {
      witness.see(lease);
      onToken?.(lease.pair);
    });
    const pending = new PendingRequests(host, files, context);
    const shelf = new BorrowShelf(host, files, context, check, pending);
    const uses = new BorrowUses(host, files, context);
    this.product = product;
    this.products = products;
    this.#host = host;
    this.#witness = witness;
    this.#borrowed = new BorrowSeats(host, shelf, uses, (leases) => this.#letGo(leases));
    this.#book = new SeatBook(check, (seat) => this.#borrowed.adoptOne(seat));
    this.#heartbeat = new Heartbeat(host, this.#book, () => this.#link);
    this.#link = this.#makeLink(plan);
    this.credits = new Credits(host, this.#link, product, (work) => this.#whileOpen(work));
    const session = { host, link: this.#link, key, check };
    const seats = { borrowed: this.#borrowed, online: () => this.#book.live };
    this.#desk = { session, shelf, uses, pending, product, seats };
    this.#recovery = new BorrowRecovery(this.#desk);
    this.#extender = new BorrowExtender(host, this.#desk, product, (notice) => onExtension?.(notice));
    this.#record = new LeaseRecord(host, files, context);
    this.#ghosts = new Ghosts(session, this.#record);
    const [book, heartbeat, record] = [this.#book, this.#heartbeat, this.#record];
    const isClosing = () => this.#closing !== null;
    this.#counter = { session, book, heartbeat, record, queue: this.#queue, underWay: new Set(), isClosing };
  }

  get me(): Me | null {
    return this.#link.me;
  }
  get online(): boolean {
    return this.#link.connection !== null;
  }

  /** Connects in the background. @returns `null` when a session is open, or why the first pass over all servers failed */
  start(): Promise<BerthError | null> {
    return this.#link.start();
  }

  checkout(options: CheckoutOptions = {}): Promise<Seat> {
    return this.#whileOpen(async () => {
      throwIfAborted(options.signal);
      const wants = wantsOf(options, this.products);
      const seat = await this.#borrowed.take(wants);
      if (seat !== null) return seat;
      await this.#ghosts.release();
      return takeSeats(this.#counter, wants, options);
    });
  }

  borrow(options: BorrowOptions): Promise<Borrow> {
    return this.#whileOpen(async () => {
      this.#refuseHalfBundle();
      await this.#recovery.run();
      const borrow = await takeBorrow(this.#desk, this.product, options);
      this.#extender.look();
      return borrow;
    });
  }

  /** A bundle is all online or all borrowed: of one that is half converted the other half could not be renewed under one seat. */
  #refuseHalfBundle(): void {
    const { product } = this;
    const inBundle = this.#book.live.some(
      ({ parts }) => parts.length > 1 && parts.some((part) => part.product === product),
    );
    if (!inBundle) return;
    throw new BerthError('IN_USE', {
      message: `The seat of ${product} is part of a bundle that is in use.`,
      hint: 'Release the bundle, borrow each product of it, then check it out again.',
    });
  }

  async borrows(): Promise<Borrow[]> {
    const all = (await this.#desk.shelf.all()).map(({ borrow }) => borrow);
    return all.filter(({ product }) => this.products.includes(product));
  }

  returnBorrow(id?: string): Promise<ReturnedBorrow[]> {
    return this.#whileOpen(async () => {
      await this.#recovery.run();
      return returnStored(this.#desk, id === undefined ? undefined : [id], this.product);
    });
  }

  async status(): Promise<Pool> {
    const { product } = this;
    const { pools } = await this.#link.request('pool.status', { product });
    const pool = pools.find((candidate) => candidate.product === product);
    if (pool === undefined) throw new BerthError('NO_PRODUCT');
    return pool;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#extender.stop();
    const taking = [...this.#counter.underWay];
    for (const underWay of taking) underWay.cancel();
    const releases = this.#book.seats.map((seat) => seat.release());
    const over = taking.map((underWay) => underWay.over);
    const released = Promise.all([...releases, ...over, this.#borrowed.releaseAll()]);
    const letProcessEnd = this.#host.keepAlive();
    const patience = new AbortController();
    const giveUp = sleep(this.#host, timing.closeMs, patience.signal).catch(() => undefined);
    await Promise.race([released, giveUp]);
    patience.abort();
    this.#heartbeat.stop();
    this.#borrowed.stop();
    this.#link.close();
    // The window of every seat that could not be released has its end without us (I2).
    await released;
    await Promise.all([this.#record.close(), this.#witness.save()]);
    letProcessEnd();
  }

  #letGo(leases: readonly SeatLease[]): void {
    const ids = leases.map((lease) => lease.id);
    this.#book.remove(ids);
    const settled = releaseSeat(this.#desk.session, leases, false);
    unattended(settled.then((isSettled) => (isSettled ? this.#record.remove(ids) : undefined)));
  }

  #makeLink(plan: DialPlan): Link {
    return new Link(plan, {
      pushes: {
        'lease.revoked': (push) => this.#book.revoked(push),
        'lease.warned': (push) => this.#book.warned(push),
        'admin.message': (push) => this.#book.message(push),
        'lease.queued': (push) => this.#queue.told(push),
      },
      onOpen: (connection) => this.#opened(connection),
      onTrouble: (error) => this.#book.troubled(error),
      affordablePauseMs: () => this.#book.remainingMs * RECONNECT_FRACTION,
    });
  }

  async #opened(connection: Connection): Promise<void> {
    await this.#show(connection);
    await this.#heartbeat.resume(connection);
    // They wait for this session themselves.
    unattended(this.#ghosts.release());
    unattended(this.#recovery.run().then(() => this.#extender.online()));
  }

  /** A server that was restored does not know what it granted since its backup: it is shown before anything is asked of it (PROTOCOL 11.3). */
  async #show(connection: Connection): Promise<void> {
    if (!connection.readmits) return;
    const online = this.#book.live.flatMap(({ leases }) => leases.map(({ pair }) => pair.lease));
    await showTokens(connection, this.#host, [...online, ...(await this.#desk.shelf.tokens())]);
  }

  /** Whoever waits for an answer keeps the process alive, between two questions too. */
  async #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== null) throw new BerthError('CANCELLED', { message: 'The client was closed.' });
    return holding(this.#host, work);
  }
}
