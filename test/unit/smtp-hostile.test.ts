import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Carried, type Carrier, openSmtp, type SmtpSettings } from '@berth/server/mail/smtp';
import { createAuthority, issueServerCertificate } from '@berth/server/transport/certificates';
import { afterEach, expect, test } from 'vitest';
import { MailServer } from '../system/mail-server.js';

// Mail servers that do what they should not, each a real socket on loopback, and what a hand-over to them is taken for: whether nobody can have the
// mail (`unsure`), and whether the next one would fail in the same way (`serverFailed`).

/** So long for each step, ms: nobody here is slow, only silent. */
const STEP_MS = 1000;

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** What a peer says to a line that begins so; `null`: nothing, for ever; `drop`: it breaks the connection. */
type Answers = Readonly<Record<string, string | null | ((line: string) => string | null)>>;

const willing: Answers = {
  greeting: '220 mail.test ESMTP',
  EHLO: '250 mail.test',
  MAIL: '250 ok',
  RCPT: '250 ok',
  DATA: '354 go on',
  '.': '250 taken',
  RSET: '250 ok',
  QUIT: '221 bye',
};

/** A peer without TLS that answers by a table. @returns its port, the lines that it heard, and how often somebody came */
async function peer(answers: Answers): Promise<{ port: number; heard: string[]; came: () => number }> {
  const table = { ...willing, ...answers };
  const heard: string[] = [];
  let came = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    came += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    const say = (key: string, line: string): void => {
      const answer = table[key] ?? null;
      const text = typeof answer === 'function' ? answer(line) : answer;
      if (text === 'drop') socket.destroy();
      else if (text !== null) socket.write(`${text}\r\n`);
    };
    say('greeting', '');
    let rest = '';
    let isData = false;
    socket.on('data', (part) => {
      const lines = (rest + part.toString()).split('\r\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (isData && line !== '.') continue;
        const key = isData ? '.' : line.slice(0, 4);
        heard.push(line);
        isData = key === 'DATA' && String(table.DATA).startsWith('354');
        say(key, line);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, heard, came: () => came };
}

async function carrierTo(port: number, settings: Partial<SmtpSettings> = {}): Promise<Carrier> {
  const carrier = await openSmtp(
    {
      ...{ host: '127.0.0.1', port, security: 'none', from: 'licences@studio.example' },
      ...{ user: undefined, password: undefined, passwordFile: undefined, caFile: undefined },
      ...settings,
    },
    STEP_MS,
  );
  open.push(async () => carrier.close());
  return carrier;
}

function send(carrier: Carrier, name = 'anna', text = 'A test'): Promise<Carried> {
  return carrier.send({
    ...{ subject: 'A test', text, html: '<p>A test</p>', dateMs: Date.UTC(2026, 10, 29) },
    from: { name: 'Studio', address: 'licences@studio.example' },
    to: `${name}@studio.example`,
    messageId: `<${name}@studio.example>`,
  });
}

const away = { state: 'deferred', unsure: false, serverFailed: true };
const nobodyKnows = { state: 'deferred', unsure: true, serverFailed: true };
/** About this one alone. */
const notNow = { state: 'deferred', unsure: false };

test.each<[string, Answers, object]>([
  ['accepts the connection and says nothing', { greeting: null }, away],
  ['breaks it at once', { greeting: 'drop' }, away],
  ['greets with what is no SMTP', { greeting: 'HTTP/1.1 400 Bad Request' }, away],
  ['has no room for us', { greeting: '421 too many connections' }, away],
  ['does not serve us', { greeting: '554 no' }, away],
  ['is silent after EHLO', { EHLO: null }, away],
  ['takes nothing from our sender', { MAIL: '550 who are you' }, away],
  ['wants us to slow down', { MAIL: '451 4.7.1 slow down' }, away],
  ['says goodbye in the middle', { RCPT: '421 shutting down' }, away],
  ['takes no data for now', { DATA: '451 later' }, notNow],
  ['is full', { '.': '452 no space' }, notNow],
  ['will not have this text', { '.': '554 5.7.1 spam' }, { state: 'refused' }],
  ['breaks off before its answer to DATA', { '.': 'drop' }, nobodyKnows],
  ['never answers after DATA', { '.': null }, nobodyKnows],
  ['answers after DATA with what is no SMTP', { '.': 'ok' }, nobodyKnows],
  ['answers without an end', { '.': `250-${'x'.repeat(2 * 1024 * 1024)}` }, nobodyKnows],
])('a peer that %s', async (_, answers, verdict) => {
  const carried = await send(await carrierTo((await peer(answers)).port));
  expect(carried).toMatchObject(verdict);
  const { serverFailed } = carried;
  expect(serverFailed ?? false).toBe((verdict as Partial<typeof away>).serverFailed ?? false);
  if (carried.state !== 'sent') expect(carried.error.length).toBeLessThanOrEqual(350);
});

test('nobody listens', async () => {
  const { port } = await peer({});
  await open.pop()!();
  expect(await send(await carrierTo(port))).toMatchObject(away);
});

test('one is refused for now, one for ever, and those around them are taken over the same connection', async () => {
  const { port, came } = await peer({
    RCPT: (line) =>
      /busy/.test(line) ? '450 4.2.1 later' : /gone/.test(line) ? '550 5.1.1 unknown' : '250 ok',
  });
  const carrier = await carrierTo(port);
  const carried = [];
  for (const name of ['anna', 'busy', 'bo', 'gone', 'cem']) carried.push(await send(carrier, name));
  const taken = { state: 'sent' };
  expect(carried).toMatchObject([taken, notNow, taken, { state: 'refused' }, taken]);
  expect(carried.map((each) => 'serverFailed' in each)).toEqual(Array(5).fill(false));
  expect(came()).toBe(1);
});

test('a greylist: what was put off is taken when it comes again', async () => {
  const seen = new Set<string>();
  const RCPT = (line: string): string => {
    const isKnown = seen.has(line);
    seen.add(line);
    return isKnown ? '250 ok' : '451 4.7.1 Greylisted, try again later';
  };
  const carrier = await carrierTo((await peer({ RCPT })).port);
  const first = [await send(carrier, 'anna'), await send(carrier, 'bo')];
  expect(first).toMatchObject([notNow, notNow]);
  expect(first.every((each) => !('serverFailed' in each))).toBe(true);
  expect(await send(carrier, 'anna')).toMatchObject({ state: 'sent' });
});

test.each<[string, Answers]>([
  ['does not offer STARTTLS', {}],
  ['offers STARTTLS and refuses it', { EHLO: '250-mail.test\r\n250 STARTTLS', STAR: '454 not now' }],
  ['offers it and breaks off', { EHLO: '250-mail.test\r\n250 STARTTLS', STAR: 'drop' }],
  [
    'offers it and talks on in the clear',
    { EHLO: '250-mail.test\r\n250 STARTTLS', STAR: '220 go on\r\n250 mail.test' },
  ],
])('a peer that %s: not a word of the mail is said in the clear', async (_, answers) => {
  const { port, heard } = await peer(answers);
  expect(await send(await carrierTo(port, { security: 'starttls' }))).toMatchObject(away);
  expect(heard.filter((line) => /^(?:MAIL|RCPT|DATA|AUTH)/.test(line))).toEqual([]);
});

test.each([
  ['of another name', ['mail.elsewhere.example'], 0],
  ['that has ended', ['127.0.0.1'], 400],
] as const)(
  'a certificate %s: nothing is handed over, and it is called that of the mail server',
  async (_, names, daysAgo) => {
    const nowMs = Date.now() - daysAgo * 86_400_000;
    const authority = await createAuthority('Mail of the test', nowMs);
    const certificate = await issueServerCertificate(authority, { names: [...names], days: 2, nowMs });
    const server = await MailServer.start({ certificate: { ...certificate, caPem: authority.certPem } });
    open.push(() => server.close());
    const folder = await mkdtemp(join(tmpdir(), 'berth-smtp-'));
    open.push(() => rm(folder, { recursive: true }));
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, authority.certPem);
    const carrier = await carrierTo(server.port, { security: 'starttls', caFile });
    expect(await send(carrier)).toMatchObject({
      ...away,
      error: expect.stringContaining('The certificate of the mail server'),
    });
    expect(server.begun).toBe(0);
  },
);
