import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import {
  createAuthority,
  issueServerCertificate,
  type KeyedCertificate,
} from '@berth/server/transport/certificates';
import { defaultLimits } from '@berth/server/transport/limits';
import { replaceTls, tlsServer } from '@berth/server/transport/tls-server';
import forge from 'node-forge';
import { beforeAll, expect, test } from 'vitest';

// A client that knows the root alone must be sent what is between it and the server, from whichever file IT put it into.

const NOW_MS = Date.now();

let root: KeyedCertificate;
let link: KeyedCertificate;
let server: KeyedCertificate;

beforeAll(async () => {
  const [first, second] = await Promise.all([createAuthority('a', NOW_MS), createAuthority('b', NOW_MS)]);
  root = { certPem: signed('Root', first, 'Root', first), keyPem: first.keyPem };
  link = { certPem: signed('Link', second, 'Root', first), keyPem: second.keyPem };
  server = await issueServerCertificate(link, { names: ['localhost'], days: 9, nowMs: NOW_MS });
});

/** An authority that may have others below it, with the key of `of`. */
function signed(name: string, of: KeyedCertificate, issuer: string, by: KeyedCertificate): string {
  const certificate = forge.pki.certificateFromPem(of.certPem);
  certificate.setSubject([{ name: 'commonName', value: name }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true },
    { name: 'keyUsage', critical: true, keyCertSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(by.keyPem), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

test.each([
  ['with the authorities', (): [string, string] => [server.certPem, root.certPem + link.certPem]],
  ['with the certificate', (): [string, string] => [server.certPem + link.certPem, root.certPem]],
])('an intermediate %s is sent', async (_, files) => {
  const [cert, ca] = files();
  const tls = { key: server.keyPem, cert, ca };
  const listener = tlsServer(tls, defaultLimits);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const meets = async (): Promise<boolean> => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: root.certPem });
    await once(socket, 'secureConnect');
    socket.destroy();
    return socket.authorized;
  };
  expect(await meets()).toBe(true);
  replaceTls(listener, tls);
  expect(await meets()).toBe(true);
  listener.close();
});

test('HTTP is spoken with whoever offers it or nothing, and with nobody who offers something else', async () => {
  const listener = tlsServer(
    { key: server.keyPem, cert: server.certPem + link.certPem, ca: root.certPem },
    defaultLimits,
  );
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const agreed = async (ALPNProtocols?: string[]): Promise<string | false | null> => {
    const host = { port, host: '127.0.0.1', servername: 'localhost', ca: root.certPem };
    const socket = connect(ALPNProtocols === undefined ? host : { ...host, ALPNProtocols });
    await once(socket, 'secureConnect');
    socket.destroy();
    return socket.alpnProtocol;
  };
  expect(await agreed(['h2', 'http/1.1'])).toBe('http/1.1');
  expect(await agreed()).toBe(false);
  await expect(agreed(['h2'])).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
  listener.close();
});
