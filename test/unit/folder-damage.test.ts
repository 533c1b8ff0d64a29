import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { completeDataFolder, createDataFolder, openDataFolder } from '@berth/server/data-folder';
import { FOLDER_FORMAT } from '@berth/server/store/migrations';
import { loadOrCreateTls } from '@berth/server/transport/certificate-files';
import { createAuthority } from '@berth/server/transport/certificates';
import { isWholeKey } from '@berth/server/transport/private-key';
import { afterAll, beforeAll, expect, test } from 'vitest';

// What one flipped bit must not change unnoticed; `npm run torture:disk -- flips` tries them all over the folder.

let folder: string;
let marker: string;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'berth-damage-')), 'data');
  const identity = await createDataFolder(folder);
  await completeDataFolder(folder, identity, { listen: '127.0.0.1:7433' });
  marker = join(folder, 'berthd.json');
});

afterAll(() => rm(join(folder, '..'), { recursive: true }));

test('another port in berthd.json is not taken for the one that init was told', async () => {
  const text = await readFile(marker, 'utf8');
  expect((await openDataFolder(folder)).stored).toEqual({ listen: '127.0.0.1:7433' });
  await writeFile(marker, text.replace('7433', '7432'));
  await expect(openDataFolder(folder)).rejects.toMatchObject({
    code: 'FOLDER_DAMAGED',
    message: expect.stringContaining('berthd.json'),
  });
  await writeFile(marker, text);
  await openDataFolder(folder);
});

test('a bit flipped in its format does not make it an older one, nor one to migrate, nor a newer one', async () => {
  const text = await readFile(marker, 'utf8');
  for (const format of [1, 2, FOLDER_FORMAT + 4]) {
    await writeFile(marker, text.replace(`"format": ${FOLDER_FORMAT}`, `"format": ${format}`));
    for (const older of [false, true])
      await expect(openDataFolder(folder, { older })).rejects.toMatchObject({
        code: 'FOLDER_DAMAGED',
        message: expect.stringContaining('berthd.json'),
      });
  }
  await writeFile(marker, text);
  expect((await openDataFolder(folder)).format).toBe(FOLDER_FORMAT);
});

test('what a reader of PEM skips is damage all the same: clients get the text of the authority', async () => {
  const options = { folder, names: ['localhost'], nowMs: Date.now() };
  expect((await loadOrCreateTls(options)).ok).toBe(true);
  const path = join(folder, 'tls', 'ca.crt');
  const bytes = await readFile(path);
  for (const bit of [1, 4, 7]) {
    const flipped = Buffer.from(bytes);
    flipped[bytes.indexOf('\n', 40)]! ^= 1 << bit;
    await writeFile(path, flipped);
    expect(await loadOrCreateTls(options)).toMatchObject({ ok: false, problem: { file: path } });
  }
  await writeFile(path, bytes);
  expect((await loadOrCreateTls(options)).ok).toBe(true);
});

test('a private RSA key of which one number is damaged is not whole, though OpenSSL takes it', async () => {
  const { certPem, keyPem } = await createAuthority('Berth site test', Date.now());
  const certificate = new X509Certificate(certPem);
  const whole = createPrivateKey(keyPem).export({ format: 'jwk' });
  expect(isWholeKey(createPrivateKey(keyPem), certificate)).toBe(true);
  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
    const bytes = Buffer.from(whole[name]!, 'base64url');
    bytes[40]! ^= 4;
    const jwk = { ...whole, [name]: bytes.toString('base64url') };
    const damaged = createPrivateKey({ key: jwk, format: 'jwk' });
    expect(certificate.checkPrivateKey(damaged), name).toBe(true);
    expect(isWholeKey(damaged, certificate), name).toBe(false);
  }
});
