import { newSeed, publicKeyOf } from '@berth/cli/ed25519';
import { BerthError } from '@berth/client';
import { formatOfflineFile, formatPublicKey, type Method, requests } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

// What a dry run says to a server that is older than `berth` and does not know the question: it never does the thing instead.

const segment = { from: 1, until: 9, head: 'h', bytes: 10, fromMs: 0, untilMs: 1 };

/** Answers what any server does, and knows none of the questions ahead. */
function older(detail?: object) {
  const unknown = () => {
    throw new BerthError('METHOD_UNKNOWN', { detail } as never);
  };
  const rows = () => ({ items: [], next: null });
  const answers = {
    'user.show': ({ email }: Record<string, unknown>) => ({ user: { email } }),
    'user.devices': () => ({ items: [{ id: 'd-1', name: 'ws-1' }], next: null }),
    'entitlement.show': () => ({ entitlement: { id: 'ent-1', product: 'render' } }),
    'audit.segments': () => ({ segments: [segment], next: null }),
    'lease.list': rows,
    'allocation.list': rows,
  };
  const others = Object.keys(requests).filter((method) => !Object.hasOwn(answers, method));
  return fakeAdmin({ ...answers, ...Object.fromEntries(others.map((method) => [method, unknown])) });
}

const device = formatPublicKey(publicKeyOf(newSeed()));
const returned = formatOfflineFile({ berth: 'borrow-return', version: 1, device, stops: ['a.b.c'] });
const requested = formatOfflineFile({ berth: 'borrow-request', version: 1, token: 'a.b.c' });

const lines: [string, Method][] = [
  ['user invite a@b.example', 'user.invite.preview'],
  ['user invite a@b.example c@b.example', 'user.invite.preview'],
  ['user invite a@b.example c@b.example --cancel', 'user.invitation.cancel.preview'],
  ['user invite --csv people.csv', 'bulk.put'],
  ['user remove a@b.example', 'bulk.put'],
  ['user remove --csv people.csv', 'bulk.put'],
  ['user unenrol a@b.example ws-1', 'user.unenrol.preview'],
  ['user remove a@b.example c@b.example --cancel', 'user.remove.preview'],
  ['license revoke a@b.example render', 'allocation.revoke.preview'],
  ['license revoke a@b.example render --cancel', 'allocation.revoke.preview'],
  ['entitlement remove ent-1 --cancel', 'entitlement.remove.preview'],
  ['license assign a@b.example render', 'allocation.assign.preview'],
  ['license assign a@b.example render --from c@b.example', 'allocation.move.preview'],
  ['user set a@b.example --role admin', 'user.set.preview'],
  ['pool set render --linger-seconds off', 'pool.set.preview'],
  ['sharing off --cut', 'sharing.set.preview'],
  ['borrow accept-return return.json', 'borrow.accept.preview'],
  ['borrow grant return.json', 'borrow.accept.preview'],
  ['borrow grant request.json --user a@b.example', 'borrow.grant.preview'],
  ['license move a@b.example render --to c@b.example', 'allocation.move.preview'],
  ['entitlement remove ent-1', 'entitlement.remove.preview'],
  ['machine remove node-17', 'machine.remove.preview'],
  ['mail retry --all', 'mail.retry.preview'],
  ['bulk apply remove --csv people.csv', 'bulk.put'],
  ['clock accept', 'clock.show'],
  ['restore accept --reason none', 'restore.show'],
  ['audit prune --before 2026-01-01 --out old.jsonl', 'audit.prune.preview'],
];

describe('a server that is older than berth', () => {
  it.each(lines)('berth %s --dry-run: it cannot say, and nothing is done', async (line, asked) => {
    const admin = older({ code: 'METHOD_UNKNOWN' });
    const files = new Map([
      ['people.csv', 'email\na@b.example\n'],
      ['return.json', returned],
      ['request.json', requested],
    ]);
    const host = { sdk: admin.sdk, answers: [], files };
    const ran = await berth([...line.split(' '), '--dry-run', '--json'], host);
    expect([ran.exitCode, ran.json()]).toMatchObject([1, { error: { code: 'METHOD_UNKNOWN' } }]);
    expect(ran.stderr).toMatch(/older than this `berth` .* Nothing was changed\.\nNext: Update berthd/);
    const methods = admin.calls.map(({ method }) => method as Method);
    // Of several the first answer is that of all.
    expect(methods.filter((method) => method === asked)).toHaveLength(1);
    expect(methods.filter((method) => requests[method].changes && method !== 'bulk.put')).toEqual([]);
    expect([...files.keys()]).toEqual(['people.csv', 'return.json', 'request.json']);
  });

  it('without --dry-run it is what it was', async () => {
    const ran = await berth(['user', 'invite', 'a@b.example'], { sdk: older().sdk });
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).not.toContain('older');
  });

  it('a code of a later version, which is none here, is not said to be of an older one', async () => {
    const ran = await berth(['user', 'invite', 'a@b.example', '--dry-run'], {
      sdk: older({ code: 'QUOTA_REACHED' }).sdk,
    });
    expect([ran.exitCode, ran.stderr]).toEqual([1, expect.not.stringContaining('older')]);
  });
});
