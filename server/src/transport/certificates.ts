/**
 * Makes X.509 certificates: the site's own authority and the server certificate it signs (DESIGN 4, TLS). Keys are made
 * by `node:crypto`; `node-forge` only encodes and signs, since Node cannot make certificates itself.
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPair, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyedCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** Clients whose clock is behind must not take a new certificate for one of tomorrow. */
const BACKDATED_MS = DAY_MS;
/** Of the authority: forge signs with no other kind of key. */
const RSA_BITS = 2048;
/** Of the server: it signs every handshake, and P-256 signs 26 times as fast as RSA (decision 0014). */
const SERVER_CURVE = 'P-256';
/** A point of that curve, uncompressed, is the end of its SubjectPublicKeyInfo (RFC 5480 2.2). */
const POINT_BYTES = 65;
/** RFC 5280 4.1: the place of SubjectPublicKeyInfo in a certificate of version 3. */
const PUBLIC_KEY_AT = 6;
/** X.520: a common name has at most 64 characters. */
const MAX_COMMON_NAME = 64;

/**
 * A self-signed authority for one site, valid for 10 years, that may sign server certificates but no other authority.
 * @param name its common name; two sites should not share one.
 */
export async function createAuthority(name: string, nowMs: number): Promise<KeyedCertificate> {
  const keys = await generateAuthorityKeys();
  const certificate = blankCertificate(keys.publicKey, nowMs, nowMs + AUTHORITY_DAYS * DAY_MS);
  const subject = subjectOf(name);
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  certificate.sign(keys.privateKey, forge.md.sha256.create());
  return { certPem: forge.pki.certificateToPem(certificate), keyPem: keys.keyPem };
}

/**
 * A server certificate with a new key, for `names` as {@link certificateNames} gives them: host names in ASCII, IP
 * addresses without brackets. It never outlives the authority.
 */
export async function issueServerCertificate(
  authority: KeyedCertificate,
  options: { readonly names: readonly string[]; readonly days: number; readonly nowMs: number },
): Promise<KeyedCertificate> {
  assert(options.names.length > 0, 'a server certificate needs a name');
  const issuer = forge.pki.certificateFromPem(authority.certPem);
  const endMs = Math.min(options.nowMs + options.days * DAY_MS, issuer.validity.notAfter.getTime());
  const keys = await generateServerKeys();
  // forge knows only keys of RSA: the authority's keeps the place of the server's until it is signed.
  const certificate = blankCertificate(issuer.publicKey as forge.pki.rsa.PublicKey, options.nowMs, endMs);
  certificate.setSubject(subjectOf(options.names[0]!));
  certificate.setIssuer(issuer.subject.attributes.map(decoded));
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: options.names.map(alternativeName) },
    { name: 'subjectKeyIdentifier', value: keyIdentifier(keys.spki) },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
  ]);
  signFor(certificate, keys.spki, authority.keyPem);
  return { certPem: forge.pki.certificateToPem(certificate), keyPem: keys.keyPem };
}

/** forge signs what it can encode; what it made is then signed once more with the public key that it is for. */
function signFor(certificate: forge.pki.Certificate, spki: Buffer, authorityKeyPem: string): void {
  certificate.sign(forge.pki.privateKeyFromPem(authorityKeyPem), forge.md.sha256.create());
  const body = certificate.tbsCertificate;
  (body.value as forge.asn1.Asn1[])[PUBLIC_KEY_AT] = forge.asn1.fromDer(spki.toString('latin1'));
  const bytes = Buffer.from(forge.asn1.toDer(body).getBytes(), 'latin1');
  certificate.signature = sign('sha256', bytes, authorityKeyPem).toString('latin1');
}

/** RFC 5280 4.2.1.2 (1): SHA-1 of the public key's bits, an octet string. */
function keyIdentifier(spki: Buffer): forge.asn1.Asn1 {
  const sha1 = createHash('sha1').update(spki.subarray(-POINT_BYTES)).digest('binary');
  return forge.asn1.create(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.OCTETSTRING, false, sha1);
}

interface ServerKeys {
  readonly keyPem: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
}

async function generateServerKeys(): Promise<ServerKeys> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: SERVER_CURVE,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  return { keyPem: privateKey, spki: publicKey };
}

interface AuthorityKeys {
  readonly keyPem: string;
  readonly privateKey: forge.pki.rsa.PrivateKey;
  readonly publicKey: forge.pki.rsa.PublicKey;
}

async function generateAuthorityKeys(): Promise<AuthorityKeys> {
  const { privateKey: keyPem } = await promisify(generateKeyPair)('rsa', {
    modulusLength: RSA_BITS,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const privateKey = forge.pki.privateKeyFromPem(keyPem);
  return { keyPem, privateKey, publicKey: forge.pki.setRsaPublicKey(privateKey.n, privateKey.e) };
}

function blankCertificate(
  publicKey: forge.pki.rsa.PublicKey,
  nowMs: number,
  endMs: number,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(nowMs - BACKDATED_MS);
  certificate.validity.notAfter = new Date(endMs);
  return certificate;
}

/** RFC 5280 4.1.2.2: positive and at most 20 octets. The two high bits are 01, so no sign and no leading zero. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function subjectOf(name: string): forge.pki.CertificateField[] {
  const text = (value: string) => ({
    value,
    valueTagClass: forge.asn1.Type.UTF8 as unknown as forge.asn1.Class,
  });
  return [
    { name: 'organizationName', ...text('Berth') },
    { name: 'commonName', ...text([...name].slice(0, MAX_COMMON_NAME).join('')) },
  ];
}

/** forge encodes a UTF-8 name when it writes one, but leaves it encoded when it reads one. */
function decoded(field: forge.pki.CertificateField): forge.pki.CertificateField {
  return typeof field.value === 'string' ? { ...field, value: forge.util.decodeUtf8(field.value) } : field;
}

/** RFC 5280 4.2.1.6: 2 is a DNS name, 7 an IP address in network byte order. A client compares only within one type. */
function alternativeName(name: string): { type: 2 | 7; value: string } {
  const version = isIP(name);
  if (version === 0) return { type: 2, value: name };
  return { type: 7, value: version === 4 ? bytesOfIpv4(name) : bytesOfIpv6(name) };
}

/** forge takes bytes as a binary string. */
function bytesOfIpv4(address: string): string {
  return String.fromCharCode(...address.split('.').map(Number));
}

/** Not forge's own conversion: that one loses addresses that end in dotted IPv4. */
function bytesOfIpv6(address: string): string {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [before, after] = groups.split('::') as [string, string?];
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const all = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return String.fromCharCode(
    ...all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]),
  );
}
