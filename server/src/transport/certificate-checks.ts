/** Says whether a certificate, its key and its authority can serve TLS, before the first client finds out. No I/O. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { parseHost } from '../ops/config-values.js';
import { isWholeKey } from './private-key.js';

/** Why berthd will not serve with a certificate. `next` is for the person who can mend it. */
export interface CertificateProblem {
  readonly code: 'CERTIFICATE_INVALID';
  readonly file: string;
  readonly message: string;
  readonly next: string;
}

export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: CertificateProblem };

export interface PemFile {
  readonly path: string;
  readonly text: string;
}

export interface PemFiles {
  readonly cert: PemFile;
  readonly key: PemFile;
  readonly ca: PemFile;
}

const SERVER_AUTH_OID = '1.3.6.1.5.5.7.3.1';
const END_OF_CERTIFICATE = '-----END CERTIFICATE-----';
/** Real chains have two or three links; the walk must end on a loop of cross-signed authorities too. */
const MAX_CHAIN_LINKS = 8;

/** @param reason what follows the file's name in the sentence. */
export function problemWith(file: string, reason: string, next: string): CertificateProblem {
  return { code: 'CERTIFICATE_INVALID', file, message: `${file} ${reason}.`, next };
}

export function refuse(file: string, reason: string, next: string): Checked<never> {
  return { ok: false, problem: problemWith(file, reason, next) };
}

/** Everything a listener needs to be true of its three files. Gives the server's own certificate. */
export function checkServing(files: PemFiles, nowMs: number, next: string): Checked<X509Certificate> {
  const pair = checkPair(files.cert, files.key, nowMs, next);
  if (!pair.ok) return pair;
  const authorities = readCertificates(files.ca, next);
  if (!authorities.ok) return authorities;
  const [leaf, ...others] = pair.value as [X509Certificate, ...X509Certificate[]];
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes(SERVER_AUTH_OID)) {
    return refuse(files.cert.path, 'is not made for servers (no serverAuth usage)', next);
  }
  if (certifiedNames(leaf).length === 0) {
    return refuse(files.cert.path, 'names no host: it has no subjectAltName, so no client accepts it', next);
  }
  const chain = checkChain(leaf, others, authorities.value, files, nowMs, next);
  return chain.ok ? checkAcceptedByTls(leaf, files, next) : chain;
}

/** A certificate (first in its file) that is valid now, and the key that belongs to it. Gives all in the file. */
export function checkPair(
  cert: PemFile,
  key: PemFile,
  nowMs: number,
  next: string,
): Checked<readonly X509Certificate[]> {
  const certificates = readCertificates(cert, next);
  if (!certificates.ok) return certificates;
  const privateKey = readKey(key, next);
  if (!privateKey.ok) return privateKey;
  const leaf = certificates.value[0]!;
  if (!leaf.checkPrivateKey(privateKey.value)) {
    return refuse(key.path, `is not the key of ${cert.path}`, next);
  }
  if (!isWholeKey(privateKey.value, leaf)) return refuse(key.path, 'is damaged: it signs wrongly', next);
  const validity = checkValidity(leaf, cert.path, nowMs, next);
  return validity.ok ? certificates : validity;
}

export function readCertificates(file: PemFile, next: string): Checked<readonly X509Certificate[]> {
  const blocks = file.text.split(END_OF_CERTIFICATE).slice(0, -1);
  if (blocks.length === 0) return refuse(file.path, 'holds no PEM certificate', next);
  try {
    return { ok: true, value: blocks.map((block) => new X509Certificate(block + END_OF_CERTIFICATE)) };
  } catch {
    return refuse(file.path, 'holds a damaged certificate', next);
  }
}

/** Host names and IP addresses a certificate is for, in {@link parseHost}'s form; wildcards as they are. */
export function certifiedNames(certificate: X509Certificate): readonly string[] {
  return (certificate.subjectAltName ?? '').split(', ').flatMap((entry) => {
    const name = /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1];
    return name === undefined ? [] : [parseHost(name) ?? name];
  });
}

export function coversName(certificate: X509Certificate, name: string): boolean {
  const match = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  return match !== undefined;
}

export function endMsOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

function readKey(file: PemFile, next: string): Checked<KeyObject> {
  try {
    return { ok: true, value: createPrivateKey(file.text) };
  } catch {
    const reason = file.text.includes('ENCRYPTED')
      ? 'is encrypted with a passphrase, which berthd cannot ask for'
      : 'holds no readable private key';
    return refuse(file.path, reason, next);
  }
}

function checkValidity(
  certificate: X509Certificate,
  path: string,
  nowMs: number,
  next: string,
): Checked<true> {
  if (endMsOf(certificate) <= nowMs) return refuse(path, `expired on ${certificate.validTo}`, next);
  if (Date.parse(certificate.validFrom) > nowMs) {
    return refuse(path, `is not valid before ${certificate.validFrom}: is this machine's clock right?`, next);
  }
  return { ok: true, value: true };
}

/** Walks as a client does: which trusts self-signed authorities from `ca` only, and may be sent the others. */
function checkChain(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  files: PemFiles,
  nowMs: number,
  next: string,
): Checked<true> {
  let current = leaf;
  for (let links = 0; links < MAX_CHAIN_LINKS; links++) {
    const validity = checkValidity(current, links === 0 ? files.cert.path : files.ca.path, nowMs, next);
    if (!validity.ok) return validity;
    const isTrusted = authorities.some((authority) => authority.fingerprint256 === current.fingerprint256);
    if (isTrusted && isSignedBy(current, current)) return { ok: true, value: true };
    const issuer = [...authorities, ...others].find(
      (candidate) => candidate.fingerprint256 !== current.fingerprint256 && isSignedBy(current, candidate),
    );
    if (issuer === undefined) break;
    current = issuer;
  }
  return refuse(files.cert.path, `does not lead to a self-signed authority in ${files.ca.path}`, next);
}

export function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** OpenSSL has the last word: it also refuses short keys and old digests. */
function checkAcceptedByTls(leaf: X509Certificate, files: PemFiles, next: string): Checked<X509Certificate> {
  try {
    createSecureContext({ key: files.key.text, cert: files.cert.text, ca: files.ca.text });
    return { ok: true, value: leaf };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse(files.cert.path, `is refused by OpenSSL (${reason})`, next);
  }
}
