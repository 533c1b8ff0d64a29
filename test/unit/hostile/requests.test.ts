import { checkParams, isMethod, type Method } from '@berth/protocol';
import { expect, test } from 'vitest';
import { asking, type Seen } from '../../hostile/requests.js';

const seen: Seen = { lease: 'l-abcdefgh', token: 'eyJh.eyJq.c2ln' };
const { lease } = seen;
const device = `ed25519:${'A'.repeat(43)}`;

/** Every frame that an attack sends for what is in it, with the method that it is sent as. */
const frames: { readonly [K in keyof typeof asking]: readonly [Method, ...object[]] } = {
  checkout: ['lease.checkout', asking.checkout('scarce'), asking.checkout('scarce', 3_600_000)],
  renew: ['lease.renew', asking.renew()],
  renewIdle: ['lease.renew', asking.renewIdle(seen)],
  renewShown: ['lease.renew', asking.renewShown(seen)],
  resume: ['session.resume', asking.resume([lease])],
  resumeShown: ['session.resume', asking.resumeShown(seen)],
  release: ['lease.release', asking.release([lease])],
  giveBack: ['borrow.return', asking.giveBack(seen, device)],
  revoke: ['lease.revoke', asking.revoke(seen)],
  leases: ['lease.list', asking.leases()],
  pools: ['pool.status', asking.pools()],
};

test.each(Object.entries(frames))('%s is not refused for its shape', (_name, [method, ...all]) => {
  expect(isMethod(method)).toBe(true);
  for (const params of all) expect(checkParams(method, params)).toMatchObject({ ok: true });
});

test('a shape that is not the protocol’s would be seen', () => {
  const idle = [{ lease, sinceMs: 1 }];
  expect(checkParams('lease.renew', { ...asking.renew(), idle })).toMatchObject({ ok: false });
});
