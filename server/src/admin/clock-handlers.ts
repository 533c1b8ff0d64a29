import { endsIfAccepted, readClock } from '../domain/clock.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { asked } from './request.js';

type ClockHandlers = Pick<Handlers, 'clock.show' | 'clock.accept'>;

export function clockHandlers({ engine }: Pick<HandlerDeps, 'engine'>): ClockHandlers {
  return {
    'clock.show': () =>
      engine.read((state, now): Answer<'clock.show'> => {
        const { borrows, entitlements } = endsIfAccepted(state, now);
        const clock = readClock(state, now);
        return { ok: true, result: { clock, borrowsThatEnd: borrows, entitlementsThatEnd: entitlements } };
      }),
    'clock.accept': async (params, caller) => {
      const settled = await engine.submit({ type: 'acceptClock', ...asked('clock.accept', params, caller) });
      return settled.ok ? { ok: true, result: settled.outcome } : settled;
    },
  };
}
