import { edit, type Mutant, mutant } from './mutant.js';

const user = 'server/dist/domain/decide/user.js';
const unenrol = 'server/dist/domain/decide/unenrol.js';

/** Members, their devices and links: what goes with them, and who may ask for what. */
export const plantedInPeople: readonly Mutant[] = [
  mutant(
    'unenrol-under-borrow',
    'I8',
    'A device that has a borrow is locked out.',
    edit(unenrol, 'if (borrows.length > 0)', 'if (borrows.length < 0)'),
    edit(
      unenrol,
      ".filter(({ state }) => state === 'open')",
      ".filter(({ state, claims }) => state === 'open' && claims.kind === 'online')",
    ),
  ),
  mutant(
    'unenrol-leaves-leases',
    'REMOVAL',
    'The leases of a device that is locked out go on.',
    edit(
      unenrol,
      'const changes = [...withdrawn(leases, by.email), ...lingersOf(state, device)];',
      'const changes = [...lingersOf(state, device)];',
    ),
  ),
  mutant(
    'removed-user-keeps-link',
    'REMOVAL',
    'The link of somebody who was removed is as good as before.',
    edit(
      user,
      "for (const id of state.derived.invitationsByUser.get(email))\n        changes.push({ type: 'invitation.dropped', id });",
      '',
    ),
  ),
  mutant(
    'old-link-still-good',
    'REMOVAL',
    'A new link does not end the one before it.',
    edit(
      user,
      'const changes = dropOpen(state, email);\n    const replaced',
      'const changes = [];\n    const replaced',
    ),
  ),
  mutant(
    'link-good-twice',
    'ENROL',
    'A second computer joins with a link that was used.',
    edit(user, 'if (invitation.usedBy !== null) {', "if (invitation.usedBy === '') {"),
  ),
  mutant(
    'role-not-looked-at',
    'ROLE',
    'Whoever has a session on the admin path may ask for everything.',
    edit(
      'server/dist/transport/dispatch.js',
      "const enough = least === 'none' || least === 'device' || roleAtLeast(role, least);",
      'const enough = true;',
    ),
  ),
  mutant(
    'lease-of-another-renewed',
    'CHAIN',
    'A device that knows the id of a lease gets it renewed, whosever it is.',
    edit(
      'server/dist/domain/decide/renew.js',
      'lease === undefined || lease.device !== command.by.device || lease',
      'lease === undefined || lease',
    ),
  ),
  mutant(
    'lease-of-another-released',
    'I1',
    'A device that knows the id of a lease gives it back, whosever it is.',
    edit(
      'server/dist/domain/decide/release.js',
      "if (lease.device !== command.by.device)\n            return deny('LEASE_UNKNOWN', undefined, { lease: id });",
      '',
    ),
  ),
  mutant(
    'removed-user-keeps-leases',
    'REMOVAL',
    'The seats of somebody who was removed go on.',
    edit(user, "? withdraw(state, seat, by, 'The user was removed.')", '? []'),
  ),
  mutant(
    'removed-user-keeps-devices',
    'REMOVAL',
    'The computers of somebody who was removed are still known.',
    edit(user, "changes.push({ type: 'device.removed', id });", 'void id;'),
  ),
  mutant(
    'removed-user-keeps-credits',
    'REMOVAL',
    'Whoever comes back after a removal may spend as many credits as before.',
    edit(
      user,
      "changes.push(...creditsGone(state, email), { type: 'user.removed', email });",
      "changes.push({ type: 'user.removed', email });",
    ),
  ),
];
