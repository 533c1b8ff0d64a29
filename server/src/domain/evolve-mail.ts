import type { Change } from './changes.js';
import { trackMail } from './derive.js';
import { MAIL_FACTS, type Mail, mailGoneAtMs } from './mail.js';
import type { State } from './state.js';

type MailChange = Extract<Change, { type: `mail.${string}` }>;

/** What becomes of the mails of the outbox (evolve.ts). */
export const mailEvolvers: {
  readonly [T in MailChange['type']]: (state: State, change: Extract<MailChange, { type: T }>) => void;
} = {
  'mail.queued': (state, { mail }) => {
    put(state, mail);
    watchMail(state, mail);
  },
  'mail.tried': (state, { id, atMs, messageId, told }) => {
    const mail = known(state, id);
    const { attempts, triedFromMs = atMs } = mail;
    put(state, {
      ...mail,
      state: 'sending',
      attempts: attempts + 1,
      triedFromMs,
      messageId,
      ...(told === undefined ? {} : { told }),
    });
  },
  'mail.sent': (state, { id, atMs }) => {
    const { error: _, ...mail } = known(state, id);
    end(state, { ...mail, state: 'sent', endedAtMs: atMs });
  },
  'mail.deferred': (state, { id, nextAtMs, error, unsure }) => {
    const mail = { ...known(state, id), ...(unsure ? { unsure } : {}) };
    put(state, { ...notTaken(mail), state: 'queued', nextAtMs, error });
  },
  'mail.failed': (state, { id, atMs, error }) =>
    end(state, { ...notTaken(known(state, id)), state: 'failed', endedAtMs: atMs, error }),
  'mail.cancelled': (state, { id, atMs }) =>
    end(state, { ...known(state, id), state: 'cancelled', endedAtMs: atMs }),
  'mail.retried': (state, { id, atMs }) => {
    const { endedAtMs: _, triedFromMs: __, ...mail } = known(state, id);
    put(state, { ...mail, state: 'queued', nextAtMs: atMs });
  },
  'mail.gathered': (state, { id, fact }) => {
    const mail = known(state, id);
    const { facts, more = 0 } = mail;
    put(
      state,
      facts.length < MAIL_FACTS ? { ...mail, facts: [...facts, fact] } : { ...mail, more: more + 1 },
    );
  },
  'mail.dropped': (state, { id }) => {
    trackMail(state, known(state, id), undefined);
    state.tables.mail.delete(id);
  },
};

/** A job is done: what was gathered from its rows may go. */
export function releaseMails(state: State, job: string, atMs: number): void {
  for (const id of [...state.derived.mailsByState.get('gathering')]) {
    const mail = known(state, id);
    if (mail.job === job) put(state, { ...mail, state: 'queued', nextAtMs: atMs });
  }
}

/** Nobody has read it, unless an attempt has an unknown fate: the next one tells what is so by then. */
function notTaken(mail: Mail): Mail {
  if (mail.unsure === true) return mail;
  const { told: _, ...rest } = mail;
  return rest;
}

/** Its time is over sooner than that of one which waits. */
function end(state: State, mail: Mail): void {
  put(state, mail);
  watchMail(state, mail);
}

/** Puts the end of its time on the wall clock; it comes up too early where the mail was queued again since, and is put there anew. */
export function watchMail(state: State, mail: Mail): void {
  state.wallQueue.push({ atMs: mailGoneAtMs(mail), kind: 'mail', id: mail.id });
}

function put(state: State, mail: Mail): void {
  trackMail(state, state.tables.mail.get(mail.id), mail);
  state.tables.mail.set(mail.id, mail);
}

function known(state: State, id: string): Mail {
  const mail = state.tables.mail.get(id);
  if (mail === undefined) throw new Error(`invariant: a change names the mail ${id}, which does not exist`);
  return mail;
}
