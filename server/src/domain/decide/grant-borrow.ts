import { BORROW_MAX_SKEW_MS, OFFLINE_REQUEST_AGE_MS } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { type Device, organisationOf, type State } from '../state.js';
import { lend } from './borrow.js';
import { userUnknown } from './denial.js';
import { closed } from './grant.js';
import { leaving } from './pending.js';

/**
 * Lends seats to a machine that asked in a file, and enrols its key for a user in the same commit if nobody knows it yet.
 *
 * Nobody can look at that machine's clock. But it signed its request before now: so its clock is behind by no more than the request seems
 * old. That much is added to the hold (I3): the seat is free only when even such a clock has passed the end.
 */
export function grantBorrow(
  state: State,
  command: Command<'grantBorrow'>,
  context: Context,
): Decision<'grantBorrow'> {
  const refused = closed(state, context) ?? outOfTime(command, context) ?? otherServer(state, command);
  if (refused !== null) return refused;
  const owner = ownerOf(state, command, context);
  if ('ok' in owner) return owner;
  const { device, changes } = owner;
  const gone = leaving(state, device.email, context.now);
  if (gone !== null) return gone;
  const holdMs = Math.max(0, context.now.wallMs - command.requestedAtMs);
  const lent = lend(state, device, { ...command, holdMs }, context);
  if (!lent.ok) return lent;
  return {
    ok: true,
    changes: [...changes, ...lent.changes],
    outcome: { ...lent.outcome, device: device.id, email: device.email },
  };
}

function outOfTime({ requestedAtMs }: Command<'grantBorrow'>, { now }: Context): Denial | null {
  const ageMs = now.wallMs - requestedAtMs;
  if (ageMs > OFFLINE_REQUEST_AGE_MS)
    return deny('REQUEST_EXPIRED', undefined, { ageMs, allowedMs: OFFLINE_REQUEST_AGE_MS });
  if (-ageMs <= BORROW_MAX_SKEW_MS) return null;
  const minutes = Math.round(-ageMs / 60_000);
  const message = `The clock of that machine is ${minutes} minutes ahead of the clock of the server.`;
  return deny('CLOCK_SKEW', message, { offMs: -ageMs, allowedMs: BORROW_MAX_SKEW_MS });
}

function otherServer(state: State, { server }: Command<'grantBorrow'>): Denial | null {
  if (server === null || server === organisationOf(state).serverKey) return null;
  return deny('SERVER_MISMATCH', 'The request was made for another server.', { server });
}

/** The device with that key, or one to be enrolled for the user that the admin names. */
function ownerOf(
  state: State,
  { leaseKey, name, email }: Command<'grantBorrow'>,
  context: Context,
): { device: Device; changes: Change[] } | Denial {
  const known = state.tables.device.get(state.derived.deviceByKey.get(`lease ${leaseKey}`) ?? '');
  if (known !== undefined) {
    if (email === null || email === known.email) return { device: known, changes: [] };
    return deny('NOT_ALLOWED', `This machine belongs to ${known.email}.`, { email: known.email });
  }
  if (email === null)
    return deny('DEVICE_UNKNOWN', undefined, undefined, 'Say whose machine it is: --user EMAIL.');
  const user = state.tables.user.get(email);
  if (user === undefined) return userUnknown(state, email);
  const device: Device = {
    id: context.newId('d'),
    email,
    name,
    leaseKey,
    adminKey: null,
    enrolledAtMs: context.now.wallMs,
    // Enrolled by an admin's hand, with no link.
    invitation: '',
  };
  const changes: Change[] = [{ type: 'device.enrolled', device }];
  if (user.state !== 'active') changes.push({ type: 'user.put', user: { ...user, state: 'active' } });
  return { device, changes };
}
