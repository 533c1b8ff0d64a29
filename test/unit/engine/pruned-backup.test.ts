import { createHash } from 'node:crypto';
import { verifyBackup } from '@berth/cli/backup/verify';
import { writeBackup } from '@berth/server/backup/backup-file';
import { BackupSource } from '@berth/server/backup/source';
import { BASE_HEADER_BYTES, decodeBaseHeader, encodeBaseHeader } from '@berth/server/store/base-format';
import { beforeAll, expect, test } from 'vitest';
import { askingFor, invite, oldStudio, type Studio } from './pruned-studio.js';

// What `berth backup verify` says of a backup of a pruned journal, as somebody would have it who changed the folder and left every checksum right.

const PASSPHRASE = 'correct horse battery staple';
const FILE = '/data/made.backup';

let studio: Studio;
let server: Awaited<ReturnType<Studio['start']>>;

beforeAll(async () => {
  const { template, until } = await oldStudio();
  studio = template;
  await studio.files.makeFolder('/data/tls');
  await studio.files.makeFolder('/data/keys');
  for (const name of ['berthd.json', 'keys/server.key']) studio.files.put(`/data/${name}`, Buffer.from('{}'));
  server = await studio.start();
  expect(await server.pruner.prune(askingFor(until))).toMatchObject({ ok: true });
  await invite(server, 3);
});

/** A server looks first (`prove`): what it would not hand out is what is to be found here. */
class Blind extends BackupSource {
  override async prove(): Promise<void> {}
}

async function verified(): Promise<number> {
  const source = new Blind(studio.files, '/data', server.journal, () => 0);
  await writeBackup(studio.files, FILE, PASSPHRASE, source, {
    ...{ server: 'ed25519:x', epoch: 'e', atMs: 1, signal: new AbortController().signal },
  });
  const bytes = studio.files.get(FILE);
  const chunks = (async function* () {
    yield bytes;
  })();
  return (await verifyBackup('made.backup', chunks, PASSPHRASE)).seq;
}

const refused = { code: 'BACKUP_INVALID', message: expect.stringContaining('its records name') };

test('a base is the one that the record of the prune names, or the backup is none', async () => {
  expect(await verified()).toBe(server.journal.position.seq);
  const { file } = server.journal.base!;
  const sound = studio.files.get(file);
  const facts = decodeBaseHeader(sound.subarray(0, BASE_HEADER_BYTES))!;
  const rows = Buffer.from(sound.subarray(BASE_HEADER_BYTES));
  rows.write('mallory@', rows.indexOf('it@studi'));
  const sha256 = createHash('sha256').update(rows).digest('hex');
  studio.files.put(file, Buffer.concat([encodeBaseHeader({ ...facts, sha256 }), rows]));
  await expect(verified()).rejects.toMatchObject(refused);
});
