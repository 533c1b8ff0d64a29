// The bytes that are signed for a request over plain HTTPS and for its answer (PROTOCOL 13.2), and requests that somebody has changed.
import { base64Url, device, makeKey, nonce, server, sha256 } from './keys.js';

const contexts = {
  deviceAsks: 'berth.v1 device sends request',
  serverAnswers: 'berth.v1 server answers request',
};

const other = makeKey('another device');

function prefixed(parts) {
  return Buffer.concat(
    parts
      .map((part) => Buffer.from(part))
      .flatMap((part) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(part.length);
        return [length, part];
      }),
  );
}

const fieldsOf = (context, { method, path, serverKey, deviceKey, challenge, nonce: own, body }) => [
  ...[context, method, path, serverKey, deviceKey, challenge, own],
  sha256(body),
];

const release = {
  method: 'POST',
  path: '/v1/release',
  serverKey: server.text,
  deviceKey: device.text,
  challenge: nonce('challenge'),
  nonce: nonce('request'),
  body: '{"key":"k-0123456789abcdef","leases":["l0001"]}',
};
const renew = {
  ...release,
  path: '/v1/renew',
  nonce: nonce('renewal'),
  body: '{"nonce":"zhK2m3Qp0b1vT9d7yqXo4Q","leases":["l0001","l0002"]}',
};
const spaced = { ...release, nonce: nonce('spaced'), body: ' {\n  "key": "k-ærø",\n  "leases": []\n}\n' };

function request(name, fields) {
  const bytes = prefixed(fieldsOf(contexts.deviceAsks, fields));
  const signature = base64Url(device.sign(bytes));
  return {
    name,
    request: fields,
    bytes: bytes.toString('hex'),
    signer: { seed: `ed25519-secret:${base64Url(device.seed)}`, public: device.text },
    signature,
  };
}

function answer(name, fields, status, body) {
  const bytes = prefixed([...fieldsOf(contexts.serverAnswers, fields), String(status), sha256(body)]);
  return {
    name,
    request: fields,
    status,
    body,
    bytes: bytes.toString('hex'),
    signer: { seed: `ed25519-secret:${base64Url(server.seed)}`, public: server.text },
    signature: base64Url(server.sign(bytes)),
  };
}

const signed = request('', release);
const changed = (name, changes, signature = signed.signature) => ({
  name,
  request: { ...release, ...changes },
  signature,
});

const refusal =
  '{"code":"REQUEST_REPLAYED","message":"This very request has been received before.","next":"Sign every request with a fresh nonce, a retry too."}';

export const httpRequestVectors = () => ({
  note: 'Signed requests over plain HTTPS. `body` is text, signed as the SHA-256 of its UTF-8 bytes. `valid` and `answers`: the signed bytes (hex) and the signature as it crosses the wire. `tampered`: what was sent differs from what was signed, and a server refuses it with SIGNATURE_INVALID. Whether a challenge is stale or a nonce was used before is not in the signature.',
  contexts,
  valid: [
    request('a release', release),
    request('a renewal', renew),
    request('a body with white space and other letters: its bytes are signed as they are', spaced),
  ],
  tampered: [
    changed('another body', { body: release.body.replace('l0001', 'l0002') }),
    changed('the same JSON in other bytes', { body: release.body.replace(':', ': ') }),
    changed('another path', { path: '/v1/renew' }),
    changed('another method', { method: 'PUT' }),
    changed('another challenge', { challenge: nonce('another challenge') }),
    changed('another nonce', { nonce: nonce('another request') }),
    changed('for another server', { serverKey: other.text }),
    changed('another device', { deviceKey: other.text }),
    changed('challenge and nonce exchanged', { challenge: release.nonce, nonce: release.challenge }),
    changed('signed by another device', {}, base64Url(other.sign(Buffer.from(signed.bytes, 'hex')))),
    changed(
      'signed for opening a session',
      {},
      base64Url(device.sign(prefixed(fieldsOf('berth.v1 device opens session', release)))),
    ),
    changed('a signature of 63 bytes', {}, signed.signature.slice(0, 84)),
    changed('no signature', {}, ''),
  ],
  answers: [
    answer('what was asked for', release, 200, '{"released":["l0001"]}'),
    answer('a refusal', release, 401, refusal),
  ],
});
