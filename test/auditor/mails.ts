import { type ActSeen, eachAct } from './acts.js';
import type { Evidence, Finding } from './evidence.js';
import type { Change } from './journal-entry.js';
import { type Fact, People, wordsOf } from './mail-people.js';

/** A mail that a mail server took, whatever berthd heard of it. */
export interface MailTaken {
  readonly t: number;
  /** `<mail id@domain>`. */
  readonly messageId: string;
  readonly to: string;
  /** Its sender, subject and text. */
  readonly words: string;
}

interface MailRow {
  readonly id: string;
  readonly to: string;
  readonly facts: readonly Fact[];
}

/** What the journal says of a mail. */
interface Story {
  readonly to: string;
  /** Invitations whose links it brings. */
  readonly links: readonly string[];
  tried: number;
  /** By the wall clock of the server. */
  triedFromMs: number | null;
  /** Hand-overs of which nobody knows whether they went through. */
  unsure: number;
  isOver: boolean;
}

/**
 * What somebody is told is in the commit of what it tells, once; nothing leaves that is not written, nor before it is; and what a mail server took is
 * handed over again only when nobody knew whether it had, in the same words.
 */
export function mailsWrong({ journal, mails = [] }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  const stories = new Map<string, Story>();
  const people = new People();
  eachAct(journal.records, (act) => {
    const accuse = (text: string) => findings.push({ rule: 'MAIL', text: `record ${act.seq}: ${text}` });
    people.before(act);
    for (const change of act.changes) note(stories, change, people, accuse);
    judgeAct(stories, act, people, accuse);
  });
  return [...findings, ...mistaken(mails, stories)];
}

type Say = (text: string) => void;

/** RFC 5321 4.5.4.1: whoever sends goes on for four days at least. */
const GIVE_UP_MS = 4 * 86_400_000;

function note(stories: Map<string, Story>, change: Change, people: People, accuse: Say): void {
  if (change.type === 'mail.queued') {
    const { id, to, facts } = change.mail as MailRow;
    const links = facts.flatMap(({ invitation }) => (invitation === undefined ? [] : [invitation]));
    stories.set(id, { to, links, tried: 0, unsure: 0, isOver: false, triedFromMs: null });
  }
  const story = stories.get(String(change.id));
  if (story === undefined) return;
  if (change.type === 'mail.tried') {
    if (story.isOver) accuse(`mail ${String(change.id)} is handed over although it was sent or taken back`);
    if (story.links.some((link) => people.isUsedUp(link)))
      accuse(`mail ${String(change.id)} is handed over with a link that is good for nothing any more`);
    story.tried++;
    story.triedFromMs ??= Number(change.atMs);
  }
  if (change.type === 'mail.failed') {
    const triedMs = Number(change.atMs) - (story.triedFromMs ?? 0);
    if (!/^5\d\d/.test(String(change.error)) && triedMs < GIVE_UP_MS)
      accuse(`mail ${String(change.id)} is given up after ${triedMs} ms: ${String(change.error)}`);
  }
  if (change.type === 'mail.deferred' && change.unsure === true) story.unsure++;
  if (change.type === 'mail.sent' || change.type === 'mail.cancelled') story.isOver = true;
}

function mistaken(mails: readonly MailTaken[], stories: ReadonlyMap<string, Story>): Finding[] {
  const times = new Map<string, number>();
  for (const { messageId } of mails) times.set(messageId, (times.get(messageId) ?? 0) + 1);
  const findings: Finding[] = [];
  const accuse = (text: string) => findings.push({ rule: 'MAIL', text });
  for (const [messageId, taken] of times) {
    const id = messageId.slice(1, messageId.indexOf('@'));
    const story = stories.get(id);
    if (story === undefined) accuse(`mail ${id} was sent, the journal does not have it`);
    else if (taken > story.tried) accuse(`mail ${id} left ${taken} times, ${story.tried} are in the journal`);
    else if (taken > 1 + story.unsure)
      accuse(`mail ${id} was taken ${taken} times, of ${story.unsure} nobody could know`);
  }
  const words = new Map<string, string>();
  for (const mail of mails) {
    const { messageId, to } = mail;
    const id = messageId.slice(1, messageId.indexOf('@'));
    const before = words.get(messageId) ?? mail.words;
    words.set(messageId, mail.words);
    if (before !== mail.words) accuse(`mail ${id} was taken again in other words`);
    if ((stories.get(id)?.to ?? to) !== to) accuse(`mail ${id} went to ${to}`);
  }
  return findings;
}

/** Commands that tell people what they have been given or lose. */
const moving: ReadonlySet<string> = new Set(['assign', 'move', 'revoke', 'settlePending', 'decideRow']);
const inviting: ReadonlySet<string> = new Set(['invite', 'decideRow']);

/** What has to be told, as often as it happens: two entitlements of one product are two mails that say the same. */
function judgeAct(stories: ReadonlyMap<string, Story>, act: ActSeen, people: People, accuse: Say): void {
  const told = tally(factsIn(stories, act.changes).map(({ to, fact }) => wordsOf(to, fact)));
  for (const [words, times] of tally([...dueIn(act), ...people.dueIn(act)])) {
    const is = told.get(words) ?? 0;
    if (is !== times) accuse(`its commit tells ${is} times, not ${times}: ${words}`);
  }
}

function dueIn({ did, changes, before }: ActSeen): string[] {
  const due = changes.flatMap(({ type, invitation, email }): string[] => {
    if (type === 'invitation.made' && inviting.has(did)) {
      const { id, email: to } = invitation as { id: string; email: string };
      return [wordsOf(to, { kind: 'invited', invitation: id })];
    }
    if (type === 'user.removed') return [wordsOf(String(email), { kind: 'removed' })];
    return type === 'credit.answered' ? [wordsOf(String(email), { kind: 'creditAnswered' })] : [];
  });
  if (!moving.has(did)) return due;
  for (const { row, more } of before.after(changes)) {
    const product = before.productOf(row.entitlement);
    const kind = more > 0 ? 'assigned' : 'revoked';
    if (more !== 0) due.push(wordsOf(row.email, { kind, product, quantity: Math.abs(more) }));
  }
  return due;
}

function tally(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function factsIn(
  stories: ReadonlyMap<string, Story>,
  changes: readonly Change[],
): { to: string; fact: Fact }[] {
  return changes.flatMap(({ type, id, mail, fact }) => {
    if (type === 'mail.gathered') return [{ to: stories.get(String(id))?.to ?? '', fact: fact as Fact }];
    if (type !== 'mail.queued') return [];
    const { to, facts } = mail as MailRow;
    return facts.map((each) => ({ to, fact: each }));
  });
}
