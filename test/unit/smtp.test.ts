import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Carried, openSmtp, type SmtpSettings } from '@berth/server/mail/smtp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fate, MailServer } from '../system/mail-server.js';

// What a hand-over that failed is taken for, by a real mail server on loopback: nobody can have a mail that never began.

let server: MailServer;
let folder: string;
let caFile: string;

beforeAll(async () => {
  server = await MailServer.start();
  folder = await mkdtemp(join(tmpdir(), 'berth-smtp-'));
  caFile = join(folder, 'ca.pem');
  await writeFile(caFile, server.caPem);
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function send(settings: Partial<SmtpSettings>, ...fates: Fate[]): Promise<Carried> {
  server.fates.push(...fates);
  const carrier = await openSmtp({
    ...{ host: '127.0.0.1', port: server.port, security: 'starttls', from: 'licences@studio.example' },
    ...{ user: 'berth', password: 'correct horse', passwordFile: undefined, caFile },
    ...settings,
  });
  const dateMs = Date.UTC(2026, 10, 29);
  const from = { name: 'Studio', address: 'licences@studio.example' };
  const words = { subject: 'A test', text: 'A test', html: '<p>A test</p>' };
  const message = { from, to: 'anna@studio.example', messageId: '<m1@studio.example>', dateMs, ...words };
  try {
    return await carrier.send(message);
  } finally {
    carrier.close();
  }
}

test('it is taken', async () => {
  expect(await send({})).toMatchObject({ state: 'sent' });
  expect(server.ids).toEqual(['<m1@studio.example>']);
});

test.each([
  ['a certificate of nobody we know', { caFile: undefined }, /certificate/],
  ['no TLS where we begin with it', { security: 'tls' }, /./],
  ['a wrong password', { password: 'wrong' }, /535|login/i],
] as const)('%s: nothing was handed over, so nothing can arrive twice', async (_, settings, error) => {
  const before = server.begun;
  const carried = await send(settings);
  expect(carried).toMatchObject({ state: 'deferred', unsure: false, serverFailed: true });
  expect(carried).toMatchObject({ error: expect.stringMatching(error) });
  expect(server.begun).toBe(before);
});

test('it broke off when all of it had been sent: nobody knows', async () => {
  expect(await send({}, 'take and drop')).toMatchObject({ state: 'deferred', unsure: true });
});
