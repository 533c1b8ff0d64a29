import { edit, type Mutant, mutant } from './mutant.js';

const pruner = 'server/dist/audit/pruner.js';
const journal = 'server/dist/store/journal.js';
const base = 'server/dist/store/base.js';

/** Journals whose older records were exported and removed (decision 0018). */
export const plantedInPrunes: readonly Mutant[] = [
  mutant(
    'prune-before-its-record',
    'I10',
    'Files of the journal go before the record of the prune is durable.',
    edit(
      pruner,
      'const settled = await submit({',
      'journal.adopt(made);\n        await this.#remove(until);\n        const settled = await submit({',
    ),
  ),
  mutant(
    'prune-beyond-the-export',
    'I6',
    'One file more goes than was exported.',
    edit(
      journal,
      'last > until || last > (this.#base?.until.seq ?? 0)',
      'first.firstSeq > until + 1 || second === undefined',
    ),
  ),
  mutant(
    'prune-of-today',
    'I10',
    'Records of the last 30 days go although nobody said that they are meant.',
    edit(pruner, 'if (!recent && age !== null', 'if (recent === null && age !== null'),
  ),
  mutant(
    'removal-not-synced',
    'I10',
    'Files of the journal go without their folder being synced in between.',
    edit(journal, 'if (this.#isRemoving)\n                await this.#files.syncFolder(this.#folder);', ''),
  ),
  mutant(
    'base-not-synced',
    'I10',
    'The base, without which nothing may be missing, is not synced.',
    edit(
      base,
      'await file.write(encodeBaseHeader(facts), 0);\n        await file.sync();',
      'await file.write(encodeBaseHeader(facts), 0);',
    ),
  ),
  mutant(
    'base-row-skipped',
    'I7',
    'The base has no answers that are kept for who asks again.',
    edit(
      base,
      'dump(async (some) => {',
      "dump(async (all) => {\n            const some = all.filter(([key]) => !key.startsWith('request/'));",
    ),
  ),
  mutant(
    'base-of-anybody',
    'I10',
    'A rebuild goes on from the newest base there is, not from the one that the journal names.',
    edit(
      base,
      'return at.seq === named.at && at.hash === named.hash && sha256 === named.sha256;',
      'return at.seq + named.at + sha256.length > 0;',
    ),
  ),
  mutant(
    'export-not-kept',
    'I6',
    'berth removes the file that it exported when it hears no answer.',
    edit(
      'admin-cli/dist/audit/removal.js',
      'throw keeping(error, out, await lookAgain(context, admin, removal));',
      'await context.files.remove(out);\n        throw keeping(error, out, await lookAgain(context, admin, removal));',
    ),
  ),
  mutant(
    'prune-during-backup',
    'I9',
    'Files of the journal go while a backup is made of them.',
    edit(
      'server/dist/backup/source.js',
      'return this.#begun.size > 0 && this.#monoMs()',
      'return this.#begun.size < 0 && this.#monoMs()',
    ),
  ),
];
