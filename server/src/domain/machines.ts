import type { MachineInfo, MachineTokenInfo, UserInfo } from '@berth/protocol';
import type { Device, MachineToken, Now, State } from './state.js';

// A machine is a device that belongs to nobody: where a user's e-mail stands, it has a principal of its own that no e-mail address can
// equal. So nothing that is allocated or personal is ever its own, and it lives on the shared seats.

/** Who a device acts for: its user, or itself when it is a machine; `undefined` when its user is gone. */
export function principalOf(state: State, { email, name, machine }: Device): UserInfo | undefined {
  if (machine !== undefined) return { email, name, role: 'user', state: 'active' };
  const user = state.tables.user.get(email);
  return user === undefined ? undefined : { email, name: user.name, role: user.role, state: user.state };
}

/** The same by what stands where the e-mail of a user does. */
export function principalCalled(state: State, email: string): UserInfo | undefined {
  for (const id of state.derived.devicesByUser.get(email))
    return principalOf(state, state.tables.device.get(id)!);
  return undefined;
}

/** The machine whose principal stands where the e-mail of a user would; `undefined` for a user. */
export function machineBehind(state: State, email: string): Device | undefined {
  for (const id of state.derived.devicesByUser.get(email)) {
    const device = state.tables.device.get(id)!;
    return device.machine === undefined ? undefined : device;
  }
  return undefined;
}

/** How the holder of a seat is named to people: a machine by its group, since its name stands beside it. */
export function holderName(state: State, email: string, deviceId: string): string {
  const machine = state.tables.device.get(deviceId)?.machine;
  if (machine === undefined) return email;
  return machine.group === null ? 'machine' : `machine (${machine.group})`;
}

export function machineTokenInfo(token: MachineToken, now: Now): MachineTokenInfo {
  const { revoked, ...rest } = token;
  return { ...rest, state: revoked ? 'revoked' : openState(token, now) };
}

function openState({ expiresAtMs, uses, maxUses }: MachineToken, now: Now): MachineTokenInfo['state'] {
  if (expiresAtMs !== null && expiresAtMs <= now.wallMs) return 'expired';
  return uses >= maxUses ? 'used-up' : 'open';
}

export function machineInfo(state: State, device: Device): MachineInfo {
  const { statusBySeat, borrowedByEntitlement } = state.derived;
  let [seats, borrowed] = [0, 0];
  for (const id of state.derived.seatsByUser.get(device.email)) {
    const { count, entitlement } = state.tables.seat.get(id)!;
    seats += count;
    if (borrowedByEntitlement.get(entitlement) > 0 && statusBySeat.get(id) === 'borrowed') borrowed += count;
  }
  const { id, name, machine, invitation: token, enrolledAtMs } = device;
  return { id, name, group: machine?.group ?? null, token, enrolledAtMs, seats, borrowed };
}
