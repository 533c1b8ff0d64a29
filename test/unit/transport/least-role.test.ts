import { type Method, type PathName, type Role, requests, roleOrder } from '@berth/protocol';
import { Dispatcher, type Peer } from '@berth/server/transport/dispatch';
import { defaultLimits } from '@berth/server/transport/limits';
import { describe, expect, test } from 'vitest';
import { Rig } from './rig.js';

// Issue 5, part 1: the least role of every method of the admin channel, said here once more and asked of the dispatcher. A method that is added
// without a row here fails, and so does one whose role was changed by accident.

const least: { readonly [M in Method]?: Role } = {
  ...ofRole(
    'owner',
    'backup.begin backup.read backup.finish organisation.set audit.prune audit.prune.preview',
  ),
  ...ofRole('admin', 'entitlement.import entitlement.remove endorsement.import entitlement.import.preview'),
  ...ofRole('admin', 'endorsement.import.preview'),
  ...ofRole('admin', 'user.invite user.invitation.cancel user.set user.unenrol user.remove'),
  ...ofRole('admin', 'allocation.assign allocation.revoke allocation.move allocation.move.preview'),
  ...ofRole('admin', 'entitlement.remove.preview user.unenrol.preview user.invite.preview'),
  ...ofRole('admin', 'user.invitation.cancel.preview allocation.assign.preview sharing.set.preview'),
  ...ofRole('admin', 'borrow.accept.preview user.remove.preview allocation.revoke.preview'),
  ...ofRole('admin', 'borrow.grant.preview user.set.preview pool.set.preview'),
  ...ofRole('admin', 'bulk.put bulk.preview bulk.apply'),
  ...ofRole('admin', 'lease.revoke lease.message lease.keep pool.set sharing.set'),
  ...ofRole('admin', 'machine.token.create machine.token.revoke machine.remove machine.remove.preview'),
  ...ofRole('admin', 'borrow.grant borrow.accept credit.limit credit.decide'),
  ...ofRole(
    'admin',
    'mail.show mail.test mail.retry mail.retry.preview audit.records audit.checkpoint audit.segments',
  ),
  ...ofRole('admin', 'clock.accept restore.accept'),
  ...ofRole('viewer', 'entitlement.list entitlement.show allocation.list lease.list pool.show'),
  ...ofRole('viewer', 'user.list user.show user.devices user.why organisation.show'),
  ...ofRole('viewer', 'machine.list machine.token.list mail.list bulk.list bulk.report audit.list'),
  ...ofRole('viewer', 'credit.show credit.usage credit.requests clock.show backup.show restore.show'),
  // About the caller alone, but administration begins with a viewer.
  ...ofRole('viewer', 'pool.status user.me credit.request'),
};

function ofRole(role: Role, methods: string): { [M in Method]?: Role } {
  return Object.fromEntries(methods.split(' ').map((method) => [method, role]));
}

/** Before a session, and open to whoever holds a key or an invitation. */
const opening: readonly string[] = ['session.open', 'device.enrol'];

const onAdmin = Object.keys(requests).filter(
  (method) => requests[method as Method].paths.includes('admin' as never) && !opening.includes(method),
) as Method[];

/** The refusal that somebody of this role is answered with; a request that passes is refused for its parameters, or by a handler that is none. */
async function refusalFor(
  method: Method,
  role: Role,
  path: PathName = 'admin',
): Promise<{ code: string; next: string }> {
  const rig = new Rig({});
  rig.roles.set('who@example.com', role);
  const caller = {
    ...{ deviceId: 'dev-1', deviceKey: 'k', deviceName: 'pc', email: 'who@example.com', path },
    ...{ address: '127.0.0.1', leases: new Set<string>() },
  };
  const dispatcher = new Dispatcher(rig.gate, defaultLimits, () => {});
  const text = await new Promise<string>((send) => {
    const peer = {
      ...{ path, caller, address: caller.address, send, ended: new AbortController().signal },
      ...{ fault: () => true, beginRequest: () => true, endRequest() {}, parkRequest() {}, close() {} },
    };
    dispatcher.receive(JSON.stringify({ jsonrpc: '2.0', id: 1, method }), peer as unknown as Peer);
  });
  return (JSON.parse(text) as { error: { data: { code: string; next: string } } }).error.data;
}

const codeFor = async (...asked: Parameters<typeof refusalFor>) => (await refusalFor(...asked)).code;

test('every method of the admin channel has its least role here', () => {
  expect(Object.keys(least).sort()).toEqual([...onAdmin].sort());
});

describe('asked by each role, a method is answered from its least role on', () => {
  test.each(onAdmin)('%s', async (method) => {
    for (const role of roleOrder) {
      const code = await codeFor(method, role);
      const may = roleOrder.indexOf(role) <= roleOrder.indexOf(least[method] ?? 'owner');
      expect([role, code === 'NOT_ALLOWED'], `${role} asks ${method}: ${code}`).toEqual([role, !may]);
      expect(code).not.toBe('METHOD_UNKNOWN');
    }
  });
});

test('a method of the admin channel alone is none on the lease channel, whoever asks', async () => {
  for (const method of onAdmin.filter((each) => !requests[each].paths.includes('lease' as never)))
    expect([method, await codeFor(method, 'owner', 'lease')]).toEqual([method, 'METHOD_UNKNOWN']);
});

test('an admin is not sent to an admin', async () => {
  expect((await refusalFor('organisation.set', 'admin')).next).toBe('Ask an owner of the organisation.');
  expect((await refusalFor('user.invite', 'viewer')).next).toContain('an owner or admin');
});
