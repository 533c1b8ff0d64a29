import { limits } from './limits.js';
import { request } from './message-row.js';
import { Next, Page } from './messages-admin.js';
import { Count, DayText, Id, IdempotencyKey, ProductId, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

export const BulkKind = Type.Enum(['invite', 'remove', 'assign', 'revoke', 'credit']);
export type BulkKind = Static<typeof BulkKind>;

/** A bulk job: `done`, `unchanged` and `failed` of its `rows` have been decided; all of them once `endedAtMs` is there. */
export const BulkJobInfo = Type.Object({
  id: Id,
  kind: BulkKind,
  by: Type.String(),
  madeAtMs: WallMs,
  endedAtMs: Type.Optional(WallMs),
  rows: Count,
  done: Count,
  unchanged: Count,
  failed: Count,
  /** Rows of which something waits for the end of a borrow; left out: none. */
  waits: Type.Optional(Count),
});
export type BulkJobInfo = Static<typeof BulkJobInfo>;

/** A row with what became of it, or would: `code` and `message` of one that fails, `message` of one that waits. The cells are as they were typed. */
export const BulkRowInfo = Type.Object({
  /** Of the file, from 1. */
  line: Count,
  email: Type.String(),
  name: Type.Optional(Type.String()),
  role: Type.Optional(Type.String()),
  product: Type.Optional(Type.String()),
  quantity: Type.Optional(Type.String()),
  expires: Type.Optional(Type.String()),
  limit: Type.Optional(Type.String()),
  per: Type.Optional(Type.String()),
  verdict: Type.Enum(['waiting', 'done', 'unchanged', 'failed']),
  /** Of `revoke`: how many seats it took back. */
  seats: Type.Optional(Count),
  /** Of `revoke`: how many wait for the end of a borrow. */
  pending: Type.Optional(Count),
  /** Of `revoke` and `remove`: when what waits for a borrow takes effect. */
  pendingUntilMs: Type.Optional(WallMs),
  code: Type.Optional(Type.String()),
  message: Type.Optional(Type.String()),
});
export type BulkRowInfo = Static<typeof BulkRowInfo>;

const Cells = Type.Array(Type.String({ maxLength: limits.bulkCellChars }), { maxItems: limits.bulkColumns });

/** Why the file cannot be read in this row: a quote within the text of a cell, or one that none closes; `cell` says where, from 1. */
const WrongQuote = Type.Object({ is: Type.Enum(['stray', 'open']), cell: Count });

/** What is asked of rows that were sent with `bulk.put` before. */
const Asked = {
  /** As in `bulk.put`. */
  upload: IdempotencyKey,
  kind: BulkKind,
  /** For rows of `assign` and `revoke` without a product: each of these. */
  products: Type.Optional(Type.Array(ProductId, { minItems: 1, maxItems: limits.bulkProducts })),
  /** For rows of `assign` and `revoke` without a day. */
  expires: Type.Optional(DayText),
  /** `remove` and `revoke`: what only a borrow forbids is left pending. */
  pending: Type.Optional(Type.Boolean()),
};

export const bulkRequests = {
  'bulk.put': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({
      /** Chosen by the client for this file. */
      upload: IdempotencyKey,
      /** The first line of the file. */
      header: Cells,
      /** How many rows were sent before these. */
      from: Count,
      rows: Type.Array(
        Type.Object({
          line: Type.Integer({ minimum: 1, maximum: limits.bulkLines }),
          cells: Cells,
          quote: Type.Optional(WrongQuote),
        }),
        { maxItems: limits.bulkRowsPerPut },
      ),
    }),
    result: Type.Object({ received: Count }),
    errors: ['UPLOAD_UNKNOWN', 'BULK_TOO_LARGE', 'BULK_BUSY'],
    text: 'Sends rows of a table, part by part. They are kept for ten minutes, in memory: nothing happens with them yet.',
  }),
  'bulk.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ ...Asked, ...Page }),
    result: Type.Object({
      items: Type.Array(BulkRowInfo),
      next: Next,
      rows: Count,
      done: Count,
      unchanged: Count,
      failed: Count,
      /** As in a job. */
      waits: Type.Optional(Count),
      /** Columns of the header that nobody reads. */
      ignored: Type.Array(Type.String()),
    }),
    errors: ['HEADER_INVALID', 'UPLOAD_UNKNOWN', 'BULK_TOO_LARGE', 'DATE_INVALID'],
    text: 'What would become of each row if they were applied now, one after the other. Changes nothing.',
  }),
  'bulk.apply': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      ...Asked,
      /** A new job although there is one of these rows. */
      again: Type.Optional(Type.Boolean()),
    }),
    result: Type.Object({ job: BulkJobInfo, existing: Type.Boolean(), ignored: Type.Array(Type.String()) }),
    errors: [
      'HEADER_INVALID',
      'UPLOAD_UNKNOWN',
      'BULK_TOO_LARGE',
      'BULK_BUSY',
      'DATE_INVALID',
      'KEY_REUSED',
      'DISK_LOW',
    ],
    text: 'Makes a durable job of the rows; each of them succeeds or fails alone. The same rows again are the same job.',
  }),
  'bulk.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({ ...Page }),
    result: Type.Object({ items: Type.Array(BulkJobInfo), next: Next }),
    errors: [],
    text: 'Bulk jobs, the newest first.',
  }),
  'bulk.report': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      ...Page,
      id: Id,
      /** Only rows that failed. */
      failures: Type.Optional(Type.Boolean()),
    }),
    result: Type.Object({ job: BulkJobInfo, items: Type.Array(BulkRowInfo), next: Next }),
    errors: ['JOB_UNKNOWN'],
    text: 'A bulk job and its rows, in order.',
  }),
} as const;
