import { generateKeyPairSync } from 'node:crypto';
import type { KeyedCertificate } from '@berth/server/transport/certificates';
import forge from 'node-forge';

const DAY_MS = 86_400_000;

/** A server certificate with an RSA key, as berthd made them before decision 0014 and as many an IT has. */
export function rsaServer(
  authority: KeyedCertificate,
  {
    names,
    days,
    nowMs,
  }: { readonly names: readonly string[]; readonly days: number; readonly nowMs: number },
  usage: object = { serverAuth: true },
): KeyedCertificate {
  const { privateKey: keyPem } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const issuer = forge.pki.certificateFromPem(authority.certPem);
  const key = forge.pki.privateKeyFromPem(keyPem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = '40';
  certificate.validity.notBefore = new Date(nowMs - DAY_MS);
  certificate.validity.notAfter = new Date(nowMs + days * DAY_MS);
  certificate.setSubject([{ name: 'commonName', value: names[0]! }]);
  certificate.setIssuer(
    issuer.subject.attributes.map((field) => ({
      ...field,
      value: forge.util.decodeUtf8(String(field.value)),
    })),
  );
  certificate.setExtensions([
    { name: 'extKeyUsage', ...usage },
    { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(authority.keyPem), forge.md.sha256.create());
  return { certPem: forge.pki.certificateToPem(certificate), keyPem };
}
