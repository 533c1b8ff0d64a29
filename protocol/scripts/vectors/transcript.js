// The bytes that are signed when a session opens and when a device enrols (PROTOCOL 2.3).
import { base64Url, device, makeKey, nonce, server, sha256 } from './keys.js';

const contexts = {
  deviceOpens: 'berth.v1 device opens session',
  serverAccepts: 'berth.v1 server accepts session',
  leaseKeyEnrols: 'berth.v1 lease key enrols',
  adminKeyEnrols: 'berth.v1 admin key enrols',
};

const adminKey = makeKey('admin key of the device');
const binding = sha256('berth vector exporter');
const token = 'inv-0123456789abcdef';

function bytesOf(context, fields) {
  const parts = [
    contexts[context],
    fields.path,
    fields.serverKey,
    fields.deviceKey,
    fields.serverNonce,
    fields.clientNonce,
    fields.binding,
    fields.token,
  ].map((part) => Buffer.from(part));
  const lengths = parts.map((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return length;
  });
  return Buffer.concat(parts.flatMap((part, i) => [lengths[i], part]));
}

function example(name, context, signer, changes) {
  const fields = {
    path: '/v1/lease',
    serverKey: server.text,
    deviceKey: signer === server ? device.text : signer.text,
    serverNonce: nonce('server'),
    clientNonce: nonce('client'),
    binding: Buffer.alloc(0),
    token: '',
    ...changes,
  };
  const bytes = bytesOf(context, fields);
  return {
    name,
    context,
    transcript: { ...fields, binding: fields.binding.toString('hex') },
    bytes: bytes.toString('hex'),
    signer: { seed: `ed25519-secret:${base64Url(signer.seed)}`, public: signer.text },
    signature: base64Url(signer.sign(bytes)),
  };
}

export const transcriptVectors = () => ({
  note: 'Transcript fields -> the bytes that are signed (hex), and the Ed25519 signature as it crosses the wire. `binding` in hex, empty where the host has none.',
  contexts,
  cases: [
    example('a device opens a session', 'deviceOpens', device, { binding }),
    example('the server accepts it', 'serverAccepts', server, { binding }),
    example('a browser, which has no exporter, opens a session', 'deviceOpens', device, {}),
    example('the server accepts the browser', 'serverAccepts', server, {}),
    example('an admin key opens a session', 'deviceOpens', adminKey, { path: '/v1/admin', binding }),
    example('the server accepts the admin key', 'serverAccepts', server, {
      path: '/v1/admin',
      deviceKey: adminKey.text,
      binding,
    }),
    example('a lease key enrols', 'leaseKeyEnrols', device, { token }),
    example('an admin key enrols', 'adminKeyEnrols', adminKey, { token }),
    example('a lease key enrols on the admin path', 'leaseKeyEnrols', device, { path: '/v1/admin', token }),
    example('an admin key enrols on the admin path', 'adminKeyEnrols', adminKey, {
      path: '/v1/admin',
      token,
    }),
  ],
});
