import type { DeviceRow, InvitationRow, Ledger } from './ledger.js';
import type { Judge } from './replay-grants.js';

/** Members, their devices and the links that bring them in: what goes with whom. */
export const peopleRules: Readonly<Record<string, Judge>> = {
  'user.removed': (ledger, { email: whom }, accuse) => {
    const email = String(whom);
    const kept = allocationsOf(ledger, email);
    if (kept > 0) accuse('REMOVAL', `${email} is removed with ${kept} allocated seats`);
    if (ledger.count((seat) => seat.email === email && ledger.isBorrowed(seat)) > 0)
      accuse('I8', `${email} is removed with a borrow`);
    if (ledger.credits.allows(email))
      accuse('REMOVAL', `${email} is removed, and may spend credits as before`);
    for (const device of ledger.devices.values())
      if (device.email === email) accuse('REMOVAL', `${email} is removed, device ${device.id} stays`);
    for (const owner of ledger.invitations.values())
      if (owner === email) accuse('REMOVAL', `${email} is removed, and there is still a link to join with`);
  },
  'device.removed': (ledger, { id }, accuse) => {
    for (const lease of ledger.leases.values()) {
      if (lease.device !== id) continue;
      const { jti, kind } = lease.claims;
      if (kind === 'borrow') accuse('I8', `device ${String(id)} is removed with borrow ${jti}`);
      else if (!lease.revoked) accuse('REMOVAL', `device ${String(id)} is removed, its lease ${jti} goes on`);
    }
  },
  'device.enrolled': (ledger, { device }, accuse) => {
    const { id, machine, invitation } = device as DeviceRow;
    // An admin who carries a file names the owner by hand.
    if (invitation === '') return;
    if (machine === undefined) {
      if (!ledger.invitations.has(invitation))
        accuse('ENROL', `device ${id} joins with link ${invitation}, which is used, taken back or unknown`);
      return;
    }
    const token = ledger.machineTokens.get(invitation);
    if (token === undefined || token.revoked)
      accuse('ENROL', `${id} joins with token ${invitation}, which was taken back`);
    else if (token.uses >= token.maxUses)
      accuse('ENROL', `${id} joins as machine ${token.uses + 1} of ${token.maxUses}`);
  },
  'invitation.made': (ledger, { invitation }, accuse) => {
    const { id, email } = invitation as InvitationRow;
    for (const [other, owner] of ledger.invitations)
      if (owner === email && other !== id)
        accuse('REMOVAL', `${email} gets link ${id}, and link ${other} is as good as before`);
  },
};

/** What an admin has set aside for somebody: a personal entitlement is the vendor's doing. */
export function allocationsOf(ledger: Ledger, email: string): number {
  let sum = 0;
  for (const row of ledger.allocations.values())
    if (row.email === email && ledger.entitlements.get(row.entitlement)?.claims.holder === undefined)
      sum += row.quantity;
  return sum;
}
