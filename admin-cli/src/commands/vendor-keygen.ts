import { join } from 'node:path';
import { formatPublicKey, formatSecretKey } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { newSeed, publicKeyOf } from '../ed25519.js';
import { fileExists, makeFolder, writeText } from '../files.js';

export const vendorKeygen = defineCommand({
  usage: 'keygen',
  describe: 'Make the root key of a vendor: vendor.key (secret) and vendor.pub',
  options: {
    out: { type: 'string', demandOption: true, describe: 'folder for the two files; made when missing' },
  },
  examples: [['berth vendor keygen --out keys', 'write keys/vendor.key and keys/vendor.pub']],
  more: 'Keep vendor.key offline: whoever has it can grant seats. Plugins pin the text in vendor.pub.',
  run: async (context, args) => {
    const secretFile = join(args.out, 'vendor.key');
    const publicFile = join(args.out, 'vendor.pub');
    // Both are looked at before either is written: half a pair next to an older half would not fit together.
    for (const file of [secretFile, publicFile]) {
      if (await context.files.exists(file)) throw fileExists(file);
    }
    await makeFolder(context, args.out);
    const seed = newSeed();
    const publicKey = formatPublicKey(publicKeyOf(seed));
    await writeText(context, secretFile, `${formatSecretKey(seed)}\n`, { mode: 0o600, exclusive: true });
    await writeText(context, publicFile, `${publicKey}\n`, { exclusive: true });
    return {
      document: { publicKey, secretKeyFile: secretFile, publicKeyFile: publicFile },
      text: publicKey,
      notes: [`Wrote ${secretFile} (secret; keep it offline) and ${publicFile}.`],
    };
  },
});
