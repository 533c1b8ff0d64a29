/** The TLS identity of a server on disk: IT's own files, or the site's, made at the first start (DESIGN 4, TLS). */
import { randomBytes, type X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CertificateProblem,
  type Checked,
  certifiedNames,
  checkPair,
  checkServing,
  coversName,
  endMsOf,
  isSignedBy,
  type PemFiles,
  problemWith,
  readCertificates,
  refuse,
} from './certificate-checks.js';
import type { KeyedCertificate } from './certificates.js';
import { modeOf, readPem, writePem } from './pem-file.js';

/** Paths of IT's own PEM files. */
export interface OwnFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export type TlsSource = 'site' | 'own';

/** Why a server certificate was made: so that the caller can log it. */
export type IssueReason = 'first-start' | 'unusable' | 'names-changed' | 'expiring';

/** What a listener needs, as PEM text. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  readonly source: TlsSource;
  /** Set when this call made a new server certificate. */
  readonly issued: IssueReason | undefined;
  /** Wanted names the certificate is not for (only ever with `own`): clients that use them will refuse it. */
  readonly uncovered: readonly string[];
  readonly notAfterMs: number;
}

export interface TlsInspection {
  readonly source: TlsSource;
  /** Empty, as `names`, when there is no readable certificate. */
  readonly subject: string;
  readonly names: readonly string[];
  readonly notAfterMs: number | undefined;
  readonly problems: readonly CertificateProblem[];
  /** It can serve, but not for long. */
  readonly warnings: readonly CertificateProblem[];
}

const DAY_MS = 86_400_000;
/** Apple's platforms refuse more than 825 days, also from a private authority. */
const SERVER_DAYS = 800;
/** Renewed when less than this part of its life is left: a server that is off for months still comes back with a valid one. */
const RENEW_FRACTION = 1 / 3;
/** Told to people: for IT's own certificate, and for ours when no server ran to renew it. */
const WARN_BEFORE_MS = 30 * DAY_MS;
/** Less than a year of its ten: a server certificate never outlives its authority. */
const RENEW_AUTHORITY_MS = 365 * DAY_MS;

const DAMAGED = 'is damaged: its own signature does not match';

const MEND_OWN =
  'Give working files as tls.cert, tls.key and tls.ca, or none of them to use the ones Berth makes.';
const MEND_SITE =
  'Restore the tls folder from a backup. Without one, move it away and start berthd again: it makes a new ' +
  'authority, which every client then has to be told of.';

/**
 * Loads what to serve with and, for the site's own authority, makes what is missing: the authority at the first start,
 * a new server certificate when `names` changed, less than a third of its life is left or the old one is unusable. Call it again
 * daily: it is cheap when nothing is due.
 * @param options.folder the data folder; files are kept in its `tls` folder, keys with mode 0600.
 * @returns the identity, or a `CERTIFICATE_INVALID` problem. A damaged authority is never replaced: clients trust it.
 * @throws file system errors while writing.
 */
export async function loadOrCreateTls(options: {
  readonly folder: string;
  readonly names: readonly string[];
  readonly nowMs: number;
  readonly own?: OwnFiles | undefined;
}): Promise<Checked<TlsIdentity>> {
  if (options.own !== undefined) {
    const files = await readFiles(options.own, MEND_OWN);
    return files.ok ? identityOf(files.value, 'own', undefined, options) : files;
  }
  const paths = sitePaths(options.folder);
  const authority = await loadOrCreateAuthority(paths, options.nowMs);
  if (!authority.ok) return authority;
  const issued = await reasonToIssue(paths, options.names, options.nowMs);
  if (issued !== undefined) await issue(paths, authority.value, options.names, options.nowMs);
  const files = await readFiles(paths, MEND_SITE);
  return files.ok ? identityOf(files.value, 'site', issued, options) : files;
}

/** Looks without writing, and at everything: for `berthd check`. */
export async function inspectTls(options: {
  readonly folder: string;
  readonly nowMs: number;
  readonly own?: OwnFiles | undefined;
}): Promise<TlsInspection> {
  const source = options.own === undefined ? 'site' : 'own';
  const mend = source === 'own' ? MEND_OWN : MEND_SITE;
  const site = sitePaths(options.folder);
  const paths = options.own ?? site;
  const files = await readFiles(paths, mend);
  if (!files.ok) {
    const nothing = { source, subject: '', names: [], notAfterMs: undefined, warnings: [] } as const;
    return { ...nothing, problems: [files.problem] };
  }
  const certificates = readCertificates(files.value.cert, mend);
  const leaf = certificates.ok ? certificates.value[0] : undefined;
  const serving = checkServing(files.value, options.nowMs, mend);
  return {
    source,
    subject: leaf?.subject.replaceAll('\n', ', ') ?? '',
    names: leaf === undefined ? [] : certifiedNames(leaf),
    notAfterMs: leaf === undefined ? undefined : endMsOf(leaf),
    warnings: serving.ok ? expiringSoon(serving.value, paths.cert, source, options.nowMs) : [],
    problems: [
      ...(serving.ok ? [] : [serving.problem]),
      ...(await exposedKeys(source === 'site' ? [site.key, site.caKey] : [paths.key], source)),
    ],
  };
}

function expiringSoon(
  leaf: X509Certificate,
  path: string,
  source: TlsSource,
  nowMs: number,
): CertificateProblem[] {
  if (endMsOf(leaf) - nowMs >= WARN_BEFORE_MS) return [];
  const next =
    source === 'own'
      ? 'Put a renewed one in its place, then: systemctl reload berthd (SIGHUP).'
      : 'Start berthd: it issues a new one.';
  return [problemWith(path, `expires on ${leaf.validTo}`, next)];
}

/** Our own keys are for berthd alone; IT may let a group read theirs. Windows has no such modes. */
async function exposedKeys(paths: readonly string[], source: TlsSource): Promise<CertificateProblem[]> {
  if (process.platform === 'win32') return [];
  const problems: CertificateProblem[] = [];
  for (const path of paths) {
    const mode = (await modeOf(path)) ?? 0;
    if ((mode & (source === 'site' ? 0o077 : 0o007)) === 0) continue;
    problems.push(problemWith(path, 'can be read by other users', `Run: chmod 600 ${path}`));
  }
  return problems;
}

/** Only when something is to be made: most starts make nothing, and node-forge is more than all of our own code together. */
const makers = (): Promise<typeof import('./certificates.js')> => import('./certificates.js');

interface SitePaths extends OwnFiles {
  readonly caKey: string;
}

function sitePaths(dataFolder: string): SitePaths {
  const folder = join(dataFolder, 'tls');
  const [cert, key, ca, caKey] = ['server.crt', 'server.key', 'ca.crt', 'ca.key'].map((name) =>
    join(folder, name),
  );
  return { cert: cert!, key: key!, ca: ca!, caKey: caKey! };
}

/** Neither file: a first start. Only the key, and nothing signed with it: a first start that was interrupted. */
async function loadOrCreateAuthority(paths: SitePaths, nowMs: number): Promise<Checked<KeyedCertificate>> {
  await endOldAuthority(paths, nowMs);
  const isNew = !(await exists(paths.ca)) && !((await exists(paths.caKey)) && (await exists(paths.cert)));
  if (isNew) {
    // Two sites' authorities in one trust store must not have the same name.
    const { createAuthority } = await makers();
    const made = await createAuthority(`Berth site ${randomBytes(4).toString('hex')}`, nowMs);
    await writePem(paths.caKey, made.keyPem, 0o600);
    await writePem(paths.ca, made.certPem, 0o644);
    return { ok: true, value: made };
  }
  const cert = await readPem(paths.ca, MEND_SITE);
  if (!cert.ok) return cert;
  const key = await readPem(paths.caKey, MEND_SITE);
  if (!key.ok) return key;
  const pair = checkPair(cert.value, key.value, nowMs, MEND_SITE);
  if (!pair.ok) return pair;
  const [authority] = pair.value;
  if (!authority!.ca) return refuse(paths.ca, 'is not an authority', MEND_SITE);
  if (!isSignedBy(authority!, authority!)) return refuse(paths.ca, DAMAGED, MEND_SITE);
  // Readers of PEM skip what is no base64, so the certificate may be whole; but clients get the text.
  if (plainLines(cert.value.text) !== plainLines(authority!.toString()))
    return refuse(paths.ca, 'is damaged: its text is not only its certificate', MEND_SITE);
  return { ok: true, value: { certPem: cert.value.text, keyPem: key.value.text } };
}

function plainLines(pem: string): string {
  return pem.replaceAll('\r\n', '\n').trimEnd();
}

/**
 * An authority near its end makes way for a new one; clients learn of it by the server's signature (PROTOCOL 2.2). What it signed goes
 * first: a crash in between looks like a first start that was interrupted.
 */
async function endOldAuthority(paths: SitePaths, nowMs: number): Promise<void> {
  const cert = await readPem(paths.ca, MEND_SITE);
  const found = cert.ok ? readCertificates(cert.value, MEND_SITE) : cert;
  const authority = found.ok ? found.value[0] : undefined;
  // Anything else than an authority in its place is damage, and for people to look at.
  if (authority?.ca !== true || !isSignedBy(authority, authority)) return;
  if (endMsOf(authority) - nowMs >= RENEW_AUTHORITY_MS) return;
  for (const path of [paths.cert, paths.ca]) await rm(path, { force: true });
}

/** The server certificate is only ours to trust or not: unlike the authority, it may be made anew at any time. */
async function reasonToIssue(
  paths: SitePaths,
  names: readonly string[],
  nowMs: number,
): Promise<IssueReason | undefined> {
  if (!(await exists(paths.cert))) return 'first-start';
  const files = await readFiles(paths, MEND_SITE);
  const leaf = files.ok ? checkServing(files.value, nowMs, MEND_SITE) : files;
  if (!leaf.ok) return 'unusable';
  const certified = certifiedNames(leaf.value);
  const isSame = certified.length === names.length && names.every((name) => certified.includes(name));
  if (!isSame) return 'names-changed';
  return isExpiring(leaf.value, nowMs) ? 'expiring' : undefined;
}

function isExpiring(certificate: X509Certificate, nowMs: number): boolean {
  const endMs = endMsOf(certificate);
  return endMs - nowMs < (endMs - Date.parse(certificate.validFrom)) * RENEW_FRACTION;
}

async function issue(
  paths: SitePaths,
  authority: KeyedCertificate,
  names: readonly string[],
  nowMs: number,
): Promise<void> {
  const { issueServerCertificate } = await makers();
  const made = await issueServerCertificate(authority, { names, days: SERVER_DAYS, nowMs });
  // A crash between the two leaves a pair that does not match: `unusable`, and made again at the next start.
  await writePem(paths.key, made.keyPem, 0o600);
  await writePem(paths.cert, made.certPem, 0o644);
}

function identityOf(
  files: PemFiles,
  source: TlsSource,
  issued: IssueReason | undefined,
  wanted: { readonly names: readonly string[]; readonly nowMs: number },
): Checked<TlsIdentity> {
  const leaf = checkServing(files, wanted.nowMs, source === 'own' ? MEND_OWN : MEND_SITE);
  if (!leaf.ok) return leaf;
  const uncovered = wanted.names.filter((name) => !coversName(leaf.value, name));
  const { key, cert, ca } = files;
  const texts = { key: key.text, cert: cert.text, ca: ca.text };
  return { ok: true, value: { ...texts, source, issued, uncovered, notAfterMs: endMsOf(leaf.value) } };
}

async function exists(path: string): Promise<boolean> {
  return (await modeOf(path)) !== undefined;
}

async function readFiles(paths: OwnFiles, next: string): Promise<Checked<PemFiles>> {
  const cert = await readPem(paths.cert, next);
  if (!cert.ok) return cert;
  const key = await readPem(paths.key, next);
  if (!key.ok) return key;
  const ca = await readPem(paths.ca, next);
  if (!ca.ok) return ca;
  return { ok: true, value: { cert: cert.value, key: key.value, ca: ca.value } };
}
