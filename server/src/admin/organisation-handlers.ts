import { canonicalName } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import { creditsFor } from '../domain/credits.js';
import { type Now, organisationOf, type State } from '../domain/state.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { asked } from './request.js';

type OrganisationHandlers = Pick<Handlers, 'organisation.show' | 'organisation.set'>;

export function organisationHandlers({ engine, version }: HandlerDeps): OrganisationHandlers {
  return {
    'organisation.show': () =>
      engine.read((state, now): Answer<'organisation.show'> => {
        const { name, serverId, serverKey, epoch } = organisationOf(state);
        return { ok: true, result: { name, serverId, serverKey, epoch, ...tiles(state, now), version } };
      }),
    'organisation.set': async (params, caller) => {
      const name = canonicalName(params.name);
      if (name === null || name === '')
        return name === ''
          ? deny(
              'NAME_INVALID',
              'An organisation has a name.',
              undefined,
              'Give it one: berth org set --name NAME',
            )
          : deny('NAME_INVALID');
      const key = asked('organisation.set', params, caller);
      const settled = await engine.submit({ type: 'setOrganisation', ...key, name, was: params.was ?? null });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}

/** What a portal shows on its tiles. Products and entitlements are few; users are counted by their indexes. */
function tiles(state: State, now: Now) {
  const { user, product } = state.tables;
  return {
    users: user.size,
    invited: state.derived.usersByState.get('invited').size,
    products: product.size,
    sharing: [...product.values()].filter(({ sharing }) => sharing).length,
    credits: creditsFor(state, { email: null, vendor: null }, now),
  };
}
