import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import type { MailTaken } from '../auditor/mails.js';
import { signed, World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World, mails: readonly MailTaken[] = []): string[] {
  return [...new Set(audit({ ...world.case(), mails }).findings.map(({ rule }) => rule))].sort();
}

/** A record of what one command led to. */
function act(world: World, did: string, ...changes: Change[]): void {
  world.journal(...changes);
  const record = world.records.at(-1)!;
  world.records[world.records.length - 1] = { ...record, acts: [{ first: 0, count: changes.length, did }] };
}

const allocated = (email: string, quantity: number): Change => ({
  type: 'allocation.set',
  allocation: { email, entitlement: 'e1', quantity },
});
const told = (id: string, to: string, fact: object): Change => ({
  type: 'mail.queued',
  mail: { id, to, facts: [fact] },
});
const assigned = (id: string, to: string, quantity: number): Change =>
  told(id, to, { kind: 'assigned', product: 'render', quantity });

describe('bulk jobs', () => {
  const cells = [
    { line: 2, email: 'a@x', product: 'render', quantity: '1' },
    { line: 3, email: 'b@x', product: 'render' },
  ];
  const row = (index: number, is = 'done'): Change => ({ type: 'job.row', job: 'j', index, verdict: { is } });
  const job = (): World => {
    const world = new World(4);
    act(world, 'makeJob', { type: 'job.made', job: { id: 'j', kind: 'assign' }, cells });
    act(world, 'decideRow', allocated('a@x', 1), assigned('m1', 'a@x', 1), row(0));
    return world;
  };
  const ended: Change = { type: 'job.ended', id: 'j', atMs: 1 };
  const report = (world: World, verdict: string): void =>
    world.write(500, 'admin', { event: 'report', job: 'j', ended: true, rows: [{ line: 3, verdict }] });

  test('each row once, in its turn, with what it asks for', () => {
    const world = job();
    act(world, 'decideRow', allocated('b@x', 1), assigned('m2', 'b@x', 1), row(1), ended);
    report(world, 'done');
    expect(broken(world)).toEqual([]);
  });
  test.each([
    ['twice', [allocated('a@x', 2), assigned('m2', 'a@x', 1), row(0)]],
    ['more than it asks for', [allocated('b@x', 2), assigned('m2', 'b@x', 2), row(1)]],
    [
      'something that it says it did not',
      [allocated('b@x', 1), assigned('m2', 'b@x', 1), row(1, 'unchanged')],
    ],
    ['nothing that is noted', [allocated('b@x', 1), assigned('m2', 'b@x', 1)]],
    ['the end before its rows', [ended, row(1, 'unchanged')]],
    ['the end of a job that nobody made', [{ ...ended, id: 'k' }, row(1, 'unchanged')]],
  ])('%s is found', (_, changes) => {
    const world = job();
    act(world, 'decideRow', ...changes);
    expect(broken(world)).toEqual(['BULK']);
  });
  test.each([
    ['All', 2, []],
    ['all', 0, ['BULK']],
    ['1', 2, ['BULK']],
  ])('a revoke of %s that takes %i of two', (quantity, takes, findings) => {
    const world = new World(4);
    const cells = [{ line: 2, email: 'a@x', product: 'render', quantity }];
    act(world, 'assign', allocated('a@x', 2), assigned('m1', 'a@x', 2));
    act(world, 'makeJob', { type: 'job.made', job: { id: 'j', kind: 'revoke' }, cells });
    const fact = { kind: 'revoked', product: 'render', quantity: takes };
    const taken = takes === 0 ? [] : [allocated('a@x', 2 - takes), told('m2', 'a@x', fact)];
    act(world, 'decideRow', ...taken, row(0), ended);
    expect(broken(world)).toEqual(findings);
  });
  test.each(['waiting', 'failed'])('a report that says %s is found', (verdict) => {
    const world = job();
    act(world, 'decideRow', row(1, 'unchanged'), ended);
    report(world, verdict);
    expect(broken(world)).toEqual(['BULK']);
  });
});

describe('mails', () => {
  const tried: Change = { type: 'mail.tried', id: 'm1', atMs: 1, messageId: '<m1@x>' };
  const taken: MailTaken = { t: 100, messageId: '<m1@x>', to: 'a@x', words: 'a' };
  const sent = (...changes: Change[]): World => {
    const world = new World(4);
    act(world, 'assign', allocated('a@x', 1), assigned('m1', 'a@x', 1));
    act(world, 'tryMail', ...changes);
    return world;
  };
  const unsure: Change = { type: 'mail.deferred', id: 'm1', nextAtMs: 2, unsure: true };

  test('one that was tried once is taken once', () => expect(broken(sent(tried), [taken])).toEqual([]));
  test('one of which nobody knew may be taken again', () =>
    expect(broken(sent(tried, unsure, tried), [taken, taken])).toEqual([]));
  test.each([
    ['what the journal does not have', sent(tried), [{ ...taken, messageId: '<m2@x>' }]],
    ['what was not written before it left', sent(), [taken]],
    ['what is sent again though it was known to be taken', sent(tried, tried), [taken, taken]],
    ['what is sent again in other words', sent(tried, unsure, tried), [taken, { ...taken, words: 'b' }]],
    ['what goes to somebody else', sent(tried), [{ ...taken, to: 'b@x' }]],
    [
      'what is tried after it was sent',
      sent(tried, { type: 'mail.sent', id: 'm1', atMs: 1 }, tried),
      [taken],
    ],
  ])('%s is found', (_, world, mails) => expect(broken(world, mails)).toEqual(['MAIL']));

  test.each([
    ['nobody is told', []],
    ['two mails say the same', [assigned('m1', 'a@x', 1), assigned('m2', 'a@x', 1)]],
    ['another number is told', [assigned('m1', 'a@x', 2)]],
  ])('%s is found', (_, mails) => {
    const world = new World(4);
    act(world, 'assign', allocated('a@x', 1), ...mails);
    expect(broken(world)).toEqual(['MAIL']);
  });
});

describe('mails of more than seats', () => {
  const user = (email: string, role: string): Change => ({
    type: 'user.put',
    user: { email, role, state: 'active' },
  });
  const tried: Change = { type: 'mail.tried', id: 'm1', atMs: 1000, messageId: '<m1@x>' };
  const failed = (atMs: number, error: string): Change => ({ type: 'mail.failed', id: 'm1', atMs, error });
  const invited = { kind: 'invited', invitation: 'i1' };
  const link: Change = { type: 'invitation.made', invitation: { id: 'i1', email: 'a@x', usedBy: null } };
  const dropped: Change = { type: 'invitation.dropped', id: 'i1' };
  const asks: Change = { type: 'credit.asked', request: { email: 'a@x', credits: 5 } };
  const job: Change = {
    type: 'job.made',
    job: { id: 'j', kind: 'assign', by: 'o@x', rows: 1 },
    cells: [{ line: 2 }],
  };
  const row: Change = { type: 'job.row', job: 'j', index: 0, verdict: { is: 'unchanged' } };
  const over: Change = { type: 'job.ended', id: 'j', atMs: 1 };
  const counted = (unchanged: number) => ({ kind: 'bulk', job: 'j', done: 0, unchanged, failed: 0 });
  const days = 86_400_000;

  test.each<[string, string[], [string, Change[]][]]>([
    [
      'a link is sent',
      [],
      [
        ['invite', [link, told('m1', 'a@x', invited)]],
        ['tryMail', [tried]],
      ],
    ],
    [
      'a link is sent that was taken back',
      ['MAIL'],
      [
        ['invite', [link, told('m1', 'a@x', invited)]],
        ['cancelInvitation', [dropped]],
        ['tryMail', [tried]],
      ],
    ],
    [
      'who runs the organisation is told that somebody wants credits',
      [],
      [['askCredits', [asks, told('m1', 'o@x', { kind: 'creditAsked' })]]],
    ],
    ['nobody is told that somebody wants credits', ['MAIL'], [['askCredits', [asks]]]],
    [
      'a refused mail is given up',
      [],
      [
        ['assign', [told('m1', 'a@x', { kind: 'test' })]],
        ['tryMail', [tried]],
        ['settleMail', [failed(2000, '550 no')]],
      ],
    ],
    [
      'a mail is given up after days',
      [],
      [
        ['assign', [told('m1', 'a@x', { kind: 'test' })]],
        ['tryMail', [tried]],
        ['settleMail', [failed(5 * days, '451 later')]],
      ],
    ],
    [
      'a mail is given up at once',
      ['MAIL'],
      [
        ['assign', [told('m1', 'a@x', { kind: 'test' })]],
        ['tryMail', [tried]],
        ['settleMail', [failed(2000, '451 later')]],
      ],
    ],
    [
      'a job ends, and who asked for it is told',
      [],
      [
        ['makeJob', [job]],
        ['decideRow', [row, over, told('m1', 'o@x', counted(1))]],
      ],
    ],
    [
      'a job ends, and another number is told',
      ['BULK'],
      [
        ['makeJob', [job]],
        ['decideRow', [row, over, told('m1', 'o@x', counted(2))]],
      ],
    ],
    [
      'a job ends, and nobody is told',
      ['MAIL'],
      [
        ['makeJob', [job]],
        ['decideRow', [row, over]],
      ],
    ],
  ])('%s', (_, rules, acts) => {
    const world = new World();
    act(world, 'found', user('o@x', 'owner'), user('a@x', 'user'));
    for (const [did, changes] of acts) act(world, did, ...changes);
    expect(broken(world)).toEqual(rules);
  });
});

describe('checkpoints and exports', () => {
  const checkpoint = (world: World, lie: object, signer = world.server): World => {
    const { seq, hash } = world.records.at(-1)!;
    const head = Buffer.from(hash, 'hex').toString('base64url');
    const token = signed('checkpoint', { epoch: 'epoch', seq, head, iat: 1, ...lie }, signer);
    act(world, 'checkpoint', { type: 'journal.checkpoint', token });
    return world;
  };

  test('the record before it is fine', () => expect(broken(checkpoint(new World(), {}))).toEqual([]));
  test.each([
    ['a record less', { seq: 1 }],
    ['a record that is not there yet', { seq: 9 }],
    ['another record', { head: createHash('sha256').digest('base64url') }],
  ])('%s is found', (_, lie) => expect(broken(checkpoint(new World(), lie))).toEqual(['I10']));
  test('one that somebody else signed is found', () => {
    const world = new World();
    expect(broken(checkpoint(world, {}, world.vendor))).toEqual(['I10']);
  });

  const exported = (seqs: readonly number[], hash?: string): World => {
    const world = new World();
    const records = seqs.map((seq) => ({ seq, hash: hash ?? world.records[seq - 1]!.hash }));
    world.write(100, 'admin', { event: 'exported', from: 1, records });
    return world;
  };
  test('an export that is the journal is fine', () => expect(broken(exported([1, 2]))).toEqual([]));
  test('one without a record is found', () => expect(broken(exported([2]))).toEqual(['I10']));
  test('one with another record is found', () => expect(broken(exported([1], 'ab'))).toEqual(['I10']));
});

describe('a move', () => {
  const moved = (did: string, ...changes: Change[]): World => {
    const world = new World(4);
    act(world, 'assign', allocated('a@x', 2), assigned('m1', 'a@x', 2));
    const kept = { type: 'request.kept', request: { id: 'admin k', method: did, leases: [] } };
    act(world, did, ...changes, kept);
    world.write(100, 'admin', { event: 'request', method: 'allocation.move', key: 'k' });
    const text = JSON.stringify({ email: 'a@x', to: 'b@x', moved: 1 });
    world.write(110, 'admin', { event: 'result', method: 'allocation.move', key: 'k', text });
    return world;
  };
  const lost = told('m2', 'a@x', { kind: 'revoked', product: 'render', quantity: 1 });

  test('takes and gives in one command', () => {
    const both = [allocated('a@x', 1), allocated('b@x', 1), lost, assigned('m3', 'b@x', 1)];
    expect(broken(moved('move', ...both))).toEqual([]);
  });
  test('that gives what nobody lost is found', () =>
    expect(broken(moved('move', allocated('b@x', 1), assigned('m3', 'b@x', 1)))).toEqual(['ALLOCATION']));
  test('that is two commands is found', () =>
    expect(broken(moved('assign', allocated('b@x', 1), assigned('m3', 'b@x', 1)))).toEqual(['ALLOCATION']));
});
