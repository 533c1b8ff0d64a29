import { canonicalAlias, canonicalName, isRole, limits, type ParamsOf } from '@berth/protocol';
import { type Command, deny, type Settled } from '../domain/commands.js';
import { creditInfo } from '../domain/credits.js';
import { userUnknown } from '../domain/decide/denial.js';
import { openInvitations } from '../domain/decide/user.js';
import { why } from '../domain/decide/why.js';
import { principalCalled } from '../domain/machines.js';
import type { Mail } from '../domain/mail.js';
import { pendingInfo } from '../domain/pending.js';
import { poolOf } from '../domain/pools.js';
import type { Now, State } from '../domain/state.js';
import { allocationInfo, deviceInfo, isLasting, leaseInfo, memberInfo } from '../domain/views.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { userCalled, userMeant } from './people.js';
import { asked, unasked } from './request.js';

type MemberHandlers = Pick<
  Handlers,
  | 'user.me'
  | 'user.why'
  | 'user.show'
  | 'user.set'
  | 'user.set.preview'
  | 'user.devices'
  | 'user.unenrol'
  | 'user.unenrol.preview'
  | 'user.invitation.cancel'
  | 'user.invitation.cancel.preview'
>;

/** One member: looked at and changed. */
export function memberHandlers(deps: HandlerDeps): MemberHandlers {
  const { engine } = deps;
  return {
    'user.me': (_, caller) => engine.read((state, now) => me(state, caller.email, now)),
    'user.why': async ({ email: called, product, seats = 1 }) => {
      const email = userCalled(deps, called);
      if (typeof email !== 'string') return email;
      return engine.ask((state, context): Answer<'user.why'> => {
        const result = why(state, { email, product, seats }, context);
        return 'ok' in result ? result : { ok: true, result };
      });
    },
    'user.show': async (params) => {
      const email = userCalled(deps, params.email);
      return typeof email === 'string' ? engine.read((state, now) => show(state, email, now)) : email;
    },
    'user.set': (params, caller) =>
      set(deps, params, (wish) => {
        const { was = {} } = params;
        return engine.submit({ type: 'setUser', ...asked('user.set', params, caller), ...wish, was });
      }),
    'user.set.preview': (params, caller) =>
      set(deps, params, (wish) =>
        engine.would({ type: 'setUser', ...unasked('user.set', params, caller), ...wish, was: {} }),
      ),
    'user.devices': (params) => devices(deps, params),
    'user.unenrol': async (params, caller) => {
      const email = userMeant(deps, params.email);
      if (typeof email !== 'string') return email;
      const key = asked('user.unenrol', params, caller);
      const settled = await engine.submit({ type: 'unenrol', ...key, email, device: params.device });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'user.unenrol.preview': async (params, caller) => {
      const email = userMeant(deps, params.email);
      if (typeof email !== 'string') return email;
      const command = { type: 'unenrol', email, device: params.device } as const;
      const settled = await engine.would({ ...command, ...unasked('user.unenrol', params, caller) });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'user.invitation.cancel': async (params, caller) => {
      const email = userMeant(deps, params.email);
      if (typeof email !== 'string') return email;
      const key = asked('user.invitation.cancel', params, caller);
      const settled = await engine.submit({ type: 'cancelInvitation', ...key, email });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'user.invitation.cancel.preview': async (params, caller) => {
      const email = userMeant(deps, params.email);
      if (typeof email !== 'string') return email;
      const key = unasked('user.invitation.cancel', params, caller);
      const settled = await engine.would({ type: 'cancelInvitation', ...key, email });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}

async function devices(deps: HandlerDeps, params: ParamsOf<'user.devices'>): Promise<Answer<'user.devices'>> {
  const email = userCalled(deps, params.email);
  if (typeof email !== 'string') return email;
  return deps.engine.read((state): Answer<'user.devices'> => {
    if (!state.tables.user.has(email)) return userUnknown(state, email);
    const rows = [...state.derived.devicesByUser.get(email)].map((id) => state.tables.device.get(id)!);
    const key = ({ name, id }: (typeof rows)[number]) => `${name} ${id}`;
    return { ok: true, result: page(rows, key, params, (row) => deviceInfo(state, row)) };
  });
}

function me(state: State, email: string, now: Now): Answer<'user.me'> {
  const member = state.tables.user.get(email);
  const user = member ?? principalCalled(state, email);
  if (user === undefined) return userUnknown(state, email);
  const seats = state.derived.seatsByUser.get(email);
  const allocations = [...state.derived.allocationsByUser.get(email)].map(
    (id) => state.tables.allocation.get(id)!,
  );
  const leases = [...seats]
    .flatMap((id) => [...state.derived.leasesBySeat.get(id)].map((lease) => state.tables.lease.get(lease)!))
    .filter((lease) => isLasting(state, lease));
  const products = [...state.tables.product.keys()].sort();
  const { name, role, state: is } = user;
  const { removing } = member ?? {};
  const result = {
    user: { email, name, role, state: is },
    ...(removing === undefined ? {} : { removing: pendingInfo(state, removing, seats, now) }),
    allocations: allocations.slice(0, limits.mineRows).map((row) => allocationInfo(state, row, now)),
    leases: leases.slice(0, limits.mineRows).map((lease) => leaseInfo(state, lease, now)),
    shared: products.slice(0, limits.mineRows).map((product) => {
      const { floatingSharing, shared, free } = poolOf(state, product, now);
      return { product, floatingSharing, shared, free: Math.min(free, shared) };
    }),
    ...(member ? { credits: creditInfo(state, email, now) } : {}),
    more: Math.max(allocations.length, leases.length, products.length) > limits.mineRows,
  };
  return { ok: true, result };
}

function show(state: State, email: string, now: Now): Answer<'user.show'> {
  const user = state.tables.user.get(email) ?? state.tables.formerUser.get(email);
  if (user === undefined) return userUnknown(state, email);
  const [open] = openInvitations(state, email);
  const allocations = [...state.derived.allocationsByUser.get(email)].sort().slice(0, limits.mineRows);
  const { changed } = user.state === 'removed' ? {} : user;
  return {
    ok: true,
    result: {
      user: memberInfo(state, user, now),
      invitation:
        open === undefined
          ? null
          : {
              expiresAtMs: open.expiresAtMs,
              expired: open.expiresAtMs <= now.wallMs,
              ...mailWithLink(state, open.id),
            },
      allocations: allocations.map((id) => allocationInfo(state, state.tables.allocation.get(id)!, now)),
      credits: creditInfo(state, email, now),
      ...(changed === undefined ? {} : { changed }),
    },
  };
}

/** An invitation that was refused by the mail server is one that nobody has. */
function mailWithLink(
  state: State,
  invitation: string,
): { mail?: { id: string; state: Mail['state']; error?: string } } {
  const mail = state.tables.mail.get(state.derived.mailByInvitation.get(invitation) ?? '');
  if (mail === undefined) return {};
  const { id, state: is, error } = mail;
  return { mail: { id, state: is, ...(error === undefined || is === 'sent' ? {} : { error }) } };
}

async function set(
  deps: HandlerDeps,
  params: ParamsOf<'user.set.preview'>,
  settle: (wish: Omit<Command<'setUser'>, 'type' | 'by' | 'request' | 'was'>) => Promise<Settled<'setUser'>>,
): Promise<Answer<'user.set'>> {
  const email = userMeant(deps, params.email);
  if (typeof email !== 'string') return email;
  const name = params.name === undefined ? null : canonicalName(params.name);
  if (params.name !== undefined && name === null) return deny('NAME_INVALID', undefined, { email });
  const role = params.role?.trim().toLowerCase() ?? null;
  if (role !== null && !isRole(role))
    return deny('ROLE_INVALID', `There is no role "${params.role}".`, { email });
  const [addAliases, removeAliases] = [canonical(params.addAliases), canonical(params.removeAliases)];
  if (typeof addAliases === 'string' || typeof removeAliases === 'string') {
    const alias = typeof addAliases === 'string' ? addAliases : removeAliases;
    return deny('ALIAS_INVALID', `"${alias}" is not a login name.`, { email });
  }
  const settled = await settle({ email, name, role, addAliases, removeAliases });
  return settled.ok ? { ok: true, result: settled.outcome } : settled;
}

/** Login names as they are kept, or the first that is none. */
function canonical(texts: readonly string[] = []): string[] | string {
  const found: string[] = [];
  for (const text of texts) {
    const alias = canonicalAlias(text);
    if (alias === null) return text;
    found.push(alias);
  }
  return found;
}
