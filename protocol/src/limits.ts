// A limit on everything, in one file, each with its reason (STYLE 9). Numbers that IT may change are rows of berthd's
// configuration table and only have their default here.

export const limits = {
  /** A frame to the server, bytes. The largest honest one is a release with 32 stops of about 370 characters. */
  requestBytes: 16 * 1024,
  /** A frame to a client, bytes: 64 leases of about 900 bytes with their entitlements, or a page of a list. */
  replyBytes: 256 * 1024,
  /** A token of any type, characters. An entitlement with full display data is about 2 KiB. */
  tokenChars: 4 * 1024,
  /** Products that one endorsement names: with the longest names it still fits a token. */
  endorsedProducts: 20,
  /** Endorsements between a pinned vendor key and the key that signed an entitlement. A vendor rotates every few years. */
  endorsementChain: 4,
  /** Endorsements in one answer: the whole chain of two vendors. */
  endorsementsPerReply: 8,
  /** Endorsements that a verifier looks at, so that nobody makes it check signatures for long. */
  endorsementsRead: 16,
  /** Objects and arrays inside each other in a token's payload. A recursive parser of any language bears it. */
  tokenDepth: 8,
  /** Leases in one session: a farm wrapper holds a few, a broken loop would hold thousands. */
  leasesPerSession: 64,
  /** Stops in one release: with their leases, of up to 400 characters each, they fit `requestBytes`. */
  stopsPerRelease: 32,
  /** Tokens shown in one resume: of up to 900 characters each, they fit `requestBytes` with the ids of 64 leases. */
  tokensPerResume: 10,
  /** Seats in one checkout: a reply carries at most `leasesPerSession` leases. */
  seatsPerCheckout: 64,
  /** Wants in one checkout (a bundle): an application with its renderer and plugins is five; each may bring leases of its own. */
  wantsPerCheckout: 8,
  /** Products in one want, in order of preference: what a workstation may fall back to fits on one hand. */
  productsPerWant: 8,
  /** How long a checkout may wait in line, milliseconds: a day, so that a job queued in the evening gets its seat in the night. */
  waitMs: 86_400_000,
  /** Checkouts of one device that wait at once: a render node with a process for each core. More are refused, not queued (LINE_FULL). */
  waitsPerDevice: 128,
  /** Checkouts that wait at once on one server: every seat that comes free looks along the line, 10,000 of them in milliseconds. */
  waits: 10_000,
  /** Requests that wait for one checkout: a retry comes while connections that died are still unnoticed. One more answers the oldest. */
  waitersPerPlace: 8,
  /** A place in line is kept this long for a client whose connection broke, milliseconds: three times its longest pause before it is back. */
  placeKeptMs: 30_000,
  /** A waiting client is told of changes no more often than this, milliseconds: enough for a person, little for a line of thousands. */
  queuedEveryMs: 1_000,
  /** Seats in one entitlement. Keeps every sum far below 2^53. */
  seatsPerEntitlement: 1_000_000,
  /** Rows in one page of a list; a page must fit `replyBytes` with the longest names. */
  pageRows: 100,
  /** Changes of one act that the audit shows: a page of a hundred of them fits a frame. The export has all. */
  auditChanges: 20,
  /** Records younger than this are pruned only when it is said that it is meant, milliseconds: what an incident is looked into by. */
  pruneAgeMs: 30 * 86_400_000,
  /** Files of the journal in one answer: it fits `replyBytes`. */
  auditSegments: 200,
  /** The highest page number of a list: with the smallest page it still reaches every row of any site. */
  pageNumber: 1_000_000,
  /** Rows of each kind that a user sees of themselves in one answer: more than anybody has, and it fits a frame. */
  mineRows: 200,
  /** Login names of one user: one for each domain and system of a studio. */
  aliasesPerUser: 20,
  /** Length of a login name as typed, characters: Windows allows 20, others more; with a domain before it. */
  aliasChars: 120,
  /** Holders named in a denial: enough to know whom to ask, small enough for a dialog. */
  holdersNamed: 10,
  /** Time a new socket has to finish its TLS handshake, its upgrade and `session.open`, milliseconds. */
  handshakeMs: 10_000,
  /** Requests in flight on one socket; more are answered with BUSY, so one client cannot fill the queue. */
  inFlightPerSocket: 128,
  /** Bytes waiting for a slow reader before its socket is cut; the kernel's buffers come on top. */
  bufferedBytes: 1024 * 1024,
  /** Server pings an idle socket this often and cuts it after two unanswered ones, milliseconds. */
  pingMs: 30_000,
  /** Longest borrow an entitlement may allow, seconds: a year. A longer one is a sale. */
  borrowSeconds: 366 * 86_400,
  /** Longest time a plugin may be idle before its seat is taken back, seconds: a year. Longer is off. */
  idleSeconds: 366 * 86_400,
  /** Longest time a seat is kept after its release, seconds: a day. A longer one is an allocation. */
  lingerSeconds: 86_400,
  /** Machines that may enrol with one token: far above any farm. */
  machineTokenUses: 100_000,
  /** Characters of a file that carries a borrow to or from a machine without a network: 64 leases with their entitlements. */
  offlineFileChars: 640 * 1024,
  /** Age of a borrow request in a file when it is granted, milliseconds: a week. Its age is added to the hold of the seat. */
  offlineRequestMs: 7 * 86_400_000,
  /** Rows of one bulk job: every user of a large studio, twice. They are one record of the journal of about 3 MB. */
  bulkRows: 20_000,
  /** Characters of all cells of one upload: 20,000 rows of 200. It is kept in memory. */
  bulkChars: 4 * 1024 * 1024,
  /** Rows in one part of an upload: with short rows it fills `requestBytes`. */
  bulkRowsPerPut: 400,
  /** Cells of one row: spreadsheets have more columns than we read. */
  bulkColumns: 60,
  /** Characters of one cell: a name in another alphabet with room to spare. */
  bulkCellChars: 400,
  /** The highest line number of a file: blank lines count. */
  bulkLines: 10_000_000,
  /** Products that rows without one are meant for. */
  bulkProducts: 50,
  /** Uploads that a server keeps at once, of one device each; 64 MB at most. */
  bulkUploads: 16,
  /** How long rows that were sent wait for what is to be done with them, milliseconds: ten minutes. */
  bulkUploadMs: 600_000,
  /** Bulk jobs that are not done yet: they are done one after the other. */
  bulkJobsRunning: 16,
  /** Users of whom it is kept that they were removed: those of ten years in a studio of thousands. Then the ones removed first are forgotten. */
  formerUsers: 50_000,
  /** Credits that are spent or asked for at once. With 2^53 to count in, nobody can spend often enough to overflow a sum. */
  creditsAtOnce: 1_000_000,
  /** The highest limit of one user: beyond it is unlimited. */
  creditLimit: 1_000_000_000,
  /** How long a plugin can ask once more with the key of what it has spent, milliseconds: a week. A job that broke off on Friday goes on on Monday. */
  creditKeptMs: 7 * 86_400_000,
  /** Length of the note of whoever asks for credits, characters: a few sentences in a mail. */
  creditNoteChars: 400,
  /** Length of one e-mail address, characters (RFC 5321 4.5.3.1.3 allows 254 in a path). */
  emailChars: 254,
  /** Length of a name of a person, device or organisation, characters. */
  nameChars: 120,
  /** Length of a message to the person at a plugin, characters: a dialog, not a letter. */
  messageChars: 1000,
  /** Length of the reason of a forced release, characters. Shown in one line of a dialog. */
  reasonChars: 400,
  /** How far ahead a forced release may be set, seconds: a week. Longer is a matter of allocations. */
  releaseInSeconds: 7 * 86_400,
  /** How long before the end of an entitlement its seats are warned, milliseconds: time to finish and save. */
  endWarningMs: 3_600_000,
  /** How long the result of an administrative request is kept for a retry with the same key, milliseconds (I7). */
  requestKeptMs: 3_600_000,
} as const;
