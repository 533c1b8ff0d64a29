// Frames that a server must refuse, each with its own verdict and without harm.
import { requests, want } from './requests.js';

export const invalidFrames = [];
const put = (name, frame, verdict, path = '/v1/lease') =>
  invalidFrames.push({ name, path, ...frame, verdict });

const broken = (name, text) => put(name, { text }, { error: 'FRAME_INVALID', id: null });
broken('empty', '');
broken('white space only', '  ');
broken('not JSON', 'hello');
broken('cut off', '{"jsonrpc":"2.0","id":1,"method":"pool.status"');
broken('two frames in one', '{"jsonrpc":"2.0","id":1,"method":"pool.status"}{}');
broken('single quotes', "{'jsonrpc':'2.0'}");
broken('a trailing comma', '{"jsonrpc":"2.0","id":1,"method":"pool.status",}');
broken('a byte order mark', '\ufeff{"jsonrpc":"2.0","id":1,"method":"pool.status"}');
broken('NaN', '{"jsonrpc":"2.0","id":NaN,"method":"pool.status"}');
broken('a raw control character in a text', '{"jsonrpc":"2.0","id":"a\u0001","method":"pool.status"}');
put('five thousand open brackets', { repeat: ['', '[', 5000, ''] }, { error: 'FRAME_INVALID', id: null });

const notRequest = (name, text, id = null) => put(name, { text }, { error: 'REQUEST_INVALID', id });
notRequest('null', 'null');
notRequest('a number', '1');
notRequest('a text', '"pool.status"');
notRequest('an empty batch', '[]');
notRequest('a batch: not part of berth.v1', '[{"jsonrpc":"2.0","id":1,"method":"pool.status"}]');
put(
  'five thousand nested arrays',
  { repeat: ['[0', ',[0', 2500, ']'.repeat(2501)] },
  { error: 'REQUEST_INVALID', id: null },
);
notRequest('an empty object', '{}');
notRequest('no jsonrpc', '{"id":1,"method":"pool.status"}', 1);
notRequest('jsonrpc 1.0', '{"jsonrpc":"1.0","id":1,"method":"pool.status"}', 1);
notRequest('jsonrpc as a number', '{"jsonrpc":2.0,"id":1,"method":"pool.status"}', 1);
notRequest('no method', '{"jsonrpc":"2.0","id":1}', 1);
notRequest('a method that is a number', '{"jsonrpc":"2.0","id":1,"method":1}', 1);
notRequest('params in a list', '{"jsonrpc":"2.0","id":1,"method":"pool.status","params":[]}', 1);
notRequest('params null', '{"jsonrpc":"2.0","id":1,"method":"pool.status","params":null}', 1);
notRequest('params a text', '{"jsonrpc":"2.0","id":1,"method":"pool.status","params":"x"}', 1);
notRequest('id null', '{"jsonrpc":"2.0","id":null,"method":"pool.status"}');
notRequest('id a fraction', '{"jsonrpc":"2.0","id":1.5,"method":"pool.status"}');
notRequest('id 2^53', '{"jsonrpc":"2.0","id":9007199254740992,"method":"pool.status"}');
notRequest('id an object', '{"jsonrpc":"2.0","id":{},"method":"pool.status"}');
notRequest('id true', '{"jsonrpc":"2.0","id":true,"method":"pool.status"}');
notRequest('an id of 65 characters', `{"jsonrpc":"2.0","id":"${'x'.repeat(65)}","method":"pool.status"}`);
notRequest('an error without a message', '{"jsonrpc":"2.0","id":1,"error":{"code":1}}', 1);
// The server asks nothing, so nothing can be an answer to it.
notRequest('a result', '{"jsonrpc":"2.0","id":1,"result":{}}');
notRequest('an error', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}');

const call = (method, params, id = 1) => JSON.stringify({ jsonrpc: '2.0', id, method, params });
const unknown = (name, method, path) =>
  put(name, { text: call(method, {}) }, { error: 'METHOD_UNKNOWN', id: 1 }, path);
unknown('an unknown method', 'lease.steal');
unknown('an empty method', '');
unknown('a method in capitals', 'Pool.Status');
unknown('a name every object has', 'constructor');
unknown('__proto__', '__proto__');
unknown('a push sent by a client', 'lease.revoked');
unknown('an admin method on the lease path', 'user.list');
unknown('a lease method on the admin path', 'lease.checkout', '/v1/admin');

const samples = Object.fromEntries(requests.map((row) => [row.method, row]));
/** The full parameters of a method with changes; `undefined` takes one away. */
const wrong = (method, changes, field, name = field) => {
  const { paths, full } = samples[method];
  put(
    `${method}: ${name}`,
    { text: call(method, { ...full, ...changes }) },
    { error: 'PARAMS_INVALID', id: 1, field },
    paths[0],
  );
};

// Every parameter that must be there is missing once.
for (const { method, full, least = full } of requests) {
  for (const field of Object.keys(least)) wrong(method, { [field]: undefined }, field, `no ${field}`);
}

const wants = (changes) => [{ ...want, ...changes }];
wrong('lease.checkout', { wants: [] }, 'wants', 'nothing wanted');
wrong('lease.checkout', { wants: Array(9).fill(want) }, 'wants', 'nine wants');
wrong('lease.checkout', { wants: undefined, product: 'render-premium', seats: 1 }, 'wants', 'no wants');
wrong('lease.checkout', { wants: wants({ products: [] }) }, 'wants.0.products', 'no product');
wrong(
  'lease.checkout',
  { wants: wants({ products: Array(9).fill('gui') }) },
  'wants.0.products',
  'nine products',
);
wrong('lease.checkout', { waitMs: 86_400_001 }, 'waitMs', 'a wait of more than a day');
wrong('lease.checkout', { waitMs: -1 }, 'waitMs', 'a wait of less than nothing');
wrong('lease.cancelWait', { checkout: 'short' }, 'checkout', 'a short key');
wrong('lease.checkout', { wants: wants({ seats: 0 }) }, 'wants.0.seats', 'no seats asked');
wrong('lease.checkout', { wants: wants({ seats: 65 }) }, 'wants.0.seats', '65 seats');
wrong('lease.checkout', { wants: wants({ seats: 1.5 }) }, 'wants.0.seats', 'one and a half');
wrong('lease.checkout', { wants: wants({ seats: '1' }) }, 'wants.0.seats', 'a text for a number');
wrong('lease.checkout', { wants: wants({ products: [''] }) }, 'wants.0.products.0', 'an empty product');
wrong(
  'lease.checkout',
  { wants: wants({ products: ['Render'] }) },
  'wants.0.products.0',
  'a product in capitals',
);
wrong(
  'lease.checkout',
  { wants: wants({ products: ['render premium'] }) },
  'wants.0.products.0',
  'a product with a space',
);
wrong(
  'lease.checkout',
  { wants: wants({ products: ['x'.repeat(81)] }) },
  'wants.0.products.0',
  'a product of 81 characters',
);
wrong(
  'lease.checkout',
  { wants: wants({ products: ['render\n'] }) },
  'wants.0.products.0',
  'a product that ends in a line feed',
);
wrong('lease.checkout', { key: 'short' }, 'key', 'a short key');
wrong('lease.checkout', { key: 'x'.repeat(65) }, 'key', 'a long key');
wrong('lease.checkout', { key: 'k 0123456789abcdef' }, 'key', 'a key with a space');
wrong('lease.checkout', { nonce: 'A'.repeat(21) }, 'nonce', 'a nonce of 21 characters');
wrong('lease.checkout', { nonce: `${'A'.repeat(21)}=` }, 'nonce', 'a padded nonce');
wrong('lease.checkout', { nonce: null }, 'nonce', 'a nonce null');
wrong('session.open', { binding: 'tls-unique' }, 'binding', 'an unknown binding');
wrong('session.open', { deviceKey: 'A'.repeat(43) }, 'deviceKey', 'a key without a prefix');
wrong(
  'session.open',
  { deviceKey: `ed25519:${'A'.repeat(42)}B` },
  'deviceKey',
  'a key that is not canonical',
);
wrong('session.open', { signature: 'A'.repeat(85) }, 'signature', 'a short signature');
wrong('session.open', { client: { pid: -1 } }, 'client.pid', 'a negative pid');
wrong(
  'session.open',
  { client: { name: 'x'.repeat(121) } },
  'client.name',
  'a client name of 121 characters',
);
wrong('session.open', { witness: { epoch: 'e', seq: 1, head: 'x' } }, 'witness.head', 'a short head');
wrong('session.resume', { leases: Array(65).fill('l1') }, 'leases', '65 leases');
wrong('session.resume', { leases: ['l1', ''] }, 'leases.1', 'an empty id');
wrong('session.resume', { leases: 'l1' }, 'leases', 'a text for a list');
wrong('lease.release', { stops: ['not a token!'] }, 'stops.0', 'a stop with a space');
wrong('borrow.take', { seconds: 31_622_401 }, 'seconds', 'longer than a year');
wrong('borrow.take', { wallMs: 1.5 }, 'wallMs', 'half a millisecond');
wrong('borrow.return', { stops: Array(13).fill('a.b.c') }, 'stops', '13 stops');
wrong('entitlement.import', { entitlement: 'x'.repeat(4097) }, 'entitlement', '4,097 characters');
wrong('entitlement.list', { limit: 0 }, 'limit', 'a page of nothing');
wrong('entitlement.list', { limit: 101 }, 'limit', 'a page of 101');
wrong('user.invite', { email: '' }, 'email', 'an empty address');
wrong('user.invite.preview', { email: '' }, 'email', 'an empty address, ahead');
wrong('user.invite', { name: 'x'.repeat(121) }, 'name', 'a name of 121 characters');
wrong('entitlement.list', { state: 'ended' }, 'state', 'of a state there is not');
wrong('user.why', { seats: 0 }, 'seats', 'no seats');
wrong('organisation.set', { name: 7 }, 'name', 'a number for a name');
wrong('user.list', { sort: 'age' }, 'sort', 'by something else');
wrong('user.list', { page: 0 }, 'page', 'page zero');
wrong('user.list', { state: 'gone' }, 'state', 'a state nobody is in');
wrong('user.set', { addAliases: 'lgt07' }, 'addAliases', 'one login name, not in a list');
wrong('user.set', { was: 'user' }, 'was', 'what it was, as a text');
wrong('user.unenrol', { device: '' }, 'device', 'no device');
wrong(
  'bulk.put',
  { rows: [{ line: 2, cells: [], quote: { is: 'curly', cell: 1 } }] },
  'rows.0.quote.is',
  'a quote of a kind there is not',
);
wrong('bulk.put', { header: Array(61).fill('x') }, 'header', '61 columns');
wrong('bulk.apply', { kind: 'promote' }, 'kind', 'of a kind there is not');
wrong('bulk.preview', { products: [] }, 'products', 'no product');
wrong('mail.list', { state: 'lost' }, 'state', 'of a state there is not');
wrong('mail.show', { id: '' }, 'id', 'no mail');
wrong('allocation.assign', { quantity: 0 }, 'quantity', 'no seats');
wrong('allocation.assign', { subscription: '' }, 'subscription', 'no subscription');
wrong('allocation.move', { to: '' }, 'to', 'to nobody');
wrong('allocation.move', { quantity: 'some' }, 'quantity', 'some seats');
wrong('allocation.assign', { quantity: 1_000_001 }, 'quantity', 'a million and one seats');
wrong('audit.list', { kind: 'lease granted' }, 'kind', 'a kind of two words');
wrong('audit.list', { limit: 0 }, 'limit', 'a page of nothing of the audit');
wrong('backup.read', { segment: 'head' }, 'segment', 'a file that is none of the journal');
wrong('backup.finish', { bytes: -1 }, 'bytes', 'a file of less than nothing');
wrong('restore.accept', { reason: '' }, 'reason', 'no reason');
wrong('session.resume', { tokens: Array(11).fill('a.b.c') }, 'tokens', 'eleven tokens');
wrong('audit.records', { from: { seq: -1, offset: 0 } }, 'from.seq', 'a record before the first');
wrong('audit.prune', { head: 'short' }, 'head', 'a hash that is none');
wrong('audit.prune', { until: -1 }, 'until', 'a record before the first');
wrong('audit.prune.preview', { head: 'short' }, 'head', 'a hash that is none, ahead');
wrong('audit.segments', { from: 'first' }, 'from', 'a file in words');
wrong('allocation.revoke', { quantity: 'most' }, 'quantity', 'a quantity in words');

const tooLarge = { close: 'TOO_LARGE', number: 1009 };
const frameOf = (bytes) => {
  const [before, after] = [`${call('pool.status', { x: '' }).slice(0, -3)}`, '"}}'];
  return { repeat: [before, 'x', bytes - before.length - after.length, after] };
};
put('a frame of 16,384 bytes', frameOf(16_384), { request: 'pool.status', id: 1 });
put('a frame of 16,385 bytes', frameOf(16_385), tooLarge);
put('a megabyte', { repeat: ['', 'x', 1_048_576, ''] }, tooLarge);
put('a binary frame', { binary: '00ff' }, { close: 'BINARY', number: 4400 });
put(
  'a request in a binary frame',
  { binary: Buffer.from(call('pool.status', {})).toString('hex') },
  { close: 'BINARY', number: 4400 },
);
put('a text frame that is not UTF-8', { invalidUtf8: '7b22ff227d' }, { close: 'INVALID_UTF8', number: 1007 });
