import { request } from './message-row.js';
import { Count, Id, IdempotencyKey, KeyText, NameText } from './schemas.js';
import Type from './typebox.js';

export const organisationRequests = {
  'organisation.show': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({}),
    result: Type.Object({
      name: Type.String(),
      serverId: Id,
      serverKey: KeyText,
      epoch: Type.String(),
      users: Count,
      /** Of these, who have not joined yet. */
      invited: Count,
      products: Count,
      /** Products whose floating sharing is on. */
      sharing: Count,
      /** Credits of the organisation that can be spent now. */
      credits: Count,
      version: Type.String(),
    }),
    errors: [],
    text: 'The organisation and the server: what an entitlement request needs, and the numbers of the tiles.',
  }),
  'organisation.set': request({
    paths: ['admin'],
    least: 'owner',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      name: NameText,
      /** What the caller saw: if it is called otherwise by now, nothing is changed. */
      was: Type.Optional(Type.String()),
    }),
    result: Type.Object({ name: Type.String(), changed: Type.Boolean() }),
    errors: ['NAME_INVALID', 'CHANGED_MEANWHILE', 'KEY_REUSED'],
    text: 'Renames the organisation.',
  }),
} as const;
