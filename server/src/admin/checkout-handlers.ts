import { limits, type ParamsOf } from '@berth/protocol';
import { type Command, type Denial, deny, type Settled } from '../domain/commands.js';
import type { Answer, Caller, Flight, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { denied, grant, tellRevoked } from './grants.js';
import { asked } from './request.js';

type CheckoutHandlers = Pick<Handlers, 'lease.checkout' | 'lease.cancelWait'>;

/** Taking seats, at once or after a wait in line. */
export function checkoutHandlers(deps: HandlerDeps): CheckoutHandlers {
  const places = new SessionPlaces();
  return {
    'lease.checkout': (params, caller, flight) => checkout(deps, places, params, caller, flight),
    'lease.cancelWait': async ({ checkout: key }, caller) => ({
      ok: true,
      result: { left: deps.engine.cancelWaiting(caller.deviceId, key) },
    }),
  };
}

async function checkout(
  deps: HandlerDeps,
  places: SessionPlaces,
  params: ParamsOf<'lease.checkout'>,
  caller: Caller,
  flight: Flight | undefined,
): Promise<Answer<'lease.checkout'>> {
  const { wants, nonce } = params;
  const twice = productTwice(wants);
  if (twice !== null) return twice;
  const seats = wants.reduce((sum, want) => sum + want.seats, 0);
  const free = places.reserve(caller, seats);
  try {
    const key = asked('lease.checkout', params, caller);
    const command: Command<'checkout'> = { type: 'checkout', ...key, wants, nonce, places: free };
    const settled = await settle(deps, command, params, flight);
    if (!settled.ok) return refused(deps, wants, settled, flight);
    const { leases, joined } = settled.outcome;
    for (const product of new Set(leases.map((lease) => lease.product)))
      deps.metrics.checkout(product, joined ? 'joined' : 'granted');
    for (const { jti } of leases) caller.leases.add(jti);
    await tellRevoked(deps, leases);
    return { ok: true, result: { ...(await grant(deps, leases)), joined } };
  } finally {
    places.giveBack(caller, seats);
  }
}

function settle(
  deps: HandlerDeps,
  command: Command<'checkout'>,
  { key, waitMs = 0 }: ParamsOf<'lease.checkout'>,
  flight: Flight | undefined,
): Promise<Settled<'checkout'>> {
  const { engine } = deps;
  if (waitMs === 0 || flight === undefined) return engine.submit(command);
  let sinceMs: number | null = null;
  const settled = engine.submitWaiting(command, {
    waitMs,
    signal: flight.ended,
    onPlace: (place) => {
      sinceMs ??= deps.clock.now().monoMs;
      flight.park();
      flight.push('lease.queued', { checkout: key, ...place });
    },
  });
  return settled.finally(() => {
    if (sinceMs !== null) deps.metrics.waited((deps.clock.now().monoMs - sinceMs) / 1000);
  });
}

/** Nobody hears a refusal whose connection has ended: it is no denial, the client comes again. */
function refused(
  deps: HandlerDeps,
  wants: ParamsOf<'lease.checkout'>['wants'],
  denial: Denial,
  flight: Flight | undefined,
): Denial {
  if (flight?.ended.aborted === true) return denial;
  const named = denial.detail?.product;
  return denied(deps, typeof named === 'string' ? named : wants[0]!.products[0]!, denial);
}

/** A product stands in one want only, so that it is always clear which lease is for what. */
function productTwice(wants: ParamsOf<'lease.checkout'>['wants']): Denial | null {
  const products = wants.flatMap((want) => want.products);
  const twice = products.find((product, at) => products.indexOf(product) !== at);
  if (twice === undefined) return null;
  const message = `wants: ${twice} stands in it twice. Ask for all its seats in one want.`;
  return deny('PARAMS_INVALID', message, { field: 'wants' });
}

/** Places for leases in each session, those of checkouts in flight included: a burst cannot pass the limit. */
class SessionPlaces {
  readonly #reserved = new WeakMap<Caller, number>();

  /** @returns how many leases this checkout may bring. */
  reserve(caller: Caller, seats: number): number {
    const reserved = this.#reserved.get(caller) ?? 0;
    this.#reserved.set(caller, reserved + seats);
    return limits.leasesPerSession - caller.leases.size - reserved;
  }

  giveBack(caller: Caller, seats: number): void {
    this.#reserved.set(caller, (this.#reserved.get(caller) ?? 0) - seats);
  }
}
