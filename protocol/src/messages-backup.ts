import { limits } from './limits.js';
import { request } from './message-row.js';
import { Count, Hash, Id, IdempotencyKey, KeyText, ProductId, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

/** A backup that was written, read again and found whole. */
export const BackupInfo = Type.Object({
  atMs: WallMs,
  seq: Count,
  bytes: Count,
  /** `null`: the server itself, by its timer. */
  by: Type.Union([Type.String(), Type.Null()]),
});
export type BackupInfo = Static<typeof BackupInfo>;

/** A server that was restored, or whose folder was rolled back (I9), and how careful it still is. */
export const RestoreInfo = Type.Object({
  cause: Type.Enum(['restored', 'rolledBack']),
  atMs: WallMs,
  backupAtMs: Type.Union([WallMs, Type.Null()]),
  /** Nothing at all is granted: online leases of before may be in use. */
  holding: Type.Boolean(),
  holdingUntilMs: Type.Union([WallMs, Type.Null()]),
  /** Seats that may be borrowed by somebody the server does not know of: not granted until then. */
  kept: Type.Array(Type.Object({ product: ProductId, entitlement: Id, seats: Count, untilMs: WallMs })),
  /** Borrows that the backup knew and that nobody has shown since. */
  unseen: Count,
  /** Entitlements that were imported after the backup: nothing of their products is granted until they are imported again. Older servers leave it out. */
  missing: Type.Optional(Type.Array(Type.Object({ product: ProductId, entitlement: Id }))),
  /** Somebody answered for it that nothing is out any more. */
  accepted: Type.Union([
    Type.Object({ by: Type.String(), atMs: WallMs, reason: Type.String() }),
    Type.Null(),
  ]),
});
export type RestoreInfo = Static<typeof RestoreInfo>;

/** A file of the journal, by its first record; or its base (decision 0018), by the record it stands for. */
const Segment = Type.String({ pattern: '^[0-9]{20}(\\.base)?$' });

/** Bytes of a file in one answer: in base64url, with what is around them, it fits `replyBytes`. */
export const BACKUP_PART_BYTES = Math.floor((limits.replyBytes * 5) / 8);

export const backupRequests = {
  'backup.show': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({}),
    result: Type.Object({
      last: Type.Union([BackupInfo, Type.Null()]),
      /** How often the server makes one by itself, ms; `null`: never. */
      everyMs: Type.Union([Count, Type.Null()]),
      /** Why the last one of its timer failed. */
      failed: Type.Union([Type.String(), Type.Null()]),
    }),
    errors: [],
    text: 'When the last backup was made, and whether the server makes them by itself.',
  }),
  'backup.begin': request({
    paths: ['admin'],
    least: 'owner',
    changes: true,
    params: Type.Object({ key: IdempotencyKey }),
    result: Type.Object({
      server: KeyText,
      epoch: Type.String(),
      seq: Count,
      head: Hash,
      atMs: WallMs,
      /** The small ones, with the key of the server. */
      files: Type.Array(Type.Object({ path: Type.String(), bytes: Type.String() })),
      journal: Type.Array(Type.Object({ segment: Segment, bytes: Count })),
    }),
    errors: ['KEY_REUSED', 'JOURNAL_DAMAGED'],
    text: 'Notes who makes a backup, and says what belongs to it. The journal only grows: its files up to these lengths are one moment.',
  }),
  'backup.read': request({
    paths: ['admin'],
    least: 'owner',
    changes: false,
    params: Type.Object({ segment: Segment, offset: Count }),
    result: Type.Object({ bytes: Type.String() }),
    errors: [],
    text: 'Bytes of a file of the journal, as many as an answer holds.',
  }),
  'backup.finish': request({
    paths: ['admin'],
    least: 'owner',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, seq: Count, bytes: Count, atMs: WallMs }),
    result: Type.Object({ backup: BackupInfo }),
    errors: ['KEY_REUSED'],
    text: 'The backup was written, read again and found whole: from now on it is the last one.',
  }),
  'restore.show': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({}),
    result: Type.Object({ restore: Type.Union([RestoreInfo, Type.Null()]) }),
    errors: [],
    text: 'Whether the server was restored from a backup or rolled back, and what it keeps back for those of before.',
  }),
  'restore.accept': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      reason: Type.String({ minLength: 1, maxLength: limits.reasonChars }),
    }),
    result: Type.Object({ changed: Type.Boolean(), before: Type.Union([RestoreInfo, Type.Null()]) }),
    errors: ['KEY_REUSED', 'NAME_INVALID'],
    text: 'An admin answers for it that nothing of before the restore is in use any more: everything is granted again. Journaled with who and why.',
  }),
} as const;
