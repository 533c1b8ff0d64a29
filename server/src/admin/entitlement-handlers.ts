import {
  type ChainFault,
  canonicalEmail,
  dayStartMs,
  type EntitlementInfo,
  type ParamsOf,
  verifyEndorsement,
  verifyEntitlement,
} from '@berth/protocol';
import { type Denial, deny } from '../domain/commands.js';
import type { Entitlement, State } from '../domain/state.js';
import { entitlementInfo } from '../domain/views.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { page } from './pages.js';
import { asked, whenOf } from './request.js';

type EntitlementHandlers = Pick<
  Handlers,
  'endorsement.import' | 'entitlement.import' | 'entitlement.list' | 'entitlement.show' | 'entitlement.remove'
>;

export function entitlementHandlers(deps: HandlerDeps): EntitlementHandlers {
  const { engine, verify } = deps;
  return {
    'entitlement.import': async (params, caller) => {
      const token = params.entitlement;
      // Any vendor may sign; whether this one may grant the product is the domain's question (VENDOR_MISMATCH).
      const verified = verifyEntitlement(token, null, verify);
      if (!verified.ok) return refused(verified.fault);
      const { claims } = verified;
      if (claims.holder !== undefined && canonicalEmail(claims.holder) !== claims.holder) {
        return deny(
          'ENTITLEMENT_INVALID',
          `Its holder, ${claims.holder}, is not an e-mail address in canonical form.`,
        );
      }
      const settled = await engine.submit({
        type: 'import',
        ...asked('entitlement.import', params, caller),
        claims,
        token,
      });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
    'endorsement.import': async (params, caller) => {
      const token = params.endorsement;
      const verified = verifyEndorsement(token, verify);
      if (!verified.ok) return deny('ENDORSEMENT_INVALID', undefined, { fault: verified.fault });
      const { claims } = verified;
      const key = asked('endorsement.import', params, caller);
      const settled = await engine.submit({ type: 'importEndorsement', ...key, claims, token });
      if (!settled.ok) return settled;
      const { iss: vendor, sub: successor, products = null } = claims;
      const { moved, changed } = settled.outcome;
      const endorsement = { vendor, successor, products };
      return { ok: true, result: { endorsement, moved: [...moved], changed } };
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
      const settled = await engine.submit({
        type: 'removeEntitlement',
        ...asked('entitlement.remove', params, caller),
        id: params.id,
        when,
      });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
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
