import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny } from '../commands.js';
import { type Mail, nextAttemptMs } from '../mail.js';
import type { State } from '../state.js';
import { queued } from './mails.js';

/** An attempt to hand a mail over begins: it is on record before a byte of it leaves, so that a crash in the middle shows. */
export function tryMail(state: State, command: Command<'tryMail'>, { now }: Context): Decision<'tryMail'> {
  const mail = state.tables.mail.get(command.id);
  if (mail === undefined || mail.state !== 'queued') return deny('MAIL_UNKNOWN');
  const messageId = mail.messageId ?? command.messageId;
  // What may have been taken comes again with the same words; what was not says what is so now.
  const told = mail.told ?? command.told;
  return {
    ok: true,
    changes: [{ type: 'mail.tried', id: mail.id, atMs: now.wallMs, messageId, told }],
    outcome: { messageId, told },
  };
}

/** How an attempt ended. Of a mail that is gone, or is in nobody's hands, there is nothing to say. */
export function settleMail(
  state: State,
  { id, result }: Command<'settleMail'>,
  { now }: Context,
): Decision<'settleMail'> {
  const mail = state.tables.mail.get(id);
  if (mail?.state !== 'sending') return { ok: true, changes: [], outcome: {} };
  const atMs = now.wallMs;
  if (result.state === 'sent')
    return { ok: true, changes: [{ type: 'mail.sent', id, atMs, answer: result.answer }], outcome: {} };
  // It was used or taken back while its mail was on the way: that mail would have no link in it (mails.ts, outdated).
  if (mail.facts.some((fact) => fact.kind === 'invited' && !isOpen(state, fact.invitation)))
    return { ok: true, changes: [{ type: 'mail.cancelled', id, atMs }], outcome: {} };
  const nextAtMs = result.state === 'refused' ? null : nextAttemptMs(mail, atMs);
  const { error } = result;
  const change: Change =
    nextAtMs === null
      ? { type: 'mail.failed', id, atMs, error }
      : {
          type: 'mail.deferred',
          id,
          nextAtMs,
          error,
          ...(result.state === 'deferred' && result.unsure ? { unsure: true } : {}),
        };
  return { ok: true, changes: [change], outcome: {} };
}

function isOpen({ tables }: State, invitation: string): boolean {
  return tables.invitation.get(invitation)?.usedBy === null;
}

/** Those given up are tried again, and those that wait for their pause to end wait no longer. */
export function retryMail(
  state: State,
  { id, by }: Command<'retryMail'>,
  { now }: Context,
): Decision<'retryMail'> {
  const named = id === null ? undefined : state.tables.mail.get(id);
  if (id !== null && named === undefined) return deny('MAIL_UNKNOWN', undefined, { id });
  // What is being gathered leaves when its job is done, in one mail.
  if (named !== undefined && !retryable.has(named.state))
    return deny('MAIL_ENDED', `The mail is ${named.state}.`, { id: named.id, state: named.state });
  const mails = named === undefined ? waiting(state) : [named];
  const changes = mails.map(
    (mail): Change => ({ type: 'mail.retried', id: mail.id, by: by.email, atMs: now.wallMs }),
  );
  return { ok: true, changes, outcome: { retried: changes.length } };
}

const retryable: ReadonlySet<Mail['state']> = new Set(['queued', 'failed']);

function waiting(state: State): Mail[] {
  return [...retryable].flatMap((name) =>
    [...state.derived.mailsByState.get(name)].map((id) => state.tables.mail.get(id)!),
  );
}

/** A mail to try the mail server with. */
export function testMail(
  _state: State,
  { to, by }: Command<'testMail'>,
  context: Context,
): Decision<'testMail'> {
  if (context.diskLow) return deny('DISK_LOW');
  const change = queued(to, { kind: 'test', by: by.email }, context);
  return { ok: true, changes: [change], outcome: { id: change.mail.id } };
}
