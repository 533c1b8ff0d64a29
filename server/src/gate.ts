import { canonicalName, type PathName, type UserInfo } from '@berth/protocol';
import { allocationHandlers } from './admin/allocation-handlers.js';
import { auditHandlers } from './admin/audit-handlers.js';
import { backupHandlers } from './admin/backup-handlers.js';
import { bulkHandlers } from './admin/bulk-handlers.js';
import { clockHandlers } from './admin/clock-handlers.js';
import { creditHandlers } from './admin/credit-handlers.js';
import type { HandlerDeps } from './admin/deps.js';
import { entitlementHandlers } from './admin/entitlement-handlers.js';
import { leaseAdminHandlers } from './admin/lease-admin-handlers.js';
import { leaseHandlers } from './admin/lease-handlers.js';
import { machineHandlers } from './admin/machine-handlers.js';
import { mailHandlers } from './admin/mail-handlers.js';
import { memberHandlers } from './admin/member-handlers.js';
import { offlineHandlers } from './admin/offline-handlers.js';
import { organisationHandlers } from './admin/organisation-handlers.js';
import { poolHandlers } from './admin/pool-handlers.js';
import { userHandlers } from './admin/user-handlers.js';
import type { DataFolder } from './data-folder.js';
import { deny } from './domain/commands.js';
import { asksForLeases } from './domain/decide/restore.js';
import { principalCalled, principalOf } from './domain/machines.js';
import { organisationOf, type State } from './domain/state.js';
import type { Signer } from './engine/issuer.js';
import { randomText } from './random.js';
import type { Answer, Gate, Handlers, Identity } from './transport/api.js';

/** What may change while the server runs, or is known only once it listens. */
export interface LiveSettings {
  leaseSeconds(): number;
  adminAddress(): string | null;
}

/** Everything the transport may ask: who a key belongs to, and one handler a method. */
export function createGate(
  state: State,
  deps: HandlerDeps,
  server: DataFolder['identity'],
  sign: Signer,
  live: LiveSettings,
): Gate {
  return {
    server: { id: server.id, key: server.keyText },
    // An owner may rename it.
    get organisation() {
      return { name: organisationOf(state).name };
    },
    get leaseSeconds() {
      return live.leaseSeconds();
    },
    get adminAddress() {
      return live.adminAddress();
    },
    handlers: allHandlers(deps),
    nowMs: () => deps.clock.now().wallMs,
    monoMs: () => deps.clock.now().monoMs,
    randomText,
    sign,
    verify: deps.verify,
    identify: (key, path) => identify(state, key, path),
    roleOf: (email) => userInfo(state, email)?.role ?? null,
    witnessed: (witness, device) => deps.rollback.witnessed(witness, device),
    get readmits() {
      return asksForLeases(state, deps.clock.now());
    },
    enrol: (params, address) => enrol(state, deps, params, live, address),
  };
}

function allHandlers(deps: HandlerDeps): Handlers {
  return {
    ...leaseHandlers(deps),
    ...organisationHandlers(deps),
    ...userHandlers(deps),
    ...memberHandlers(deps),
    ...entitlementHandlers(deps),
    ...allocationHandlers(deps),
    ...leaseAdminHandlers(deps),
    ...offlineHandlers(deps),
    ...poolHandlers(deps),
    ...machineHandlers(deps),
    ...clockHandlers(deps),
    ...mailHandlers(deps),
    ...bulkHandlers(deps),
    ...auditHandlers(deps),
    ...backupHandlers(deps),
    ...creditHandlers(deps),
  };
}

function identify(state: State, deviceKey: string, path: PathName): Identity | null {
  const device = state.tables.device.get(state.derived.deviceByKey.get(`${path} ${deviceKey}`) ?? '');
  const user = device === undefined ? undefined : principalOf(state, device);
  return device === undefined || user === undefined
    ? null
    : { device: { id: device.id, name: device.name }, user };
}

function userInfo(state: State, email: string): UserInfo | undefined {
  const user = state.tables.user.get(email);
  if (user === undefined) return principalCalled(state, email);
  const { name, role, state: is } = user;
  return { email, name, role, state: is };
}

async function enrol(
  state: State,
  deps: HandlerDeps,
  params: Parameters<Gate['enrol']>[0],
  live: LiveSettings,
  from: string,
): Promise<Answer<'device.enrol'>> {
  const invitation = deps.invitations.read(params.token);
  if (invitation === null) return deny('INVITATION_INVALID');
  const name = canonicalName(params.deviceName);
  if (name === null) return deny('NAME_INVALID', 'The device name has characters that a name may not have.');
  const { leaseKey, adminKey = null } = params;
  const machine = state.tables.machineToken.has(invitation);
  const settled = machine
    ? await deps.engine.submit({ type: 'enrolMachine', token: invitation, leaseKey, name, from })
    : await deps.engine.submit({ type: 'enrol', invitation, leaseKey, adminKey, name, from });
  if (!settled.ok) return settled;
  const { device, email, scopes } = settled.outcome;
  const user = userInfo(state, email);
  if (user === undefined) return deny('INVITATION_INVALID');
  const { serverId, serverKey, name: organisation } = organisationOf(state);
  const server = { id: serverId, key: serverKey };
  const adminAddress = live.adminAddress();
  return {
    ok: true,
    result: {
      device,
      user,
      server,
      organisation: { name: organisation },
      scopes: [...scopes],
      ...(adminAddress === null ? {} : { adminAddress }),
    },
  };
}
