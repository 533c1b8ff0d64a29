import type { Command, CommandType, Settled } from '../domain/commands.js';
import {
  dueKey,
  type Mail,
  type MailLane,
  type MailResult,
  type MailTold,
  mailOfKey,
} from '../domain/mail.js';
import type { Now, State } from '../domain/state.js';
import type { Letter } from './letter.js';
import type { Carried, Carrier } from './smtp.js';

export interface OutboxOptions {
  /** Read-only: what is due is looked for here, and decided by the command that follows. */
  readonly state: State;
  readonly submit: <T extends CommandType>(command: Command<T>) => Promise<Settled<T>>;
  readonly clock: { now(): Now };
  /** Opens a connection to the mail server that is configured now. */
  readonly open: () => Promise<Carrier>;
  /** Whether one is configured now. */
  readonly configured: () => boolean;
  /** Whose address it is sent from, as it is configured now; only asked while one is. */
  readonly from: () => string;
  /** What a mail says besides its facts, as it is now. */
  readonly told: (mail: Mail) => MailTold;
  readonly letterOf: (mail: Mail, told: MailTold) => Letter;
  /** Calls back once, later. @returns a function that calls it off */
  readonly after: (ms: number, then: () => void) => () => void;
  readonly onEvent: (event: OutboxEvent) => void;
  /** A bug, or a write that failed: the process must stop. */
  readonly onFatal: (error: unknown) => void;
}

export type OutboxEvent =
  | { readonly type: 'sent'; readonly id: string; readonly attempts: number }
  | { readonly type: 'failed'; readonly id: string; readonly error: string; readonly given: 'up' | 'time' };

/** While the mail server cannot be used at all, the next attempt is no later than this, ms. */
const LONGEST_REST_MS = 5 * 60_000;
/** Whoever asks waits half a minute for an answer, and a mail server may take a whole one, ms. */
const ANSWER_MS = 22_000;
/** How long a stop waits for the attempt that is on its way, ms. */
const STOP_MS = 3_000;
/** The wall clock may be set: so often is looked at what is due, ms. */
const LOOK_AGAIN_MS = 60_000;
/** So many mails of single changes in a row go ahead of those of bulk jobs; then comes what has been due longest, of whatever it is. */
const AHEAD = 9;

/**
 * Takes mails from the outbox and hands them to the mail server, one after the other: those of single changes before those of bulk jobs, and
 * to one person in the order in which they were due. What it does to a mail is a command of the domain: an
 * attempt is durable before the first byte leaves, and its end before the next begins. After a crash the mail whose attempt has no end is
 * handed over again under the same Message-ID, since nobody knows whether it was taken: SMTP has no way to ask (RFC 5321 6.1).
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #cancel: () => void = () => {};
  /** Nothing is tried before this moment, by the monotonic clock: the mail server itself failed. */
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #restMs = 0;
  #fault: string | null = null;
  /** How many mails in a row went ahead of those of bulk jobs. */
  #ahead = 0;
  /** To be sent before all others, and those who wait for that. */
  readonly #urgent = new Map<string, Set<() => void>>();
  #carrier: Carrier | null = null;
  /** What is open leads to a mail server that may be another one by now. */
  #isOutdated = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Why the mail server itself could not be used at the last attempt; `null`: it could, or nothing was tried since the start. */
  get fault(): string | null {
    return this.#fault;
  }

  /** What was in the server's hands when it stopped has an unknown fate. Then it begins. */
  async start(): Promise<void> {
    const error = 'The server stopped while it was handed over.';
    for (const id of [...this.#options.state.derived.mailsByState.get('sending')])
      await this.#options.submit({
        type: 'settleMail',
        id,
        result: { state: 'deferred', error, unsure: true },
      });
    this.wake();
  }

  /** There may be something to send: a commit had a mail in it, or the mail server is another one now. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run().catch((error) => this.#options.onFatal(error));
  }

  /** As `wake`, and whatever rests does not rest any longer. */
  hurry(): void {
    this.#restsUntilMs = 0;
    this.#restMs = 0;
    this.wake();
  }

  /** The configuration may name another mail server now, or none: what comes next does not go to the old one. */
  reopen(): void {
    this.#isOutdated = true;
    this.#fault = null;
    this.hurry();
  }

  /** Resolves when this mail has been tried once, before all others, or the mail server has been silent for too long; at once when it has been already. */
  sendNow(id: string): Promise<void> {
    const mail = this.#options.state.tables.mail.get(id);
    const isAhead = mail?.state === 'sending' || (mail?.state === 'queued' && mail.attempts === 0);
    if (!isAhead || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const callOff = this.#options.after(ANSWER_MS, resolve);
      const tell = (): void => {
        callOff();
        resolve();
      };
      this.#urgent.set(id, (this.#urgent.get(id) ?? new Set()).add(tell));
      this.hurry();
    });
  }

  /** Ends after the attempt that is on its way, which gets a moment and is then broken off. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    const patience = this.#options.after(STOP_MS, () => this.#carrier?.abort());
    await this.#running;
    patience();
    this.#releaseUrgent();
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      this.#cancel();
      await this.#sendDue();
    }
    this.#running = null;
    if (!this.#stopped) this.#sleep();
  }

  /** Everything that is due, over one connection. */
  async #sendDue(): Promise<void> {
    if (!this.#options.configured()) return this.#releaseUrgent();
    const first = this.#next();
    if (first === undefined) return;
    this.#isOutdated = false;
    // In one turn, so of one configuration.
    const from = this.#options.from();
    const carrier = await this.#options.open().catch(cannotOpen);
    this.#carrier = carrier;
    const goesOn = (): boolean => !this.#stopped && !this.#isOutdated;
    for (let mail: Mail | undefined = first; mail !== undefined && goesOn(); mail = this.#next())
      await this.#send(mail, carrier, from);
    this.#carrier = null;
    carrier.close();
  }

  async #send(mail: Mail, carrier: Carrier, address: string): Promise<void> {
    const { submit, letterOf } = this.#options;
    const domain = address.split('@').at(-1)!;
    const attempt = { id: mail.id, messageId: `<${mail.id}@${domain}>`, told: this.#options.told(mail) };
    const tried = await submit({ type: 'tryMail', ...attempt });
    if (tried.ok) {
      const { messageId, told } = tried.outcome;
      const carried = await carrier.send({
        ...letterOf(mail, told),
        from: { name: told.organisation, address },
        to: mail.to,
        messageId,
        dateMs: mail.madeAtMs,
      });
      await submit({ type: 'settleMail', id: mail.id, result: resultOf(carried) });
      this.#tell(mail.id, carried);
      this.#rest(carried);
    }
    this.#release(mail.id);
  }

  #release(id: string): void {
    for (const tell of this.#urgent.get(id) ?? []) tell();
    this.#urgent.delete(id);
  }

  #rest(carried: Carried): void {
    // What it says is of the mail server of before a reload.
    if (this.#isOutdated) return;
    if (carried.state === 'sent' || carried.serverFailed !== true) {
      this.#fault = null;
      this.#restMs = 0;
      return;
    }
    this.#fault = carried.error;
    this.#restMs = Math.min(LONGEST_REST_MS, Math.max(5_000, this.#restMs * 2));
    this.#restsUntilMs = this.#options.clock.now().monoMs + this.#restMs;
  }

  #tell(id: string, carried: Carried): void {
    const attempts = this.#options.state.tables.mail.get(id)?.attempts ?? 1;
    if (carried.state === 'sent') this.#options.onEvent({ type: 'sent', id, attempts });
    else {
      const given = this.#options.state.tables.mail.get(id)?.state === 'failed' ? 'up' : 'time';
      this.#options.onEvent({ type: 'failed', id, error: carried.error, given });
    }
  }

  /** The urgent ones first. */
  #next(): Mail | undefined {
    const { state, clock } = this.#options;
    for (const id of this.#urgent.keys()) {
      const mail = state.tables.mail.get(id);
      if (mail?.state === 'queued') return mail;
      this.#release(id);
    }
    const { wallMs, monoMs } = clock.now();
    if (monoMs < this.#restsUntilMs) return undefined;
    return this.#due(wallMs);
  }

  /** What waits behind the thousands of a bulk job may be what somebody waits for: an invitation, seats that run out. */
  #due(atMs: number): Mail | undefined {
    const [single, bulk] = [this.#first('single'), this.#first('bulk')].map((mail) =>
      mail !== undefined && mail.nextAtMs <= atMs ? mail : undefined,
    );
    if (single === undefined || bulk === undefined) {
      this.#ahead = 0;
      return single ?? bulk;
    }
    if (this.#ahead < AHEAD) {
      this.#ahead += 1;
      return this.#toldBefore(single) ?? single;
    }
    this.#ahead = 0;
    return dueKey(bulk) < dueKey(single) ? bulk : single;
  }

  #first(lane: MailLane): Mail | undefined {
    const { tables, derived } = this.#options.state;
    const [key] = derived.mailsDue.get(lane);
    return key === undefined ? undefined : tables.mail.get(mailOfKey(key));
  }

  /** The digest of a bulk job that was due to the same person sooner: who hears that seats are gone has heard that they were given. */
  #toldBefore(single: Mail): Mail | undefined {
    const { tables, derived } = this.#options.state;
    let first: Mail | undefined;
    derived.digestsQueued.each(single.to, (id) => {
      const mail = tables.mail.get(id)!;
      if (dueKey(mail) < dueKey(first ?? single)) first = mail;
    });
    return first;
  }

  #sleep(): void {
    const { clock, after, configured } = this.#options;
    if (!configured()) return;
    const { wallMs, monoMs } = clock.now();
    const nextAtMs = Math.min(
      this.#first('single')?.nextAtMs ?? Number.POSITIVE_INFINITY,
      this.#first('bulk')?.nextAtMs ?? Number.POSITIVE_INFINITY,
    );
    if (nextAtMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(0, nextAtMs - wallMs, this.#restsUntilMs - monoMs);
    this.#cancel = after(Math.min(LOOK_AGAIN_MS, waitMs), () => this.wake());
  }

  /** No mail server is configured, or nothing is sent any more: nobody is left waiting. */
  #releaseUrgent(): void {
    for (const id of [...this.#urgent.keys()]) this.#release(id);
  }
}

/** The secrets cannot be read: as if the mail server could not be reached. */
function cannotOpen({ message }: Error): Carrier {
  return {
    send: async () => ({ state: 'deferred', error: message, unsure: false, serverFailed: true }),
    abort: () => {},
    close: () => {},
  };
}

function resultOf({ serverFailed: _, ...result }: Carried): MailResult {
  return result;
}
