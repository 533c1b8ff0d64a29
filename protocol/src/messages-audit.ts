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
    params: Type.Object({ key: IdempotencyKey }),
    result: Type.Object({ checkpoint: TokenText }),
    errors: ['KEY_REUSED'],
    text: 'Signs the position of the journal as it is now, and puts that into the journal.',
  }),
} as const;

/** Bytes of records in one answer: in base64url, with what is around them, it fits `replyBytes`. */
export const AUDIT_PART_BYTES = Math.floor((limits.replyBytes * 5) / 8);
