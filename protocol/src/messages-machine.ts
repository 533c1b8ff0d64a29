import { limits } from './limits.js';
import { request } from './message-row.js';
import { Count, Cursor, DayText, Id, IdempotencyKey, NameText, PageSize, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

const Next = Type.Union([Cursor, Type.Null()]);
const Page = { cursor: Type.Optional(Cursor), limit: Type.Optional(PageSize) };

/** A token with which machines enrol themselves. Its secret is in the link alone. */
export const MachineTokenInfo = Type.Object({
  id: Id,
  name: Type.String(),
  group: Type.Union([Type.String(), Type.Null()]),
  uses: Count,
  maxUses: Count,
  expiresAtMs: Type.Union([WallMs, Type.Null()]),
  state: Type.Enum(['open', 'used-up', 'expired', 'revoked']),
  madeAtMs: WallMs,
  by: Type.String(),
});
export type MachineTokenInfo = Static<typeof MachineTokenInfo>;

/** A machine that has enrolled itself. */
export const MachineInfo = Type.Object({
  id: Id,
  name: Type.String(),
  group: Type.Union([Type.String(), Type.Null()]),
  token: Id,
  enrolledAtMs: WallMs,
  seats: Count,
  borrowed: Count,
});
export type MachineInfo = Static<typeof MachineInfo>;

export const machineRequests = {
  'machine.token.create': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      name: Type.Optional(NameText),
      group: Type.Optional(NameText),
      /** How many machines may enrol with it; left out: one. */
      uses: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.machineTokenUses })),
      /** For so long from now; left out, and without `expires`: until it is revoked. */
      seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.borrowSeconds })),
      /** Through the end of this day. */
      expires: Type.Optional(DayText),
    }),
    result: Type.Object({ token: MachineTokenInfo, link: Type.String() }),
    errors: ['NAME_INVALID', 'DATE_INVALID', 'KEY_REUSED', 'DISK_LOW'],
    text: 'Makes a join link for machines. It is shown once; the server keeps no copy.',
  }),
  'machine.token.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object(Page),
    result: Type.Object({ items: Type.Array(MachineTokenInfo), next: Next }),
    errors: [],
    text: 'Every machine token, ended ones too.',
  }),
  'machine.token.revoke': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, id: Id }),
    result: Type.Object({ token: MachineTokenInfo }),
    errors: ['MACHINE_TOKEN_UNKNOWN', 'KEY_REUSED'],
    text: 'Ends a machine token. Machines that have enrolled with it stay.',
  }),
  'machine.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({ ...Page, group: Type.Optional(NameText) }),
    result: Type.Object({ items: Type.Array(MachineInfo), next: Next }),
    errors: [],
    text: 'Machines, by name.',
  }),
  'machine.remove': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      /** Its id, or its name where no other machine has the same. */
      machine: Type.String({ minLength: 1, maxLength: limits.nameChars }),
    }),
    result: Type.Object({ machine: MachineInfo, leasesRevoked: Count }),
    errors: ['MACHINE_UNKNOWN', 'MACHINE_AMBIGUOUS', 'BORROWED', 'KEY_REUSED'],
    text: 'Removes a machine; live leases are revoked. Refused while it has a borrow.',
  }),
  'machine.remove.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ machine: Type.String({ minLength: 1, maxLength: limits.nameChars }) }),
    result: Type.Object({ machine: MachineInfo, leasesRevoked: Count }),
    errors: ['MACHINE_UNKNOWN', 'MACHINE_AMBIGUOUS', 'BORROWED'],
    text: 'What `machine.remove` would say now.',
  }),
} as const;
