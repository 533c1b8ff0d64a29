import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAdmin } from '@berth/client';
import type { MailInfo, ResultOf } from '@berth/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MailServer } from './mail-server.js';
import { type Ran, Site } from './site.js';
import { until } from './waiting.js';

// PRODUCT.md, row "notifications" (issue 5, part 6): real `berth` and `berthd`, and a real mail server on loopback. In order.

let site: Site;
let mail: MailServer;
let flags: string[];

beforeAll(async () => {
  mail = await MailServer.start();
  site = await Site.open();
  await site.grant({ seats: 5, id: 'ent-render' });
  const ca = await site.write('mail-ca.pem', mail.caPem);
  const password = await site.write('mail-password', 'correct horse\n');
  flags = [
    ...['--mail-smtp', `127.0.0.1:${mail.port}`, '--mail-from', 'licences@studio.example', '--mail-ca', ca],
    ...['--mail-user', 'berth', '--mail-password-file', password],
  ];
}, 120_000);

afterAll(async () => {
  await site?.close();
  await mail?.close();
});

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
/** In this process, since a command costs a second and the outbox is looked at often. */
async function listed(
  filter: { email?: string; state?: MailInfo['state'] } = {},
): Promise<ResultOf<'mail.list'>> {
  const admin = await openAdmin({ home: site.owner.home });
  try {
    return await admin.call('mail.list', filter);
  } finally {
    await admin.close();
  }
}
const outbox = async (filter: Parameters<typeof listed>[0] = {}) => (await listed(filter)).items;
const sentTo = (email: string): Promise<MailInfo> =>
  until(`the mail to ${email} to be sent`, async () => {
    const [row] = await outbox({ email });
    return row?.state === 'sent' && row;
  });

describe('notifications, without a mail server', () => {
  test('mails wait, readable, and the link is printed', async () => {
    const invited = await owner('user', 'invite', 'anna@studio.example', '--name', 'Anna <b>Ek</b>');
    const list = await owner('mail', 'list');
    expect(list.json).toMatchObject({ configured: false });
    expect(list.stderr).toContain('No mail server is configured');
    const [waiting] = list.json.items;
    expect(waiting).toMatchObject({
      to: 'anna@studio.example',
      kind: 'invited',
      state: 'queued',
      attempts: 0,
    });
    const { json, stderr } = await owner('mail', 'show', waiting.id);
    expect(json).toMatchObject({ configured: false });
    expect(stderr).toContain('Give anna@studio.example the command with its link yourself');
    expect(json.text).toContain(invited.json.link);
    expect(json.html).toContain('Anna &#60;b&#62;Ek');
    expect(json.html).not.toContain('<b>');
    const off = await owner('mail', 'test');
    expect([off.code, off.json.error.code]).toEqual([8, 'MAIL_OFF']);
  });

  test('an admin does not read a link above their own role, a viewer none', async () => {
    const [admin, viewer] = [site.person('adm@studio.example'), site.person('view@studio.example')];
    await site.joinWith(admin, await site.invite(admin.email, '--role', 'admin'));
    await site.joinWith(viewer, await site.invite(viewer.email, '--role', 'viewer'));
    const link = await site.invite('boss@studio.example', '--role', 'owner');
    const { id } = (await outbox({ email: 'boss@studio.example' }))[0]!;
    const read = await site.berth(admin, ['mail', 'show', id, '--json']);
    expect(read.json.text).toContain('not shown here');
    expect(JSON.stringify(read.json)).not.toContain(link.split('token=')[1]);
    const refused = await site.berth(viewer, ['mail', 'show', id, '--json']);
    expect([refused.code, refused.json.error.code]).toEqual([4, 'NOT_ALLOWED']);
    await owner('user', 'remove', 'boss@studio.example', '--yes');
    expect((await outbox({ email: 'boss@studio.example' })).map(({ kind, state }) => [kind, state])).toEqual(
      expect.arrayContaining([
        ['invited', 'cancelled'],
        ['removed', 'queued'],
      ]),
    );
  });
});

describe('notifications, with a mail server', () => {
  test('what waited is sent, over STARTTLS, logged in; text and HTML; once each', async () => {
    await site.kill();
    await site.serve(flags);
    const waited = await outbox();
    const open = waited.filter(({ state }) => state !== 'cancelled').length;
    const sent = await until('every mail to be sent', async () => {
      const found = await outbox({ state: 'sent' });
      return found.length === open && found;
    });
    expect(new Set(mail.ids)).toEqual(new Set(sent.map(({ messageId }) => messageId)));
    expect(new Set(mail.ids).size).toBe(mail.ids.length);
    for (const each of mail.taken) expect(each).toMatchObject({ user: 'berth', secure: true });
    const anna = mail.taken.find(({ to }) => to === 'anna@studio.example')!;
    expect(anna.raw).toMatch(/^From: Studio <licences@studio.example>$/m);
    expect(anna.raw).toContain('multipart/alternative');
    expect(anna.raw).toContain('Auto-Submitted: auto-generated');
  });

  test('assign, move, revoke: whom it is about hears of it', async () => {
    const before = mail.taken.length;
    const [anna, adm] = ['anna@studio.example', 'adm@studio.example'];
    await owner('license', 'assign', anna, 'render', '--quantity', '2');
    await owner('license', 'move', anna, 'render', '--to', adm, '--yes');
    await owner('license', 'revoke', anna, 'render', '--yes');
    const told = await until('four mails', () => mail.taken.length >= before + 4 && mail.taken.slice(before));
    const subjects = told.map(({ to, raw }) => `${to} ${/^Subject: (.*)$/m.exec(raw)?.[1]}`);
    expect(subjects.sort()).toEqual([
      `${adm} Licences for you: render (Studio)`,
      `${anna} Licences for you: render (Studio)`,
      `${anna} Licences taken back: render (Studio)`,
      `${anna} Licences taken back: render (Studio)`,
    ]);
  });

  test('mail test says what the mail server said', async () => {
    const good = await owner('mail', 'test');
    expect([good.code, good.json.mail.state]).toEqual([0, 'sent']);
    mail.fates.push({ at: 'rcpt', code: 550 });
    const bad = await owner('mail', 'test', 'nobody@studio.example');
    expect([bad.code, bad.json.mail.state]).toEqual([1, 'failed']);
    expect(bad.json.mail.error).toContain('The test says so');
    expect(bad.stderr).toContain('550');
  });

  test('4 is for now, 5 is for ever, and retry is asked for', async () => {
    mail.fates.push({ at: 'data', code: 451 });
    await owner('user', 'invite', 'bo@studio.example');
    const bo = await sentTo('bo@studio.example');
    expect(bo.attempts).toBe(2);
    expect(bo.unsure).toBeUndefined();
    mail.fates.push({ at: 'data', code: 554 });
    await owner('user', 'invite', 'cem@studio.example');
    const cem = await until('the mail to Cem to be given up', async () => {
      const [row] = await outbox({ email: 'cem@studio.example', state: 'failed' });
      return row;
    });
    expect(cem.attempts).toBe(1);
    const { json: would } = await owner('mail', 'retry', '--all', '--dry-run');
    // With what an earlier test had given up; none waits.
    expect(would).toEqual({ dryRun: true, retried: (await outbox({ state: 'failed' })).length });
    expect((await outbox({ email: 'cem@studio.example' }))[0]).toMatchObject({
      state: 'failed',
      attempts: 1,
    });
    expect((await owner('mail', 'retry', cem.id)).json).toEqual({ retried: 1 });
    await until('the mail to Cem', () => mail.ids.includes(cem.messageId!));
    const ended = await owner('mail', 'retry', bo.id);
    expect([ended.code, ended.json.error.code]).toEqual([8, 'MAIL_ENDED']);
  });

  test('a connection that breaks in the middle of a message: again, and once in the mailbox', async () => {
    mail.fates.push('drop');
    const begun = mail.begun;
    await owner('user', 'invite', 'dee@studio.example');
    const row = await sentTo('dee@studio.example');
    expect(mail.begun - begun).toBe(2);
    expect(row).toMatchObject({ attempts: 2, unsure: true });
    expect(mail.ids.filter((id) => id === row.messageId)).toHaveLength(1);
  });

  test('one at which the connection breaks each time holds up no other, and waits for its next attempt', async () => {
    mail.poisoned.add('poison@studio.example');
    const people = ['fay', 'gus', 'hal'].map((name) => `${name}@studio.example`);
    await owner('user', 'invite', 'poison@studio.example');
    await owner('user', 'invite', ...people);
    for (const email of people) expect((await sentTo(email)).attempts).toBe(1);
    const [row] = await outbox({ email: 'poison@studio.example' });
    expect(row).toMatchObject({ unsure: true, error: expect.any(String) });
    mail.poisoned.clear();
    await owner('mail', 'retry', row!.id);
    const { messageId } = await sentTo('poison@studio.example');
    expect(mail.ids.filter((id) => id === messageId)).toHaveLength(1);
  });

  test('an answer that is lost: nobody can know, so it comes again under the same Message-ID', async () => {
    mail.fates.push('take and drop');
    await owner('user', 'invite', 'eve@studio.example');
    const row = await sentTo('eve@studio.example');
    expect(row.unsure).toBe(true);
    const copies = mail.taken.filter(({ messageId }) => messageId === row.messageId);
    expect(copies.map(({ raw }) => withoutBoundaries(raw))).toHaveLength(2);
    expect(withoutBoundaries(copies[0]!.raw)).toBe(withoutBoundaries(copies[1]!.raw));
  });

  test('renamed while nobody knows whether it was taken: it comes again as it was, and mail show shows that', async () => {
    const fay = 'fay@studio.example';
    const renamed = (person: string, organisation: string) =>
      Promise.all([
        owner('user', 'set', fay, '--name', person),
        owner('org', 'set', '--name', organisation),
      ]).then((both) => expect(both.map(({ code }) => code)).toEqual([0, 0]));
    mail.fates.push('take and hang');
    const hung = mail.hanging;
    await owner('user', 'invite', fay, '--name', 'Fay A');
    await until('a message that gets no answer', () => mail.hanging > hung);
    await renamed('Admin 6', 'Ærø Studio');
    await site.kill();
    // Where links lead is another address from now on.
    await site.serve([...flags, '--advertise', 'localhost']);
    const row = await sentTo(fay);
    expect(row).toMatchObject({ attempts: 2, unsure: true });
    const copies = mail.taken.filter(({ messageId }) => messageId === row.messageId);
    expect(copies.map(({ to }) => to)).toEqual([fay, fay]);
    expect(withoutBoundaries(copies[1]!.raw)).toBe(withoutBoundaries(copies[0]!.raw));
    await renamed('Fay B', 'Studio');
    const { json } = await owner('mail', 'show', row.id);
    const [sent] = copies.map(({ raw }) => contentOf(raw));
    expect(sent).toEqual({ subject: json.mail.subject, text: json.text, html: json.html });
    expect(json.text).toContain('Hello Fay A,');
    expect(json.text).toContain('by the licence server of Studio.');
    // One that waits says what is so when it leaves.
    await owner('mail', 'test', fay);
    await renamed('Fay C', 'Third');
    const [last] = await outbox({ email: fay, state: 'sent' });
    const later = mail.taken.find(({ messageId }) => messageId === last!.messageId)!;
    expect(contentOf(later.raw).text).toContain('Hello Fay B,');
    expect((await owner('mail', 'show', last!.id)).json).toMatchObject(
      (({ subject: _, ...content }) => content)(contentOf(later.raw)),
    );
    await renamed('Fay', 'Studio');
  }, 120_000);

  test('killed while it sends: nothing lost, and nothing twice but what the mail server had taken unsaid', async () => {
    const people = Array.from({ length: 8 }, (_, at) => `p${at}@studio.example`);
    mail.fates.push('take', 'hang', 'take', 'take and hang', 'take');
    const hung = mail.hanging;
    const inviting = owner('user', 'invite', ...people);
    for (const kill of [1, 2]) {
      await until('a message that gets no answer', () => mail.hanging === hung + kill);
      if (kill === 1) await inviting;
      await site.kill();
      await site.serve(flags);
    }
    const rows = await until('the outbox to know', async () => {
      const sent = (await outbox({ state: 'sent' })).filter(({ to }) => people.includes(to));
      return sent.length === people.length && sent;
    });
    const got = mail.taken.filter(({ to }) => people.includes(to));
    expect(new Set(got.map(({ to }) => to)).size).toBe(people.length);
    expect(new Set(got.map(({ messageId }) => messageId)).size).toBe(people.length);
    expect(got).toHaveLength(people.length + 1);
    expect(rows.filter(({ unsure }) => unsure)).toHaveLength(2);
    expect((await outbox({ state: 'sending' })).length).toBe(0);
  });

  test('an invitation by hand goes ahead of what a bulk job tells its people', async () => {
    mail.fates.push('hang');
    const hung = mail.hanging;
    await owner('user', 'invite', 'slow@studio.example');
    await until('a message that gets no answer', () => mail.hanging > hung);
    const people = Array.from({ length: 40 }, (_, at) => `bulk${at}@studio.example`);
    const csv = await site.write('bulk.csv', ['email', ...people, ''].join('\n'));
    expect((await owner('bulk', 'apply', 'invite', '--csv', csv)).json.job).toMatchObject({ done: 40 });
    await owner('user', 'invite', 'today@studio.example');
    const before = mail.taken.length;
    mail.drop();
    const told = await until(
      'all of them',
      () => mail.taken.length >= before + 43 && mail.taken.slice(before).map(({ to }) => to),
    );
    // The mail of the job to who asked for it is of no row.
    expect(told.slice(0, 2).sort()).toEqual([site.owner.email, 'today@studio.example'].sort());
    expect(told.filter((to) => people.includes(to)).sort()).toEqual([...people].sort());
    expect(told).toContain('slow@studio.example');
  });
});

test('a wrong password keeps mails, the right one in the environment sends them', async () => {
  await writeFile(join(site.folder, 'mail-password'), 'wrong\n');
  await site.kill();
  await site.serve(flags);
  const bad = await owner('mail', 'test');
  expect([bad.code, bad.json.mail.state]).toEqual([1, 'queued']);
  expect(bad.json.mail.error).toContain('535');
  expect((await listed()).fault).toContain('535');
  await writeFile(join(site.folder, 'mail-password'), 'correct horse\n');
  const { id } = bad.json.mail;
  await owner('mail', 'retry', id);
  await until('the file to count without a restart', async () =>
    (await outbox({ state: 'sent' })).some((row) => row.id === id),
  );
  expect((await listed()).fault).toBeUndefined();
}, 120_000);

test('a server without STARTTLS gets nothing', async () => {
  const plain = await MailServer.start({ starttls: false });
  try {
    await site.kill();
    await site.serve([...flags.slice(2), '--mail-smtp', `127.0.0.1:${plain.port}`]);
    const refused = await owner('mail', 'test');
    expect(refused.json.mail).toMatchObject({ state: 'queued' });
    expect(plain.taken).toEqual([]);
  } finally {
    await plain.close();
  }
}, 120_000);

/** The parts of a message have separators that are made anew each time. */
function withoutBoundaries(raw: string): string {
  return raw.replaceAll(/--_NmP-[\w-]+/g, '--_NmP');
}

/** What a mail program shows of a message of two parts. */
function contentOf(raw: string): { subject: string; text: string; html: string } {
  const [head, ...parts] = raw.split(/\r\n--[-\w=.?]+(?:\r\n|--\r\n)/);
  return {
    subject: /^Subject: (.*)$/m.exec(head!)![1]!.trim(),
    text: decoded(parts[0]!),
    html: decoded(parts[1]!),
  };
}

function decoded(part: string): string {
  const [head, ...rest] = part.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const encoding = /^Content-Transfer-Encoding: (.*)$/im.exec(head!)![1]!.trim();
  const bytes =
    encoding === 'base64'
      ? Buffer.from(body, 'base64')
      : encoding === 'quoted-printable'
        ? Buffer.from(
            body
              .replaceAll('=\r\n', '')
              .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) =>
                String.fromCharCode(Number.parseInt(hex, 16)),
              ),
            'latin1',
          )
        : Buffer.from(body);
  return bytes.toString().replaceAll('\r\n', '\n');
}
