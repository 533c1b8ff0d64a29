import type { MailFact } from '@berth/server/domain/mail';
import { letterOf } from '@berth/server/mail/letter';
import { failureOf } from '@berth/server/mail/smtp';
import { describe, expect, test } from 'vitest';

const facts = { organisation: 'Studio', name: '', link: () => 'berth://host:7433/?key=k&token=t' };
const by = 'it@studio.example';
const expires = '2027-05-09';
const all: MailFact[] = [
  { kind: 'invited', invitation: 'i1', by, role: 'user', device: false, expiresAtMs: 0 },
  { kind: 'invited', invitation: 'i2', by, role: 'user', device: true, expiresAtMs: 0 },
  { kind: 'assigned', by, product: 'render', quantity: 2, total: 3, expires },
  { kind: 'revoked', by, product: 'render', quantity: 1, left: 0, expires },
  { kind: 'removed', by },
  { kind: 'ending', product: 'render', subscription: 'S-1', seats: 1, until: expires, daysLeft: 7 },
  { kind: 'test', by },
];

describe('letters', () => {
  test.each(all)('$kind: text and HTML say the same', (fact) => {
    const { subject, text, html } = letterOf({ facts: [fact] }, facts);
    expect(subject).toContain('(Studio)');
    const words = html
      .replace(/^.*<body[^>]*>/s, '')
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    expect(words.split(/\s+/).join(' ').trim()).toBe(text.split(/\s+/).join(' ').trim());
  });

  test('names do not become markup, nor lines of the head', () => {
    const name = '<img src=x onerror=alert(1)> & "Ærø"';
    const { html } = letterOf({ facts: [all[4]!] }, { ...facts, name, organisation: '<b>' });
    expect(html).not.toMatch(/<img|<b>/);
    expect(html).toContain('Ærø');
  });

  test('a link that is not open is not made up', () => {
    const { text } = letterOf({ facts: [all[0]!] }, { ...facts, link: () => null });
    expect(text).not.toContain('berth://');
    expect(text).toContain('not open any more');
  });
});

describe('what an error of the mail server means', () => {
  const failure = (members: object) => failureOf(Object.assign(new Error('said'), members), true);

  test.each([
    [{ code: 'EENVELOPE', responseCode: 550, command: 'RCPT TO' }, { state: 'refused' }],
    [{ code: 'EMESSAGE', responseCode: 554, command: 'DATA' }, { state: 'refused' }],
    [
      { code: 'EENVELOPE', responseCode: 450, command: 'RCPT TO' },
      { state: 'deferred', unsure: false },
    ],
    [
      { code: 'EENVELOPE', responseCode: 550, command: 'MAIL FROM' },
      { state: 'deferred', serverFailed: true, unsure: false },
    ],
    [
      { code: 'EMESSAGE', responseCode: 421 },
      { state: 'deferred', serverFailed: true, unsure: false },
    ],
    [
      { code: 'EAUTH', responseCode: 535 },
      { state: 'deferred', serverFailed: true, unsure: false },
    ],
    [
      { code: 'ESOCKET', syscall: 'connect' },
      { state: 'deferred', serverFailed: true, unsure: false },
    ],
    [{ code: 'ECONNECTION' }, { state: 'deferred', serverFailed: true, unsure: true }],
    [{ code: 'ETIMEDOUT' }, { state: 'deferred', serverFailed: true, unsure: true }],
  ])('%j: %j', (members, meant) => {
    const result = failure(members);
    expect(result).toMatchObject({ ...meant, error: 'said' });
    expect('serverFailed' in result).toBe('serverFailed' in meant);
  });
});
