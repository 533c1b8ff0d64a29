import type { HandlerDeps } from '@berth/server/admin/deps';
import type { State } from '@berth/server/domain/state';
import { letterOf } from '@berth/server/mail/letter';

/** A site without a mail server: mails stay in the outbox, with their real words. */
export function unsentMail(state: State): HandlerDeps['mail'] {
  return {
    configured: false,
    fault: null,
    letterOf: (mail) =>
      letterOf(mail, {
        organisation: state.tables.organisation.get('self')?.name ?? '',
        name: state.tables.user.get(mail.to)?.name ?? '',
        link: () => null,
      }),
    sendNow: () => Promise.resolve(),
  };
}
