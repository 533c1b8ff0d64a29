import type { Planted } from './bundle.js';

/** Faults that the auditor must find: what to replace in the compiled server. A text that is not there once, as after a change, is an error. */
export const plantable: Readonly<Record<string, Planted>> = {
  /** I6: nobody waits for the sync. */
  'reply-before-sync': {
    find: 'async #seenIsDurable(saw) {',
    put: 'async #seenIsDurable(saw) {\n        return;',
  },
  /** DESIGN 2: the head names a record that is not on the disk yet. */
  'head-before-record': {
    find: `await tail.file.write(bytes, tail.bytes);
        // Before the head is touched: a damaged head slot proves that its record is whole (journal-recovery.ts).
        await tail.file.datasync();
        const position = { seq: last.seq + 1, hash };
        await writeHead(this.#head, position);`,
    put: `const position = { seq: last.seq + 1, hash };
        await writeHead(this.#head, position);
        await tail.file.write(bytes, tail.bytes);
        await tail.file.datasync();`,
  },
  /** I4: after a restart seats come free at once. */
  'no-hold-after-restart': {
    find: 'const atMs = monoMs + windowMs(lease);',
    put: 'const atMs = monoMs + windowMs(lease) - 14000;',
  },
  /** I6: the answer to a release leaves, and the release is not written. */
  'release-not-written': {
    find: 'const durable = decision.changes.filter((change) => !isVolatile(change));',
    put: "const durable = decision.changes.filter((change) => !isVolatile(change) && !(change.type === 'lease.ended' && change.reason !== 'expired'));",
  },
};
