// Parameters of every method: all of them (`full`), and the least that is enough (`least`, where that differs).
import {
  base64Url,
  device,
  EPOCH,
  endorsementClaims,
  entitlementClaims,
  head,
  IAT,
  makeKey,
  nonce,
  sha256,
  token,
  vendor,
} from './keys.js';

const lease = ['/v1/lease'];
const admin = ['/v1/admin'];
const both = ['/v1/lease', '/v1/admin'];
const key = 'k-0123456789abcdef';
const signature = base64Url(Buffer.concat([sha256('one half'), sha256('other half')]));
const stop = token('stop', { jti: 'l0001', dev: device.text, iat: IAT + 60 }, device);
const asked = { nonce: nonce('borrow request'), dev: device.text, name: 'cave-1' };
const request = token(
  'borrowRequest',
  { ...asked, product: 'render-premium', seats: 1, seconds: 3600, iat: IAT },
  device,
);
const email = 'kaja@example.com';
const to = 'lars@example.com';
const product = 'render-premium';
export const want = { products: [product], seats: 1 };
const wants = [want, { products: ['gui', 'gui-lite'], seats: 2 }];
const bulk = {
  upload: 'u-0123456789abcdef',
  kind: 'assign',
  products: ['render'],
  expires: '2027-05-09',
  pending: true,
};
const page = { cursor: 'after:kaja@example.com', limit: 100 };

export const session = {
  deviceKey: device.text,
  nonce: nonce('client'),
  binding: 'tls-exporter',
  signature,
};
const enrolment = {
  token: 'inv-0123456789abcdef',
  leaseKey: device.text,
  deviceName: 'node-17',
  nonce: nonce('client'),
  leaseSignature: signature,
};

export const requests = [
  {
    method: 'device.enrol',
    paths: both,
    full: { ...enrolment, adminKey: makeKey('admin key of the device').text, adminSignature: signature },
    least: enrolment,
  },
  {
    method: 'session.open',
    paths: both,
    full: {
      ...session,
      client: { name: 'render 4.2', version: '4.2.0', pid: 4711 },
      witness: { epoch: EPOCH, seq: 41, head },
    },
    least: { ...session, binding: 'none' },
  },
  {
    method: 'session.resume',
    paths: lease,
    full: { leases: ['l0001', 'l0002'], nonce: nonce('resume') },
  },
  {
    method: 'lease.checkout',
    paths: lease,
    full: { key, wants, nonce: nonce('checkout'), waitMs: 600_000 },
    least: { key, wants: [want], nonce: nonce('checkout') },
  },
  { method: 'lease.cancelWait', paths: lease, full: { checkout: key } },
  {
    method: 'lease.renew',
    paths: lease,
    full: { nonce: nonce('renew'), idle: [{ lease: 'l0001', seconds: 1800 }], tokens: [stop] },
    least: { nonce: nonce('renew') },
  },
  {
    method: 'lease.release',
    paths: lease,
    full: { key, leases: ['l0001'], stops: [stop] },
    least: { key, leases: ['l0001'] },
  },
  {
    method: 'borrow.take',
    paths: lease,
    full: { key, product, seats: 1, seconds: 259_200, wallMs: IAT * 1000 + 250, nonce: nonce('borrow') },
  },
  { method: 'borrow.return', paths: lease, full: { key, stops: [stop] } },
  { method: 'pool.status', paths: both, full: { product, cursor: 'after:render-basic' }, least: {} },
  { method: 'organisation.show', paths: admin, full: {} },
  {
    method: 'organisation.set',
    paths: admin,
    full: { key, name: 'Studio Ærø', was: 'Studio' },
    least: { key, name: 'Studio' },
  },
  {
    method: 'user.why',
    paths: admin,
    full: { email: 'kaja@example.com', product, seats: 2 },
    least: { email: 'kaja@example.com', product },
  },
  {
    method: 'entitlement.import',
    paths: admin,
    full: { key, entitlement: token('entitlement', entitlementClaims(), vendor) },
  },
  {
    method: 'entitlement.import.preview',
    paths: admin,
    full: { entitlement: token('entitlement', entitlementClaims(), vendor) },
  },
  {
    method: 'endorsement.import',
    paths: admin,
    full: { key, endorsement: token('endorsement', endorsementClaims(), vendor) },
  },
  {
    method: 'endorsement.import.preview',
    paths: admin,
    full: { endorsement: token('endorsement', endorsementClaims(), vendor) },
  },
  {
    method: 'entitlement.list',
    paths: admin,
    full: {
      ...{ ...page, product, state: 'active', currency: 'EUR', expiresBefore: '2027-05-09' },
      ...{ subscription: 'S-2026-7', ending: true },
    },
    least: {},
  },
  { method: 'entitlement.show', paths: admin, full: { id: 'ent-2026-0001' } },
  { method: 'entitlement.remove', paths: admin, full: { key, id: 'ent-2026-0001' } },
  {
    method: 'entitlement.remove.preview',
    paths: admin,
    full: { id: 'ent-2026-0001', pending: true, cancel: false },
    least: { id: 'ent-2026-0001' },
  },
  {
    method: 'user.invite',
    paths: admin,
    full: { key, email, name: 'Kaja Ærø', role: 'viewer' },
    least: { key, email },
  },
  {
    method: 'user.invite.preview',
    paths: admin,
    full: { email, name: 'Kaja Ærø', role: 'viewer', device: false, resend: true },
    least: { email },
  },
  {
    method: 'user.list',
    paths: admin,
    full: {
      ...{ ...page, search: 'kaja', role: 'viewer', state: 'invited', product },
      ...{ sort: 'seats', descending: true, page: 3 },
    },
    least: {},
  },
  { method: 'user.me', paths: both, full: {}, least: {} },
  { method: 'user.invitation.cancel', paths: admin, full: { key, email } },
  { method: 'user.invitation.cancel.preview', paths: admin, full: { email } },
  { method: 'user.show', paths: admin, full: { email: 'STUDIO\\lgt07' } },
  {
    method: 'user.set.preview',
    paths: admin,
    full: { email, name: 'Kaja', role: 'admin', addAliases: ['STUDIO\\lgt07'], removeAliases: ['kaja'] },
    least: { email },
  },
  {
    method: 'user.set',
    paths: admin,
    full: {
      ...{ key, email, name: 'Kaja', role: 'admin', addAliases: ['STUDIO\\lgt07'], removeAliases: ['kaja'] },
      was: { name: '', role: 'user' },
    },
    least: { key, email },
  },
  { method: 'user.devices', paths: admin, full: { ...page, email }, least: { email } },
  { method: 'user.unenrol', paths: admin, full: { key, email, device: 'node-17' } },
  { method: 'user.unenrol.preview', paths: admin, full: { email, device: 'node-17' } },
  { method: 'user.remove', paths: admin, full: { key, email } },
  {
    method: 'user.remove.preview',
    paths: admin,
    full: { email, pending: false, cancel: true },
    least: { email },
  },
  {
    method: 'bulk.put',
    paths: admin,
    full: {
      ...{ upload: key, header: ['email'], from: 0 },
      rows: [{ line: 2, cells: ['"kaja@example.com', '"'], quote: { is: 'open', cell: 1 } }],
    },
    least: { upload: key, header: ['email'], from: 0, rows: [{ line: 2, cells: ['kaja@example.com'] }] },
  },
  {
    method: 'bulk.preview',
    paths: admin,
    full: { ...bulk, ...page },
    least: { upload: key, kind: 'invite' },
  },
  {
    method: 'bulk.apply',
    paths: admin,
    full: { key, ...bulk, again: true },
    least: { key, upload: key, kind: 'remove' },
  },
  { method: 'bulk.list', paths: admin, full: page, least: {} },
  {
    method: 'bulk.report',
    paths: admin,
    full: { id: 'j-7k2m', failures: true, ...page },
    least: { id: 'j-7k2m' },
  },
  { method: 'credit.consume', paths: lease, full: { key, product, credits: 12 } },
  {
    method: 'credit.request',
    paths: both,
    full: { key, credits: 500, note: 'the trailer' },
    least: { key, credits: 1 },
  },
  { method: 'credit.show', paths: admin, full: page, least: {} },
  {
    method: 'credit.limit',
    paths: admin,
    full: {
      ...{ key, email, access: 'limited', limit: 100, per: 'month' },
      was: { access: 'limited', limit: 50, per: 'month' },
    },
    least: { key, email, access: 'disabled' },
  },
  {
    method: 'credit.usage',
    paths: admin,
    full: { ...page, email, from: '2026-11-01', until: '2026-11-30', by: 'day' },
    least: {},
  },
  { method: 'credit.requests', paths: admin, full: { ...page, all: true }, least: {} },
  {
    method: 'credit.decide',
    paths: admin,
    full: {
      ...{ key, email, id: 'q-4f2a', approve: true, note: 'for November' },
      grant: { access: 'limited', limit: 600, per: 'month' },
    },
    least: { key, email, approve: false },
  },
  { method: 'mail.list', paths: admin, full: { ...page, state: 'queued', email }, least: {} },
  { method: 'mail.show', paths: admin, full: { id: 'm-4f2a' } },
  { method: 'mail.test', paths: admin, full: { key, email }, least: { key } },
  { method: 'mail.retry', paths: admin, full: { key, id: 'm-4f2a' }, least: { key } },
  { method: 'mail.retry.preview', paths: admin, full: { id: 'm-4f2a' }, least: {} },
  {
    method: 'allocation.assign',
    paths: admin,
    full: { key, email, product, quantity: 2, expires: '2027-05-09', subscription: 'S-2026-7' },
    least: { key, email, product, quantity: 1 },
  },
  {
    method: 'allocation.assign.preview',
    paths: admin,
    full: { email, product, quantity: 2, expires: '2027-05-09', subscription: 'S-2026-7' },
    least: { email, product, quantity: 1 },
  },
  {
    method: 'allocation.move',
    paths: admin,
    full: { key, email, to, product, quantity: 'all', expires: '2027-05-09', subscription: 'S-2026-7' },
    least: { key, email, to, product },
  },
  {
    method: 'allocation.move.preview',
    paths: admin,
    full: { email, to, product, quantity: 'all', expires: '2027-05-09', subscription: 'S-2026-7' },
    least: { email, to, product },
  },
  {
    method: 'allocation.revoke',
    paths: admin,
    full: { key, email, product, quantity: 'all', expires: '2027-05-09' },
    least: { key, email, product },
  },
  {
    method: 'allocation.revoke.preview',
    paths: admin,
    full: { email, product, quantity: 'all', expires: '2027-05-09', pending: true, cancel: false },
    least: { email, product },
  },
  { method: 'allocation.list', paths: admin, full: { ...page, email, product }, least: {} },
  { method: 'lease.list', paths: admin, full: { ...page, email, product }, least: {} },
  {
    method: 'lease.revoke',
    paths: admin,
    full: { key, lease: 'l0001', reason: 'needed for the night run', inSeconds: 300 },
    least: { key, lease: 'l0001' },
  },
  { method: 'lease.message', paths: admin, full: { key, lease: 'l0001', text: 'Please save: 18:00 ☕' } },
  { method: 'lease.keep', paths: admin, full: { key, lease: 'l0001' } },
  {
    method: 'pool.set.preview',
    paths: admin,
    full: { product, idleSeconds: 60, lingerSeconds: null, borrowSeatsMax: 0, borrowSeatsPerUserMax: 1 },
    least: { product },
  },
  {
    method: 'pool.set',
    paths: admin,
    full: { key, product, idleSeconds: 1800, lingerSeconds: null },
    least: { key, product },
  },
  {
    method: 'sharing.set',
    paths: admin,
    full: { key, on: false, product, running: 'cut' },
    least: { key, on: true },
  },
  {
    method: 'sharing.set.preview',
    paths: admin,
    full: { on: false, product, running: 'cut' },
    least: { on: true },
  },
  {
    method: 'machine.token.create',
    paths: admin,
    full: { key, name: 'night farm', group: 'farm', uses: 40, seconds: 2_592_000, expires: '2027-05-09' },
    least: { key },
  },
  { method: 'machine.token.list', paths: admin, full: page, least: {} },
  { method: 'machine.token.revoke', paths: admin, full: { key, id: 'm0001' } },
  { method: 'machine.list', paths: admin, full: { ...page, group: 'farm' }, least: {} },
  { method: 'machine.remove', paths: admin, full: { key, machine: 'node-17' } },
  { method: 'machine.remove.preview', paths: admin, full: { machine: 'node-17' } },
  { method: 'pool.show', paths: admin, full: { ...page, product }, least: {} },
  { method: 'clock.show', paths: admin, full: {}, least: {} },
  { method: 'borrow.grant', paths: admin, full: { key, request, email }, least: { key, request } },
  {
    method: 'borrow.grant.preview',
    paths: admin,
    full: { request, email },
    least: { request },
  },
  { method: 'borrow.accept', paths: admin, full: { key, device: device.text, stops: [stop] } },
  { method: 'borrow.accept.preview', paths: admin, full: { device: device.text, stops: [stop] } },
  { method: 'clock.accept', paths: admin, full: { key }, least: { key } },
  { method: 'backup.show', paths: admin, full: {}, least: {} },
  { method: 'backup.begin', paths: admin, full: { key }, least: { key } },
  {
    method: 'backup.read',
    paths: admin,
    full: { segment: '00000000000000000001', offset: 163840 },
    least: { segment: '00000000000000000001', offset: 0 },
  },
  {
    method: 'backup.finish',
    paths: admin,
    full: { key, seq: 41, bytes: 20113, atMs: 1788264000000 },
    least: { key, seq: 41, bytes: 20113, atMs: 1788264000000 },
  },
  { method: 'restore.show', paths: admin, full: {}, least: {} },
  {
    method: 'restore.accept',
    paths: admin,
    full: { key, reason: 'every laptop is back' },
    least: { key, reason: 'x' },
  },
  {
    method: 'audit.list',
    paths: admin,
    full: {
      ...{ user: email, by: 'machine:d-0001', product, kind: 'lease.granted' },
      ...{ sinceMs: IAT * 1000, untilMs: IAT * 1000 + 1, after: '41.0', ...page },
    },
    least: {},
  },
  {
    method: 'audit.records',
    paths: admin,
    full: { from: { seq: 41, offset: 0 }, until: 42 },
    least: { from: { seq: 1, offset: 0 } },
  },
  { method: 'audit.checkpoint', paths: admin, full: { key, until: 41 }, least: { key } },
  { method: 'audit.segments', paths: admin, full: { from: 41 }, least: {} },
  {
    method: 'audit.prune.preview',
    paths: admin,
    full: { until: 41, head: 'A'.repeat(43), recent: true },
    least: { until: 41, head: 'A'.repeat(43) },
  },
  {
    method: 'audit.prune',
    paths: admin,
    full: { key, until: 41, head: 'A'.repeat(43), recent: true },
    least: { key, until: 41, head: 'A'.repeat(43) },
  },
];
