import {
  type ChainFault,
  canonicalEmail,
  dayStartMs,
  type EndorsementClaims,
  type EntitlementInfo,
  type ParamsOf,
  type Verify,
  verifyEndorsement,
  verifyEntitlement,
} from '@berth/protocol';
import { type Denial, deny } from '../domain/commands.js';
import type { Entitlement, State } from '../domain/state.js';
import { entitlementInfo } from '../domain/views.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { asked, unasked, whenOf } from './request.js';

type EntitlementHandlers = Pick<
  Handlers,
  | 'endorsement.import'
  | 'endorsement.import.preview'
  | 'entitlement.import'
  | 'entitlement.import.preview'
  | 'entitlement.list'
  | 'entitlement.show'
  | 'entitlement.remove'
  | 'entitlement.remove.preview'
>;

export function entitlementHandlers(deps: HandlerDeps): EntitlementHandlers {
  const { engine, verify } = deps;
  return {
    'entitlement.import': async (params, caller) => {
      const found = importOf(params.entitlement, verify);
      if ('ok' in found) return found;
      const settled = await engine.submit({ ...found, ...asked('entitlement.import', params, caller) });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'entitlement.import.preview': async (params, caller) => {
      const found = importOf(params.entitlement, verify);
      if ('ok' in found) return found;
      const settled = await engine.would({ ...found, ...unasked('entitlement.import', params, caller) });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'endorsement.import': async (params, caller) => {
      const found = endorsementOf(params.endorsement, verify);
      if ('ok' in found) return found;
      const settled = await engine.submit({ ...found, ...asked('endorsement.import', params, caller) });
      return settled.ok ? { ok: true, result: rotationInfo(found.claims, settled.outcome) } : settled;
    },
    'endorsement.import.preview': async (params, caller) => {
      const found = endorsementOf(params.endorsement, verify);
      if ('ok' in found) return found;
      const settled = await engine.would({ ...found, ...unasked('endorsement.import', params, caller) });
      return settled.ok ? { ok: true, result: rotationInfo(found.claims, settled.outcome) } : settled;
    },
    'entitlement.list': async (params) => {
      const beforeMs = params.expiresBefore === undefined ? null : dayStartMs(params.expiresBefore.trim());
      if (params.expiresBefore !== undefined && beforeMs === null)
        return deny('DATE_INVALID', `"${params.expiresBefore}" is not a day.`);
      return engine.read((state, now): Answer<'entitlement.list'> => {
        const all = [...rowsOf(state, params.product)]
          .filter(({ claims }) => beforeMs === null || claims.exp * 1000 <= beforeMs)
          .map((row) => entitlementInfo(state, row, now))
          .filter((info) => isMeant(info, params));
        const key = (info: EntitlementInfo): string => `${info.product} ${info.id}`;
        return { ok: true, result: page(all, key, params, (info) => info) };
      });
    },
    'entitlement.show': ({ id }) =>
      engine.read((state, now): Answer<'entitlement.show'> => {
        const row = state.tables.entitlement.get(id);
        if (row === undefined) return deny('ENTITLEMENT_UNKNOWN', undefined, { id });
        return { ok: true, result: { entitlement: entitlementInfo(state, row, now), token: row.token } };
      }),
    'entitlement.remove': async (params, caller) => {
      const when = whenOf(params);
      if (typeof when !== 'string') return when;
      const key = asked('entitlement.remove', params, caller);
      const settled = await engine.submit({ type: 'removeEntitlement', ...key, id: params.id, when });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'entitlement.remove.preview': async (params, caller) => {
      const when = whenOf(params);
      if (typeof when !== 'string') return when;
      const key = unasked('entitlement.remove', params, caller);
      const settled = await engine.would({ type: 'removeEntitlement', ...key, id: params.id, when });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}

/** Any vendor may sign; whether this one may grant the product is the domain's question (VENDOR_MISMATCH). */
function importOf(token: string, verify: Verify) {
  const verified = verifyEntitlement(token, null, verify);
  if (!verified.ok) return refused(verified.fault);
  const { claims } = verified;
  if (claims.holder !== undefined && canonicalEmail(claims.holder) !== claims.holder)
    return deny(
      'ENTITLEMENT_INVALID',
      `Its holder, ${claims.holder}, is not an e-mail address in canonical form.`,
    );
  return { type: 'import', claims, token } as const;
}

function endorsementOf(token: string, verify: Verify) {
  const verified = verifyEndorsement(token, verify);
  if (!verified.ok) return deny('ENDORSEMENT_INVALID', undefined, { fault: verified.fault });
  return { type: 'importEndorsement', claims: verified.claims, token } as const;
}

function rotationInfo(
  claims: EndorsementClaims,
  { moved, changed }: { readonly moved: readonly string[]; readonly changed: boolean },
) {
  const { iss: vendor, sub: successor, products = null } = claims;
  return { endorsement: { vendor, successor, products }, moved: [...moved], changed };
}

function* rowsOf(state: State, product: string | undefined): Generator<Entitlement> {
  for (const row of state.tables.entitlement.values())
    if (product === undefined || row.claims.product === product) yield row;
}

function isMeant(info: EntitlementInfo, asked: ParamsOf<'entitlement.list'>): boolean {
  const { state, currency, subscription, ending } = asked;
  const { display } = info;
  if (state !== undefined && info.state !== state) return false;
  if (currency !== undefined && display.currency?.toLowerCase() !== currency.trim().toLowerCase())
    return false;
  if (ending === true && info.notice === undefined) return false;
  return subscription === undefined || [display.number, info.id].includes(subscription.trim());
}

function refused(fault: ChainFault): Denial {
  const code = fault === 'ENTITLEMENT_SIGNATURE' ? 'ENTITLEMENT_SIGNATURE' : 'ENTITLEMENT_INVALID';
  return deny(code, undefined, { fault });
}
