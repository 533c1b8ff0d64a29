import { adminRequests } from './messages-admin.js';
import { allocationRequests } from './messages-allocation.js';
import { auditRequests } from './messages-audit.js';
import { backupRequests } from './messages-backup.js';
import { bulkRequests } from './messages-bulk.js';
import { creditRequests, spendRequests } from './messages-credit.js';
import { leaseRequests, pushes } from './messages-lease.js';
import { machineRequests } from './messages-machine.js';
import { mailRequests } from './messages-mail.js';
import { offlineRequests } from './messages-offline.js';
import { organisationRequests } from './messages-organisation.js';
import { poolRequests } from './messages-pool.js';
import { meRequests, userRequests } from './messages-user.js';
import { whyRequests } from './messages-why.js';
import type { Role } from './schemas.js';
import type { Static, TSchema } from './typebox.js';

/** The two paths of the one TLS port (PROTOCOL 2). */
export const paths = { lease: '/v1/lease', admin: '/v1/admin' } as const;
export type PathName = keyof typeof paths;

export const SUBPROTOCOL = 'berth.v1';

/** Least role a method asks for. `none` needs no session; `device` any enrolled device. */
export type LeastRole = 'none' | 'device' | Role;

/**
 * Every request a client can make, both paths in one table. Handlers are a mapped type over it (a missing handler does not compile), the
 * SDK's calls are inferred from it, and PROTOCOL.md is checked against it by a test.
 */
export const requests = {
  ...leaseRequests,
  ...meRequests,
  ...spendRequests,
  ...adminRequests,
  ...organisationRequests,
  ...userRequests,
  ...whyRequests,
  ...allocationRequests,
  ...poolRequests,
  ...machineRequests,
  ...offlineRequests,
  ...mailRequests,
  ...bulkRequests,
  ...auditRequests,
  ...creditRequests,
  ...backupRequests,
} as const;

export type Method = keyof typeof requests;
export type LeaseMethod = keyof typeof leaseRequests | keyof typeof meRequests | keyof typeof spendRequests;
export type AdminMethod =
  | keyof typeof adminRequests
  | keyof typeof organisationRequests
  | keyof typeof userRequests
  | keyof typeof whyRequests
  | keyof typeof allocationRequests
  | keyof typeof poolRequests
  | keyof typeof machineRequests
  | keyof typeof offlineRequests
  | keyof typeof mailRequests
  | keyof typeof bulkRequests
  | keyof typeof backupRequests
  | keyof typeof auditRequests
  | keyof typeof creditRequests;

type AllParams = { readonly [M in Method]: Static<(typeof requests)[M]['params']> };
type AllResults = { readonly [M in Method]: Static<(typeof requests)[M]['result']> };
export type ParamsOf<M extends Method> = AllParams[M];
export type ResultOf<M extends Method> = AllResults[M];

export type Push = keyof typeof pushes;
type AllPushParams = { readonly [P in keyof typeof pushes]: Static<(typeof pushes)[P]['params']> };
export type PushParams<P extends Push> = AllPushParams[P];
export { pushes };

export function isMethod(text: string): text is Method {
  return Object.hasOwn(requests, text);
}

export function isPush(text: string): text is Push {
  return Object.hasOwn(pushes, text);
}

/** Who may call a method that asks for at least this role. Roles are ordered: owner > admin > viewer > user. */
export function roleAtLeast(role: Role, least: Role): boolean {
  return roleOrder.indexOf(role) <= roleOrder.indexOf(least);
}

export const roleOrder: readonly Role[] = ['owner', 'admin', 'viewer', 'user'];

export type { TSchema };

export function isRole(text: string): text is Role {
  return (roleOrder as readonly string[]).includes(text);
}
