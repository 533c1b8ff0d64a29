import { edit, type Mutant, mutant } from './mutant.js';

const restore = 'server/dist/domain/decide/restore.js';

/** Servers that are made of a backup (I9). */
export const plantedInRestores: readonly Mutant[] = [
  mutant(
    'restore-in-the-old-epoch',
    'I9',
    'A restored server goes on in the epoch of the backup.',
    edit(
      restore,
      "changes: [{ type: 'organisation.restored', epoch, restore: restored }], outcome: {} };",
      "changes: [{ type: 'organisation.restored', epoch: known.epoch, restore: restored }], outcome: {} };",
    ),
  ),
  mutant(
    'restore-hold-zero',
    'I9',
    'A restored server grants at once, whatever the server before it has granted.',
    edit(
      restore,
      'const windowMs = onlineWindowMs(longestSeconds(state, leaseSeconds) * 1000);',
      'const windowMs = Math.min(0, longestSeconds(state, leaseSeconds), onlineWindowMs(0));',
    ),
  ),
  mutant(
    'restore-forgets-borrows',
    'I9',
    'A restored server keeps nothing back for what may have been borrowed since the backup.',
    edit(
      'server/dist/domain/restore.js',
      'return Math.max(0, reserved - state.derived.earlierByEntitlement.get(entitlement));',
      'return 0;',
    ),
    edit('server/dist/domain/decide/choose.js', 'if (state.tables.reserve.has(jti))', 'if (jti === "")'),
  ),
].map((planted) => ({ ...planted, restores: true }));
