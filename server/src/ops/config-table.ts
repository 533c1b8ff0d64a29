/**
 * Every setting of berthd, in one table: the flag, the environment variable, the type, `--help` and the manual all come
 * from the row. A setting is added here and nowhere else.
 */
import {
  emailAddress,
  hostList,
  integer,
  type Kind,
  listenAddress,
  oneOf,
  originList,
  path,
  string,
} from './config-values.js';

interface Setting<Value, Default extends Value | undefined> {
  readonly kind: Kind<Value>;
  /** `undefined`: off unless given. */
  readonly default: Default;
  /** One sentence for `--help` and the manual. */
  readonly help: string;
  /** True when a running server may take a new value; false when it needs a restart. */
  readonly reload: boolean;
}

const setting = <Value, const Default extends Value | undefined>(
  row: Setting<Value, Default>,
): Setting<Value, Default> => row;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export const SETTINGS = {
  listen: setting({
    kind: listenAddress(),
    default: { host: '0.0.0.0', port: 7433 },
    help: 'The address and port to listen on.',
    reload: false,
  }),
  // For sites that let administration in from one network only: a firewall can tell two ports apart, and not two paths.
  'admin.listen': setting({
    kind: listenAddress(),
    default: undefined,
    help: 'An address and port of its own for administration; it is then refused on the main port.',
    reload: false,
  }),
  // Not only what the machine knows of itself: behind NAT, in a container or with a DNS alias it cannot know.
  advertise: setting({
    kind: hostList(),
    default: [],
    help: 'Host names and IP addresses by which clients reach this server, for join links and the certificate.',
    reload: true,
  }),
  // I2: D. A crashed plugin's seat is free after about D + 10 s; a server may be away for D before plugins notice.
  'lease.seconds': setting({
    kind: integer({ min: 2, max: 3600, unit: 'seconds' }),
    default: 120,
    help: 'How long a lease lasts without a renewal; it also bounds how long a crashed client keeps its seat.',
    reload: true,
  }),
  'log.level': setting({
    kind: oneOf(LOG_LEVELS),
    default: 'info',
    help: 'The least important messages to log.',
    reload: true,
  }),
  'journal.segment-mib': setting({
    kind: integer({ min: 1, max: 1024, unit: 'MiB' }),
    default: 64,
    help: 'The size at which the journal starts a new segment file.',
    reload: false,
  }),
  // Four default segments: room to close one, snapshot, and keep renewing while somebody makes space. Not 0: a full
  // disk stops the process (DESIGN 2), so the mark must come first.
  'disk.low-mib': setting({
    kind: integer({ min: 16, max: 1_073_741_824, unit: 'MiB' }),
    default: 256,
    help: 'Free disk space below which nothing new is granted (DISK_LOW); renewals go on.',
    reload: true,
  }),
  'tls.cert': setting({
    kind: path(),
    default: undefined,
    help: "A PEM file with your own server certificate and its intermediates, instead of Berth's.",
    reload: true,
  }),
  'tls.key': setting({
    kind: path(),
    default: undefined,
    help: 'A PEM file with the private key of tls.cert, without a passphrase.',
    reload: true,
  }),
  'tls.ca': setting({
    kind: path(),
    default: undefined,
    help: 'A PEM file with the authority that signed tls.cert; clients are told to trust it.',
    reload: true,
  }),
  // A farm of 1,000 nodes behind one NAT, two plugin hosts each, is one address: 64 would lock it out. An idle TLS
  // socket measured 47 KiB here, so one address costs at most 96 MiB. Enrolled devices are told apart by other limits.
  'limits.sockets-per-address': setting({
    kind: integer({ min: 1, max: 65_536, unit: 'sockets' }),
    default: 2048,
    help: 'Open connections from one IP address; raise it for larger farms behind one NAT.',
    reload: true,
  }),
  // More than handshakes-per-second-per-address (50) times the 10 s a stranger is given to authenticate, so that no
  // single address can take all places; 48 MiB at most, and of those that wait for TLS up to 64 KiB each that they sent.
  'limits.unauthenticated-sockets': setting({
    kind: integer({ min: 1, max: 65_536, unit: 'sockets' }),
    default: 1024,
    help: 'Open connections, from all addresses together, that have not proved who they are yet.',
    reload: true,
  }),
  // 50 handshakes of 1.1 ms (decision 0014): one address may take 6 % of a core, and the farm of 1,000
  // nodes is back in 20 s after a power cut, well inside its leases' 120 s.
  'limits.handshakes-per-second-per-address': setting({
    kind: integer({ min: 1, max: 10_000, unit: 'handshakes a second' }),
    default: 50,
    help: 'New connections a second from one IP address.',
    reload: true,
  }),
  // A host that starts with a session's full 64 leases may ask for them all within a second, and renew as well.
  'limits.requests-per-second-per-device': setting({
    kind: integer({ min: 1, max: 100_000, unit: 'requests a second' }),
    default: 100,
    help: 'Requests a second from one enrolled device.',
    reload: true,
  }),
  // A page of any origin could otherwise use the licence of whoever visits it, with a key that it kept there before.
  'web.origins': setting({
    kind: originList(),
    default: [],
    help: 'Web origins whose pages may use this server, such as https://tools.studio.example. None unless given.',
    reload: false,
  }),
  // A week: an invitation mailed on a Friday still works after a few days off; a leaked one does not work for long.
  'invitation.hours': setting({
    kind: integer({ min: 1, max: 8760, unit: 'hours' }),
    default: 168,
    help: 'How long an invitation can be accepted.',
    reload: true,
  }),
  'mail.smtp': setting({
    kind: listenAddress(),
    default: undefined,
    help: 'The mail server (submission), such as mail.studio.example:587. None unless given: mails stay in the outbox.',
    reload: true,
  }),
  'mail.from': setting({
    kind: emailAddress(),
    default: undefined,
    help: 'The address that mails come from.',
    reload: true,
  }),
  // Submission has STARTTLS on 587 and TLS from the start on 465 (RFC 8314). In the clear, links could be read on the way.
  'mail.security': setting({
    kind: oneOf(['starttls', 'tls', 'none']),
    default: 'starttls',
    help: 'How the mail server is reached: starttls (demanded), tls (from the start), or none, on this computer only.',
    reload: true,
  }),
  'mail.user': setting({
    kind: string(),
    default: undefined,
    help: 'The name to log in with at the mail server. No login unless given.',
    reload: true,
  }),
  // Not a flag: those of a process can be read by everybody on the machine.
  'mail.password-file': setting({
    kind: path(),
    default: undefined,
    help: 'A file whose first line is the password of mail.user; or set it in BERTHD_MAIL_PASSWORD.',
    reload: true,
  }),
  'mail.ca': setting({
    kind: path(),
    default: undefined,
    help: 'A PEM file with the authority of the mail server, if the system does not know it.',
    reload: true,
  }),
  'backup.hours': setting({
    kind: integer({ min: 1, max: 8760, unit: 'hours' }),
    default: undefined,
    help: 'How often the server makes a backup by itself. Never unless given; wants backup.folder and backup.passphrase-file.',
    reload: true,
  }),
  // On another disk: a backup beside what it is of is lost with it.
  'backup.folder': setting({
    kind: path(),
    default: undefined,
    help: 'The folder that those backups are written to, best on another disk.',
    reload: true,
  }),
  // Not in the data folder: who has that needs no backup, and who has the backup must not have this.
  'backup.passphrase-file': setting({
    kind: path(),
    default: undefined,
    help: 'A file whose first line is the passphrase that those backups are sealed with.',
    reload: true,
  }),
  'backup.keep': setting({
    kind: integer({ min: 1, max: 10_000, unit: 'backups' }),
    default: 14,
    help: 'How many of its own backups the server keeps in backup.folder; older ones are removed.',
    reload: true,
  }),
} as const;

export type ConfigKey = keyof typeof SETTINGS;

export const CONFIG_KEYS = Object.keys(SETTINGS) as readonly ConfigKey[];

/** `limits.sockets-per-address` -> `limitsSocketsPerAddress`. */
type Camel<Key extends string> = Key extends `${infer Head}.${infer Tail}`
  ? `${Camel<Head>}${Capitalize<Camel<Tail>>}`
  : Key extends `${infer Head}-${infer Tail}`
    ? `${Head}${Capitalize<Camel<Tail>>}`
    : Key;

type ValueOf<Row> =
  Row extends Setting<infer Value, infer Default>
    ? Default extends undefined
      ? Value | undefined
      : Value
    : never;

/** The settings a server runs with, by camel-case name: `config.leaseSeconds`. */
export type Config = {
  readonly [Key in ConfigKey as Camel<Key>]: ValueOf<(typeof SETTINGS)[Key]>;
};

/** `lease.seconds` -> `leaseSeconds`, its name in {@link Config}. */
export function propertyOf(key: ConfigKey): string {
  return key.replace(/[.-](.)/g, (_, letter: string) => letter.toUpperCase());
}

/** `lease.seconds` -> `lease-seconds`, without the dashes before it. */
export function flagOf(key: ConfigKey): string {
  return key.replaceAll('.', '-');
}

/** `lease.seconds` -> `BERTHD_LEASE_SECONDS`. */
export function envOf(key: ConfigKey): string {
  return `BERTHD_${key.replaceAll(/[.-]/g, '_').toUpperCase()}`;
}
