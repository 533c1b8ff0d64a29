import type { HandlerDeps } from '@berth/server/admin/deps';
import { BulkWorker } from '@berth/server/bulk/worker';
import type { Change } from '@berth/server/domain/changes';
import { writeCheckpoint } from '@berth/server/engine/checkpoint';
import type { Engine } from '@berth/server/engine/engine';
import { PostOffice } from '@berth/server/mail/post-office';
import { ADDRESS } from './sim-identity.js';
import type { SimMailServer } from './sim-mail.js';
import type { Owner, SimTime } from './sim-time.js';

/** As in server.ts. */
const CHECKPOINT_MS = 3_600_000;

export interface DutyParts extends Pick<HandlerDeps, 'state' | 'clock' | 'issuer'> {
  readonly engine: Engine;
  readonly time: SimTime;
  readonly owner: Owner;
  /** `null`: the site has none, mails stay in the outbox. */
  readonly mailServer: SimMailServer | null;
  readonly link: (invitation: string) => string;
  readonly onFatal: (error: unknown) => void;
}

/** What berthd does by itself, put together as in server.ts: rows of bulk jobs, mails, checkpoints. */
export class Duties {
  readonly office: PostOffice;
  readonly #worker: BulkWorker;
  readonly #parts: DutyParts;

  constructor(parts: DutyParts) {
    const { state, clock, engine, time, owner, mailServer, link, onFatal } = parts;
    this.#parts = parts;
    const submit: Engine['submit'] = (command) => engine.submit(command);
    const after = (ms: number, then: () => void): (() => void) => time.after(ms, owner, then);
    this.#worker = new BulkWorker({ state, submit, after, onFatal });
    this.office = new PostOffice({
      ...{ state, clock, submit, after, link, onFatal, address: () => ADDRESS },
      config: () => ({ ...unused, mailSmtp: mailServer === null ? undefined : MAIL_SERVER }),
      password: undefined,
      log: { debug: () => {}, warn: () => {}, error: () => {} },
      open: async () => mailServer!.open(owner),
    });
  }

  begin(): void {
    const { time, owner, onFatal } = this.#parts;
    const checkpoint = (): void => void writeCheckpoint(this.#parts);
    time.every(CHECKPOINT_MS, owner, checkpoint);
    checkpoint();
    void this.office.start().catch(onFatal);
    this.#worker.wake();
  }

  /** After a commit. */
  look(changes: readonly Change[]): void {
    this.office.look(changes);
    if (changes.some(({ type }) => type === 'job.made')) this.#worker.wake();
  }
}

const MAIL_SERVER = { host: 'mail', port: 25 };
const unused = {
  mailFrom: 'berth@studio.example',
  mailSecurity: 'none',
  mailUser: undefined,
  mailPasswordFile: undefined,
  mailCa: undefined,
} as const;
