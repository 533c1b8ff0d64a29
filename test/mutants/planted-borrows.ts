import { edit, type Mutant, mutant } from './mutant.js';

const borrow = 'server/dist/domain/decide/borrow.js';
const choose = 'server/dist/domain/decide/choose.js';
const engine = 'server/dist/engine/engine.js';
const revoke = 'server/dist/domain/decide/revoke.js';

/** Borrows, and what an admin may not do to them. */
export const plantedInBorrows: readonly Mutant[] = [
  mutant(
    'revoke-frees-a-borrow',
    'I8',
    'A forced release takes a borrow away.',
    edit(
      'server/dist/domain/decide/revoke-lease.js',
      "if (lease.claims.kind === 'borrow')",
      "if (lease.claims.kind === 'never')",
    ),
  ),
  mutant(
    'allocation-revoked-under-borrow',
    'I8',
    'An allocation is revoked although its seat is borrowed.',
    edit(revoke, 'state.derived.borrowedByAllocation]', '{ get: () => 0 }]'),
  ),
  mutant(
    'lost-pending-revoke',
    'I8',
    'A revoke that waits for a borrow is never carried out.',
    edit(engine, 'if (durable.some(mayRipen))', 'if (durable.length < 0)'),
  ),
  mutant(
    'extension-while-pending',
    'I8',
    'What is to be revoked is still granted, lent and lent for longer.',
    edit(
      'server/dist/domain/pending.js',
      'return allocation !== null && state.tables.allocation.get(allocation)?.revoking !== undefined;',
      'return false;',
    ),
    edit(borrow, 'if (kept !== null)\n        return kept;', ''),
  ),
  mutant(
    'extension-ends-the-earlier',
    'I8',
    'A borrow that is extended ends, although its token is good and another process of the device may have it (kill rounds, 138257).',
    edit(
      borrow,
      'changes: granted.changes,',
      "changes: [...granted.changes, ...own.flatMap((seat) => ownBorrows(state, seat, device)).map(({ claims }) => ({ type: 'lease.ended', id: claims.jti, reason: 'returned' }))],",
    ),
  ),
  mutant(
    'returned-without-signature',
    'I8',
    'A return counts although its device did not sign it.',
    edit(
      'server/dist/admin/lease-handlers.js',
      'if (matters && !verify(key, parsed.token.signed, parsed.token.signature))',
      'if (matters && !verify)',
    ),
  ),
  mutant(
    'early-return-at-once',
    'I8',
    'A returned borrow is free at once where the vendor said: not before it would have ended.',
    edit(borrow, "claims.earlyReturn === 'at-once'", "claims.earlyReturn !== 'never'"),
  ),
  mutant(
    'borrow-hold-zero',
    'I3',
    'A borrowed seat is free as soon as the server’s own clock says so.',
    edit(
      'protocol/dist/windows.js',
      'return expiresAtMs + BORROW_CLOCK_SIGMA_MS + drift;',
      'return expiresAtMs - drift;',
    ),
  ),
  mutant(
    'borrow-drift-forgotten',
    'I3',
    'A borrowed seat is held for as long after its end whether it was lent for an hour or for a day.',
    edit(
      'protocol/dist/windows.js',
      'return expiresAtMs + BORROW_CLOCK_SIGMA_MS + drift;',
      'return expiresAtMs + BORROW_CLOCK_SIGMA_MS;',
    ),
  ),
  mutant(
    'borrow-limit-ignored',
    'BORROW',
    'More seats are lent than the entitlement allows.',
    edit(
      choose,
      'return Math.min(left, (borrow?.seats ?? 0) - state.derived.borrowedByEntitlement.get(jti));',
      'return room;',
    ),
  ),
  mutant(
    'borrow-too-long',
    'CHAIN',
    'A borrow is longer than its entitlement allows.',
    edit(
      choose,
      'if (claims.borrow === undefined || wish.seconds > claims.borrow.maxSeconds)',
      'if (claims.borrow === undefined)',
    ),
  ),
  mutant(
    'borrow-while-over',
    'I1',
    'A seat is lent while more are in use than are owned.',
    edit(borrow, 'if (usageOf(state, product.product, context.now).over > 0) {', 'if (product === null) {'),
  ),
  mutant(
    'borrow-cap-ignored',
    'BORROW',
    'More seats are lent than an admin allows.',
    edit(
      'server/dist/domain/decide/borrow-cap.js',
      'if (borrowSeatsMax !== null && all + added > borrowSeatsMax) {',
      'if (borrowSeatsMax === 0) {',
    ),
  ),
  mutant(
    'jump-frees-borrows',
    'I5',
    'A clock that jumps ahead while the server runs ends borrows.',
    edit(
      'server/dist/ops/clock.js',
      'steadyWallMs: Math.min(wallMs, Math.floor(monoMs + leadMs))',
      'steadyWallMs: wallMs',
    ),
  ),
  mutant(
    'copied-skew',
    'I3',
    'A computer whose clock is far off is lent a seat.',
    edit(borrow, 'if (Math.abs(offMs) <= BORROW_MAX_SKEW_MS)', 'if (offMs !== undefined)'),
  ),
  mutant(
    'age-of-request-ignored',
    'I3',
    'A seat lent by file is held as if the clock of its machine were known.',
    edit(
      'server/dist/domain/decide/grant-borrow.js',
      'const holdMs = Math.max(0, context.now.wallMs - command.requestedAtMs);',
      'const holdMs = 0;',
    ),
  ),
  mutant(
    'borrowed-seat-moves',
    'I8',
    'A renewal moves a seat that is also lent to another entitlement than the one its borrow names.',
    edit(
      'server/dist/domain/decide/renew.js',
      "if (state.derived.statusBySeat.get(seat.id) === 'borrowed')",
      "if (state.derived.statusBySeat.get(seat.id) === 'never')",
    ),
  ),
  mutant(
    'move-onto-a-pending-revoke',
    'I8',
    'Seats are moved to somebody of whom a revoke is pending, which is forgotten by that.',
    edit(
      'server/dist/domain/decide/move.js',
      'if (undecided !== null)\n        return undecided;',
      'if (undecided === undefined)\n        return undecided;',
    ),
  ),
  mutant(
    'idle-takes-a-borrow',
    'I8',
    'A borrow is taken back because a script says that nobody uses it.',
    edit(
      'server/dist/domain/decide/idle.js',
      "if (idleSeconds === null || this.#state.derived.statusBySeat.get(seat.id) === 'borrowed')",
      'if (idleSeconds === null)',
    ),
  ),
  mutant(
    'borrow-outlives-its-hold',
    'CHAIN',
    'A borrow ends inside its entitlement, its hold does not.',
    edit(
      choose,
      'return borrowFreeAtMs(issuedAtMs, issuedAtMs + wish.seconds * 1000) + (wish.holdMs ?? 0) <= endMs;',
      'return issuedAtMs + wish.seconds * 1000 <= endMs;',
    ),
  ),
  mutant(
    'old-request-granted',
    'I3',
    'A request in a file is granted though it is older than a week.',
    edit(
      'server/dist/domain/decide/grant-borrow.js',
      'if (ageMs > OFFLINE_REQUEST_AGE_MS)',
      'if (ageMs > 10 * OFFLINE_REQUEST_AGE_MS)',
    ),
  ),
  mutant(
    'pending-after-expiry-late',
    'I8',
    'A borrow that runs out has no revoke carried out that waits for it.',
    edit(
      engine,
      "return change.reason === 'returned' || change.reason === 'expired';",
      "return change.reason === 'returned';",
    ),
  ),
  mutant(
    'borrow-key-goes-with-its-lease',
    'I7',
    'The answer to a borrow is forgotten as soon as it has ended.',
    edit(
      'server/dist/domain/evolve.js',
      "const keptMs = lease.claims.kind === 'borrow' ? request.keptMs : windowMs(lease);",
      "const keptMs = lease.claims.kind === 'borrow' ? 0 : windowMs(lease);",
    ),
  ),
];
