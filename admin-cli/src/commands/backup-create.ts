import type { AdminConnection } from '@berth/client';
import { BackupSealer, formatBackupHead, type ResultOf } from '@berth/protocol';
import { newCipher } from '../backup/cipher.js';
import { passphraseOption, readPassphrase } from '../backup/passphrase.js';
import { verifyBackup } from '../backup/verify.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { Failure } from '../fail.js';
import { openSink } from '../files.js';
import { quote } from '../parse.js';
import { withAdmin } from '../session.js';

export const backupCreate = defineCommand({
  usage: 'create',
  describe: 'Write all that the server is to one file, sealed with a passphrase',
  options: {
    out: { type: 'string', demandOption: true, describe: 'file to write, which must not exist' },
    ...passphraseOption,
  },
  examples: [
    [
      'berth backup create --out monday.backup --passphrase-file ~/passphrase',
      'without the option it asks for it, twice',
    ],
  ],
  more: 'The server goes on meanwhile; the file is the server as it was at one moment. It holds the key of the server: who has it and the passphrase can be this server. Sealed here: the server never sees the passphrase. Read again and proved before it gets its name. For owners only; the journal has who did it.',
  exits: [[1, 'it was not made; there is no file then']],
  run: async (context, args) => {
    const { out } = args;
    if (await context.files.exists(out))
      throw new Failure('FILE_EXISTS', { message: `The file ${quote(out)} exists.` });
    const passphrase = await readPassphrase(context, args['passphrase-file'], true);
    const document = await withAdmin(context, (admin) => create(context, admin, out, passphrase));
    const { seq, bytes } = document;
    const note = `The server as of record ${seq} is in ${quote(out)} (${bytes} bytes), read again and whole. Keep the passphrase elsewhere: without it nobody can open the file.`;
    return { document, text: '', notes: [note] };
  },
});

async function create(context: Context, admin: AdminConnection, out: string, passphrase: string) {
  const begun = await admin.call('backup.begin', { key: context.sdk.newIdempotencyKey() });
  const unfinished = `${out}.new`;
  try {
    await write(context, admin, begun, unfinished, passphrase);
    const verified = await verifyBackup(unfinished, context.files.chunks(unfinished), passphrase);
    await context.files.rename(unfinished, out);
    const { seq, atMs } = begun;
    const { bytes, files } = verified;
    await admin.call('backup.finish', { key: context.sdk.newIdempotencyKey(), seq, bytes, atMs });
    return { file: out, server: begun.server, epoch: begun.epoch, seq, atMs, bytes, files: files.length };
  } catch (error) {
    await context.files.remove(unfinished).catch(() => undefined);
    throw error;
  }
}

async function write(
  context: Context,
  admin: AdminConnection,
  { files, journal, server, epoch, seq, head, atMs }: ResultOf<'backup.begin'>,
  path: string,
  passphrase: string,
): Promise<void> {
  const key = await newCipher(passphrase);
  const headBytes = formatBackupHead(key.head);
  // What an interrupted one left is written over.
  const sink = await openSink(context, path, { mode: 0o600 });
  try {
    await sink.write(headBytes);
    const sealer = new BackupSealer(headBytes, key.cipher, (bytes) => sink.write(bytes));
    for (const file of files) {
      const bytes = Buffer.from(file.bytes, 'base64url');
      await sealer.begin({ path: file.path, bytes: bytes.length });
      await sealer.add(bytes);
    }
    const all = journal.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const { segment, bytes } of journal) {
      await sealer.begin({ path: `journal/${segment}${segment.endsWith('.base') ? '' : '.log'}`, bytes });
      for (let offset = 0; offset < bytes; ) {
        context.progress.say(`reading the journal (${Math.floor((done * 100) / all)} %)`);
        const answer = await admin.call('backup.read', { segment, offset });
        const piece = Buffer.from(answer.bytes, 'base64url').subarray(0, bytes - offset);
        if (piece.length === 0) throw new Error(`the server sends no more of ${segment}`);
        await sealer.add(piece);
        offset += piece.length;
        done += piece.length;
      }
    }
    await sealer.end({ end: { server, epoch, seq, head, atMs } });
  } finally {
    await sink.close();
  }
}
