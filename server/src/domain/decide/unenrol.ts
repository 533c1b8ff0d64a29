import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { borrowEndsMs } from '../evolve.js';
import type { Device, Lease, State, User } from '../state.js';
import { deviceInfo, leasesOf } from '../views.js';
import { borrowedBy, userUnknown } from './denial.js';
import { freed } from './linger.js';
import { shellWord } from './shell-word.js';
import { isAbove, isLastOwner } from './user.js';

/** Locks a device of a user out. Refused while it has a borrow (I8), and for the last device that can administer. */
export function unenrol(state: State, command: Command<'unenrol'>, _context: Context): Decision<'unenrol'> {
  const { email, by } = command;
  const user = state.tables.user.get(email);
  if (user === undefined) return userUnknown(state, email);
  const above = isAbove(state, user, by.email, 'un-enrol a device of');
  if (above !== null) return above;
  const device = deviceCalled(state, email, command.device);
  if ('ok' in device) return device;
  const leases = leasesOf(state, device);
  const borrows = leases.filter(({ claims }) => claims.kind === 'borrow');
  if (borrows.length > 0) return borrowedBy(state, email, Math.max(...borrows.map(borrowEndsMs)));
  if (isLastWayIn(state, user, device))
    return deny(
      'LAST_OWNER',
      `It is the last device with which an owner can administer.`,
      undefined,
      `Join with another one first: berth user invite ${shellWord(email)} --device`,
    );
  const changes = [...withdrawn(leases, by.email), ...lingersOf(state, device)];
  const leasesRevoked = changes.filter(({ type }) => type === 'lease.revoked').length;
  changes.push({ type: 'device.removed', id: device.id });
  return { ok: true, changes, outcome: { email, device: deviceInfo(state, device), leasesRevoked } };
}

function deviceCalled(state: State, email: string, called: string): Device | Denial {
  const all = [...state.derived.devicesByUser.get(email)].map((id) => state.tables.device.get(id)!);
  const byId = all.find(({ id }) => id === called);
  if (byId !== undefined) return byId;
  const found = all.filter(({ name }) => name === called);
  const [device] = found;
  if (device === undefined)
    return deny('USER_DEVICE_UNKNOWN', `${email} has no device ${called}.`, { email, device: called });
  const ids = found.map(({ id }) => id);
  return found.length === 1
    ? device
    : deny('USER_DEVICE_AMBIGUOUS', `${found.length} devices of ${email} are called ${called}.`, { ids });
}

/** An owner must keep a device with an admin key, unless another owner has one. */
function isLastWayIn(state: State, user: User, device: Device): boolean {
  if (user.role !== 'owner' || device.adminKey === null) return false;
  const others = [...state.derived.devicesByUser.get(user.email)].filter((id) => id !== device.id);
  return others.every((id) => state.tables.device.get(id)!.adminKey === null) && isLastOwner(state, user);
}

/** A seat that others share stays theirs: only the leases of this device end. */
function withdrawn(leases: readonly Lease[], by: string): Change[] {
  const reason = 'The device was locked out by an administrator.';
  return leases
    .filter(({ state }) => state === 'open')
    .map(({ claims }) => ({ type: 'lease.revoked', id: claims.jti, by, reason }));
}

function lingersOf(state: State, { id: device, email }: Device): Change[] {
  return [...state.derived.seatsByUser.get(email)]
    .map((id) => state.tables.seat.get(id)!)
    .filter((seat) => seat.linger !== undefined && seat.device === device)
    .map((seat) => freed(seat, 'device removed'));
}
