import type { MailInfo } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { fields } from '../output.js';
import { parseId } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentWords } from '../words.js';

export const mailShow = defineCommand({
  usage: 'show <id>',
  describe: 'Show a mail as it was sent, or as it would be sent now',
  positionals: { id: { type: 'string', demandOption: true, describe: 'id as in `berth mail list`' } },
  options: { html: { type: 'boolean', default: false, describe: 'print only its HTML' } },
  examples: [
    ['berth mail show m-7k2m', 'to whom, what, and what became of it'],
    ['berth mail show m-7k2m --html > mail.html', 'as a mail program shows it'],
  ],
  more: 'It says the names and the address that it was sent with, whatever they are by now. A join link is shown to those who could have made it: not to an admin where it brings the role of an owner.',
  run: async (context, args) => {
    const id = parseId(args.id, 'ID');
    const shown = await withAdmin(context, (admin) => admin.call('mail.show', { id }));
    if (args.html) return { document: shown, text: shown.html };
    const { mail, text, configured = true } = shown;
    const when = (ms: number | undefined) =>
      ms === undefined ? undefined : momentWords(ms, context.nowMs());
    const head = fields([
      ['id', mail.id],
      ['to', mail.to],
      ['subject', mail.subject],
      ['state', mail.unsure === true ? `${mail.state}; it may arrive twice` : mail.state],
      ['made', when(mail.madeAtMs)],
      ['next try', mail.nextAtMs && nextWords(mail.nextAtMs, context.nowMs(), configured)],
      [mail.state, when(mail.endedAtMs)],
      ['tries', mail.attempts],
      ['error', mail.error],
      ['message id', mail.messageId],
    ]);
    return {
      document: shown,
      text: `${head}\n\n${text}`,
      notes: isUnsent(mail) && !configured ? [unsentNote(mail)] : [],
    };
  },
});

function nextWords(nextAtMs: number, nowMs: number, configured: boolean): string {
  if (!configured) return 'none: no mail server is configured';
  return nextAtMs > nowMs ? momentWords(nextAtMs, nowMs) : 'as soon as its turn comes';
}

const isUnsent = ({ state }: MailInfo): boolean => state === 'queued' || state === 'gathering';

/** What somebody who reads it can do, while nobody sends it. */
function unsentNote({ to, kind }: MailInfo): string {
  const what = kind === 'invited' ? 'the command with its link' : 'what it says';
  return `No mail server is configured: it waits here. Give ${to} ${what} yourself, or have IT set mail.smtp.`;
}
