import { edit, type Mutant, mutant } from './mutant.js';

const credits = 'server/dist/domain/decide/credits.js';

/** Credits: spent once, and no more than there are or than somebody may. */
export const plantedInCredits: readonly Mutant[] = [
  mutant(
    'credit-spent-twice',
    'I7',
    'The key of a request that spent credits is forgotten after a second.',
    edit('server/dist/domain/decide/decide.js', 'return limits.creditKeptMs;', 'return 1_000;'),
  ),
  mutant(
    'credit-overspent',
    'CREDIT',
    'The first entitlement is charged with everything, however many credits it has left.',
    edit(credits, 'const part = Math.min(owed, left);', 'const part = left > 0 ? owed : 0;'),
  ),
  mutant(
    'credit-limit-of-one-request',
    'CREDIT',
    'A limit is compared with what is asked for, not with what was spent before.',
    edit(credits, 'if (used + credits <= limit)', 'if (credits <= limit)'),
  ),
  mutant(
    'credit-revision-refills',
    'CREDIT',
    'A new revision of an entitlement forgets what was spent of it.',
    edit(
      'server/dist/domain/evolve.js',
      'reserveImported(state, entitlement.claims);',
      'reserveImported(state, entitlement.claims);\n        state.tables.creditAccount.delete(entitlement.claims.jti);',
    ),
  ),
  mutant(
    'credit-forgotten-when-replaced',
    'CREDIT',
    'An entitlement that replaces another has all its credits, whatever was spent of that one.',
    edit(
      'server/dist/domain/decide/entitlement.js',
      "if (spent > 0)\n        changes.push({ type: 'credit.moved', from, to, credits: spent });",
      '',
    ),
  ),
  mutant(
    'credit-answer-gives-twice',
    'ASKED',
    'A yes gives twice as much more as was asked for.',
    edit(
      'server/dist/domain/decide/credit-requests.js',
      'Math.min(limits.creditLimit, from + credits)',
      'Math.min(limits.creditLimit, from + 2 * credits)',
    ),
  ),
  mutant(
    'credit-not-in-the-journal',
    'I6',
    'Credits are spent in memory alone.',
    edit(
      'server/dist/domain/changes.js',
      "return change.type === 'lease.renewed';",
      "return change.type === 'lease.renewed' || change.type === 'credit.spent';",
    ),
  ),
];
