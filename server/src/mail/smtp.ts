import { readFile } from 'node:fs/promises';
import type { MailResult } from '../domain/mail.js';

/** How the mail server is reached. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** `starttls`: refused by us if the server does not offer it; `tls`: from the first byte; `none`: on this computer only. */
  readonly security: 'starttls' | 'tls' | 'none';
  readonly from: string;
  readonly user: string | undefined;
  /** From the environment; else it is in the file. */
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  /** A PEM file with the authority of the mail server, instead of those the system trusts. */
  readonly caFile: string | undefined;
}

/** A message, ready to leave. */
export interface Message {
  readonly from: { readonly name: string; readonly address: string };
  readonly to: string;
  readonly messageId: string;
  readonly dateMs: number;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A connection to a mail server that is opened when the first message is sent, and used for those that follow. */
export interface Carrier {
  send(message: Message): Promise<Carried>;
  /** Breaks off what is being sent. */
  abort(): void;
  close(): void;
}

/** `serverFailed`: it has nothing to do with the message; the next one would fail in the same way. */
export type Carried = MailResult & { readonly serverFailed?: boolean };

/** So long for each step of SMTP, ms. Those of RFC 5321 4.5.3.2 are made for relays across the world; ours is next door. */
const STEP_MS = 60_000;
/** As long for each step before the first word of the mail server, ms: one that does not answer at all is known sooner than one that is slow. */
const FIRST_MS = 20_000;
/** Longest answer of a mail server that is kept and shown, characters. */
const ANSWER_CHARS = 300;

/**
 * Carries mail by SMTP. Reads the secrets anew each time it is opened, so that a changed file needs no restart.
 * @param stepMs how long each step may take; left out: as for a server
 */
export async function openSmtp(settings: SmtpSettings, stepMs = STEP_MS): Promise<Carrier> {
  // Only where there is mail to send: a start of berthd need not read it.
  const { createTransport } = await import('nodemailer');
  let isBegun = false;
  const logger = quietLogger(() => {
    isBegun = true;
  });
  const transport = createTransport({ ...(await optionsOf(settings, stepMs)), logger });
  return {
    send: async (message) => {
      isBegun = false;
      try {
        const { response } = await transport.sendMail(mailOf(message));
        return { state: 'sent', answer: response.slice(0, ANSWER_CHARS) };
      } catch (error) {
        return failureOf(error, isBegun);
      }
    },
    abort: () => transport.close({ force: true }),
    close: () => transport.close(),
  };
}

/** Of all that nodemailer says, one thing: the connection is there, secured and logged in, and a message is on its way. No error says how far it was. */
function quietLogger(onBegin: () => void) {
  const quiet = () => {};
  const info = (entry: unknown) => {
    if (typeof entry === 'object' && entry !== null && 'tnx' in entry && entry.tnx === 'send') onBegin();
  };
  return { level: quiet, trace: quiet, debug: quiet, info, warn: quiet, error: quiet, fatal: quiet };
}

async function optionsOf(settings: SmtpSettings, stepMs: number) {
  const { host, port, security, user, caFile } = settings;
  const pass = settings.password ?? (await firstLineOf(settings.passwordFile));
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  return {
    // One connection, one message after the other: a crash leaves at most one whose fate nobody knows. What fails is repeated by the
    // outbox, which keeps count, and never by the pool.
    pool: true as const,
    maxConnections: 1,
    maxMessages: 100,
    maxRequeues: 0,
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(ca === undefined ? {} : { tls: { ca } }),
    ...(user === undefined ? {} : { auth: { user, pass: pass ?? '' }, forceAuth: true }),
    connectionTimeout: Math.min(stepMs, FIRST_MS),
    greetingTimeout: Math.min(stepMs, FIRST_MS),
    socketTimeout: stepMs,
    dnsTimeout: Math.min(stepMs, FIRST_MS),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function mailOf({ from, to, messageId, dateMs, subject, text, html }: Message) {
  return {
    from,
    to,
    messageId,
    date: new Date(dateMs),
    subject,
    text,
    html,
    // RFC 3834: nobody's holiday notice is to answer it.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

async function firstLineOf(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : (await readFile(path, 'utf8')).split(/\r?\n/, 1)[0];
}

/**
 * What an error of nodemailer means for the message.
 * @param isBegun false: it came before the message did, so nobody can have got it
 */
export function failureOf(error: unknown, isBegun: boolean): Carried {
  const { code, responseCode, command, syscall, message = String(error) } = error as Partial<SmtpError>;
  const isCertificate = certificateFaults.test(code ?? '') || /certificate/i.test(message);
  const whose = isCertificate ? 'The certificate of the mail server: ' : '';
  const said = `${whose}${message}`.replaceAll(/\s+/g, ' ').slice(0, ANSWER_CHARS);
  // It answered about this message: a 5 is for ever, a 4 for now (RFC 5321 4.2.1). 421 closes the connection.
  // Whether it takes mail from us at all is decided at MAIL FROM, and is the same for all of them.
  const aboutMessage = (code === 'EENVELOPE' || code === 'EMESSAGE') && command !== 'MAIL FROM';
  if (aboutMessage && responseCode !== undefined && responseCode >= 500)
    return { state: 'refused', error: said };
  if (aboutMessage && responseCode !== undefined && responseCode !== 421)
    return { state: 'deferred', error: said, unsure: false };
  const unsure =
    isBegun && responseCode === undefined && syscall !== 'connect' && !beforeMessage.has(code ?? '');
  return { state: 'deferred', error: said, unsure, serverFailed: true };
}

/** As Node names what is wrong with a certificate. Whoever reads it would think of Berth's own. */
const certificateFaults = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

interface SmtpError {
  readonly message: string;
  readonly code: string;
  readonly responseCode: number;
  readonly command: string;
  readonly syscall: string;
}

/** Failures at which no byte of a message had been sent. */
const beforeMessage: ReadonlySet<string> = new Set([
  'EDNS',
  'ETLS',
  'EAUTH',
  'ENOAUTH',
  'ECONFIG',
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
]);
