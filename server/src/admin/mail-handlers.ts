import { canonicalEmail, type MailInfo, type Role } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import { mayReadLink } from '../domain/decide/mails.js';
import type { Mail } from '../domain/mail.js';
import type { State } from '../domain/state.js';
import type { Answer, Caller, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { asked, unasked } from './request.js';

type MailHandlers = Pick<
  Handlers,
  'mail.list' | 'mail.show' | 'mail.test' | 'mail.retry' | 'mail.retry.preview'
>;

export function mailHandlers(deps: HandlerDeps): MailHandlers {
  return {
    'mail.list': async ({ cursor, limit, state: only, email: given }) => {
      const email = given === undefined ? undefined : canonicalEmail(given);
      if (email === null) return deny('EMAIL_INVALID', undefined, { email: given });
      return deps.engine.read((state): Answer<'mail.list'> => {
        const rows = mailsIn(state, only).filter((mail) => email === undefined || mail.to === email);
        const request = { cursor, limit, descending: true };
        const { items, next } = page(rows, orderOf, request, (mail) => infoOf(deps, mail));
        const count = (is: Mail['state']): number => state.derived.mailsByState.get(is).size;
        const [failed, waiting] = [count('failed'), count('queued') + count('sending')];
        const { configured, fault } = deps.mail;
        const counts = { failed, waiting, ...(fault === null ? {} : { fault }) };
        return { ok: true, result: { items, next, configured, ...counts } };
      });
    },
    'mail.show': ({ id }, caller) =>
      deps.engine.read((state): Answer<'mail.show'> => {
        const mail = state.tables.mail.get(id);
        if (mail === undefined) return deny('MAIL_UNKNOWN', undefined, { id });
        const { text, html } = deps.mail.letterOf(mail, (fact) => mayReadLink(roleOf(state, caller), fact));
        return { ok: true, result: { mail: infoOf(deps, mail), text, html } };
      }),
    'mail.test': (params, caller) => test(deps, params, caller),
    'mail.retry': async (params, caller) => {
      if (!deps.mail.configured) return deny('MAIL_OFF');
      const settled = await deps.engine.submit({
        type: 'retryMail',
        ...asked('mail.retry', params, caller),
        id: params.id ?? null,
      });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'mail.retry.preview': async (params, caller) => {
      if (!deps.mail.configured) return deny('MAIL_OFF');
      const command = { type: 'retryMail', id: params.id ?? null } as const;
      const settled = await deps.engine.would({ ...command, ...unasked('mail.retry', params, caller) });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}

async function test(
  deps: HandlerDeps,
  params: Parameters<Handlers['mail.test']>[0],
  caller: Caller,
): Promise<Answer<'mail.test'>> {
  if (!deps.mail.configured) return deny('MAIL_OFF');
  const to = canonicalEmail(params.email ?? caller.email);
  if (to === null) return deny('EMAIL_INVALID', undefined, { email: params.email });
  const settled = await deps.engine.submit({ type: 'testMail', ...asked('mail.test', params, caller), to });
  if (!settled.ok) return settled;
  const { id } = settled.outcome;
  await deps.mail.sendNow(id);
  return deps.engine.read((state): Answer<'mail.test'> => {
    const mail = state.tables.mail.get(id);
    return mail === undefined ? deny('MAIL_UNKNOWN') : { ok: true, result: { mail: infoOf(deps, mail) } };
  });
}

/** Of one state by the index, or all. */
function mailsIn(state: State, only: Mail['state'] | undefined): Mail[] {
  if (only === undefined) return [...state.tables.mail.values()];
  return [...state.derived.mailsByState.get(only)].map((id) => state.tables.mail.get(id)!);
}

/** By when it was made; the id keeps those of one moment apart. */
function orderOf({ madeAtMs, id }: Mail): string {
  return `${String(madeAtMs).padStart(16, '0')} ${id}`;
}

function roleOf(state: State, { email }: Caller): Role {
  return state.tables.user.get(email)?.role ?? 'user';
}

function infoOf({ mail: office }: HandlerDeps, mail: Mail): MailInfo {
  const { id, to, facts, state, madeAtMs, attempts, nextAtMs, endedAtMs, messageId, error, unsure } = mail;
  return {
    id,
    to,
    kind: facts[0]!.kind,
    subject: office.letterOf(mail, () => false).subject,
    state,
    madeAtMs,
    attempts,
    ...(state === 'queued' ? { nextAtMs } : {}),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(error === undefined ? {} : { error }),
    ...(unsure === undefined ? {} : { unsure }),
  };
}
