import { limits, type Role, roleAtLeast } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import type { State, User } from '../state.js';
import { memberInfo } from '../views.js';
import { userUnknown } from './denial.js';
import { dropOpen, higher, isAbove, isLastOwner, openInvitations, roleOf, scopesOf } from './user.js';

/** Changes role, name and login names. An open invitation goes on with what a lower role may, and ends when the role is raised. */
export function setUser(state: State, command: Command<'setUser'>, context: Context): Decision<'setUser'> {
  const before = state.tables.user.get(command.email);
  if (before === undefined) return userUnknown(state, command.email);
  const refused =
    mayNotSet(state, before, command) ??
    changedMeanwhile(before, command.was) ??
    aliasesRefused(state, before, command);
  if (refused !== null) return refused;
  const { name, role, by } = command;
  const { aliases: old = [], changed: _, ...rest } = before;
  const aliases = [
    ...new Set([...old.filter((each) => !command.removeAliases.includes(each)), ...command.addAliases]),
  ].sort();
  if (aliases.length > limits.aliasesPerUser)
    return deny(
      'ALIAS_INVALID',
      `${before.email} would have ${aliases.length} login names; ${limits.aliasesPerUser} is the most.`,
    );
  const set = { ...rest, name: name ?? before.name, role: role ?? before.role };
  const same =
    set.name === before.name && set.role === before.role && aliases.join('\n') === [...old].join('\n');
  if (same)
    return {
      ok: true,
      changes: [],
      outcome: { user: memberInfo(state, before, context.now), changed: false },
    };
  const after: User = {
    ...set,
    ...(aliases.length > 0 ? { aliases } : {}),
    changed: { by: by.email, atMs: context.now.wallMs },
  };
  const links = linksOf(state, before, after);
  const linksEnded = links.filter(({ type }) => type === 'invitation.dropped').length;
  return {
    ok: true,
    changes: [{ type: 'user.put', user: after }, ...links],
    outcome: {
      ...{ user: memberInfo(state, after, context.now), changed: true },
      ...(linksEnded > 0 ? { linksEnded } : {}),
    },
  };
}

/** Nobody grants a role above their own, nor changes somebody who has one; and one owner stays who can let others in. */
function mayNotSet(state: State, user: User, { role, by }: Command<'setUser'>): Denial | null {
  const above = isAbove(state, user, by.email, 'change');
  if (above !== null || role === null) return above;
  const own = roleOf(state, by.email);
  if (own === null || !roleAtLeast(own, role))
    return deny(
      'NOT_ALLOWED',
      `Your role (${own ?? 'none'}) may not grant the role ${role}.`,
      { role },
      higher,
    );
  const steps = user.role === 'owner' && role !== 'owner';
  return steps && isLastOwner(state, user)
    ? deny('LAST_OWNER', 'The last owner stays an owner.', { email: user.email })
    : null;
}

/** Two who change the same: the second is told what the first has made of it, instead of undoing it unseen. */
function changedMeanwhile(user: User, was: { readonly name?: string; readonly role?: Role }): Denial | null {
  const fields = (['name', 'role'] as const).filter(
    (field) => was[field] !== undefined && was[field] !== user[field],
  );
  if (fields.length === 0) return null;
  const by = user.changed === undefined ? '' : ` by ${user.changed.by}`;
  const told = fields.map((field) => `${field} is ${user[field] || 'empty'}, was ${was[field] || 'empty'}`);
  return deny('CHANGED_MEANWHILE', `${user.email} was changed meanwhile${by}: ${told.join('; ')}.`, {
    email: user.email,
    now: Object.fromEntries(fields.map((field) => [field, user[field]])),
    ...(user.changed === undefined ? {} : { changed: user.changed }),
  });
}

function aliasesRefused(state: State, user: User, { addAliases }: Command<'setUser'>): Denial | null {
  for (const alias of addAliases) {
    const owner = state.derived.userByAlias.get(alias);
    if (owner !== undefined && owner !== user.email)
      return deny('ALIAS_TAKEN', `${alias} is a login name of ${owner}.`, { alias, email: owner });
  }
  return null;
}

/**
 * A link that was sent brings no more than the role it was sent for: whoever made it or read it may be below the new one (DESIGN 4). With a lower
 * role it stays good, and brings what that allows.
 */
function linksOf(state: State, before: User, { email, role }: User): Change[] {
  if (!roleAtLeast(before.role, role)) return dropOpen(state, email);
  const scopes = scopesOf(role);
  return openInvitations(state, email)
    .filter((invitation) => invitation.scopes.length !== scopes.length)
    .map((invitation) => ({ type: 'invitation.made', invitation: { ...invitation, scopes } }));
}
