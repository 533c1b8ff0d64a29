/** One row of the error catalogue: what a code means, whether to try again, how `berth` exits, and what to do next. */
export interface ErrorRow {
  /** JSON-RPC error code. Stable; never reused. */
  readonly number: number;
  /** The sentence shown when the sender has nothing more precise to say. Text is for people: match on the code. */
  readonly text: string;
  /** True when the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** Exit code of `berth`: 1 failure, 2 usage, 3 cancelled, 4 not allowed, 5 unreachable, 6 not found, 7 no seat, 8 blocked. */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
  /** What the person who reads it should do next. */
  readonly next: string;
}

const row = (
  number: number,
  exit: ErrorRow['exit'],
  retryable: boolean,
  text: string,
  next: string,
): ErrorRow => ({
  number,
  text,
  retryable,
  exit,
  next,
});

/** Every code that crosses the wire or that the SDK and the CLI raise themselves (PROTOCOL 9). */
export const errors = {
  // The frame itself. The first four are JSON-RPC's own numbers.
  FRAME_INVALID: row(
    -32700,
    1,
    false,
    'The frame is not valid JSON.',
    'Send one JSON-RPC 2.0 request per text frame.',
  ),
  REQUEST_INVALID: row(
    -32600,
    1,
    false,
    'The frame is not a JSON-RPC 2.0 request.',
    'See PROTOCOL.md section 3.',
  ),
  METHOD_UNKNOWN: row(
    -32601,
    1,
    false,
    'The server does not know this method on this path.',
    'Check the versions of client and server: `berth whoami`.',
  ),
  PARAMS_INVALID: row(
    -32602,
    2,
    false,
    'A parameter is missing or malformed.',
    'The message names the field; correct it.',
  ),
  INTERNAL: row(
    -32603,
    1,
    true,
    'The server failed to answer.',
    'Try again; if it stays, look in the log of berthd.',
  ),

  // Session and identity.
  SESSION_REQUIRED: row(-33001, 4, false, 'This method needs an open session.', 'Call session.open first.'),
  SESSION_OPEN: row(
    -33002,
    1,
    false,
    'A session is already open on this socket.',
    'Open another socket for another session.',
  ),
  SIGNATURE_INVALID: row(
    -33003,
    4,
    false,
    'The signature does not fit the key and the session.',
    'Join the server again with a new link: `berth join LINK`.',
  ),
  DEVICE_UNKNOWN: row(
    -33004,
    4,
    false,
    'This device is not enrolled on this server.',
    'Ask an admin for an invitation and run `berth join LINK`.',
  ),
  NOT_ALLOWED: row(
    -33005,
    4,
    false,
    'Your role does not allow this.',
    'Ask an owner or admin of the organisation.',
  ),
  INVITATION_INVALID: row(
    -33006,
    4,
    false,
    'The invitation is not one of this server.',
    'Copy the whole link, or ask an admin for a new one.',
  ),
  INVITATION_USED: row(
    -33007,
    4,
    false,
    'The invitation has been used.',
    'Ask an admin for a new one: `berth user invite EMAIL`.',
  ),
  INVITATION_EXPIRED: row(
    -33008,
    4,
    false,
    'The invitation has expired.',
    'Ask an admin for a new one: `berth user invite EMAIL`.',
  ),
  SERVER_MISMATCH: row(
    -33009,
    4,
    false,
    'The server is not the one this identity belongs to.',
    'Check the address; if the server was replaced, join it again.',
  ),
  SUPERSEDED: row(
    -33010,
    1,
    false,
    'The same device opened a session from another address.',
    'If that was not you, ask an admin to remove the device.',
  ),
  BINDING_REQUIRED: row(
    -33011,
    4,
    false,
    'The session is not bound to this TLS connection.',
    'Something between client and server ends TLS; connect directly.',
  ),
  CHALLENGE_STALE: row(
    -33015,
    1,
    true,
    'The request answers a challenge that is no longer valid.',
    'Sign it again with the challenge of this answer; programs do that by themselves.',
  ),
  REQUEST_REPLAYED: row(
    -33016,
    4,
    false,
    'This very request has been received before.',
    'Sign every request with a fresh nonce, a retry too.',
  ),

  // Load and state of the server.
  BUSY: row(-33020, 1, true, 'Too many requests at once.', 'Wait a moment and try again.'),
  RATE_LIMITED: row(
    -33021,
    1,
    true,
    'This device sends requests too fast.',
    'Slow down; see limits.requests-per-second-per-device.',
  ),
  DRAINING: row(
    -33022,
    5,
    true,
    'The server is shutting down.',
    'Reconnect; the lease stays valid meanwhile.',
  ),
  DISK_LOW: row(
    -33023,
    1,
    true,
    'The server is short of disk space and grants nothing new.',
    'Site IT: free space on the disk of the data folder. Running leases are still renewed.',
  ),
  CLOCK_BEHIND: row(
    -33024,
    1,
    true,
    'The clock of the server is behind what it has seen and it grants nothing new.',
    'Site IT: set the clock of the server right (NTP). If it is right, ask an admin: `berth clock accept`.',
  ),
  TOO_MANY_LEASES: row(
    -33025,
    1,
    false,
    'The session has as many leases as it may have.',
    'Release some, or open another session.',
  ),

  // Idempotency.
  KEY_REUSED: row(
    -33030,
    1,
    false,
    'The idempotency key was used for another request.',
    'Use a fresh random key for every new request.',
  ),

  // Seats.
  NO_PRODUCT: row(
    -33040,
    7,
    false,
    'No entitlement for this product is active on this server.',
    'Check the product id with `berth status`; an admin imports one with `berth entitlement import FILE`.',
  ),
  NO_SEAT: row(
    -33041,
    7,
    true,
    'No seat is free.',
    'Wait (`--wait 10m`), ask one of the holders, or ask an admin to assign you a seat.',
  ),
  LEASE_UNKNOWN: row(-33042, 6, false, 'There is no such lease, or it has ended.', 'Check out again.'),
  LEASE_REVOKED: row(-33043, 7, false, 'The lease was revoked.', 'Save your work; ask an admin why.'),
  STOP_REQUIRED: row(
    -33044,
    1,
    false,
    'A revoked lease is given back only with a stop signed by its device.',
    'Send `stops` with the release.',
  ),
  STOP_INVALID: row(
    -33045,
    4,
    false,
    'The stop is not signed by the device that holds the lease.',
    'Return it from the device that borrowed it.',
  ),
  SEAT_LOST: row(
    -33046,
    7,
    false,
    'The seat was lost: it could not be renewed in time.',
    'Check the connection to the licence server, then check out again.',
  ),

  IDLE_RELEASED: row(
    -33047,
    7,
    false,
    'The seat was taken back because nobody had used it for too long.',
    'Go on working: check out again.',
  ),
  MESSAGE_INVALID: row(
    -33048,
    2,
    false,
    'The text is empty, too long, or has characters that a message may not have.',
    'Use plain text without control characters; lines may be broken.',
  ),
  NOT_DELIVERED: row(
    -33049,
    5,
    true,
    'The plugin that holds the lease is not connected; the message was not delivered.',
    'Try again once it is back; it reconnects by itself while its lease lasts.',
  ),

  // Borrowing.
  BORROW_NOT_ALLOWED: row(
    -33050,
    7,
    false,
    'This product may not be borrowed.',
    'Ask the vendor for an entitlement with borrowing.',
  ),
  BORROW_TOO_LONG: row(
    -33051,
    2,
    false,
    'The borrow is longer than the entitlement allows.',
    'Ask for a shorter time.',
  ),
  BORROW_LIMIT: row(
    -33052,
    7,
    true,
    'As many seats are borrowed as the entitlement allows.',
    'Wait until one is returned; see `berth lease list`.',
  ),
  CLOCK_SKEW: row(
    -33053,
    1,
    false,
    'The clock of this computer is too far from the clock of the server.',
    'Set the clock of this computer right, then borrow again.',
  ),
  BORROW_UNKNOWN: row(
    -33054,
    6,
    false,
    'There is no such borrow on this device.',
    'See `berth borrow list`.',
  ),
  BORROWED: row(
    -33055,
    8,
    true,
    'The seat is borrowed for offline use.',
    'Wait for the end of the borrow, or have it returned: `berth borrow return`.',
  ),

  REVOKE_PENDING: row(
    -33056,
    8,
    false,
    'A revoke is pending: it takes effect when the borrow ends.',
    'Wait until then, or ask an admin to cancel it: `berth license revoke EMAIL PRODUCT --cancel`.',
  ),

  REQUEST_EXPIRED: row(
    -33057,
    1,
    false,
    'The borrow request is too old.',
    'Make a new one on that machine: `berth borrow request`. If it is new, set the clock of the machine right.',
  ),
  AUDIT_BROKEN: row(
    -33150,
    1,
    false,
    'The audit file is not as the server wrote it.',
    'Keep the file, and export again: `berth audit export`. If that one is broken too, the journal was changed: do not edit it, and report this.',
  ),
  BORROW_FILE_INVALID: row(
    -33058,
    2,
    false,
    'This is not a borrow file of Berth, or it was changed.',
    'Use the file as `berth borrow` wrote it, whole and unchanged.',
  ),
  GRANT_FOREIGN: row(
    -33059,
    4,
    false,
    'The grant does not answer a request of this computer.',
    'Install it on the computer that made the request; each grant is installed once.',
  ),

  // Administration.
  USER_UNKNOWN: row(
    -33060,
    6,
    false,
    'There is no such user.',
    'See `berth user list`; invite with `berth user invite EMAIL`.',
  ),
  USER_EXISTS: row(
    -33061,
    1,
    false,
    'The user is already a member.',
    'Nothing to do; to send a new link remove and invite again.',
  ),
  EMAIL_INVALID: row(
    -33062,
    2,
    false,
    'This is not an e-mail address.',
    'Correct it; the form is name@example.com.',
  ),
  NAME_INVALID: row(
    -33063,
    2,
    false,
    'The name has characters that a name may not have.',
    'Remove control characters, those that turn the direction of writing, and a leading = + - @.',
  ),
  ROLE_INVALID: row(-33064, 2, false, 'There is no such role.', 'Use one of: owner, admin, viewer, user.'),
  LAST_OWNER: row(-33065, 8, false, 'The last owner cannot be removed.', 'Make another user an owner first.'),
  ALLOCATED: row(
    -33066,
    8,
    false,
    'Seats are still allocated.',
    'Revoke them first: `berth license revoke EMAIL PRODUCT --all`.',
  ),
  ALL_ALLOCATED: row(
    -33067,
    8,
    false,
    'Every seat is allocated.',
    'Move a seat from somebody: `berth license move EMAIL PRODUCT --to EMAIL`; see `berth license list`.',
  ),
  ALLOCATION_UNKNOWN: row(-33068, 6, false, 'The user has no such allocation.', 'See `berth license list`.'),
  DATE_INVALID: row(-33069, 2, false, 'This is not a date.', 'Write a day as YYYY-MM-DD.'),
  ENTITLEMENT_UNKNOWN: row(
    -33070,
    6,
    false,
    'There is no such entitlement.',
    'See `berth entitlement list`.',
  ),
  ENTITLEMENT_INVALID: row(
    -33071,
    2,
    false,
    'This is not a valid entitlement.',
    'Use the file as the vendor sent it, whole and unchanged.',
  ),
  ENTITLEMENT_SIGNATURE: row(
    -33072,
    4,
    false,
    'The entitlement is not signed by the vendor it names.',
    'Ask the vendor for it again; this one was changed.',
  ),
  ENTITLEMENT_FOREIGN: row(
    -33073,
    4,
    false,
    'The entitlement was issued to another server.',
    'Send the vendor the output of `berth entitlement request`.',
  ),
  ENTITLEMENT_EXPIRED: row(-33074, 1, false, 'The entitlement has expired.', 'Ask the vendor for a renewal.'),
  ENTITLEMENT_SUPERSEDED: row(
    -33075,
    1,
    false,
    'A newer revision of the entitlement is known.',
    'Import the newest file.',
  ),
  ENTITLEMENT_CONFLICT: row(
    -33076,
    1,
    false,
    'Another entitlement has the same id and revision.',
    'Ask the vendor for one with a new id or revision.',
  ),
  VENDOR_MISMATCH: row(
    -33077,
    4,
    false,
    'The product belongs to another vendor key.',
    'Ask the vendor of the product; if it has changed its key, import its endorsement of the new one first.',
  ),
  SHARE_MISMATCH: row(
    -33078,
    1,
    false,
    'The share rule differs from that of the other entitlements of the product.',
    'Ask the vendor for an entitlement with the same share rule.',
  ),
  PERSONAL: row(
    -33079,
    8,
    false,
    'A personal entitlement belongs to the holder that the vendor named.',
    'Ask the vendor for one with another holder.',
  ),
  ENTITLEMENT_NOT_BEGUN: row(
    -33170,
    8,
    false,
    'The entitlement has not begun.',
    'Wait until the day it begins: see `berth subscription list`.',
  ),
  IN_USE: row(-33080, 8, true, 'Seats are in use.', 'Wait until they are released.'),

  ENDORSEMENT_INVALID: row(
    -33084,
    4,
    false,
    'This is not a valid endorsement of a vendor key.',
    'Use the file as the vendor sent it; it is signed by the old key, for the new one.',
  ),
  USER_DEVICE_UNKNOWN: row(
    -33085,
    6,
    false,
    'The user has no such device.',
    'See `berth user devices EMAIL`.',
  ),
  USER_DEVICE_AMBIGUOUS: row(
    -33086,
    2,
    false,
    'Several devices of the user have this name.',
    'Name it by its id, as in `berth user devices EMAIL`.',
  ),
  ALIAS_INVALID: row(
    -33087,
    2,
    false,
    'This is not a login name, or they are too many.',
    'Write it as lgt07 or STUDIO\\lgt07, without @ and control characters.',
  ),
  ALIAS_TAKEN: row(
    -33088,
    8,
    false,
    'The login name belongs to another user.',
    'Remove it there first: `berth user set EMAIL --remove-alias NAME`.',
  ),
  CHANGED_MEANWHILE: row(
    -33089,
    8,
    false,
    'Somebody else changed it meanwhile; nothing was changed now.',
    'Look at it as it is now, and decide again.',
  ),
  PRODUCT_UNKNOWN: row(
    -33081,
    6,
    false,
    'There is no such product on this server.',
    'See `berth status` for the products there are.',
  ),

  // Machines.
  MACHINE_TOKEN_UNKNOWN: row(
    -33090,
    6,
    false,
    'There is no such machine token.',
    'See `berth machine token list`.',
  ),
  MACHINE_TOKEN_REVOKED: row(
    -33091,
    4,
    false,
    'The machine token was revoked.',
    'Ask an admin for another link: `berth machine token create`.',
  ),
  MACHINE_TOKEN_EXPIRED: row(
    -33092,
    4,
    false,
    'The machine token has expired.',
    'Ask an admin for one that lasts longer: `berth machine token create --expires 90d`.',
  ),
  MACHINE_TOKEN_USED_UP: row(
    -33093,
    4,
    false,
    'As many machines have joined with this token as it allows.',
    'Ask an admin for one with more uses: `berth machine token create --uses N`.',
  ),
  MACHINE_UNKNOWN: row(-33094, 6, false, 'There is no such machine.', 'See `berth machine list`.'),
  MACHINE_AMBIGUOUS: row(
    -33095,
    2,
    false,
    'Several machines have this name.',
    'Name it by its id, as in `berth machine list`.',
  ),

  // The outbox.
  MAIL_UNKNOWN: row(-33130, 6, false, 'There is no such mail in the outbox.', 'See `berth mail list`.'),
  MAIL_ENDED: row(
    -33131,
    8,
    false,
    'The mail waits for nothing: it was sent, or is not to be sent any more.',
    'See what became of it: `berth mail show ID`.',
  ),
  MAIL_OFF: row(
    -33132,
    8,
    false,
    'No mail server is configured.',
    'IT sets mail.smtp and mail.from of berthd; until then read mails with `berth mail show ID`.',
  ),

  // Bulk: of a whole table, and of its rows.
  HEADER_INVALID: row(
    -33140,
    2,
    false,
    'The first line of the table does not name its columns.',
    'See what is expected: `berth bulk template KIND`.',
  ),
  UPLOAD_UNKNOWN: row(
    -33141,
    1,
    false,
    'The server does not have these rows (any more).',
    'Send them again; they are kept for ten minutes and not across a restart.',
  ),
  BULK_TOO_LARGE: row(
    -33142,
    2,
    false,
    'The table is larger than one bulk job may be.',
    'Split it: at most 20,000 rows.',
  ),
  PRUNE_REFUSED: row(
    -33167,
    8,
    false,
    'The journal is not pruned so.',
    'See which records may go: `berth audit prune --older-than 365d --out FILE --dry-run`.',
  ),
  PRUNE_BUSY: row(
    -33168,
    8,
    true,
    'The files of the journal are being read.',
    'Wait some minutes and try again.',
  ),
  JOURNAL_DAMAGED: row(
    -33169,
    1,
    false,
    'A file that the server is made of is damaged or missing.',
    'Leave the folder `state` alone; put the file back from a backup while the server is stopped, then `berthd check` (docs/site-it.md, Audit).',
  ),
  BULK_BUSY: row(
    -33143,
    8,
    true,
    'Too many bulk jobs are under way.',
    'Wait until one of them is done: `berth bulk list`.',
  ),
  JOB_UNKNOWN: row(-33144, 6, false, 'There is no such bulk job.', 'See `berth bulk list`.'),
  ROW_SHORT: row(
    -33145,
    2,
    false,
    'The row ends before the last column.',
    'Add the missing cells; an empty one still needs its separator.',
  ),
  ROW_LONG: row(
    -33151,
    2,
    false,
    'The row has more cells than the first line has columns.',
    'A cell that holds the separator needs quotes around it: "Ek, Anna".',
  ),
  QUOTE_STRAY: row(
    -33171,
    2,
    false,
    'A quote stands within the text of a cell.',
    'Write it twice, with quotes around the whole cell: "Anna ""Nan"" Ek".',
  ),
  QUOTE_OPEN: row(
    -33172,
    2,
    false,
    'A quote that begins a cell is not closed.',
    'Close it, or leave it out. The lines behind it were read by themselves.',
  ),
  EMAIL_MISSING: row(-33146, 2, false, 'The row has no e-mail address.', 'Fill the cell, or remove the row.'),
  ROW_DUPLICATE: row(-33147, 2, false, 'An earlier row is about the same user.', 'Remove one of them.'),
  CELL_FORMULA: row(
    -33148,
    2,
    false,
    'A cell begins like a formula of a spreadsheet.',
    'Write it without = + - or @ at its beginning.',
  ),
  QUANTITY_INVALID: row(
    -33149,
    2,
    false,
    'This is not a number of seats.',
    'Write a whole number from 1 on, or leave the cell empty.',
  ),

  // Credits.
  CREDIT_DISABLED: row(
    -33160,
    4,
    false,
    'You may not spend credits of the organisation.',
    'Ask an admin for some: `berth credit request N`.',
  ),
  CREDIT_LIMIT: row(
    -33161,
    8,
    false,
    'This is more than your limit leaves you.',
    'Wait until the limit begins anew, spend fewer, or ask an admin for more: `berth credit request N`.',
  ),
  CREDIT_LOW: row(
    -33162,
    7,
    false,
    'The organisation has fewer credits left than this.',
    'Spend fewer, or ask an admin to buy more.',
  ),
  CREDIT_HELD: row(
    -33166,
    8,
    false,
    'The server was restored from a backup: what was spent since is not known, so no credits are spent.',
    'Ask an admin: `berth restore accept` ends it, by their word.',
  ),
  CREDIT_REQUEST_OPEN: row(
    -33163,
    8,
    false,
    'You have asked for credits already, and nobody has answered yet.',
    'Wait for the answer of an admin; it comes by mail.',
  ),
  CREDIT_REQUEST_UNKNOWN: row(
    -33164,
    6,
    false,
    'Nobody is waiting for an answer here.',
    'See `berth credit requests`.',
  ),
  CREDIT_LIMIT_INVALID: row(
    -33165,
    2,
    false,
    'This is no limit of credits.',
    'Write a whole number from 0 on, `unlimited` or `disabled`.',
  ),

  // Raised by the SDK and the CLI themselves.
  UNREACHABLE: row(
    -33100,
    5,
    true,
    'No licence server can be reached.',
    'Check the network and that berthd runs; `berth doctor` looks at each server.',
  ),
  CERTIFICATE_UNTRUSTED: row(
    -33101,
    5,
    false,
    'The server shows a certificate that this identity does not trust.',
    'If IT changed the certificate, join again with a new link.',
  ),
  TIMEOUT: row(
    -33102,
    5,
    true,
    'The server did not answer in time.',
    'Try again; look at the load of the server.',
  ),
  CONNECTION_LOST: row(
    -33103,
    5,
    true,
    'The connection to the server was lost before the answer.',
    'It is tried again by itself; a retry never takes a second seat.',
  ),
  NOT_JOINED: row(
    -33104,
    4,
    false,
    'This computer has not joined a licence server.',
    'Run `berth join LINK` with the link from your admin.',
  ),
  LINK_INVALID: row(
    -33105,
    2,
    false,
    'This is not a join link.',
    'Copy the whole link: berth://host:port/?key=…&token=…',
  ),
  TOKEN_INVALID: row(
    -33106,
    4,
    false,
    'The licence token does not verify.',
    'Check the vendor key; if it is right, the server or the file is not genuine.',
  ),
  CANCELLED: row(-33107, 3, false, 'Cancelled.', 'Nothing was changed.'),
  USAGE: row(-33108, 2, false, 'The command line is not right.', 'See `--help`.'),
  FILE_UNREADABLE: row(-33109, 1, false, 'A file cannot be read.', 'Check the path and the permissions.'),
  FILE_EXISTS: row(-33110, 1, false, 'The file exists.', 'Choose another name, or remove it first.'),
  KEY_INVALID: row(
    -33111,
    2,
    false,
    'This is not a key.',
    'Give `ed25519:…` or the path of a file that holds it.',
  ),
  CONTEXT_UNKNOWN: row(
    -33113,
    6,
    false,
    'There is no such context on this computer.',
    'See `berth context list`.',
  ),
  ADMIN_ELSEWHERE: row(
    -33115,
    5,
    false,
    'Administration has an address of its own on this server.',
    'Ask IT for it (admin.listen) and that it can be reached from here.',
  ),
  CSV_INVALID: row(
    -33116,
    2,
    false,
    'The file is no table that can be read.',
    'Save it as CSV, with a first line that names the columns: `berth bulk template KIND`.',
  ),
  BACKUP_INVALID: row(
    -33117,
    1,
    false,
    'The file is no backup, or is not whole.',
    'Take another backup. Nothing of this one is to be trusted.',
  ),
  PASSPHRASE_WRONG: row(
    -33118,
    4,
    false,
    'The passphrase is not that of the backup.',
    'Give the one it was made with. Without it nobody can open it.',
  ),
  FOLDER_UNWRITABLE: row(
    -33112,
    1,
    false,
    'A folder cannot be written.',
    'Check its permissions, or set BERTH_HOME.',
  ),
  OUTPUT_LOST: row(
    -33173,
    1,
    false,
    'What was to be printed did not arrive.',
    'Free some space, or print it elsewhere, and give the command again.',
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errors;

/** Why a checkout was refused: the `rule` of a denial. */
export const rules = {
  ALL_IN_USE: 'Every seat you may use is taken.',
  ALLOCATED_TO_OTHERS: 'The free seats are allocated to other users.',
  SHARING_OFF: 'Floating sharing is off for this product and you have no allocation with a free seat.',
  OTHERS_WAIT: 'Others have been waiting for these seats longer.',
  LINE_FULL: 'As many wait for seats already as the server lets wait.',
  MORE_THAN_OWNED: 'The organisation does not own that many seats.',
  SHRUNK:
    'More seats are in use than the organisation owns now; nothing is granted until enough are given back.',
  ENTITLEMENT_ENDS: 'The entitlement ends too soon for a lease to fit inside it.',
  REVOKE_PENDING: 'A revoke or removal is pending; it takes effect when the borrow ends.',
  RESTORED:
    'The server was restored from a backup, or its folder was put back: seats that may still be in use since before are kept back for now.',
  NOT_ENTITLED: 'No entitlement of this product is active.',
  BORROW_SEATS: 'As many seats are borrowed as the entitlement allows.',
  BORROW_CAP_PRODUCT: 'As many seats of the product are borrowed as an admin allows.',
  BORROW_CAP_USER: 'You have borrowed as many seats of the product as an admin allows to one user.',
  BORROW_FORBIDDEN: 'The entitlement does not allow borrowing.',
  BORROW_LENGTH: 'The borrow is longer than the entitlement allows, or than it lasts.',
} as const;

export type DenialRule = keyof typeof rules;

const byNumber = new Map<number, ErrorCode>(
  (Object.keys(errors) as ErrorCode[]).map((code) => [errors[code].number, code]),
);

/** The code for a JSON-RPC error number, or `undefined` for one this version does not know. */
export function errorCodeOf(number: number): ErrorCode | undefined {
  return byNumber.get(number);
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errors, text);
}
