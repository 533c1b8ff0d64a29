import { canonicalEmail, limits, type MailInfo, type Role } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import { mayReadLink } from '../domain/decide/mails.js';
import type { Mail } from '../domain/mail.js';
import type { State } from '../domain/state.js';
import type { Answer, Caller, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { cut, type Made, madeFirst, madeIn, madeKey } from './pages.js';
import { asked, unasked } from './request.js';
import { inTurns, Selection } from './selection.js';

type MailHandlers = Pick<
  Handlers,
  'mail.list' | 'mail.show' | 'mail.test' | 'mail.retry' | 'mail.retry.preview'
>;

export function mailHandlers(deps: HandlerDeps): MailHandlers {
  return {
    'mail.list': async ({ cursor, limit = limits.pageRows, state: only, email: given }) => {
      const email = given === undefined ? undefined : canonicalEmail(given);
      if (email === null) return deny('EMAIL_INVALID', undefined, { email: given });
      const places = await newest(deps.state, { cursor, limit, only, email });
      return deps.engine.read((state): Answer<'mail.list'> => {
        const { items, next } = cut(places, madeKey, limit, ({ id }) => {
          const mail = state.tables.mail.get(id);
          return mail === undefined || !isMeant(mail, only, email) ? null : infoOf(deps, mail);
        });
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
        const { configured } = deps.mail;
        return { ok: true, result: { mail: infoOf(deps, mail), text, html, configured } };
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

/** So many of one state are looked up sooner than all mails are looked at. */
const FEW = 1000;

/** The mails of a page and one more, in order. */
async function newest(
  state: State,
  asked: {
    cursor: string | undefined;
    limit: number;
    only: Mail['state'] | undefined;
    email: string | undefined;
  },
): Promise<readonly Made[]> {
  const { only, email } = asked;
  const behind = madeIn(asked.cursor);
  const found = new Selection<Made>(asked.limit + 1, (a, b) => madeFirst(b, a));
  await inTurns(mailsIn(state, only), (mail) => {
    if ((behind === null || madeFirst(mail, behind) < 0) && isMeant(mail, only, email)) found.add(mail);
  });
  return found.sorted();
}

function mailsIn(state: State, only: Mail['state'] | undefined): Iterable<Mail> {
  const ofState = only === undefined ? null : state.derived.mailsByState.get(only);
  if (ofState === null || ofState.size > FEW) return state.tables.mail.values();
  return [...ofState].map((id) => state.tables.mail.get(id)!);
}

function isMeant(mail: Mail, only: Mail['state'] | undefined, email: string | undefined): boolean {
  return (only === undefined || mail.state === only) && (email === undefined || mail.to === email);
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
