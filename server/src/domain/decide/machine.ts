import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { machineInfo, machineTokenInfo } from '../machines.js';
import { borrowedSeats, borrowsEndMs } from '../pending.js';
import { type Device, type MachineToken, machinePrincipal, type State } from '../state.js';
import { withdraw } from './allocation.js';
import { borrowedBy } from './denial.js';
import { freed } from './linger.js';

/** A token with which so many machines may enrol themselves. Only its id is kept: the secret is made from it (invitations.ts). */
export function createMachineToken(
  _state: State,
  command: Command<'createMachineToken'>,
  context: Context,
): Decision<'createMachineToken'> {
  if (context.diskLow) return deny('DISK_LOW');
  const { name, group, maxUses, expiresAtMs, by } = command;
  const token: MachineToken = {
    id: context.newId('m'),
    name,
    group,
    maxUses,
    uses: 0,
    expiresAtMs,
    revoked: false,
    madeAtMs: context.now.wallMs,
    by: by.email,
  };
  const changes: Change[] = [{ type: 'machineToken.put', token }];
  return { ok: true, changes, outcome: { token: machineTokenInfo(token, context.now) } };
}

/** Ends a token for machines to come; those that have enrolled stay. */
export function revokeMachineToken(
  state: State,
  command: Command<'revokeMachineToken'>,
  context: Context,
): Decision<'revokeMachineToken'> {
  const token = state.tables.machineToken.get(command.id);
  if (token === undefined) return deny('MACHINE_TOKEN_UNKNOWN', undefined, { id: command.id });
  const revoked: MachineToken = { ...token, revoked: true };
  const changes: Change[] = token.revoked ? [] : [{ type: 'machineToken.put', token: revoked }];
  return { ok: true, changes, outcome: { token: machineTokenInfo(revoked, context.now) } };
}

/**
 * Enrols the key of a machine. The same key with the same token gets the same answer, whatever became of the token, and takes no
 * second use (I7). A machine has no admin key, ever.
 */
export function enrolMachine(
  state: State,
  command: Command<'enrolMachine'>,
  context: Context,
): Decision<'enrolMachine'> {
  const token = state.tables.machineToken.get(command.token);
  if (token === undefined) return deny('INVITATION_INVALID');
  const known = state.tables.device.get(state.derived.deviceByKey.get(`lease ${command.leaseKey}`) ?? '');
  if (known?.machine !== undefined && known.invitation === token.id)
    return { ok: true, changes: [], outcome: enrolled(known) };
  const refused = known === undefined ? closedFor(token, context) : reused();
  if (refused !== null) return refused;
  const id = context.newId('d');
  const device: Device = {
    id,
    email: machinePrincipal(id),
    name: command.name,
    leaseKey: command.leaseKey,
    adminKey: null,
    enrolledAtMs: context.now.wallMs,
    invitation: token.id,
    machine: { group: token.group },
  };
  return { ok: true, changes: [{ type: 'device.enrolled', device }], outcome: enrolled(device) };
}

function enrolled({ id, email }: Device): { device: string; email: string; scopes: ['lease'] } {
  return { device: id, email, scopes: ['lease'] };
}

function reused(): Denial {
  return deny(
    'KEY_REUSED',
    'A device with these keys is enrolled already.',
    undefined,
    'Make new keys for a new device.',
  );
}

function closedFor({ revoked, expiresAtMs, uses, maxUses }: MachineToken, { now }: Context): Denial | null {
  if (revoked) return deny('MACHINE_TOKEN_REVOKED');
  if (expiresAtMs !== null && expiresAtMs <= now.wallMs)
    return deny('MACHINE_TOKEN_EXPIRED', undefined, { expiresAtMs });
  return uses >= maxUses ? deny('MACHINE_TOKEN_USED_UP', undefined, { uses, maxUses }) : null;
}

/** Removes a machine, by its id or its name. Refused while it has a borrow (I8); its leases are revoked. */
export function removeMachine(
  state: State,
  command: Command<'removeMachine'>,
  context: Context,
): Decision<'removeMachine'> {
  const found = machinesCalled(state, command.machine);
  const [device] = found;
  if (device === undefined) return deny('MACHINE_UNKNOWN', undefined, { machine: command.machine });
  if (found.length > 1) {
    const ids = found.map(({ id }) => id);
    return deny('MACHINE_AMBIGUOUS', `${found.length} machines are called ${command.machine}.`, { ids });
  }
  const ids = state.derived.seatsByUser.get(device.email);
  const borrowed = borrowedSeats(state, ids);
  if (borrowed.length > 0) return borrowedBy(state, device.email, borrowsEndMs(state, borrowed, context.now));
  const changes: Change[] = [...ids].flatMap((id) => {
    const seat = state.tables.seat.get(id)!;
    return seat.linger === undefined
      ? withdraw(state, seat, command.by.email, 'The machine was removed.')
      : [freed(seat, 'user removed')];
  });
  const leasesRevoked = changes.filter(({ type }) => type === 'lease.revoked').length;
  changes.push({ type: 'device.removed', id: device.id });
  return { ok: true, changes, outcome: { machine: machineInfo(state, device), leasesRevoked } };
}

function machinesCalled(state: State, called: string): Device[] {
  const byId = state.tables.device.get(called);
  if (byId?.machine !== undefined) return [byId];
  return [...state.tables.device.values()].filter(
    ({ machine, name }) => machine !== undefined && name === called,
  );
}
