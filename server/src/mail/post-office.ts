import type { Change } from '../domain/changes.js';
import type { Mail, MailFact, MailTold } from '../domain/mail.js';
import { organisationOf } from '../domain/state.js';
import type { Config } from '../ops/config.js';
import type { Log } from '../ops/log.js';
import { type Letter, letterOf } from './letter.js';
import { Outbox, type OutboxEvent, type OutboxOptions } from './outbox.js';
import { type Carrier, openSmtp, type SmtpSettings } from './smtp.js';

type MailConfig = Pick<
  Config,
  'mailSmtp' | 'mailFrom' | 'mailSecurity' | 'mailUser' | 'mailPasswordFile' | 'mailCa'
>;

export interface PostOfficeOptions
  extends Pick<OutboxOptions, 'state' | 'submit' | 'clock' | 'after' | 'onFatal'> {
  readonly config: () => MailConfig;
  /** From the environment: the flags of a process and its configuration are read by more people. */
  readonly password: string | undefined;
  /** Where join links lead from now on. */
  readonly address: () => LinkAddress;
  /** The join link of an invitation. */
  readonly link: (invitation: string, address: LinkAddress) => string;
  readonly log: Pick<Log, 'debug' | 'warn' | 'error'>;
  /** How the mail server is reached. Left out: by SMTP. */
  readonly open?: (settings: SmtpSettings) => Promise<Carrier>;
}

type LinkAddress = NonNullable<MailTold['address']>;

/** Who reads a mail. */
export type Reader = (fact: Extract<MailFact, { kind: 'invited' }>) => boolean;

/** What the rest of the server knows of mail: its words, whether it can be sent, and that something is to be sent. */
export class PostOffice {
  readonly #options: PostOfficeOptions;
  readonly #outbox: Outbox;

  constructor(options: PostOfficeOptions) {
    this.#options = options;
    const { state, submit, clock, after, onFatal, open = openSmtp } = options;
    this.#outbox = new Outbox({
      state,
      submit,
      clock,
      onFatal,
      configured: () => this.configured,
      open: () => open(this.#settings()),
      from: () => this.#settings().from,
      told: (mail) => this.#told(mail),
      letterOf: (mail, told) => this.letterOf({ ...mail, told }, () => true),
      after,
      onEvent: (event) => this.#log(event),
    });
  }

  get configured(): boolean {
    return this.#options.config().mailSmtp !== undefined;
  }

  /** Why the mail server could not be used at the last attempt. */
  get fault(): string | null {
    return this.configured ? this.#outbox.fault : null;
  }

  /**
   * What it said when it was handed over; before that, what it would say now.
   * @param mayRead who may read the link of an invitation
   */
  letterOf(mail: Mail, mayRead: Reader): Letter {
    const { state, link } = this.#options;
    const { organisation, name, address } = mail.told ?? this.#told(mail);
    return letterOf(mail, {
      organisation,
      name,
      link: (fact) => {
        const isUnused = state.tables.invitation.get(fact.invitation)?.usedBy === null;
        return isUnused && address !== undefined && mayRead(fact) ? link(fact.invitation, address) : null;
      },
    });
  }

  #told({ to, facts }: Mail): MailTold {
    const { state, clock, address } = this.#options;
    const { wallMs } = clock.now();
    const hasLink = facts.some((fact) => fact.kind === 'invited' && fact.expiresAtMs > wallMs);
    return {
      organisation: organisationOf(state).name,
      name: state.tables.user.get(to)?.name ?? '',
      ...(hasLink ? { address: address() } : {}),
    };
  }

  start(): Promise<void> {
    return this.#outbox.start();
  }

  stop(): Promise<void> {
    return this.#outbox.stop();
  }

  /** After a commit. */
  look(changes: readonly Change[]): void {
    if (changes.some(({ type }) => type === 'mail.queued' || type === 'job.ended')) this.#outbox.wake();
    if (changes.some(({ type }) => type === 'mail.retried')) this.#outbox.hurry();
  }

  /** The configuration may name another mail server now. */
  reopen(): void {
    this.#outbox.reopen();
  }

  /** Resolves when this mail was tried. */
  sendNow(id: string): Promise<void> {
    return this.#outbox.sendNow(id);
  }

  /** Of a mail server that is configured: resolveConfig has checked that they belong together. */
  #settings(): SmtpSettings {
    const { mailSmtp, mailFrom, mailSecurity, mailUser, mailPasswordFile, mailCa } = this.#options.config();
    return {
      ...mailSmtp!,
      security: mailSecurity,
      from: mailFrom!,
      user: mailUser,
      password: this.#options.password,
      passwordFile: mailPasswordFile,
      caFile: mailCa,
    };
  }

  #log(event: OutboxEvent): void {
    const { log } = this.#options;
    if (event.type === 'sent') log.debug({ mail: event.id, attempts: event.attempts }, 'mail sent');
    else if (event.given === 'up')
      log.error(
        { mail: event.id, error: event.error, code: 'MAIL_FAILED', next: 'berth mail list --state failed' },
        'a mail was given up',
      );
    else log.warn({ mail: event.id, error: event.error }, 'a mail could not be sent yet');
  }
}
