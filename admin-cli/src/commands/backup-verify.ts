import { passphraseOption, readPassphrase } from '../backup/passphrase.js';
import { verifyBackup } from '../backup/verify.js';
import { defineCommand } from '../command.js';
import { readChunks } from '../files.js';
import { fields } from '../output.js';

export const backupVerify = defineCommand({
  usage: 'verify <file>',
  describe: 'Prove offline that a backup is whole and unchanged, and say what it holds',
  positionals: { file: { type: 'string', demandOption: true, describe: 'what `berth backup create` wrote' } },
  options: passphraseOption,
  examples: [['berth backup verify monday.backup --passphrase-file ~/passphrase', 'before it is needed']],
  more: 'Needs no network. All of it is opened, and the hash chain of its journal followed from the first record to the last.',
  exits: [
    [1, 'it was changed, is cut short or too long, or is no backup; also a file that cannot be read'],
    [4, 'it is another passphrase'],
  ],
  run: async (context, args) => {
    const passphrase = await readPassphrase(context, args['passphrase-file'], false);
    const document = await verifyBackup(args.file, readChunks(context, args.file), passphrase);
    const { server, epoch, seq, atMs, files, bytes } = document;
    return {
      document,
      text: fields([
        ['server', server],
        ['epoch', epoch],
        ['made', new Date(atMs).toISOString()],
        ['records', String(seq)],
        ['files', String(files.length)],
        ['bytes', String(bytes)],
        ['verdict', 'whole and unchanged'],
      ]),
    };
  },
});
