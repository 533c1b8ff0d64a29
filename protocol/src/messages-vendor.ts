import { request } from './message-row.js';
import { IdempotencyKey, KeyText, ProductId, TokenText } from './schemas.js';
import Type, { type Static } from './typebox.js';

/** An endorsement as an admin sees it. */
export const EndorsementInfo = Type.Object({
  /** The key that endorsed. */
  vendor: KeyText,
  /** The key that grants in its place from now on. */
  successor: KeyText,
  /** The products it names; `null`: every product of the vendor. */
  products: Type.Union([Type.Array(ProductId), Type.Null()]),
});
export type EndorsementInfo = Static<typeof EndorsementInfo>;

export const vendorRequests = {
  'endorsement.import': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, endorsement: TokenText }),
    result: Type.Object({
      endorsement: EndorsementInfo,
      /** Products of this server that belong to the successor now. */
      moved: Type.Array(ProductId),
      changed: Type.Boolean(),
    }),
    errors: ['ENDORSEMENT_INVALID', 'VENDOR_MISMATCH', 'KEY_REUSED', 'DISK_LOW'],
    text: 'Takes note that a vendor has changed its key: the key that owns the products endorses another one. Importing it again changes nothing.',
  }),
  'endorsement.import.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ endorsement: TokenText }),
    result: Type.Object({
      endorsement: EndorsementInfo,
      /** Products of this server that would belong to the successor. */
      moved: Type.Array(ProductId),
      changed: Type.Boolean(),
    }),
    errors: ['ENDORSEMENT_INVALID', 'VENDOR_MISMATCH', 'DISK_LOW'],
    text: 'What `endorsement.import` would say now.',
  }),
} as const;
