import { lastDay, type Role, roleAtLeast } from '@berth/protocol';
import type { Change } from '../changes.js';
import type { Command, CommandType, Context } from '../commands.js';
import { grantOf } from '../credits.js';
import { isWaiting, type Mail, type MailFact } from '../mail.js';
import { type Allocation, allocationId, type State } from '../state.js';
import { entitlementInfo } from '../views.js';

/**
 * The mails that follow from what was decided, in the same commit: neither can be there without the other. One place for all of them, so that
 * no decider can forget one; a retry decides nothing and so sends none (I7).
 */
export function mailsOf(
  state: State,
  command: Command,
  changes: readonly Change[],
  context: Context,
): Change[] {
  const cause: Cause = { command, changes, context };
  const told = changes.flatMap((change) => {
    const teller = tellers[change.type] as Teller<Change['type']> | undefined;
    return teller?.(state, change, cause) ?? [];
  });
  if (movingSeats.has(command.type)) told.push(...seatsMoved(state, cause));
  return [...outdated(state, changes, context), ...told.map(({ to, fact }) => queued(to, fact, context))];
}

/** The change that puts a mail into the outbox. */
export function queued(
  to: string,
  fact: MailFact,
  { newId, now }: Context,
): Extract<Change, { type: 'mail.queued' }> {
  const mail: Mail = {
    id: newId('m'),
    to,
    facts: [fact],
    state: 'queued',
    madeAtMs: now.wallMs,
    attempts: 0,
    nextAtMs: now.wallMs,
  };
  return { type: 'mail.queued', mail };
}

/** Of what a row of a job leads to: its mails go into the one that each person gets of the job. */
export function digested(state: State, job: string, changes: readonly Change[]): Change[] {
  const begun = new Map<string, string>();
  return changes.map((change): Change => {
    if (change.type !== 'mail.queued') return change;
    const { mail } = change;
    const known = begun.get(mail.to) ?? state.derived.digestByJob.get(`${job} ${mail.to}`);
    if (known !== undefined) return { type: 'mail.gathered', id: known, fact: mail.facts[0]! };
    begun.set(mail.to, mail.id);
    return { type: 'mail.queued', mail: { ...mail, state: 'gathering', job } };
  });
}

interface Cause {
  readonly command: Command;
  readonly changes: readonly Change[];
  readonly context: Context;
}

interface Told {
  readonly to: string;
  readonly fact: MailFact;
}

type Teller<T extends Change['type']> = (
  state: State,
  change: Extract<Change, { type: T }>,
  cause: Cause,
) => Told[];

const tellers: { readonly [T in Change['type']]?: Teller<T> } = {
  'invitation.made': (state, { invitation }, { command, changes }) => {
    // Not the first owner's, whose link `berthd init` prints, nor one whose owner has another role now (setUser).
    if (command.type !== 'invite') return [];
    const { id, email, expiresAtMs } = invitation;
    const fact: MailFact = {
      kind: 'invited',
      invitation: id,
      by: command.by.email,
      role: roleIn(state, changes, email),
      device: command.device,
      expiresAtMs,
    };
    return [{ to: email, fact }];
  },
  'user.removed': (state, { email }, { command }) => {
    const by = byOf(command) ?? state.tables.user.get(email)?.removing?.by ?? '';
    return [{ to: email, fact: { kind: 'removed', by } }];
  },
  'credit.asked': (state, { request: { email: by, credits, note } }) => {
    const fact: MailFact = { kind: 'creditAsked', by, credits, note, grant: grantOf(state, by) };
    return whoRuns(state).map((to) => ({ to, fact }));
  },
  'credit.answered': (state, { email, answer: { by, approved, note } }, { changes }) => {
    const given = changes.find((change) => change.type === 'credit.access');
    const grant = given?.grant ?? grantOf(state, email);
    return [{ to: email, fact: { kind: 'creditAnswered', by, approved, note, grant } }];
  },
  'entitlement.warned': (state, { id }, { context }) => {
    const row = state.tables.entitlement.get(id)!;
    const { product, seats, holder, display } = row.claims;
    const { daysLeft, until } = entitlementInfo(state, row, context.now);
    const subscription = display.number ?? id;
    const fact: MailFact = { kind: 'ending', product, subscription, seats, until, daysLeft };
    return [...new Set([...whoRuns(state), ...memberCalled(state, holder)])].map((to) => ({ to, fact }));
  },
};

function roleIn(state: State, changes: readonly Change[], email: string): Role {
  for (const change of changes)
    if (change.type === 'user.put' && change.user.email === email) return change.user.role;
  return state.tables.user.get(email)?.role ?? 'user';
}

function byOf(command: Command): string | undefined {
  return 'by' in command ? command.by.email : undefined;
}

/** Owners and admins who have joined. */
function whoRuns(state: State): string[] {
  return [...state.derived.usersByRole.get('owner'), ...state.derived.usersByRole.get('admin')]
    .filter((email) => state.tables.user.get(email)!.state === 'active')
    .sort();
}

function memberCalled(state: State, email: string | undefined): string[] {
  return email !== undefined && state.tables.user.has(email) ? [email] : [];
}

/** Commands by which somebody gives or takes seats; what ends by itself, with its entitlement, is told to those who run the organisation. */
const movingSeats: ReadonlySet<CommandType> = new Set<CommandType>([
  'assign',
  'move',
  'revoke',
  'settlePending',
]);

/** What users have more or less of than before. One command may set the same allocation twice. */
function seatsMoved(state: State, { command, changes }: Cause): Told[] {
  const after = new Map<string, Allocation>();
  for (const change of changes)
    if (change.type === 'allocation.set')
      after.set(allocationId(change.allocation.email, change.allocation.entitlement), change.allocation);
  return [...after].flatMap(([id, { email, entitlement, quantity }]) => {
    const before = state.tables.allocation.get(id);
    const more = quantity - (before?.quantity ?? 0);
    const { product, exp, holder } = state.tables.entitlement.get(entitlement)!.claims;
    if (more === 0 || holder !== undefined) return [];
    const by = byOf(command) ?? before?.revoking?.by ?? '';
    const facts = { by, product, expires: lastDay(exp * 1000) };
    const fact: MailFact =
      more > 0
        ? { kind: 'assigned', ...facts, quantity: more, total: quantity }
        : { kind: 'revoked', ...facts, quantity: -more, left: quantity };
    return [{ to: email, fact }];
  });
}

/** A link that was replaced, taken back or used is not sent any more. */
function outdated(state: State, changes: readonly Change[], { now }: Context): Change[] {
  return changes.flatMap((change): Change[] => {
    const invitation = endedBy(change);
    if (invitation === null) return [];
    const id = state.derived.mailByInvitation.get(invitation);
    const mail = id === undefined ? undefined : state.tables.mail.get(id);
    if (mail === undefined || !isWaiting(mail)) return [];
    return [{ type: 'mail.cancelled', id: mail.id, atMs: now.wallMs }];
  });
}

function endedBy(change: Change): string | null {
  if (change.type === 'invitation.dropped') return change.id;
  return change.type === 'device.enrolled' ? (change.device.invitation ?? null) : null;
}

/** True when somebody of this role may read a link that brings that role: nobody gets above their own (DESIGN 4). */
export function mayReadLink(reader: Role, fact: Extract<MailFact, { kind: 'invited' }>): boolean {
  return roleAtLeast(reader, fact.role);
}
