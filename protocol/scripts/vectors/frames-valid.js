// One frame of every method with all parameters, one with the least, and what must be ignored.
import { requests, session } from './requests.js';

export const validFrames = [];

function ok(name, path, method, params, id = 1, more = {}) {
  const frame =
    params === undefined ? { jsonrpc: '2.0', id, method } : { jsonrpc: '2.0', id, method, params };
  validFrames.push({
    name,
    path,
    text: JSON.stringify({ ...frame, ...more }),
    verdict: { request: method, id },
  });
}

for (const { method, paths, full, least } of requests) {
  for (const path of paths) {
    ok(`${method}, everything given`, path, method, full);
    if (least !== undefined) ok(`${method}, the least`, path, method, least);
  }
}

const status = 'pool.status';
ok('no params at all means none given', '/v1/lease', status, undefined);
ok('an id that is a text', '/v1/lease', status, {}, 'a-1');
ok('an empty text as id', '/v1/lease', status, {}, '');
ok('an id of 64 characters', '/v1/lease', status, {}, 'x'.repeat(64));
ok('a negative id', '/v1/lease', status, {}, -1);
ok('the largest id', '/v1/lease', status, {}, 9_007_199_254_740_991);
ok('an unknown member beside params is ignored', '/v1/lease', status, {}, 1, { trace: 'abc' });
ok('an unknown parameter is ignored', '/v1/lease', status, { colour: 'blue' });
ok('an unknown parameter inside another is ignored', '/v1/lease', 'session.open', {
  ...session,
  client: { name: 'render', gpu: true },
});
ok('seats written as 2.0', '/v1/lease', 'lease.checkout', {
  key: 'k-0123456789abcdef',
  wants: [{ products: ['render-premium'], seats: 2 }],
  nonce: session.nonce,
});
validFrames.at(-1).text = validFrames.at(-1).text.replace('"seats":2', '"seats":2.0');
validFrames.push({
  name: 'white space and another order',
  path: '/v1/lease',
  text: ' {\r\n\t"params" : { } , "method":"pool.status","id":7,"jsonrpc":"2.0"}\n',
  verdict: { request: status, id: 7 },
});
validFrames.push({
  name: 'a notification: there is none that a client may send, so it is ignored',
  path: '/v1/lease',
  text: '{"jsonrpc":"2.0","method":"pool.status","params":{}}',
  verdict: { ignored: 'notification' },
});
validFrames.push({
  name: 'an unknown notification',
  path: '/v1/lease',
  text: '{"jsonrpc":"2.0","method":"$/cancel"}',
  verdict: { ignored: 'notification' },
});
validFrames.push({
  name: 'an admin method without parameters on the admin path',
  path: '/v1/admin',
  text: '{"jsonrpc":"2.0","id":1,"method":"organisation.show"}',
  verdict: { request: 'organisation.show', id: 1 },
});
