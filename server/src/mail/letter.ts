import type { CreditGrant } from '../domain/credit-rows.js';
import type { Mail, MailFact, MailTold } from '../domain/mail.js';

/** A mail in words. */
export interface Letter {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** What the words need besides the facts. */
export interface LetterFacts extends Pick<MailTold, 'organisation' | 'name'> {
  /** The join link of an invitation; `null`: it is not open any more, or not for the eyes of whoever reads. */
  link(fact: Extract<MailFact, { kind: 'invited' }>): string | null;
}

/** Lines of prose, and lines to be copied as they are. */
type Line = string | { readonly copy: string };

interface Words {
  readonly subject: string;
  readonly lines: readonly Line[];
}

/** The words of a mail, as text and as HTML that says the same. */
export function letterOf(mail: Pick<Mail, 'facts' | 'more'>, facts: LetterFacts): Letter {
  const all = mail.facts.map((fact) => wordsOf(fact, facts));
  const first =
    all.length === 1 ? all[0]!.subject : `${all.length + (mail.more ?? 0)} changes to your licences`;
  const subject = `${first} (${facts.organisation})`;
  const lines: Line[] = [
    facts.name === '' ? 'Hello,' : `Hello ${facts.name},`,
    ...all.flatMap((words) => words.lines),
    ...(mail.more === undefined ? [] : [`And ${mail.more} more of this kind.`]),
    `Sent by the licence server of ${facts.organisation}.`,
  ];
  return { subject, text: textOf(lines), html: htmlOf(subject, lines) };
}

function wordsOf<K extends MailFact['kind']>(
  fact: Extract<MailFact, { kind: K }>,
  facts: LetterFacts,
): Words {
  const write = writers[fact.kind] as unknown as Writer<K>;
  return write(fact, facts);
}

type Writer<K extends MailFact['kind']> = (fact: Extract<MailFact, { kind: K }>, facts: LetterFacts) => Words;

const writers: { readonly [K in MailFact['kind']]: Writer<K> } = {
  invited: (fact, { organisation, link }) => {
    const { by, role, device, expiresAtMs } = fact;
    const open = link(fact);
    const join: Line[] =
      open === null
        ? ['The link of this invitation is not open any more, or not shown here.']
        : [
            'On the computer that you will use, run this once:',
            { copy: `berth join "${open}"` },
            `The link works once, for one computer, until ${momentOf(expiresAtMs)}. Do not pass it on: whoever has it can join as you.`,
          ];
    return device
      ? {
          subject: 'A further computer for your licences',
          lines: [`${by} made a link for a further computer of yours at ${organisation}.`, ...join],
        }
      : {
          subject: 'You are invited to the floating licences',
          lines: [`${by} made you a member of ${organisation}, with the role ${role}.`, ...join],
        };
  },
  assigned: ({ by, product, quantity, total, expires }) => ({
    subject: `Licences for you: ${product}`,
    lines: [
      `${by} set ${seats(quantity)} of ${product} aside for you until ${expires}.${total > quantity ? ` You now have ${total}.` : ''}`,
    ],
  }),
  revoked: ({ by, product, quantity, left, expires }) => ({
    subject: `Licences taken back: ${product}`,
    lines: [
      `${by} took back ${seats(quantity)} of ${product} (until ${expires}) that had been set aside for you. ${left === 0 ? 'None of them is left.' : `${left} left.`}`,
    ],
  }),
  removed: ({ by }, { organisation }) => ({
    subject: 'You were removed',
    lines: [
      `${by} removed you from ${organisation}. Your computers were locked out of its licence server, and the seats you had ended.`,
    ],
  }),
  ending: ({ product, subscription, seats: count, until, daysLeft }) => ({
    subject: `Subscription ${subscription} ends soon, ${days(daysLeft)} left: ${product}`,
    lines: [
      `The subscription ${subscription} with ${seats(count)} of ${product} ends soon: ${days(daysLeft)} left, the last one is ${until}. Nothing is granted from it afterwards.`,
      { copy: `berth subscription show "${subscription}"` },
    ],
  }),
  bulk: ({ job, bulk, rows, done, unchanged, failed }) => ({
    subject: `Bulk ${bulk}: ${failed === 0 ? 'done' : `${failed} of ${rows} failed`}`,
    lines: [
      `Of ${rows} rows ${done} changed something, ${unchanged} were so already and ${failed} failed.`,
      { copy: `berth bulk report ${job}${failed === 0 ? '' : ' --failures'}` },
    ],
  }),
  creditAsked: ({ by, credits, note, grant }) => ({
    subject: `${by} asks for ${credits} credits`,
    lines: [
      `${by} asks for ${credits} credits more. Until now: ${spending(grant)}.`,
      ...(note === '' ? [] : [`The reason given: ${note}`]),
      { copy: `berth credit approve ${by}` },
    ],
  }),
  creditAnswered: ({ by, approved, note, grant }) => ({
    subject: approved ? 'Credits for you' : 'No more credits for now',
    lines: [
      `${by} has ${approved ? 'approved' : 'denied'} your request for credits. You may spend ${spending(grant)}.`,
      ...(note === '' ? [] : [`The reason given: ${note}`]),
    ],
  }),
  test: ({ by }) => ({
    subject: 'A test',
    lines: [`${by} tried whether the licence server can send mail. It can.`],
  }),
};

function spending(grant: CreditGrant): string {
  if (grant.access === 'disabled') return 'none';
  if (grant.access === 'unlimited') return 'as many as there are';
  return grant.per === 'total' ? `${grant.limit} in all` : `${grant.limit} a ${grant.per}`;
}

const seats = (count: number): string => (count === 1 ? '1 seat' : `${count} seats`);
const days = (count: number): string => (count === 1 ? '1 day' : `${count} days`);

/** `2026-12-05 12:00 UTC` */
function momentOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function textOf(lines: readonly Line[]): string {
  return `${lines.map((line) => (typeof line === 'string' ? line : `    ${line.copy}`)).join('\n\n')}\n`;
}

function htmlOf(subject: string, lines: readonly Line[]): string {
  const body = lines.map((line) =>
    typeof line === 'string'
      ? `<p>${escaped(line)}</p>`
      : `<pre style="white-space:pre-wrap;word-break:break-all">${escaped(line.copy)}</pre>`,
  );
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head>\n<body style="font-family:sans-serif">\n${body.join('\n')}\n</body></html>\n`;
}

/** Names are chosen by people: none of them may become markup. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
