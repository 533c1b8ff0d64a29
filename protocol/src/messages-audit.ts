import { limits } from './limits.js';
import { request } from './message-row.js';
import { Count, Cursor, Hash, IdempotencyKey, PageSize, ProductId, TokenText, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

const MaybeText = Type.Union([Type.String(), Type.Null()]);

/** One thing that a change says: `quantity` is `2` and was `0`. Text, whatever it is: for people and for searching, not for deciding. */
export const AuditFact = Type.Object({
  name: Type.String(),
  value: Type.String(),
  /** What it was before, where the change replaced it and the journal says so. */
  was: Type.Optional(Type.String()),
});
export type AuditFact = Static<typeof AuditFact>;

export const AuditChange = Type.Object({
  /** What happened, such as `allocation.set`: its first word is the kind of several. */
  kind: Type.String(),
  facts: Type.Array(AuditFact),
});
export type AuditChange = Static<typeof AuditChange>;

/** One act: who did what, when, from where, with which device, and what changed by it. */
export const AuditEntry = Type.Object({
  /** The record of the journal that it is in. */
  seq: Count,
  /** Its place among the acts of that record. */
  place: Count,
  /** On the server's wall clock; `null`: a record of a server that did not keep it. */
  atMs: Type.Union([WallMs, Type.Null()]),
  /** What was asked for; `null`: as above. */
  did: MaybeText,
  /** E-mail, or `machine:…`; `null`: the server itself, or as above. */
  by: MaybeText,
  /** Id of the device. */
  device: MaybeText,
  /** Its name; `null` once it is not enrolled any more. */
  deviceName: MaybeText,
  /** The address it was asked from. */
  from: MaybeText,
  changes: Type.Array(AuditChange),
  /** Changes beyond the `auditChanges` that are shown; left out: none. */
  more: Type.Optional(Count),
});
export type AuditEntry = Static<typeof AuditEntry>;

const Named = Type.String({ minLength: 1, maxLength: 400 });

const AuditPart = Type.Object({
  seq: Count,
  /** The hash of the record before it (PROTOCOL 11). */
  prev: Hash,
  /** Where these bytes begin in the payload, and how long that is as a whole. */
  offset: Count,
  size: Count,
  /** Bytes of the payload, base64url. */
  bytes: Type.String(),
});

/** Records that were exported and removed. */
export const Pruned = Type.Object({
  /** The last of them. */
  until: Count,
  /** The hash of it. */
  head: Hash,
  atMs: WallMs,
  /** E-mail. */
  by: Type.String(),
});
export type Pruned = Static<typeof Pruned>;

/** A file of the journal that is not written any more. */
export const AuditSegment = Type.Object({
  from: Count,
  until: Count,
  /** The hash of its last record. */
  head: Hash,
  bytes: Count,
  /** The first and the last moment that its records name; `null`: none does. */
  fromMs: Type.Union([WallMs, Type.Null()]),
  untilMs: Type.Union([WallMs, Type.Null()]),
});
export type AuditSegment = Static<typeof AuditSegment>;

/** The last of the records that go and its hash, and whether young ones may be among them. */
const Prunable = { until: Count, head: Hash, recent: Type.Optional(Type.Boolean()) };

const AuditFrom = Type.Object({ seq: Count, offset: Count });

export const auditRequests = {
  'audit.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      user: Type.Optional(Named),
      by: Type.Optional(Named),
      product: Type.Optional(ProductId),
      kind: Type.Optional(Type.String({ maxLength: 80, pattern: '^[A-Za-z]+(\\.[A-Za-z]+)?$' })),
      /** Only what a person or a machine asked for, not what the server did by itself. */
      people: Type.Optional(Type.Boolean()),
      sinceMs: Type.Optional(WallMs),
      untilMs: Type.Optional(WallMs),
      after: Type.Optional(Cursor),
      cursor: Type.Optional(Cursor),
      limit: Type.Optional(PageSize),
    }),
    result: Type.Object({
      items: Type.Array(AuditEntry),
      next: Type.Union([Cursor, Type.Null()]),
      at: Cursor,
      /** What is not in the journal any more; left out: all of it is there. */
      pruned: Type.Optional(Pruned),
    }),
    errors: [],
    text: 'Who did what, newest first. A page may be short or empty and still have a `next`: one search does only so much.',
  }),
  'audit.records': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ from: AuditFrom, until: Type.Optional(Count) }),
    result: Type.Object({ parts: Type.Array(AuditPart), next: Type.Union([AuditFrom, Type.Null()]) }),
    errors: [],
    text: 'The records of the journal as they are, for an export that anybody can verify (PROTOCOL 11). Long ones come in parts.',
  }),
  'audit.checkpoint': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, until: Type.Optional(Count) }),
    result: Type.Object({ checkpoint: TokenText }),
    errors: ['KEY_REUSED', 'PRUNE_REFUSED'],
    text: 'Signs the position of the journal as it is now, or, with `until`, the last record of a file that is not written any more, and puts that into the journal.',
  }),
  'audit.segments': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ from: Type.Optional(Count) }),
    result: Type.Object({
      segments: Type.Array(AuditSegment),
      next: Type.Union([Count, Type.Null()]),
      pruned: Type.Union([Pruned, Type.Null()]),
    }),
    errors: [],
    text: 'The files of the journal that are not written any more, oldest first: what may be pruned. An answer may be short and still have a `next`: looking into a file takes a while.',
  }),
  'audit.prune.preview': request({
    paths: ['admin'],
    least: 'owner',
    changes: false,
    params: Type.Object(Prunable),
    result: Type.Object({ from: Count, bytes: Count }),
    errors: ['PRUNE_REFUSED', 'PRUNE_BUSY'],
    text: 'What `audit.prune` would say now: asked before an export, which takes a while.',
  }),
  'audit.prune': request({
    paths: ['admin'],
    least: 'owner',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Prunable }),
    result: Type.Object({ pruned: Pruned, from: Count, bytes: Count }),
    errors: ['KEY_REUSED', 'PRUNE_REFUSED', 'PRUNE_BUSY'],
    text: 'Removes the records up to `until`, which the caller has exported and whose hash is `head`. The journal goes on from there, and has who did it.',
  }),
} as const;

/** Bytes of records in one answer: in base64url, with what is around them, it fits `replyBytes`. */
export const AUDIT_PART_BYTES = Math.floor((limits.replyBytes * 5) / 8);
