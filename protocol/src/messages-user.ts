import { CreditAccess, CreditAccessName, CreditInfo } from './credit-shapes.js';
import { limits } from './limits.js';
import { request } from './message-row.js';
import { AllocationInfo, LeaseInfo, Next, Page, PendingInfo, Removed, When } from './messages-admin.js';
import { UserInfo } from './messages-lease.js';
import { MailInfo } from './messages-mail.js';
import {
  Count,
  DayText,
  EmailText,
  Id,
  IdempotencyKey,
  NameText,
  ProductId,
  Role,
  WallMs,
} from './schemas.js';
import Type, { type Static } from './typebox.js';

const RoleText = Type.String({ maxLength: 40 });
/** A login name of a workstation, as people write it: `STUDIO\\lgt07` (alias.ts). */
const AliasText = Type.String({ minLength: 1, maxLength: limits.aliasChars });
const AliasList = Type.Optional(Type.Array(AliasText, { maxItems: limits.aliasesPerUser }));

/** A member as an admin sees them. */
export const MemberInfo = Type.Object({
  email: Type.String(),
  name: Type.String(),
  role: UserInfo.properties.role,
  state: UserInfo.properties.state,
  /** Login names of workstations, canonical. */
  aliases: Type.Array(Type.String(), { maxItems: limits.aliasesPerUser }),
  /** The removal is pending. */
  removing: Type.Optional(PendingInfo),
  /** Who removed them, and when; only of somebody who was removed. */
  removed: Type.Optional(Type.Object({ by: Type.String(), atMs: WallMs })),
  devices: Count,
  products: Type.Array(Type.Object({ product: ProductId, quantity: Count }), { maxItems: 1000 }),
  /** What they may spend, and what they have spent: ever, or until the day that was asked for. Left out by older servers. */
  credits: Type.Optional(Type.Object({ ...CreditAccess.properties, spent: Count })),
});
export type MemberInfo = Static<typeof MemberInfo>;

export const DeviceInfo = Type.Object({
  id: Id,
  name: Type.String(),
  enrolledAtMs: WallMs,
  scopes: Type.Array(Type.Enum(['lease', 'admin'])),
  /** Leases that it has, borrows too. */
  leases: Count,
  borrows: Count,
});
export type DeviceInfo = Static<typeof DeviceInfo>;

/** `error`: what the mail server said last. */
const InvitationMail = Type.Object({
  id: Id,
  state: MailInfo.properties.state,
  error: Type.Optional(Type.String()),
});

/** A device to be locked out. */
const Unenrol = {
  email: EmailText,
  /** Its id, or its name where that is clear. */
  device: Type.String({ minLength: 1, maxLength: limits.nameChars }),
};
const Unenrolled = Type.Object({ email: Type.String(), device: DeviceInfo, leasesRevoked: Count });
const unenrolRefusals = [
  'EMAIL_INVALID',
  'USER_UNKNOWN',
  'USER_DEVICE_UNKNOWN',
  'USER_DEVICE_AMBIGUOUS',
  'BORROWED',
  'LAST_OWNER',
  'NOT_ALLOWED',
] as const;

/** Whom a link is for. */
const Invite = {
  email: EmailText,
  name: Type.Optional(NameText),
  role: Type.Optional(Type.String({ maxLength: 40 })),
  /** A link for a further device of somebody who has joined already; the role stays as it is. */
  device: Type.Optional(Type.Boolean()),
  /** A new link for somebody who is invited already; the role stays as it is. */
  resend: Type.Optional(Type.Boolean()),
};
const Invited = {
  expiresAtMs: WallMs,
  /** An open link of theirs ends by this; left out: there was none. */
  replaced: Type.Optional(Type.Boolean()),
};
const inviteRefusals = [
  'EMAIL_INVALID',
  'NAME_INVALID',
  'ROLE_INVALID',
  'USER_EXISTS',
  'USER_UNKNOWN',
  'REVOKE_PENDING',
  'NOT_ALLOWED',
] as const;

const Cancelled = Type.Object({ email: Type.String(), cancelled: Count });
const cancelRefusals = ['EMAIL_INVALID', 'USER_UNKNOWN', 'NOT_ALLOWED'] as const;

const Wanted = {
  email: EmailText,
  name: Type.Optional(NameText),
  role: Type.Optional(RoleText),
  addAliases: AliasList,
  removeAliases: AliasList,
};
const UserSet = Type.Object({
  user: MemberInfo,
  changed: Type.Boolean(),
  /** Links that had not been used, and ended because the role was raised. */
  linksEnded: Type.Optional(Count),
});
const setRefusals = [
  'EMAIL_INVALID',
  'USER_UNKNOWN',
  'NAME_INVALID',
  'ROLE_INVALID',
  'ALIAS_INVALID',
  'ALIAS_TAKEN',
  'NOT_ALLOWED',
  'LAST_OWNER',
] as const;

const Remove = { email: EmailText, ...When };
const UserRemoved = Type.Object({ email: Type.String(), ...Removed });
const removeRefusals = [
  'EMAIL_INVALID',
  'USER_UNKNOWN',
  'LAST_OWNER',
  'ALLOCATED',
  'BORROWED',
  'NOT_ALLOWED',
] as const;

/** By what a list of members may be sorted; ties by e-mail. */
export const MemberOrder = Type.Enum(['email', 'name', 'role', 'state', 'devices', 'seats', 'credits']);
export type MemberOrder = Static<typeof MemberOrder>;

/** What a user may see of themselves, on either path. */
export const meRequests = {
  'user.me': request({
    paths: ['lease', 'admin'],
    least: 'device',
    changes: false,
    params: Type.Object({}),
    result: Type.Object({
      user: UserInfo,
      /** The caller's own removal is pending. */
      removing: Type.Optional(PendingInfo),
      allocations: Type.Array(AllocationInfo, { maxItems: limits.mineRows }),
      leases: Type.Array(LeaseInfo, { maxItems: limits.mineRows }),
      shared: Type.Array(
        Type.Object({ product: ProductId, floatingSharing: Type.Boolean(), shared: Count, free: Count }),
        { maxItems: limits.mineRows },
      ),
      /** What the caller may spend. A machine spends none; older servers leave it out. */
      credits: Type.Optional(CreditInfo),
      more: Type.Boolean(),
    }),
    errors: [],
    text: 'What the caller holds: seats set aside, personal ones and those of the organisation, leases and borrows on every device, and the shared seats there are.',
  }),
} as const;

export const userRequests = {
  'user.invite': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Invite }),
    result: Type.Object({ user: UserInfo, link: Type.String(), ...Invited }),
    errors: [...inviteRefusals, 'KEY_REUSED', 'DISK_LOW'],
    text: 'Makes somebody a member at once and makes a join link for a device. Inviting a member who has not joined yet makes a new link and ends the old one.',
  }),
  'user.invite.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Invite),
    result: Type.Object({ user: UserInfo, ...Invited }),
    errors: [...inviteRefusals, 'DISK_LOW'],
    text: 'What `user.invite` would say now, but for the link.',
  }),
  'user.invitation.cancel': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, email: EmailText }),
    result: Cancelled,
    errors: [...cancelRefusals, 'KEY_REUSED'],
    text: 'Ends the open join links of somebody; the member stays.',
  }),
  'user.invitation.cancel.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object({ email: EmailText }),
    result: Cancelled,
    errors: [...cancelRefusals],
    text: 'What `user.invitation.cancel` would say now.',
  }),
  'user.list': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({
      ...Page,
      search: Type.Optional(Type.String({ maxLength: limits.nameChars })),
      role: Type.Optional(Role),
      state: Type.Optional(Type.Enum(['invited', 'active', 'removed'])),
      /** Only who has seats of it allocated. */
      product: Type.Optional(ProductId),
      /** Only who may spend so. */
      credit: Type.Optional(CreditAccessName),
      /** Credits are counted up to the end of this day; left out: all. */
      spentUntil: Type.Optional(DayText),
      sort: Type.Optional(MemberOrder),
      descending: Type.Optional(Type.Boolean()),
      /** From 1, of `limit` rows each; `cursor` goes before. */
      page: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.pageNumber })),
    }),
    result: Type.Object({
      items: Type.Array(MemberInfo),
      next: Next,
      /** Rows on all pages; only where `page` was asked for. */
      total: Type.Optional(Count),
    }),
    errors: ['DATE_INVALID', 'PRODUCT_UNKNOWN'],
    text: 'Members and invited people, by e-mail unless asked otherwise; those who were removed only where that state is asked for.',
  }),
  'user.show': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({ email: EmailText }),
    result: Type.Object({
      user: MemberInfo,
      invitation: Type.Union([
        Type.Object({
          expiresAtMs: WallMs,
          expired: Type.Boolean(),
          /** What became of the mail with its link, while it is kept. */
          mail: Type.Optional(InvitationMail),
        }),
        Type.Null(),
      ]),
      allocations: Type.Array(AllocationInfo, { maxItems: limits.mineRows }),
      /** Left out by older servers. */
      credits: Type.Optional(CreditInfo),
      /** Who last changed role, name or aliases. */
      changed: Type.Optional(Type.Object({ by: Type.String(), atMs: WallMs })),
    }),
    errors: ['EMAIL_INVALID', 'USER_UNKNOWN'],
    text: 'One member, or somebody who was one.',
  }),
  'user.set': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({
      key: IdempotencyKey,
      ...Wanted,
      /** What the caller saw before: if it is no longer so, nothing is changed. */
      was: Type.Optional(Type.Object({ name: Type.Optional(Type.String()), role: Type.Optional(Role) })),
    }),
    result: UserSet,
    errors: [...setRefusals, 'CHANGED_MEANWHILE', 'KEY_REUSED'],
    text: 'Changes the role, the name or the login names of a member; what is left out stays as it is.',
  }),
  'user.set.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Wanted),
    result: UserSet,
    errors: [...setRefusals],
    text: 'What `user.set` would say now.',
  }),
  'user.devices': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({ ...Page, email: EmailText }),
    result: Type.Object({ items: Type.Array(DeviceInfo), next: Next }),
    errors: ['EMAIL_INVALID', 'USER_UNKNOWN'],
    text: 'The devices that a member has enrolled.',
  }),
  'user.unenrol': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Unenrol }),
    result: Unenrolled,
    errors: [...unenrolRefusals, 'KEY_REUSED'],
    text: 'Locks a device out; its leases are revoked. Refused while it has a borrow.',
  }),
  'user.unenrol.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Unenrol),
    result: Unenrolled,
    errors: [...unenrolRefusals],
    text: 'What `user.unenrol` would say now.',
  }),
  'user.remove': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey, ...Remove }),
    result: UserRemoved,
    errors: [...removeRefusals, 'KEY_REUSED'],
    text: 'Removes a user with all devices; live leases are revoked. Refused while the user has an allocation or a borrow, or left pending while they have a borrow.',
  }),
  'user.remove.preview': request({
    paths: ['admin'],
    least: 'admin',
    changes: false,
    params: Type.Object(Remove),
    result: UserRemoved,
    errors: [...removeRefusals],
    text: 'What `user.remove` would say now.',
  }),
} as const;
