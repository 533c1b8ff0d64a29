import { edit, type Mutant, mutant } from './mutant.js';

const choose = 'server/dist/domain/decide/choose.js';
const entitlement = 'server/dist/domain/decide/entitlement.js';
const inherit = 'server/dist/domain/decide/inherit.js';
const user = 'server/dist/domain/decide/user.js';

/** Entitlements, allocations and members. */
export const plantedInEntitlements: readonly Mutant[] = [
  mutant(
    'renewal-past-the-end',
    'CHAIN',
    'A lease is renewed beyond the end of its entitlement.',
    edit(
      choose,
      'return wish.now.wallMs + onlineWindowMs(wish.seconds * 1000) <= endMs;',
      'return wish.now.wallMs <= endMs;',
    ),
  ),
  mutant(
    'lower-revision-accepted',
    'ENTITLEMENT',
    'An older revision of an entitlement takes the place of a newer one.',
    edit(entitlement, 'if (claims.rev < known.claims.rev) {', 'if (claims.rev < 0) {'),
  ),
  mutant(
    'superseded-comes-back',
    'ENTITLEMENT',
    'An entitlement that was replaced is imported once more and counts again.',
    edit(entitlement, "if (known.state === 'replaced')", "if (known.state === 'never')"),
  ),
  mutant(
    'revision-undoes-removal',
    'I8',
    'A new revision takes back a removal that is pending.',
    edit(
      entitlement,
      '...(known?.removing !== undefined && isLive(known) ? { removing: known.removing } : {}),',
      '',
    ),
  ),
  mutant(
    'allocation-counted-twice',
    'EQUATION',
    'Seats that are added to an allocation are counted with those it had.',
    edit(
      'server/dist/domain/derive.js',
      'allocated.add(allocation.entitlement, allocation.quantity - before);',
      'allocated.add(allocation.entitlement, before > allocation.quantity ? allocation.quantity - before : allocation.quantity);',
    ),
  ),
  mutant(
    'allocations-not-reserved',
    'ALLOCATION',
    'Seats that are set aside for somebody are given to everybody.',
    edit(
      choose,
      'return seats - state.derived.allocated.get(jti) - state.derived.sharedUsed.get(jti);',
      'return seats - state.derived.sharedUsed.get(jti);',
    ),
  ),
  mutant(
    'allocation-of-somebody-else',
    'ALLOCATION',
    'A checkout takes from an allocation of another user.',
    edit(
      choose,
      'const id = allocationId(wish.email, entitlement.claims.jti);',
      'const id = [...state.derived.allocationsByEntitlement.get(entitlement.claims.jti)][0] ?? allocationId(wish.email, entitlement.claims.jti);',
    ),
  ),
  mutant(
    'sharing-off-ignored',
    'SHARING',
    'Shared seats are granted although floating sharing is off.',
    edit(
      choose,
      'if (wish.running === true || state.tables.product.get(wish.product).sharing) {',
      'if (wish !== undefined) {',
    ),
  ),
  mutant(
    'removed-with-allocation',
    'REMOVAL',
    'A user who still has an allocation is removed.',
    edit(user, 'if (kept > 0 && (', 'if (kept < 0 && ('),
  ),
  mutant(
    'replaced-forgets-pending-revoke',
    'I8',
    'An entitlement that replaces another forgets which revokes wait for a borrow.',
    edit(entitlement, '...(revoking === undefined ? {} : { revoking: { ...revoking, seats } }),', ''),
  ),
  mutant(
    'replacement-without-room',
    'ENTITLEMENT',
    'An entitlement replaces another though it has fewer seats than are in use.',
    edit(inherit, 'usageFits(state, claims, heirOf));', 'null);'),
  ),
  mutant(
    'shrinks-below-borrowed',
    'I8',
    'A revision has one seat less than are borrowed.',
    edit(
      inherit,
      'return last !== null && seats > limit ? borrowedBy',
      'return last !== null && seats > limit + 1 ? borrowedBy',
    ),
  ),
  mutant(
    'ends-before-a-borrow',
    'I8',
    'A revision ends before what is lent of it.',
    edit(inherit, '|| untilMs > claims.exp * 1000)\n        return false;', ')\n        return false;'),
  ),
  mutant(
    'expired-keeps-allocations',
    'ALLOCATION',
    'Seats of an entitlement that has ended are still set aside.',
    edit('server/dist/domain/decide/expire.js', '? [...dropAllocations(state, id), { type', '? [{ type'),
  ),
];
