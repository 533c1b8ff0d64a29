import { edit, type Mutant, mutant } from './mutant.js';

const evolve = 'server/dist/domain/evolve.js';

/** What is taken back, set for later, kept for a while, or asked for by an admin. */
export const plantedInReleases: readonly Mutant[] = [
  mutant(
    'release-never-comes',
    'RELEASE',
    'A forced release that is set for later is never carried out.',
    edit(
      evolve,
      'state.tables.lease.set(id, lease);\n        watchRelease(state, lease);',
      'state.tables.lease.set(id, lease);',
    ),
  ),
  mutant(
    'release-comes-though-called-off',
    'RELEASE',
    'A forced release that was called off is carried out all the same.',
    edit(
      evolve,
      'const { release: _, ...rest } = known(state.tables.lease, id);\n        state.tables.lease.set(id, rest);',
      'const rest = known(state.tables.lease, id);\n        state.tables.lease.set(id, rest);',
    ),
  ),
  mutant(
    'release-too-early',
    'RELEASE',
    'A forced release that is set for later comes in a tenth of the time.',
    edit(
      'server/dist/admin/lease-admin-handlers.js',
      '{ afterMs: inSeconds * 1000 }',
      '{ afterMs: inSeconds * 100 }',
    ),
  ),
  mutant(
    'revoke-leaves-leases',
    'ALLOCATION',
    'A seat that is taken back from a user goes on.',
    edit(
      'server/dist/domain/decide/allocation.js',
      "changes.push(...withdraw(state, seat, by, 'The seat was revoked by an administrator.'));",
      '',
    ),
  ),
  mutant(
    'cut-does-not-cut',
    'SHARING',
    'Who switches sharing off and says that running leases are to be cut cuts none.',
    edit(
      'server/dist/domain/decide/sharing.js',
      "running === 'cut' ? seats.flatMap((seat) => withdraw(state, seat, by.email, reason)) : []",
      '[]',
    ),
  ),
  mutant(
    'joins-while-sharing-off',
    'SHARING',
    'A shared seat is joined while floating sharing is off.',
    edit(
      'server/dist/domain/decide/checkout.js',
      '!isWithdrawn(state, entitlement, allocation) &&\n            isOpenTo(state, seat);',
      '!isWithdrawn(state, entitlement, allocation);',
    ),
  ),
  mutant(
    'assigned-one-more',
    'ASKED',
    'Who asks for two seats for somebody gets three set aside.',
    edit(
      'server/dist/domain/decide/allocation.js',
      '?.quantity ?? 0) + more.quantity;',
      '?.quantity ?? 0) + more.quantity + (more.quantity === 2 && more.sharedTaken === 2 ? 1 : 0);',
    ),
  ),
  mutant(
    'linger-a-tenth',
    'LINGER',
    'A seat that lingers is free after a tenth of the time.',
    edit(
      evolve,
      'const atMs = monoMs + linger.seconds * 1000;',
      'const atMs = monoMs + linger.seconds * 100;',
    ),
  ),
  mutant(
    'linger-ten-times',
    'LINGER',
    'A seat lingers ten times as long as its pool says.',
    edit(
      evolve,
      'const atMs = monoMs + linger.seconds * 1000;',
      'const atMs = monoMs + linger.seconds * 10_000;',
    ),
  ),
  mutant(
    'idle-too-early',
    'IDLE',
    'A seat is taken back as idle after a tenth of the time.',
    edit('server/dist/domain/decide/idle.js', 'return idleSeconds * 1000;', 'return idleSeconds * 100;'),
  ),
  mutant(
    'told-before-written',
    'I6',
    'Clients are told of a commit before it is written.',
    edit(
      'server/dist/engine/engine.js',
      'const position = await this.#options.journal.append(encodeChanges(batch.changes, batch.acts));',
      'this.#options.onCommitted({ position: this.position, changes: batch.changes, rows: new Map(), seconds: 0 });\n        const position = await this.#options.journal.append(encodeChanges(batch.changes, batch.acts));',
    ),
  ),
  mutant(
    'read-before-written',
    'I6',
    'A question is answered before what its answer tells of is written.',
    edit(
      'server/dist/engine/engine.js',
      'const result = view(this.#state, now);\n        await this.#seenIsDurable();',
      'const result = view(this.#state, now);',
    ),
  ),
  mutant(
    'served-while-away',
    'LINE',
    'Whoever lost its connection stays in line, and is served a seat that nobody hears of.',
    edit(
      'server/dist/engine/waiting-line.js',
      'this.#remove(standing);\n        this.stalled = true;\n        if (this.#left.size',
      'if (this.#left.size',
    ),
  ),
  mutant(
    'key-goes-with-its-lease',
    'I7',
    'The answer to a checkout is forgotten as soon as its lease has ended.',
    edit(
      evolve,
      "const keptMs = lease.claims.kind === 'borrow' ? request.keptMs : windowMs(lease);",
      'const keptMs = 0;',
    ),
  ),
  mutant(
    'key-without-its-body',
    'I7',
    'A known key is answered whatever is asked for with it.',
    edit(
      'server/dist/domain/decide/decide.js',
      'if (kept.method !== type || kept.hash !== request.hash)',
      'if (kept.method !== type)',
    ),
  ),
  mutant(
    'high-water-of-a-jump',
    'I5',
    'A clock that jumps ahead counts as time that was seen.',
    edit(
      'server/dist/engine/engine.js',
      'clockSeen(this.#state, now.steadyWallMs)',
      'clockSeen(this.#state, now.wallMs)',
    ),
  ),
  mutant(
    'grants-on-a-full-disk',
    'DISK',
    'Seats are granted although the disk is nearly full.',
    edit(
      'server/dist/domain/decide/grant.js',
      "return context.diskLow ? deny('DISK_LOW') : null;",
      'return null;',
    ),
  ),
  mutant(
    'lingers-while-over',
    'LINGER',
    'A seat lingers though more are in use than are owned.',
    edit(
      'server/dist/domain/decide/linger.js',
      '|| withdrawn || usageOf(state, seat.product, now).over > 0)',
      '|| withdrawn)',
    ),
  ),
  mutant(
    'lingers-though-withdrawn',
    'LINGER',
    'A seat lingers though it is to be taken back.',
    edit(
      'server/dist/domain/decide/linger.js',
      'const withdrawn = isWithdrawn(state, seat.entitlement, seat.allocation) ||',
      'const withdrawn =',
    ),
  ),
  mutant(
    'release-lost-by-a-restart',
    'RELEASE',
    'A restart forgets which forced releases are set for later.',
    edit('server/dist/domain/load.js', 'watchRelease(state, row);', ''),
  ),
  mutant(
    'linger-lost-by-a-restart',
    'LINGER',
    'A seat that lingers when the server is started anew is never free.',
    edit('server/dist/domain/load.js', 'watchLinger(state, row, monoMs);', ''),
  ),
  mutant(
    'removal-leaves-leases',
    'REMOVAL',
    'The seats of an entitlement that is removed go on.',
    edit(
      'server/dist/domain/decide/remove-entitlement.js',
      "changes.push(...withdraw(state, seat, by, 'The entitlement was removed.'));",
      '{ }',
    ),
  ),
];
