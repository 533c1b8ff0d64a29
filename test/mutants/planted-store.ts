import { edit, type Mutant, mutant } from './mutant.js';

const engine = 'server/dist/engine/engine.js';
const journal = 'server/dist/store/journal.js';
const writer = 'server/dist/store/segment-writer.js';
const head = 'server/dist/store/head.js';
const recovery = 'server/dist/store/journal-recovery.js';
const evolve = 'server/dist/domain/evolve.js';

/** Durability: what is acknowledged is on the disk, and what comes back from it is what was. */
export const plantedInStore: readonly Mutant[] = [
  mutant(
    'reply-before-sync',
    'I6',
    'The answer leaves while its record is still being written.',
    edit(engine, 'async #seenIsDurable(saw) {', 'async #seenIsDurable(saw) {\n        return;'),
  ),
  mutant(
    'head-before-journal',
    'I6',
    'The head names a record that is not written yet.',
    edit(
      writer,
      'await tail.file.write(bytes, tail.bytes);',
      'await writeHead(this.#head, { seq: last.seq + 1, hash }); await tail.file.write(bytes, tail.bytes);',
    ),
  ),
  mutant(
    'record-not-synced',
    'I6',
    'The record is written but not synced before its head.',
    edit(writer, 'await tail.file.datasync();', ''),
  ),
  mutant(
    'head-not-synced',
    'I6',
    'The head is written but not synced before the answer.',
    edit(
      head,
      'await file.write(encodeSlot(position), slot * SLOT_STRIDE);\n    await file.datasync();',
      'await file.write(encodeSlot(position), slot * SLOT_STRIDE);',
    ),
  ),
  mutant(
    'on-after-write-error',
    'I6',
    'A failed write is taken for a written one, and the server goes on.',
    edit(
      journal,
      'this.#failure = new JournalWriteError(this.#folder, cause);\n            throw this.#failure;',
      'return this.#position;',
    ),
  ),
  mutant(
    'tail-cut-before-head',
    'I6',
    'The cut of a torn tail takes a byte of the record that the head names.',
    edit(recovery, 'bytes, keepBytes: end.offset }', 'bytes, keepBytes: end.offset - 1 }'),
  ),
  mutant(
    'state-hash-not-checked',
    'STATE',
    'The stored state is believed although its rows do not add up to its checksum.',
    edit('server/dist/store/state-meta.js', 'meta.rows !== sums.count || meta.sum !== sums.total', 'false'),
  ),
  mutant(
    'witness-of-the-record-before',
    'I10',
    'A lease names the hash of the record before the one that it counts.',
    edit(
      engine,
      'const { seq, hash } = this.position;',
      'const { seq, hash } = { ...this.position, seq: this.position.seq + 1 };',
    ),
  ),
  mutant(
    'pending-not-loaded',
    'I8',
    'A restart forgets which revokes are pending.',
    edit(
      'server/dist/domain/load.js',
      'allocation: (state, row) => trackAllocation(state, row),',
      'allocation: (state, { revoking: _, ...row }) => trackAllocation(state, row),',
    ),
  ),
  mutant(
    'requests-not-loaded',
    'I7',
    'A restart forgets which requests were answered.',
    edit(
      'server/dist/domain/load.js',
      "if (name !== 'allocation')",
      "if (name !== 'allocation' && name !== 'request')",
    ),
  ),
  mutant(
    'restart-hold-halved',
    'I4',
    'After a restart online leases are held for half a window.',
    edit(
      'server/dist/domain/load.js',
      'watchLease(state, row, monoMs);',
      'watchLease(state, row, monoMs - 67_000);',
    ),
    edit(
      'server/dist/engine/recover.js',
      'evolve(state, change, monoMs);',
      'evolve(state, change, monoMs - 67_000);',
    ),
  ),
  mutant(
    'hold-by-configured-D',
    'I2',
    'The hold comes from the D that is configured now, not from the one stored with the lease.',
    edit(
      engine,
      'const { newId, leaseSeconds, diskLow } = this.#options;',
      'const { newId, leaseSeconds, diskLow } = this.#options;\n        globalThis.configuredD = leaseSeconds;',
    ),
    edit(
      evolve,
      'return onlineWindowMs(lease.claims.dur * 1000);',
      'return onlineWindowMs((globalThis.configuredD ?? lease.claims.dur) * 1000);',
    ),
  ),
  mutant(
    'denied-before-written',
    'I6',
    'A denial leaves while what it was decided from is still being written.',
    edit(
      engine,
      'await this.#seenIsDurable(decision.ok ? decision.saw : undefined);',
      'if (decision.ok)\n            await this.#seenIsDurable(decision.saw);',
    ),
    edit(
      engine,
      'const settled = await this.#takeOrWait(command, wait, now);\n        await this.#seenIsDurable();',
      'const settled = await this.#takeOrWait(command, wait, now);\n        if (settled.ok)\n            await this.#seenIsDurable();',
    ),
  ),
  mutant(
    'rows-of-the-next-record',
    'I6',
    'What is stored of the state has rows of the record after the one that it is stored as of.',
    edit(engine, 'const rows = takeChangedRows(this.#state);\n        const startedMs', 'const startedMs'),
    edit(
      engine,
      'const seconds = (this.#options.clock',
      'const rows = takeChangedRows(this.#state);\n        const seconds = (this.#options.clock',
    ),
  ),
  mutant(
    'good-slot-mended-first',
    'I6',
    'Of a damaged head the slot that is whole is written first: whoever dies in that has lost both.',
    edit(
      head,
      'await writeSlot(file, position, damagedSlot);\n    await writeSlot(file, position, 1 - damagedSlot);',
      'await writeSlot(file, position, 1 - damagedSlot);\n    await writeSlot(file, position, damagedSlot);',
    ),
  ),
  mutant(
    'uncertain-record-dropped',
    'I6',
    'A record whose slot of the head is damaged counts as never acknowledged.',
    edit(
      recovery,
      'const kept = head.damagedSlot !== null && (await keepUncertain(cursor, inspection));',
      'const kept = false;',
    ),
  ),
  mutant(
    'torn-record-kept',
    'I6',
    'What follows the record that the head names stays in the file.',
    edit(recovery, 'if (end && end.fileSize > end.offset) {', 'if (end && end.fileSize < end.offset) {'),
  ),
  mutant(
    'replays-one-too-many',
    'STATE',
    'A start applies the last record that the stored state has once more.',
    edit(
      'server/dist/engine/recover.js',
      'if (record.seq !== applied + 1 || broken !== null)',
      'if (record.seq < applied || broken !== null)',
    ),
  ),
  mutant(
    'replayed-rows-not-stored',
    'STATE',
    'What a start has replayed is not in the stored state.',
    edit(
      'server/dist/engine/recover.js',
      'if (!readOnly && rows.size > 0)\n        store.put(journal.position, rows);',
      '',
    ),
  ),
  mutant(
    'one-head-slot',
    'I6',
    'The head is written over itself: torn, there is none.',
    edit(head, 'await writeSlot(file, position, position.seq % 2);', 'await writeSlot(file, position, 0);'),
  ),
  mutant(
    'new-file-not-synced',
    'I6',
    'A new file of the journal is not in its folder after a power cut.',
    edit(
      writer,
      'await file.sync();\n        await this.#files.syncFolder(this.#folder);',
      'await file.sync();',
    ),
  ),
];
