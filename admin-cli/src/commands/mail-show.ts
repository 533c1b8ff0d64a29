import { defineCommand } from '../command.js';
import { fields } from '../output.js';
import { parseId } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentWords } from '../words.js';

export const mailShow = defineCommand({
  usage: 'show <id>',
  describe: 'Show a mail as it is or will be sent',
  positionals: { id: { type: 'string', demandOption: true, describe: 'id as in `berth mail list`' } },
  options: { html: { type: 'boolean', default: false, describe: 'print only its HTML' } },
  examples: [
    ['berth mail show m-7k2m', 'to whom, what, and what became of it'],
    ['berth mail show m-7k2m --html > mail.html', 'as a mail program shows it'],
  ],
  more: 'A join link is shown to those who could have made it: not to an admin where it brings the role of an owner.',
  run: async (context, args) => {
    const id = parseId(args.id, 'ID');
    const shown = await withAdmin(context, (admin) => admin.call('mail.show', { id }));
    if (args.html) return { document: shown, text: shown.html };
    const { mail, text } = shown;
    const when = (ms: number | undefined) =>
      ms === undefined ? undefined : momentWords(ms, context.nowMs());
    const head = fields([
      ['id', mail.id],
      ['to', mail.to],
      ['subject', mail.subject],
      ['state', mail.unsure === true ? `${mail.state}; it may arrive twice` : mail.state],
      ['made', when(mail.madeAtMs)],
      ['next try', when(mail.nextAtMs)],
      [mail.state, when(mail.endedAtMs)],
      ['tries', mail.attempts],
      ['error', mail.error],
      ['message id', mail.messageId],
    ]);
    return { document: shown, text: `${head}\n\n${text}` };
  },
});
