import { limits, type PathName, type Role, roleAtLeast } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny, type Outcomes } from '../commands.js';
import { borrowedSeats, borrowsEndMs, keptSeats } from '../pending.js';
import type { Device, FormerUser, Invitation, Now, State, User } from '../state.js';
import { withdraw } from './allocation.js';
import { creditsGone } from './credits.js';
import { borrowedBy, pendingInstead, userUnknown } from './denial.js';
import { freed } from './linger.js';
import { leaving } from './pending.js';
import { shellWord } from './shell-word.js';

/** The first command of a journal: the organisation, its owner, and the invitation the owner's join link carries. */
export function found(state: State, command: Command<'found'>, context: Context): Decision<'found'> {
  if (state.tables.organisation.size > 0) return deny('INTERNAL', 'The organisation exists.');
  const { name, serverId, serverKey, epoch, owner } = command;
  const wallMs = context.now.wallMs;
  const invitation = invitationFor(owner, 'owner', command.invitationMs, context);
  const changes: Change[] = [
    {
      type: 'organisation.founded',
      organisation: { name, serverId, serverKey, epoch, foundedAtMs: wallMs, highWaterMs: wallMs },
    },
    { type: 'user.put', user: { email: owner, name: '', role: 'owner', state: 'invited' } },
    { type: 'invitation.made', invitation },
  ];
  return { ok: true, changes, outcome: { invitation: invitation.id } };
}

/**
 * Makes somebody a member at once; a member who has not joined yet gets a new link, which ends the old one. With `device`, a member who has
 * joined gets a link for a further device: the role stays as it is.
 */
export function invite(state: State, command: Command<'invite'>, context: Context): Decision<'invite'> {
  if (context.diskLow) return deny('DISK_LOW');
  const { email } = command;
  const known = state.tables.user.get(email);
  if (command.resend === true && known === undefined) return userUnknown(state, email);
  // A typing error would make somebody else a member.
  if (command.device && known === undefined) return { ...userUnknown(state, email), next: newMember };
  if (known?.state === 'active' && !command.device) {
    const next = `For a further device of the same person: berth user invite ${shellWord(email)} --device`;
    return deny('USER_EXISTS', `${email} is already a member.`, { email }, next);
  }
  const gone = leaving(state, email, context.now);
  if (gone !== null)
    return { ...gone, next: `Cancel it first: berth user remove ${shellWord(email)} --cancel` };
  const kept = command.device || command.resend === true ? known?.role : null;
  const role = kept ?? command.role ?? known?.role ?? 'user';
  const own = roleOf(state, command.by.email);
  // Nobody grants a role above their own, nor re-invites somebody who has one (DESIGN 4).
  if (own === null || !roleAtLeast(own, role) || (known !== undefined && !roleAtLeast(own, known.role))) {
    return deny(
      'NOT_ALLOWED',
      `Your role (${own ?? 'none'}) may not grant the role ${role}.`,
      { role },
      higher,
    );
  }
  const changes = dropOpen(state, email);
  const replaced = changes.length > 0 ? { replaced: true } : {};
  const invitation = invitationFor(email, role, command.invitationMs, context);
  // PROTOCOL 7.16: a link that is sent again changes nothing about its owner.
  const name =
    (command.resend === true ? null : command.name) ??
    (known ?? state.tables.formerUser.get(email))?.name ??
    '';
  const isOther = known !== undefined && (known.name !== name || known.role !== role);
  const user: User = {
    ...known,
    email,
    name,
    role,
    state: known?.state ?? 'invited',
    ...(isOther ? { changed: { by: command.by.email, atMs: context.now.wallMs } } : {}),
  };
  changes.push({ type: 'user.put', user }, { type: 'invitation.made', invitation });
  return {
    ok: true,
    changes,
    outcome: { user, invitation: invitation.id, expiresAtMs: invitation.expiresAtMs, ...replaced },
  };
}

/** Ends the links of somebody that nobody has used. */
export function dropOpen(state: State, email: string): Change[] {
  return openInvitations(state, email).map(({ id }) => ({ type: 'invitation.dropped', id }));
}

export function openInvitations(state: State, email: string): Invitation[] {
  return [...state.derived.invitationsByUser.get(email)]
    .map((id) => state.tables.invitation.get(id)!)
    .filter(({ usedBy }) => usedBy === null);
}

/** Ends the links that were sent; the member stays, and what is allocated to them. */
export function cancelInvitation(
  state: State,
  { email, by }: Command<'cancelInvitation'>,
  _context: Context,
): Decision<'cancelInvitation'> {
  const user = state.tables.user.get(email);
  if (user === undefined) return userUnknown(state, email);
  const refused = isAbove(state, user, by.email, 'cancel the invitation of');
  if (refused !== null) return refused;
  const changes = dropOpen(state, email);
  return { ok: true, changes, outcome: { email, cancelled: changes.length } };
}

const newMember = 'Check the address: `berth user list`. To make somebody a member, leave --device out.';

/** Somebody of the same role could not either. */
export const higher = 'Ask an owner of the organisation, or somebody else whose role is high enough.';

/** Nobody touches somebody whose role is above their own (DESIGN 4). */
export function isAbove(state: State, user: User, by: string, what: string): Denial | null {
  const own = roleOf(state, by);
  if (own !== null && roleAtLeast(own, user.role)) return null;
  const article = /^[ao]/.test(user.role) ? 'an' : 'a';
  return deny(
    'NOT_ALLOWED',
    `Your role (${own ?? 'none'}) may not ${what} ${article} ${user.role}.`,
    undefined,
    higher,
  );
}

export function scopesOf(role: Role): PathName[] {
  return role === 'user' ? ['lease'] : ['lease', 'admin'];
}

function invitationFor(email: string, role: Role, lifeMs: number, context: Context): Invitation {
  const scopes = scopesOf(role);
  return { id: context.newId('i'), email, scopes, expiresAtMs: context.now.wallMs + lifeMs, usedBy: null };
}

export function roleOf(state: State, email: string): Role | null {
  return state.tables.user.get(email)?.role ?? null;
}

/** Enrols the keys of a device. The same keys with the same invitation get the same answer, whenever they come (I7). */
export function enrol(state: State, command: Command<'enrol'>, context: Context): Decision<'enrol'> {
  const invitation = state.tables.invitation.get(command.invitation);
  // Its MAC is ours (Invitations.read): whoever shows it was sent it once, so nothing leaks.
  if (invitation === undefined)
    return deny(
      'INVITATION_INVALID',
      'The invitation was replaced by a newer one, or taken back.',
      undefined,
      'Look for a newer link from your admin, or ask for one: `berth user invite EMAIL`.',
    );
  const user = state.tables.user.get(invitation.email);
  if (user === undefined)
    return deny('INVITATION_INVALID', 'The user was removed since the invitation was made.');
  const admin = invitation.scopes.includes('admin') ? command.adminKey : null;
  if (invitation.usedBy !== null) {
    const device = state.tables.device.get(invitation.usedBy);
    const same = device?.leaseKey === command.leaseKey && device.adminKey === admin;
    return same ? { ok: true, changes: [], outcome: enrolled(device) } : deny('INVITATION_USED');
  }
  if (invitation.expiresAtMs <= context.now.wallMs) return deny('INVITATION_EXPIRED');
  const { deviceByKey } = state.derived;
  if (deviceByKey.has(`lease ${command.leaseKey}`) || (admin !== null && deviceByKey.has(`admin ${admin}`))) {
    return deny(
      'KEY_REUSED',
      'A device with these keys is enrolled already.',
      undefined,
      'Make new keys for a new device.',
    );
  }
  const device: Device = {
    id: context.newId('d'),
    email: user.email,
    name: command.name,
    leaseKey: command.leaseKey,
    adminKey: admin,
    enrolledAtMs: context.now.wallMs,
    invitation: invitation.id,
  };
  const changes: Change[] = [{ type: 'device.enrolled', device }];
  if (user.state !== 'active') changes.push({ type: 'user.put', user: { ...user, state: 'active' } });
  return { ok: true, changes, outcome: enrolled(device) };
}

function enrolled({ id, email, adminKey }: Device): Outcomes['enrol'] {
  return { device: id, email, scopes: adminKey === null ? ['lease'] : ['lease', 'admin'] };
}

/**
 * Removes a user with all devices. Refused while the user has an allocation or a borrow, and for the last owner. Left pending, it waits for
 * the borrows alone: allocations must be gone, or be pending themselves.
 */
export function removeUser(
  state: State,
  command: Command<'removeUser'>,
  context: Context,
): Decision<'removeUser'> {
  const { email, by, when = 'now' } = command;
  const user = state.tables.user.get(email);
  if (user === undefined) return userUnknown(state, email);
  const refused = mayNotRemove(state, user, by.email);
  if (refused !== null) return refused;
  if (when === 'cancel') return keepUser(user);
  const borrowed = borrowedSeats(state, state.derived.seatsByUser.get(email));
  const kept = keptSeats(state, state.derived.allocationsByUser.get(email));
  if (kept > 0 && (borrowed.length === 0 || when === 'pending'))
    return deny('ALLOCATED', `${email} still has ${kept} allocated ${kept === 1 ? 'seat' : 'seats'}.`, {
      email,
      allocated: kept,
    });
  if (borrowed.length === 0)
    return {
      ok: true,
      changes: usersGone(state, [{ email, by: by.email }], context.now),
      outcome: { email },
    };
  const untilMs = borrowsEndMs(state, borrowed, context.now);
  if (when === 'now') {
    const refusal = borrowedBy(state, email, untilMs);
    // With allocations it would be refused for these.
    return kept > 0 ? refusal : pendingInstead(refusal);
  }
  const removing = user.removing ?? { by: by.email, sinceMs: context.now.wallMs };
  const changes: Change[] =
    user.removing === undefined ? [{ type: 'user.put', user: { ...user, removing } }] : [];
  return { ok: true, changes, outcome: { email, pending: { ...removing, untilMs } } };
}

/** The user stays after all. */
function keepUser({ removing, ...user }: User): Extract<Decision<'removeUser'>, { ok: true }> {
  const changes: Change[] = removing === undefined ? [] : [{ type: 'user.put', user }];
  return {
    ok: true,
    changes,
    outcome: { email: user.email, cancelled: removing !== undefined },
  };
}

function mayNotRemove(state: State, user: User, by: string): Denial | null {
  const above = isAbove(state, user, by, 'remove');
  if (above !== null) return above;
  return isLastOwner(state, user) && user.removing === undefined ? deny('LAST_OWNER') : null;
}

/** True when without this owner nobody could let anybody in again. */
export function isLastOwner(state: State, user: User): boolean {
  const owners = activeOwners(state);
  const administering = owners.filter((email) => mayAdminister(state, email));
  return (
    (owners.length === 1 && owners[0] === user.email) ||
    (administering.length === 1 && administering[0] === user.email)
  );
}

/** Everything that ends with users. Those that one commit removes are counted together: what is kept of who was removed has a limit. */
export function usersGone(
  state: State,
  gone: readonly { readonly email: string; readonly by: string }[],
  now: Now,
): Change[] {
  const changes = gone.flatMap(({ email, by }) => userGone(state, email, by));
  return [...changes, ...keptOf(state, gone, now)];
}

/** Seats that are still in hand are held until their windows end. */
function userGone(state: State, email: string, by: string): Change[] {
  const seats = [...state.derived.seatsByUser.get(email)].map((id) => state.tables.seat.get(id)!);
  const changes: Change[] = seats.flatMap((seat) =>
    seat.linger === undefined
      ? withdraw(state, seat, by, 'The user was removed.')
      : [freed(seat, 'user removed')],
  );
  for (const id of state.derived.devicesByUser.get(email)) changes.push({ type: 'device.removed', id });
  for (const id of state.derived.invitationsByUser.get(email))
    changes.push({ type: 'invitation.dropped', id });
  changes.push(...creditsGone(state, email), { type: 'user.removed', email });
  return changes;
}

/** Who they were stays readable, for so many of those who were removed last. */
function keptOf(state: State, gone: Parameters<typeof usersGone>[1], now: Now): Change[] {
  const { formerUser } = state.tables;
  const kept = gone.slice(-limits.formerUsers);
  const dropped = [...firstOf(formerUser.keys(), formerUser.size + kept.length - limits.formerUsers)];
  return [
    ...dropped.map((email): Change => ({ type: 'former.dropped', email })),
    ...kept.map(({ email, by }): Change => {
      const { name, role } = state.tables.user.get(email)!;
      const former: FormerUser = { email, name, role, state: 'removed', removed: { by, atMs: now.wallMs } };
      return { type: 'former.kept', former };
    }),
  ];
}

function* firstOf(emails: Iterable<string>, count: number): Generator<string> {
  let left = count;
  for (const email of emails) {
    if (left-- <= 0) return;
    yield email;
  }
}

/** Owners who have joined and stay: an invited one cannot administer anything yet. */
function activeOwners(state: State): string[] {
  return [...state.derived.usersByRole.get('owner')].filter((email) => {
    const { state: is, removing } = state.tables.user.get(email)!;
    return is === 'active' && removing === undefined;
  });
}

/** An owner whose devices have the lease scope alone (enrolled by a file, say) cannot let anybody else in. */
function mayAdminister(state: State, email: string): boolean {
  return [...state.derived.devicesByUser.get(email)].some(
    (id) => state.tables.device.get(id)?.adminKey != null,
  );
}
