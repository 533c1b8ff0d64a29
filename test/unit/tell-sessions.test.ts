import type { Change } from '@berth/server/domain/changes';
import { tellSessions } from '@berth/server/tell-sessions';
import type { Sessions } from '@berth/server/transport/api';
import { expect, test } from 'vitest';

// Whoever uses a seat hears at once what becomes of it: a renewal would say so too, up to half a lease later.

const now = { wallMs: 1_000_000, steadyWallMs: 1_000_000, monoMs: 5_000 };

function told(change: object): unknown[] {
  const calls: unknown[] = [];
  const sessions: Pick<Sessions, 'pushToLease' | 'unbindLease' | 'closeDevice'> = {
    pushToLease: (...words) => void calls.push(['push', ...words]),
    unbindLease: (lease) => void calls.push(['unbind', lease]),
    closeDevice: (device) => void calls.push(['close', device]),
  };
  tellSessions(sessions as Sessions, [change as Change], now);
  return calls;
}

const lease = 'l-1';
const by = 'ada@studio.example';

test.each<[string, object, unknown[]]>([
  [
    'a revoke',
    { type: 'lease.revoked', id: lease, by, reason: 'needed' },
    ['push', lease, 'lease.revoked', { lease, by, reason: 'needed', code: 'LEASE_REVOKED' }],
  ],
  [
    'a seat taken back as idle',
    { type: 'lease.revoked', id: lease, by: '', reason: 'idle', cause: 'idle' },
    ['push', lease, 'lease.revoked', { lease, by: '', reason: 'idle', code: 'IDLE_RELEASED' }],
  ],
  [
    'a release that is called off',
    { type: 'lease.kept', id: lease },
    ['push', lease, 'lease.warned', { lease, warning: null }],
  ],
  [
    'a message',
    { type: 'lease.messaged', id: lease, by, text: 'please save' },
    ['push', lease, 'admin.message', { lease, text: 'please save', from: by }],
  ],
  ['an end', { type: 'lease.ended', id: lease, reason: 'released' }, ['unbind', lease]],
  ['a device that is removed', { type: 'device.removed', id: 'd-1' }, ['close', 'd-1']],
])('%s is told to whom it concerns', (_, change, call) => expect(told(change)).toEqual([call]));

test('a release that is set for later is told with its moment', () => {
  const release = { atMs: now.wallMs + 60_000, by, reason: 'needed' };
  expect(told({ type: 'lease.warned', id: lease, release })).toEqual([
    ['push', lease, 'lease.warned', { lease, warning: expect.objectContaining({ by, reason: 'needed' }) }],
  ]);
});
