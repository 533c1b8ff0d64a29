import { edit, type Mutant, mutant } from './mutant.js';

const restore = 'server/dist/domain/decide/restore.js';
const evolve = 'server/dist/domain/evolve-restore.js';
const readmit = 'server/dist/domain/decide/readmit.js';
const handlers = 'server/dist/admin/lease-handlers.js';

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
  mutant(
    'restore-joins-in-hold',
    'I9',
    'While a restored server holds, whoever asks joins the seat that the device has.',
    edit('server/dist/domain/decide/checkout.js', 'if (isHolding(state))\n        return [];', ''),
  ),
  mutant(
    'restore-hold-by-configured-D',
    'I9',
    'A restored server holds for the leases that the backup knows and the D it is started with, whatever D was when the backup was made.',
    edit(
      restore,
      'let longest = Math.max(configured, now, before);',
      'let longest = configured + 0 * (now + before);',
    ),
  ),
  mutant(
    'restore-hold-by-known-leases',
    'I9',
    'A restored server holds for the leases that the backup knows, and for no others.',
    edit(
      restore,
      'let longest = Math.max(configured, now, before);',
      'let longest = 0 * (configured + now + before);',
    ),
  ),
  mutant(
    'restore-hold-half',
    'I9',
    'A restored server holds for half a window.',
    edit(
      evolve,
      'const atMs = monoMs + restore.begun.windowMs;',
      'const atMs = monoMs + restore.begun.windowMs / 2;',
    ),
  ),
  mutant(
    'restore-hold-ends-with-restart',
    'I9',
    'A restored server that is started anew while it holds does not begin its hold anew, and its clock counts from nothing.',
    edit('server/dist/domain/load.js', 'watchRestore(state, monoMs);', 'watchRestore(state, monoMs - 1e9);'),
  ),
  mutant(
    'restore-credits-not-held',
    'I9',
    'Credits are spent though nobody knows what was spent between the backup and the restore.',
    edit(
      'server/dist/domain/credits.js',
      'return restore !== undefined && restore.accepted === undefined;',
      'return false;',
    ),
  ),
  mutant(
    'readmits-beyond-the-seats',
    'I1',
    'What devices show after a restore is taken up again though it is more than is owned.',
    edit(
      readmit,
      'const { owned, taken } = usageOf(this.#state, product, this.#context.now);',
      'if (count > 0) return null;\n        const { owned, taken } = usageOf(this.#state, product, this.#context.now);',
    ),
  ),
  mutant(
    'readmits-for-any-device',
    'I9',
    'After a restore any device has the leases of others by their tokens.',
    edit(readmit, 'dev === this.#device.leaseKey &&', ''),
    edit(
      handlers,
      "const parsed = parseToken('lease', text);\n        if (!parsed.ok || parsed.token.claims.dev !== caller.deviceKey)",
      "const parsed = parseToken('lease', text);\n        if (!parsed.ok)",
    ),
  ),
  mutant(
    'readmit-forgets-the-borrow-mark',
    'I9',
    'A borrow that its device has shown is kept back a second time, as one that nobody knows.',
    edit(readmit, "...(kind === 'borrow' ? { earlier: 'shown' } : {}),", ''),
  ),
  mutant(
    'restored-lease-not-verified',
    'I9',
    'What a device shows after a restore is taken for signed by this server.',
    edit(handlers, 'return verify(serverKey, signed, signature) ? [claims] : [];', 'return [claims];'),
  ),
  mutant(
    'imported-after-restore-not-reserved',
    'I9',
    'Of what is imported after a restore nothing is kept back, though it may have been lent before.',
    edit(
      evolve,
      'if (row !== null && row.untilMs > restore.begun.atMs)',
      'if (row !== null && row.untilMs < 0)',
    ),
  ),
  mutant(
    'restore-borrows-before-the-reserve-ends',
    'I9',
    'A restored server lends what is free, though as many as it lends may be out.',
    edit('server/dist/domain/decide/choose.js', 'if (state.tables.reserve.has(jti))\n        return 0;', ''),
  ),
  mutant(
    'unseen-borrow-extended',
    'I9',
    'After a restore a borrow that the backup knows is lent for longer to whoever may have returned it since.',
    edit('server/dist/domain/decide/borrow.js', "|| seat.earlier === 'unseen'", ''),
  ),
  mutant(
    'unseen-seat-joined',
    'I9',
    'After a restore a device joins its seat whose borrow it may have returned since the backup.',
    edit('server/dist/domain/decide/checkout.js', "seat.earlier !== 'unseen' &&", ''),
  ),
  mutant(
    'reserve-ends-with-the-hold',
    'I9',
    'What may be borrowed is kept back for as long as online leases last.',
    edit(
      'server/dist/domain/decide/expire.js',
      "'restore-window': () => [{ type: 'restore.windowOver' }],",
      "'restore-window': (state) => [{ type: 'restore.windowOver' }, ...[...state.tables.reserve.keys()].map((id) => ({ type: 'reserve.ended', id }))],",
    ),
  ),
  mutant(
    'borrow-shown-by-anybody',
    'I9',
    'A borrow that the backup knows counts as shown, whoever has a copy of its token.',
    edit(readmit, 'if (device !== this.#device.id)\n            return false;', ''),
    edit(
      handlers,
      "const parsed = parseToken('lease', text);\n        if (!parsed.ok || parsed.token.claims.dev !== caller.deviceKey)",
      "const parsed = parseToken('lease', text);\n        if (!parsed.ok)",
    ),
  ),
  mutant(
    'restore-accepted-by-nobody',
    'I9',
    'When its hold is over, a restored server answers by itself that nothing of before is out.',
    edit(
      'server/dist/domain/decide/expire.js',
      "'restore-window': () => [{ type: 'restore.windowOver' }],",
      "'restore-window': (_state, _due, { now }) => [{ type: 'restore.windowOver' }, { type: 'restore.accepted', by: '', device: '', atMs: now.wallMs, reason: 'the hold is over' }],",
    ),
  ),
].map((planted) => ({ ...planted, restores: true }));
